//! The thread that owns the WAL: one fsync for all that wait.
//!
//! It takes every batch that is waiting, writes one frame, syncs, shows the entries to readers, moves the head and
//! answers. A full memtable is sealed by a second thread; when that one is still busy with the memtable before, the
//! writer waits for it: that is the bound on memory, and senders feel it as backpressure.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::appender::{Answer, Command, NotTaken};
use super::memtable::Memtable;
use super::seal;
use super::state::Shared;
use super::wal::{MAX_FRAME_BYTES, Wal};
use super::{Durability, Error, Health, codec};
use crate::entry::{Entry, Position};

/// Encoded bytes after which no further waiting batch joins a frame.
const GROUP_BYTES: usize = 4 << 20;
/// Fewer entries than this stay in the WAL when the log is closed or idle: replaying them takes a few milliseconds, and
/// every tiny segment would cost each later query more.
const WORTH_SEALING: usize = 4_096;
/// When nothing came for this long, what is in memory is sealed if it is worth it.
const IDLE: Duration = Duration::from_secs(5);

/// Takes commands in turn.
pub(super) struct Writer {
    shared: Arc<Shared>,
    wal: Option<Wal>,
    next: Position,
    sealing: Option<JoinHandle<()>>,
    /// Since when something waits for the fsync of its interval.
    unsynced: Option<Instant>,
}

type Waiting = (Range<u64>, oneshot::Sender<Answer>);

impl Writer {
    pub fn new(shared: Arc<Shared>) -> Self {
        let next = shared.head.borrow().next();
        Self {
            next,
            shared,
            wal: None,
            sealing: None,
            unsynced: None,
        }
    }

    /// Works until the log is closed or nobody is left to append.
    pub fn run(&mut self, commands: &Receiver<Command>) {
        while let Some(command) = self.next_command(commands) {
            let (mut close, mut seal) = (None, None);
            let mut group = Group::default();
            let mut next = Some(command);
            while let Some(command) = next.take() {
                match command {
                    Command::Append(entries, answer) => group.add(entries, answer, &mut self.next),
                    Command::Seal(answer) => seal = Some(answer),
                    Command::Close(answer) => close = Some(answer),
                }
                if close.is_none() && seal.is_none() && group.payload.len() < GROUP_BYTES {
                    next = commands.try_recv().ok();
                }
            }
            self.commit(group);
            if let Some(answer) = seal {
                self.seal();
                self.wait_for_sealing();
                let _ = answer.send(());
            }
            if let Some(answer) = close {
                self.finish();
                let _ = answer.send(());
                return;
            }
        }
        self.finish();
    }

    /// Waits for a command. Meanwhile what was written is synced when its interval is over, and sealed when nothing
    /// came for a while.
    fn next_command(&mut self, commands: &Receiver<Command>) -> Option<Command> {
        loop {
            let until_sync = match (self.shared.options.durability, self.unsynced) {
                (Durability::Interval(interval), Some(since)) => {
                    Some(interval.saturating_sub(since.elapsed()))
                }
                _ => None,
            };
            if until_sync == Some(Duration::ZERO) {
                self.sync_interval();
                continue;
            }
            match commands.recv_timeout(until_sync.unwrap_or(IDLE).min(IDLE)) {
                Ok(command) => return Some(command),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout)
                    if until_sync.is_none()
                        && self.shared.tables().active.len() >= WORTH_SEALING =>
                {
                    self.seal();
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn sync_interval(&mut self) {
        self.unsynced = None;
        if let Some(wal) = &mut self.wal
            && let Err(error) = wal.sync()
        {
            tracing::error!(error = %error, "the write-ahead log could not be synced; nothing more is accepted");
            self.shared.set_health(Health::Failed(error.to_string()));
        }
    }

    /// Makes a group durable, visible and answered, or none of it.
    fn commit(&mut self, group: Group) {
        if group.entries.is_empty() {
            group
                .waiting
                .into_iter()
                .for_each(|(range, answer)| drop(answer.send(Ok(range))));
            return;
        }
        if !self.has_room() || group.payload.len() > MAX_FRAME_BYTES {
            self.next = group
                .entries
                .first()
                .map_or(self.next, |entry| entry.position);
            let large = group.payload.len() > MAX_FRAME_BYTES;
            group.give_back(|| if large { Error::TooLarge } else { Error::Full });
            return;
        }
        let first = group
            .entries
            .first()
            .map_or(self.next, |entry| entry.position);
        let began = Instant::now();
        match self.write(first, &group.payload) {
            Ok(()) => {
                let (entries, bytes) = (group.entries.len(), group.payload.len());
                let counters = &self.shared.counters;
                counters.committed(entries, bytes, began.elapsed());
                self.shared.count(&group.entries);
                self.shared.appended();
                let active = self.shared.tables().active;
                active.extend(group.entries);
                self.shared.head.send_replace(Position(self.next.0 - 1));
                group
                    .waiting
                    .into_iter()
                    .for_each(|(range, answer)| drop(answer.send(Ok(range))));
                if active.weight() >= self.shared.options.memtable_bytes {
                    self.seal();
                }
            }
            Err(failure) => {
                self.next = first;
                group.give_back(failure);
            }
        }
    }

    /// Writes and syncs one frame. The error can be made again for each who waits.
    fn write(
        &mut self,
        first: Position,
        payload: &[u8],
    ) -> Result<(), impl FnMut() -> Error + use<>> {
        let health = self
            .shared
            .health
            .read()
            .map(|health| health.clone())
            .unwrap_or_default();
        let outcome = match &health {
            Health::Failed(_) => Err(health.clone()),
            Health::Good | Health::Full => self.try_write(first, payload),
        };
        match outcome {
            Ok(()) => {
                if health == Health::Full {
                    self.shared.set_health(Health::Good);
                }
                Ok(())
            }
            Err(health) => {
                self.shared.set_health(health.clone());
                Err(move || match &health {
                    Health::Failed(reason) => Error::Failed {
                        reason: reason.clone(),
                    },
                    Health::Good | Health::Full => Error::Full,
                })
            }
        }
    }

    fn try_write(&mut self, first: Position, payload: &[u8]) -> Result<(), Health> {
        let failed = |error: io::Error| Health::Failed(error.to_string());
        let wal = match &mut self.wal {
            Some(wal) => wal,
            none => match Wal::create(self.shared.disk.as_ref(), &self.shared.dir, first) {
                Ok(wal) => {
                    self.shared.tables().active.add_wal(wal.path().to_owned());
                    none.insert(wal)
                }
                Err(Error::Disk { source, .. }) if source.kind() == io::ErrorKind::StorageFull => {
                    return Err(Health::Full);
                }
                Err(error) => return Err(Health::Failed(error.to_string())),
            },
        };
        match wal.append(payload) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(Health::Full),
            Err(error) => return Err(failed(error)),
        }
        match self.shared.options.durability {
            // After a failed fsync nobody knows what is on the disk: nothing more is accepted.
            Durability::Sync => wal.sync().map_err(failed),
            Durability::Interval(_) => {
                self.unsynced.get_or_insert_with(Instant::now);
                Ok(())
            }
            Durability::None => Ok(()),
        }
    }

    /// Whether memory for more is left. It is not when sealing fails, on a full disk say: then it is tried again, and
    /// until it succeeds nothing more is accepted.
    fn has_room(&mut self) -> bool {
        let most = self.shared.options.memtable_bytes.saturating_mul(2);
        if self.shared.tables().active.weight() < most.max(1 << 20) {
            return true;
        }
        self.seal();
        self.wait_for_sealing();
        let room = self.shared.tables().frozen.is_empty();
        if !room {
            self.shared.set_health(Health::Full);
        }
        room
    }

    /// Hands the active memtable to a thread that writes it as a run. While an earlier one could not be written, that one
    /// is tried again and the active one goes on filling.
    fn seal(&mut self) {
        self.wait_for_sealing();
        for frozen in self.shared.tables().frozen {
            if let Err(error) = seal::write(&self.shared, &frozen) {
                tracing::error!(error = %error, "a memtable can still not be sealed");
                return;
            }
        }
        if self.shared.tables().active.len() == 0 {
            return;
        }
        let frozen = {
            let mut tables = self.shared.tables_mut();
            let frozen = std::mem::replace(&mut tables.active, Arc::new(Memtable::default()));
            tables.frozen.push(Arc::clone(&frozen));
            frozen
        };
        // What only its interval would have synced is on the disk before its segment is: none is lost by sealing.
        if let Some(mut wal) = self.wal.take() {
            let _ = wal.sync();
        }
        self.unsynced = None;
        let shared = Arc::clone(&self.shared);
        let sealing = std::thread::Builder::new().name("log-sealer".into()).spawn(move || {
            if let Err(error) = seal::write(&shared, &frozen) {
                // Its WAL stays, so nothing is lost; the keeper tries again.
                tracing::error!(error = %error, "a memtable could not be sealed; it stays in memory and in its write-ahead log");
            }
        });
        self.sealing = sealing.ok();
    }

    fn wait_for_sealing(&mut self) {
        if let Some(sealing) = self.sealing.take() {
            // A panic of the sealer leaves the memtable where it is.
            let _ = sealing.join();
        }
    }

    fn finish(&mut self) {
        if self.shared.tables().active.len() >= WORTH_SEALING {
            self.seal();
        }
        self.wait_for_sealing();
        if self.unsynced.is_some() {
            self.sync_interval();
        }
    }
}

#[derive(Default)]
struct Group {
    entries: Vec<Arc<Entry>>,
    payload: Vec<u8>,
    waiting: Vec<Waiting>,
}

impl Group {
    /// Gives every batch back to who waits, with the reason.
    fn give_back(self, mut error: impl FnMut() -> Error) {
        let mut entries = self.entries.into_iter();
        for (range, answer) in self.waiting {
            let count = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            let own = entries.by_ref().take(count);
            let _ = answer.send(Err(NotTaken {
                error: error(),
                entries: own.collect(),
            }));
        }
    }

    fn add(
        &mut self,
        entries: Vec<Arc<Entry>>,
        answer: oneshot::Sender<Answer>,
        next: &mut Position,
    ) {
        let from = next.0;
        for mut entry in entries {
            // Copied only where somebody else holds it, too.
            Arc::make_mut(&mut entry).position = *next;
            *next = next.next();
            codec::encode(&entry, &mut self.payload);
            self.entries.push(entry);
        }
        self.waiting.push((from..next.0, answer));
    }
}
