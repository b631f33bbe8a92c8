//! Streams on the local disk: a folder each, with a log of its lines and what is to be known of it.
//!
//! ```text
//! DIR/<first 16 bytes of the key's SHA-256, hexadecimal>/stream.json   how it was opened, and how it ended
//!                                                       /<n>.spool     its lines, as `spool` writes them
//! payload of a line = length of the mark u8 | mark | line as JSON
//! ```
//! The mark is the name of the push, on its first line: a push that is sent again is known by it, also after a restart.

mod live;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::state::Start;
use super::{Error, Lines, Options, Pushed, Reason, StreamState};
use crate::base::Time;
use crate::blobs::{Digest, Key, Prefix};
pub(super) use live::{Head, Live};
use record::Record;

/// Streams of a directory.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    history: u64,
    ring: usize,
    streams: RwLock<BTreeMap<Key, Arc<Live>>>,
}

impl Disk {
    /// The streams of a directory, as they were left.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::disk("create", dir))?;
        let disk = Self {
            dir: dir.to_owned(),
            history: options.history,
            ring: options.ring,
            streams: RwLock::default(),
        };
        for item in fs::read_dir(dir).map_err(Error::disk("list", dir))? {
            let path = item.map_err(Error::disk("list", dir))?.path();
            match Record::read(&path) {
                Ok(Some(record)) => {
                    let live = Live::reopen(path, record, disk.history, disk.ring)?;
                    disk.write().insert(live.key.clone(), Arc::new(live));
                }
                // It was being made, or taken away: nothing of it was ever answered.
                Ok(None) => {
                    let _ = fs::remove_dir_all(&path);
                }
                Err(error) => {
                    tracing::warn!(%error, "a stream is left alone");
                }
            }
        }
        Ok(disk)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Key, Arc<Live>>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<Key, Arc<Live>>> {
        self.streams.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream that is not a blob yet.
    pub fn find(&self, key: &Key) -> Option<Arc<Live>> {
        self.read().get(key).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Live>> {
        self.read().values().cloned().collect()
    }

    pub fn begin(&self, key: &Key, start: Start) -> Result<StreamState, Error> {
        let mut streams = self.write();
        // Another may have been faster.
        if let Some(live) = streams.get(key) {
            return Ok(live.state());
        }
        let folder = self.folder(key);
        let record = Record {
            key: key.clone(),
            opened: Time::now(),
            first: start.first,
            ttl: start.ttl,
            replaces: start.replaces,
            end: None,
        };
        let made =
            tokio::task::block_in_place(|| Live::create(folder, record, self.history, self.ring))?;
        let state = made.state();
        streams.insert(key.clone(), Arc::new(made));
        Ok(state)
    }

    pub fn push(&self, key: &Key, lines: Lines, batch: Option<&str>) -> Result<Pushed, Error> {
        let live = self.find(key).ok_or_else(|| Error::NotOpen(key.clone()))?;
        tokio::task::block_in_place(|| live.push(lines, batch))
    }

    pub fn state(&self, key: &Key) -> Option<StreamState> {
        self.find(key).map(|live| live.state())
    }

    pub fn list(&self, prefix: &Prefix, after: Option<&Key>, limit: usize) -> Vec<StreamState> {
        let streams = self.read();
        let from = after.or(prefix.key());
        let named: Box<dyn Iterator<Item = _>> = match from {
            Some(from) => Box::new(streams.range(from.clone()..)),
            None => Box::new(streams.iter()),
        };
        let wanted = named
            .filter(|(key, _)| prefix.holds(key) && after.is_none_or(|after| *key > after))
            .map(|(_, live)| live.state())
            .filter(|state| state.end.is_none());
        wanted.take(limit).collect()
    }

    /// How many are open.
    pub fn open_count(&self) -> u64 {
        let streams = self.read();
        let open = streams
            .values()
            .filter(|live| live.head().borrow().end.is_none());
        open.count() as u64
    }

    pub fn end(&self, key: &Key, reason: Reason, now: Time) -> Result<(), Error> {
        let live = self.find(key).ok_or_else(|| Error::NotOpen(key.clone()))?;
        tokio::task::block_in_place(|| live.end(reason, now))
    }

    /// Forgets a stream whose lines are a blob now; who reads it reads on.
    pub fn forget(&self, live: &Live) {
        let mut streams = self.write();
        let is_same = |known: &Arc<Live>| std::ptr::eq(Arc::as_ptr(known), live);
        if streams.get(&live.key).is_some_and(is_same) {
            streams.remove(&live.key);
            live.remove();
        }
    }

    pub fn ping(&self) -> Result<(), Error> {
        let looked = fs::metadata(&self.dir);
        looked
            .map_err(Error::disk("look at", &self.dir))
            .map(|_| ())
    }

    fn folder(&self, key: &Key) -> PathBuf {
        let digest = Digest::of(key.as_str().as_bytes()).to_string();
        self.dir.join(&digest[..32])
    }
}
