//! The embedded log as a sink.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde_json::{Value, json};

use super::{Failure, Outcome};
use crate::base::Time;
use crate::entry::{Entry, Position};
use crate::pipelines::record::Record;
use crate::query::{FollowRequest, Query};
use crate::store::{Error, NotTaken, Store};

/// Entries looked at after a restart to find what was appended after the last checkpoint.
const MOST_SEEN: usize = 5_000_000;

/// Appends to the embedded log.
///
/// What was appended after the last checkpoint before a crash is read again. As long as what comes from a source is, one
/// after the other, what the log has of it since then, it is not appended twice.
#[derive(Debug)]
pub(in crate::pipelines) struct StoreSink {
    store: Store,
    /// The log's position when the last batch was appended.
    at: u64,
    /// What the log has since the checkpoint, by source, in its order.
    seen: HashMap<Option<String>, VecDeque<u64>>,
}

impl StoreSink {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            at: 0,
            seen: HashMap::new(),
        }
    }

    /// Looks at what was appended after the checkpoint.
    pub async fn resume(&mut self, note: &Value) {
        let head = *self.store.head().borrow();
        let Some(from) = note["log"].as_u64() else {
            self.at = head.0;
            return;
        };
        self.at = from.min(head.0);
        let mut feed = self.store.follow(&FollowRequest {
            query: Query::default(),
            now: Time::now(),
            after: Position(self.at),
        });
        let (mut at, mut count) = (Position(self.at), 0);
        while at < head && count < MOST_SEEN {
            match feed.next().await {
                Some(Ok(batch)) => {
                    at = batch.at;
                    count += batch.entries.len();
                    for entry in batch.entries {
                        let words = words(&entry);
                        self.seen.entry(entry.source).or_default().push_back(words);
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "what was appended after the last checkpoint cannot be told; some of it may come twice");
                    return;
                }
                None => return,
            }
        }
    }

    pub async fn deliver(&mut self, records: &mut Vec<Record>) -> Outcome {
        let count = records.len();
        let mut lines = Vec::new();
        let mut entries = Vec::with_capacity(count);
        let mut doubles = 0;
        for record in records.drain(..) {
            if self.was_seen(&record.entry) {
                doubles += 1;
                continue;
            }
            lines.push(record.line);
            entries.push(record.entry);
        }
        if entries.is_empty() {
            return Outcome::all(count, 0);
        }
        let bytes = entries
            .iter()
            .map(|entry: &Arc<Entry>| entry.text.len())
            .sum();
        match self.store.appender().append_shared(entries).await {
            Ok(range) => {
                self.at = range.end.saturating_sub(1);
                Outcome::all(count, bytes)
            }
            Err(NotTaken { error, entries }) => {
                // They are given again, as they were.
                let mut lines = lines.into_iter();
                let back = entries.into_iter().map(|entry| {
                    let line = lines.next().flatten();
                    Record { entry, line }
                });
                records.extend(back);
                Outcome {
                    delivered: doubles,
                    failure: Some(Failure {
                        refused: usize::from(matches!(error, Error::TooLarge)),
                        is_final: records.is_empty(),
                        ..Failure::passing(format!("the log does not take entries: {error}"))
                    }),
                    ..Outcome::default()
                }
            }
        }
    }

    /// Whether an entry is the next of its source that the log has already. What is another ends it: rather twice than not
    /// at all.
    fn was_seen(&mut self, entry: &Entry) -> bool {
        if self.seen.is_empty() {
            return false;
        }
        let Some(seen) = self.seen.get_mut(&entry.source) else {
            return false;
        };
        let is_next = seen.front() == Some(&words(entry));
        seen.pop_front();
        if !is_next || seen.is_empty() {
            self.seen.remove(&entry.source);
        }
        is_next
    }

    /// How far the log was when the last batch was appended.
    pub fn note(&self) -> Value {
        json!({"log": self.at})
    }
}

/// What an entry says; not its time, which may be that of reading.
fn words(entry: &Entry) -> u64 {
    FixedState::with_seed(0).hash_one((&entry.text, &entry.error, entry.level))
}
