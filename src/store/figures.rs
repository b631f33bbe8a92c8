//! What a log did since it was opened, counted for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Store;

/// What a log did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries accepted.
    pub entries: u64,
    /// Groups of batches that were written, and made durable, at once.
    pub commits: u64,
    /// Bytes of entries written to the write-ahead log.
    pub wal_bytes: u64,
    /// Time that writing and syncing them took.
    pub commit_time: Duration,
    /// Memtables that became segments.
    pub sealed: u64,
    /// Segments that were written in the place of others: merged, or relieved of what retention drops.
    pub rewritten: u64,
    /// Entries that retention dropped.
    pub dropped: u64,
}

/// The same, being counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    entries: AtomicU64,
    commits: AtomicU64,
    wal_bytes: AtomicU64,
    commit_nanos: AtomicU64,
    sealed: AtomicU64,
    rewritten: AtomicU64,
    dropped: AtomicU64,
}

impl Counters {
    pub fn committed(&self, entries: usize, bytes: usize, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.entries.fetch_add(entries as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.wal_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub fn sealed(&self) {
        self.sealed.fetch_add(1, Ordering::Relaxed);
    }

    /// Segments with so many entries gave way to one, or to none, with so many.
    pub fn replaced(&self, before: u64, after: Option<u64>) {
        let dropped = before.saturating_sub(after.unwrap_or(0));
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        self.rewritten
            .fetch_add(u64::from(after.is_some()), Ordering::Relaxed);
    }
}

impl Store {
    /// What it did since it was opened.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            entries: read(&counters.entries),
            commits: read(&counters.commits),
            wal_bytes: read(&counters.wal_bytes),
            commit_time: Duration::from_nanos(read(&counters.commit_nanos)),
            sealed: read(&counters.sealed),
            rewritten: read(&counters.rewritten),
            dropped: read(&counters.dropped),
        }
    }
}
