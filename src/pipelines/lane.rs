//! The way to one sink: filters, a buffer, and what delivers.
//!
//! ```text
//! source --Batch--> Chain (filters) --> Queue ---------------> deliver --> Sink
//!                                  \--> Spool (`disk`) --'        \--> Checkpoints
//! ```
//!
//! Each sink has a lane of its own, and sources that can be read again are read once for each: a sink that is slow or
//! dead holds up nobody but itself. What is checkpointed lies safe in the sink, or in the spool before it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::checkpoints::Checkpoints;
use super::figures::{Figures, Reason};
use super::filters::Chain;
use super::options::Buffer as BufferOption;
use super::queue::{Appetite, Full, Queue};
use super::record::{Batch, Mark, Record};
use super::sinks::Sink;
use super::status::PartStatus;
use crate::base::{Backoff, Time};
use crate::spool::{Reader, Spool, SpoolError};

/// How long places may be reached before they are on disk: what is read twice after a crash.
pub(super) const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);
/// How often a spool that cannot be written is tried again.
const SPOOL_RETRY: Duration = Duration::from_secs(1);

/// The way to one sink.
#[derive(Debug)]
pub(super) struct Lane {
    chain: Mutex<Chain>,
    buffer: Buffer,
    pub checkpoints: Checkpoints,
    pub figures: Arc<Figures>,
    /// Waiting is over: the pipeline's time to drain has passed.
    abandoned: CancellationToken,
}

#[derive(Debug)]
enum Buffer {
    Memory(Queue),
    Disk(Disk),
}

/// A spool between sources and a sink.
#[derive(Debug)]
struct Disk {
    spool: Spool,
    most: u64,
    /// Nothing more comes.
    closed: CancellationToken,
    /// Places were reached that are not saved.
    touched: Notify,
    /// The position up to which the sink took what there is.
    delivered: AtomicU64,
}

impl Lane {
    pub fn new(
        chain: Chain,
        checkpoints: Checkpoints,
        buffer: BufferOption,
        (size, bytes): (usize, u64),
        spool_dir: &Path,
        figures: Arc<Figures>,
        abandoned: CancellationToken,
    ) -> Result<Self, SpoolError> {
        let memory = |full| Buffer::Memory(Queue::new(size, full));
        let buffer = match buffer {
            BufferOption::Block => memory(Full::Block),
            BufferOption::DropNewest => memory(Full::DropNewest),
            BufferOption::DropOldest => memory(Full::DropOldest),
            BufferOption::Disk => Buffer::Disk(Disk {
                spool: Spool::open(spool_dir, bytes)?,
                most: bytes,
                closed: CancellationToken::new(),
                touched: Notify::new(),
                delivered: AtomicU64::new(checkpoints.place(SPOOL).unwrap_or_default()),
            }),
        };
        Ok(Self {
            chain: Mutex::new(chain),
            buffer,
            checkpoints,
            figures,
            abandoned,
        })
    }

    /// Puts records through the filters, which drop and change some.
    pub fn filter(&self, records: &mut Vec<Record>) {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.apply(records, Time::now());
    }

    /// Takes what a source read: through the filters, into the buffer. Waits for room if the buffer blocks.
    pub async fn take(&self, mut batch: Batch) {
        self.filter(&mut batch.records);
        self.put(batch).await;
    }

    /// The same for what went through the filters already.
    pub async fn put(&self, batch: Batch) {
        self.figures.took(batch.records.len());
        match &self.buffer {
            Buffer::Memory(queue) => {
                let dropped = queue.put(batch).await;
                self.figures.dropped(Reason::Full, dropped);
            }
            Buffer::Disk(disk) => self.spill(disk, batch).await,
        }
    }

    async fn spill(&self, disk: &Disk, batch: Batch) {
        if !batch.records.is_empty() {
            let payloads: Vec<Vec<u8>> = batch.records.iter().map(Record::to_bytes).collect();
            let mut bytes = disk.spool.bytes();
            tokio::select! {
                _ = bytes.wait_for(|bytes| *bytes < disk.most) => {}
                () = self.abandoned.cancelled() => return,
            }
            while let Err(error) = disk.spool.append(&payloads) {
                self.figures.trouble(told(&error));
                tokio::select! {
                    () = tokio::time::sleep(SPOOL_RETRY) => {}
                    () = self.abandoned.cancelled() => return,
                }
            }
        }
        self.checkpoints.reached(batch.marks);
        disk.touched.notify_one();
    }

    /// Returns when what was taken would survive a power cut, as far as the buffer can promise it.
    pub fn sync(&self) -> Result<(), SpoolError> {
        match &self.buffer {
            Buffer::Memory(_) => Ok(()),
            Buffer::Disk(disk) => disk.spool.sync(),
        }
    }

    /// Saves places that were reached by spilling, within the interval, until the lane is closed.
    pub async fn keep(&self) {
        let Buffer::Disk(disk) = &self.buffer else {
            return;
        };
        while !disk.closed.is_cancelled() {
            tokio::select! {
                () = disk.touched.notified() => {}
                () = disk.closed.cancelled() => {}
            }
            tokio::select! {
                () = tokio::time::sleep(CHECKPOINT_INTERVAL) => {}
                () = disk.closed.cancelled() => {}
            }
            self.save();
        }
    }

    /// Saves the places that were reached, after what lies before them: a place that outlives its records loses them.
    fn save(&self) {
        // The disk may take its time; others go on meanwhile.
        tokio::task::block_in_place(|| {
            if let Err(error) = self.sync() {
                return self.figures.trouble(told(&error));
            }
            if let Err(error) = self.checkpoints.save() {
                self.figures
                    .trouble(format!("checkpoints cannot be saved: {error}"));
            }
        });
    }

    /// Whether the filters have something to tell now and then.
    pub fn has_to_tell(&self) -> bool {
        let chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.tells()
    }

    /// Lets rates that are over be told, though nothing comes.
    pub async fn pulse(&self) {
        let told = {
            let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
            chain.tell(Time::now())
        };
        if !told.is_empty() {
            let batch = Batch {
                records: told,
                marks: Vec::new(),
            };
            self.put(batch).await;
        }
    }

    /// Nothing more comes.
    pub fn close(&self) {
        match &self.buffer {
            Buffer::Memory(queue) => queue.close(),
            Buffer::Disk(disk) => {
                disk.closed.cancel();
                self.save();
            }
        }
    }

    /// The figures of the filters.
    pub fn filters(&self) -> Vec<PartStatus> {
        let chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.status()
    }

    /// The figures of the sink and of the buffer before it.
    pub fn status(&self) -> PartStatus {
        let (waiting, waiting_bytes) = match &self.buffer {
            Buffer::Memory(queue) => {
                let (entries, bytes) = queue.size();
                (entries as u64, bytes as u64)
            }
            Buffer::Disk(disk) => {
                let head = *disk.spool.head().borrow();
                let waiting = head.saturating_sub(disk.delivered.load(Ordering::Relaxed));
                let bytes = *disk.spool.bytes().borrow();
                (waiting, if waiting == 0 { 0 } else { bytes })
            }
        };
        PartStatus {
            waiting,
            waiting_bytes,
            ..self.figures.status()
        }
    }

    /// Delivers until the lane is closed and empty, or abandoned.
    pub async fn deliver(&self, mut sink: Sink) {
        sink.resume(&self.checkpoints.note()).await;
        // Where the sink stood before anything came is remembered before anything comes.
        if let Ok(Some(note)) = sink.sync().await {
            self.checkpoints.leave(note);
            self.save();
        }
        let mut source = match &self.buffer {
            Buffer::Memory(queue) => Waiting::Memory(queue),
            Buffer::Disk(disk) => {
                let at = disk.delivered.load(Ordering::Relaxed);
                Waiting::Disk(disk, disk.spool.read_after(at))
            }
        };
        let mut due: Option<Instant> = None;
        loop {
            let taken = tokio::select! {
                taken = source.next(sink.appetite(), &self.figures) => taken,
                () = at(due) => {
                    self.settle(&mut sink, &source).await;
                    due = None;
                    continue;
                }
                () = self.abandoned.cancelled() => break,
            };
            let Some(mut batch) = taken else { break };
            if !self.hand_over(&mut sink, &mut batch.records).await {
                let left = batch.records.len() as u64;
                if matches!(source, Waiting::Memory(_)) {
                    self.figures.dropped(Reason::Stopped, left);
                }
                break;
            }
            self.checkpoints.reached(batch.marks);
            if let Waiting::Disk(disk, reader) = &source {
                disk.delivered.store(reader.at(), Ordering::Relaxed);
            }
            let when = *due.get_or_insert_with(|| Instant::now() + CHECKPOINT_INTERVAL);
            if when <= Instant::now() {
                self.settle(&mut sink, &source).await;
                due = None;
            }
        }
        self.settle(&mut sink, &source).await;
        sink.close().await;
    }

    /// Makes what was delivered safe, then remembers it.
    async fn settle(&self, sink: &mut Sink, source: &Waiting<'_>) {
        match sink.sync().await {
            Ok(note) => {
                if let Some(note) = note {
                    self.checkpoints.leave(note);
                }
                self.save();
                if let Waiting::Disk(disk, _) = source {
                    disk.spool.release(disk.delivered.load(Ordering::Relaxed));
                }
            }
            Err(failure) => self.figures.trouble(failure.reason),
        }
    }

    /// Hands records over, as often as it takes; whether they were all taken (or refused for good).
    async fn hand_over(&self, sink: &mut Sink, records: &mut Vec<Record>) -> bool {
        let (first, most) = sink.patience();
        let mut backoff = Backoff::new(first, most);
        loop {
            let outcome = tokio::select! {
                outcome = sink.deliver(records) => outcome,
                () = self.abandoned.cancelled() => return false,
            };
            let delivered = outcome.delivered;
            self.figures.gave(delivered.saturating_sub(outcome.lost));
            self.figures.moved(outcome.bytes);
            self.figures.dropped(Reason::Refused, outcome.lost as u64);
            let Some(failure) = outcome.failure else {
                self.figures.well();
                return true;
            };
            self.figures.trouble(failure.reason);
            if failure.is_final {
                return false;
            }
            if failure.refused > 0 {
                let refused = failure.refused.min(records.len());
                self.figures.dropped(Reason::Refused, refused as u64);
                records.drain(..refused);
                if records.is_empty() {
                    return true;
                }
                continue;
            }
            if delivered > 0 {
                backoff.reset();
            }
            let wait = failure.after.unwrap_or_else(|| backoff.delay());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.abandoned.cancelled() => return false,
            }
        }
    }
}

/// The name under which the place in a spool is remembered.
pub(super) const SPOOL: &str = "spool";

/// Where a sink's records wait.
enum Waiting<'l> {
    Memory(&'l Queue),
    Disk(&'l Disk, Reader),
}

impl Waiting<'_> {
    async fn next(&mut self, appetite: Appetite, figures: &Figures) -> Option<Batch> {
        let (disk, reader) = match self {
            Self::Memory(queue) => return queue.next(appetite).await,
            Self::Disk(disk, reader) => (disk, reader),
        };
        let stretch = tokio::select! {
            biased;
            // What is spilled outlives us: there is no need to deliver it before the end.
            () = disk.closed.cancelled() => return None,
            stretch = reader.next() => stretch,
        };
        if let Some((first, last)) = stretch.missing {
            figures.dropped(Reason::Damaged, last - first + 1);
        }
        let records = stretch.payloads.iter();
        Some(Batch {
            records: records
                .filter_map(|(_, bytes)| Record::from_bytes(bytes))
                .collect(),
            marks: vec![Mark {
                source: SPOOL.into(),
                key: String::new(),
                at: Some(stretch.at.into()),
            }],
        })
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// An error and what caused it.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(error.source(), |error| error.source());
    chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
