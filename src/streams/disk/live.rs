//! One stream.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::record::Record;
use crate::base::Time;
use crate::blobs::Key;
use crate::spool::{Reader, Spool};
use crate::streams::batch::{Batch, MAX_NAME_BYTES, mark};
use crate::streams::ring::Ring;
use crate::streams::{End, Error, Lines, Part, Pushed, Reason, StreamState};

/// Pushes that are known again by their names.
const MARKS: usize = 64;
/// Lines that are looked through for the names of pushes after a restart.
const MARKED_LINES: u64 = 10_000;
/// Over which time the rate is told.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// A stream that is not a blob yet.
#[derive(Debug)]
pub(in crate::streams) struct Live {
    pub key: Key,
    folder: PathBuf,
    history: u64,
    ring_bytes: usize,
    head: watch::Sender<Head>,
    inner: Mutex<Inner>,
    pub subscribers: AtomicU64,
    /// One at a time makes it a blob.
    pub archiving: tokio::sync::Mutex<()>,
    /// The number of the last line that is in the embedded log; nothing as long as that was not looked up.
    pub logged: tokio::sync::Mutex<Option<u64>>,
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::streams) struct Head {
    /// The number of its newest line.
    pub last: u64,
    pub end: Option<End>,
}

#[derive(Debug)]
struct Inner {
    record: Record,
    /// Its lines on disk, while something is done with them: idle streams hold no file.
    spool: Option<Spool>,
    bytes: u64,
    oldest: u64,
    ring: Ring,
    marks: VecDeque<(Box<str>, u64, u64)>,
    has_read_marks: bool,
    written: Time,
    is_synced: bool,
    rate: Rate,
}

#[derive(Debug)]
struct Rate {
    since: Instant,
    lines: u64,
    before: f64,
}

impl Rate {
    fn count(&mut self, lines: u64) {
        let passed = self.since.elapsed();
        if passed >= RATE_WINDOW {
            self.before = self.now();
            (self.since, self.lines) = (Instant::now(), 0);
        }
        self.lines += lines;
    }

    /// Lines a second, lately.
    fn now(&self) -> f64 {
        let passed = self.since.elapsed();
        let seconds = passed.max(Duration::from_secs(1)).as_secs_f64();
        let rate = u32::try_from(self.lines).map_or(f64::from(u32::MAX), f64::from) / seconds;
        if passed < RATE_WINDOW {
            rate.max(self.before)
        } else {
            rate
        }
    }
}

impl Live {
    pub fn create(
        folder: PathBuf,
        record: Record,
        history: u64,
        ring: usize,
    ) -> Result<Self, Error> {
        // What an earlier stream of the name left is a blob, or it would be known.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(Error::disk("create", &folder))?;
        record.write(&folder)?;
        if let Some(parent) = folder.parent() {
            let synced = File::open(parent).and_then(|parent| parent.sync_all());
            synced.map_err(Error::disk("sync", parent))?;
        }
        let last = record.first - 1;
        let written = record.opened;
        Ok(Self::new(folder, record, history, ring, (last, 0), written))
    }

    pub fn reopen(
        folder: PathBuf,
        record: Record,
        history: u64,
        ring: usize,
    ) -> Result<Self, Error> {
        let spool = Spool::open_from(&folder, history, record.first)?;
        let (last, bytes) = (*spool.head().borrow(), *spool.bytes().borrow());
        let written = newest(&folder).unwrap_or(record.opened).max(record.opened);
        let live = Self::new(folder, record, history, ring, (last, bytes), written);
        live.inner().oldest = spool.oldest();
        Ok(live)
    }

    fn new(
        folder: PathBuf,
        record: Record,
        history: u64,
        ring_bytes: usize,
        (last, bytes): (u64, u64),
        written: Time,
    ) -> Self {
        let end = record.end;
        Self {
            key: record.key.clone(),
            folder,
            history,
            ring_bytes,
            head: watch::Sender::new(Head { last, end }),
            inner: Mutex::new(Inner {
                oldest: record.first,
                record,
                spool: None,
                bytes,
                ring: Ring::default(),
                marks: VecDeque::new(),
                has_read_marks: last == 0,
                written,
                is_synced: true,
                rate: Rate {
                    since: Instant::now(),
                    lines: 0,
                    before: 0.0,
                },
            }),
            subscribers: AtomicU64::new(0),
            archiving: tokio::sync::Mutex::default(),
            logged: tokio::sync::Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub fn state(&self) -> StreamState {
        let head = *self.head.borrow();
        let inner = self.inner();
        StreamState {
            key: self.key.clone(),
            opened: inner.record.opened,
            first: inner.oldest,
            last: head.last,
            bytes: inner.bytes,
            rate: inner.rate.now(),
            subscribers: self.subscribers.load(Ordering::Relaxed),
            written: inner.written,
            ttl: inner.record.ttl,
            end: head.end,
            replaces: inner.record.replaces.clone(),
        }
    }

    /// Appends lines, or nothing of them.
    pub fn push(&self, lines: Lines, batch: Option<&str>) -> Result<Pushed, Error> {
        let mut inner = self.inner();
        let head = *self.head.borrow();
        let spool = self.spool(&mut inner)?;
        if let Some(batch) = batch {
            inner.read_marks(&spool, head.last);
            let known = inner.marks.iter().find(|(name, ..)| **name == *batch);
            if let Some((_, first, last)) = known {
                return Ok(Pushed {
                    first: *first,
                    last: *last,
                    is_repeated: true,
                });
            }
        }
        if head.end.is_some() {
            return Err(Error::Closed(self.key.clone()));
        }
        let count = lines.count() as u64;
        let marked = batch.and_then(|name| marked(&lines, name));
        let payloads: Vec<&[u8]> = marked
            .as_deref()
            .into_iter()
            .chain(lines.payloads().skip(usize::from(marked.is_some())))
            .collect();
        let range = spool.append(&payloads)?;
        let pushed = Pushed {
            first: range.start,
            last: range.end - 1,
            is_repeated: false,
        };
        if count == 0 {
            return Ok(pushed);
        }
        if let Some(batch) = batch {
            inner.remember(batch, pushed.first, pushed.last);
        }
        if *spool.bytes().borrow() > self.history {
            spool.retain(self.history);
            inner.oldest = spool.oldest();
        }
        inner.bytes = *spool.bytes().borrow();
        inner.written = Time::now();
        inner.is_synced = false;
        inner.rate.count(count);
        if self.subscribers.load(Ordering::Relaxed) > 0 {
            let batch = Batch::new(pushed.first, lines);
            inner.ring.push(batch, self.ring_bytes);
        } else {
            inner.ring = Ring::default();
        }
        drop(inner);
        self.head.send_modify(|head| head.last = pushed.last);
        Ok(pushed)
    }

    /// Takes no more lines; durable when it returns.
    pub fn end(&self, reason: Reason, now: Time) -> Result<(), Error> {
        let mut inner = self.inner();
        if inner.record.end.is_some() {
            return Ok(());
        }
        if let Some(spool) = &inner.spool {
            spool.sync()?;
        }
        let last = self.head.borrow().last;
        let end = Some(End {
            reason,
            last,
            at: now,
        });
        let mut record = inner.record.clone();
        record.end = end;
        record.write(&self.folder)?;
        inner.record = record;
        drop(inner);
        self.head.send_modify(|head| head.end = end);
        Ok(())
    }

    /// The lines after a number that are in memory.
    pub fn recent(&self, after: u64, most: usize) -> Vec<Part> {
        self.inner().ring.after(after, most)
    }

    /// Reads the lines after a number from the disk.
    pub fn reader(&self, after: u64) -> Result<Reader, Error> {
        let spool = self.spool(&mut self.inner())?;
        Ok(spool.read_after(after))
    }

    /// What was answered survives a power cut too when it returns.
    pub fn sync(&self) -> Result<(), Error> {
        let spool = {
            let mut inner = self.inner();
            if inner.is_synced {
                return Ok(());
            }
            inner.is_synced = true;
            inner.spool.clone()
        };
        Ok(spool.map_or(Ok(()), |spool| spool.sync())?)
    }

    /// Lets go of files and memory where nothing has happened for some time.
    pub fn rest(&self, idle: Duration, now: Time) {
        let mut inner = self.inner();
        let is_read = self.subscribers.load(Ordering::Relaxed) > 0;
        if now.since(inner.written) >= idle && inner.is_synced && !is_read {
            inner.spool = None;
            inner.ring = Ring::default();
            inner.marks = VecDeque::new();
            inner.has_read_marks = false;
        }
    }

    /// Its lines are a blob: its files go. Readers keep what they have open.
    pub fn remove(&self) {
        // Under another name at once: the same key may be opened again.
        let gone = self
            .folder
            .with_extension(uuid::Uuid::new_v4().simple().to_string());
        let removed = fs::remove_file(self.folder.join("stream.json"))
            .and_then(|()| fs::rename(&self.folder, &gone))
            .and_then(|()| fs::remove_dir_all(&gone));
        if let Err(error) = removed {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "the files of a stream that is a blob now are left");
        }
    }

    fn spool(&self, inner: &mut Inner) -> Result<Spool, Error> {
        if let Some(spool) = &inner.spool {
            return Ok(spool.clone());
        }
        let spool = Spool::open_from(&self.folder, self.history, inner.record.first)?;
        inner.spool = Some(spool.clone());
        Ok(spool)
    }
}

impl Inner {
    fn remember(&mut self, name: &str, first: u64, last: u64) {
        if self.marks.len() == MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((name.into(), first, last));
    }

    /// Finds the names of pushes among the newest lines, once after a restart.
    fn read_marks(&mut self, spool: &Spool, last: u64) {
        if std::mem::replace(&mut self.has_read_marks, true) {
            return;
        }
        let mut reader = spool.read_after(last.saturating_sub(MARKED_LINES));
        let mut found: Vec<(Box<str>, u64, u64)> = Vec::new();
        while reader.at() < last {
            let stretch = reader.read();
            if stretch.payloads.is_empty() && stretch.missing.is_none() {
                break;
            }
            for (number, payload) in &stretch.payloads {
                if let Some(name) = mark(payload) {
                    found.push((name.into(), *number, *number));
                } else if let Some((.., until)) = found.last_mut() {
                    *until = *number;
                }
            }
        }
        for (name, first, until) in found {
            if !name.is_empty() {
                self.remember(&name, first, until);
            }
        }
    }
}

/// The first payload with the name of its push; the name is kept as far as it fits.
fn marked(lines: &Lines, name: &str) -> Option<Vec<u8>> {
    let first = lines.payloads().next().filter(|_| !name.is_empty())?;
    let name = &name.as_bytes()[..name.floor_char_boundary(MAX_NAME_BYTES)];
    let mut payload = Vec::with_capacity(first.len() + name.len());
    payload.push(u8::try_from(name.len()).unwrap_or(0));
    payload.extend_from_slice(name);
    payload.extend_from_slice(&first[1..]);
    Some(payload)
}

/// When something was last written into a folder.
fn newest(folder: &Path) -> Option<Time> {
    let files = fs::read_dir(folder).ok()?.flatten();
    let times = files.filter_map(|file| {
        let modified = file.metadata().ok()?.modified().ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_nanos()).ok().map(Time)
    });
    times.max()
}
