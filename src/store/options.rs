//! How a store behaves.

use std::collections::BTreeMap;
use std::time::Duration;

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After fsync: survives power loss. Batches that wait together share one.
    #[default]
    Sync,
    /// After the write, with an fsync at least this often: survives the end of the process; of the machine, but for the
    /// entries of the last interval.
    Interval(Duration),
    /// After the write: survives the end of the process, not of the machine. For stores that are thrown away.
    None,
}

/// How long and how much is kept. What is beyond it is dropped in the background, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Entries older than this.
    pub age: Option<Duration>,
    /// The oldest entries beyond this many bytes on disk.
    pub bytes: Option<u64>,
}

/// What is kept of the whole log, and of some of its namespaces. The stricter limit wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of everything.
    pub all: Limits,
    /// Of a namespace, by name.
    pub namespaces: BTreeMap<String, Limits>,
}

/// The knobs of a store; the defaults suit a laptop and a server alike.
#[derive(Clone, Debug)]
pub struct Options {
    /// When an append is answered.
    pub durability: Durability,
    /// Estimated bytes a memtable may hold before it is sealed. Three of them can be in memory at once: one filling,
    /// one being sealed, one waiting.
    pub memtable_bytes: usize,
    /// Entries a page puts to its question before it answers with what it has, so that a slow question stays progressive: by
    /// default a row group for each thread.
    pub scan_budget: u64,
    /// Bytes of decoded columns and filters that are kept for the next question.
    pub cache_bytes: u64,
    /// Threads a question may use at once.
    pub threads: usize,
    /// Bytes a second that compaction writes at most.
    pub compaction_bytes: u64,
    /// Entries of a row group: large enough for its columns to compress, small enough to be decoded within milliseconds.
    pub group_rows: usize,
    /// What is kept.
    pub retention: Retention,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (threads, group_rows) = (threads.min(4), 65_536);
        Self {
            durability: Durability::Sync,
            memtable_bytes: 24 << 20,
            scan_budget: (threads * group_rows) as u64,
            cache_bytes: 48 << 20,
            threads,
            compaction_bytes: 16 << 20,
            group_rows,
            retention: Retention::default(),
        }
    }
}
