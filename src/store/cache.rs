//! What was read from segments and is kept for the next question, within a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use quick_cache::Weighter;

use super::Error;
use super::segment::{Counters, Segment, Tally};
use crate::entry::Entry;

/// Part of which segment (by the number it got when it was opened), of which row group.
pub(super) type Key = (u64, usize, Part);

/// A part of a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Column(usize),
    Bloom(usize),
    Triples,
    Words,
    Tally,
    Row(u32),
    Values(usize),
    Selected(u64),
}

/// Questions whose selections are kept.
const QUESTIONS: usize = 256;

/// Values and how often they occur.
pub(super) type Counted = Arc<[(String, u64)]>;

/// It, decoded.
#[derive(Clone, Debug)]
pub(super) enum Cached {
    Column(ArrayRef),
    Bloom(Arc<Sbbf>),
    Triples(Bytes),
    Tally(Arc<Tally>),
    Row(Arc<Entry>),
    Values(Counted),
    /// Rows that a question selects; `None` where it selects none.
    Selected(Option<BooleanBuffer>),
}

/// The cache of a store, and what it counts.
#[derive(Debug)]
pub(super) struct Cache {
    entries: quick_cache::sync::Cache<Key, Cached, ByBytes>,
    /// Numbers of questions: one that is forgotten gets another the next time, and what was kept under the old is dropped
    /// in time.
    questions: quick_cache::sync::Cache<String, u64>,
    next_question: AtomicU64,
    pub counters: Arc<Counters>,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Key, Cached> for ByBytes {
    fn weight(&self, _: &Key, value: &Cached) -> u64 {
        let bytes = match value {
            Cached::Column(array) => array.get_array_memory_size(),
            Cached::Bloom(bloom) => bloom.num_blocks() * 32,
            Cached::Triples(bytes) => bytes.len(),
            Cached::Tally(tally) => tally.weight(),
            Cached::Row(entry) => entry.weight(),
            Cached::Selected(rows) => rows.as_ref().map_or(0, |rows| rows.len().div_ceil(8)),
            Cached::Values(values) => values.iter().map(|(value, _)| value.len() + 40).sum(),
        };
        bytes as u64 + 128
    }
}

impl Cache {
    /// A cache of at most so many bytes.
    pub fn new(bytes: u64) -> Self {
        // A column of a row group takes some 256 KiB on average: an estimate that only sizes tables.
        let estimate = usize::try_from(bytes >> 18).unwrap_or(usize::MAX).max(64);
        Self {
            entries: quick_cache::sync::Cache::with_weighter(estimate, bytes, ByBytes),
            questions: quick_cache::sync::Cache::new(QUESTIONS),
            next_question: AtomicU64::new(0),
            counters: Arc::default(),
        }
    }

    /// The number of a question, by which what it selects is kept.
    pub fn number_of(&self, question: &str) -> u64 {
        if let Some(number) = self.questions.get(question) {
            return number;
        }
        let number = self.next_question.fetch_add(1, Ordering::Relaxed);
        self.questions.insert(question.to_owned(), number);
        number
    }

    pub fn get(&self, key: &Key) -> Option<Cached> {
        self.entries.get(key)
    }

    /// Drops what is kept of a segment.
    pub fn forget(&self, segment: &Segment) {
        self.entries
            .retain(|(number, ..), _| *number != segment.number());
    }

    pub fn keep(&self, key: Key, value: Cached) {
        self.entries.insert(key, value);
    }

    /// What is kept, or what is loaded now; several who want the same wait for one load.
    pub fn get_or_load(
        &self,
        key: Key,
        load: impl FnOnce() -> Result<Cached, Error>,
    ) -> Result<Cached, Error> {
        self.entries.get_or_insert_with(&key, load)
    }
}
