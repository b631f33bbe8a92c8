//! The embedded log as a sink.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Counted;
use std::hash::BuildHasher;

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
/// What was appended after the last checkpoint before a crash is read again from its file. It is told by its place there
/// (source and `offset`) and not appended twice.
#[derive(Debug)]
pub(in crate::pipelines) struct StoreSink {
    store: Store,
    /// The log's position when the last batch was appended.
    at: u64,
    seen: HashMap<u64, u32>,
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
        let Some(from) = note["log"].as_u64() else {
            return;
        };
        let head = *self.store.head().borrow();
        self.at = from.min(head.0);
        let mut feed = self.store.follow(&FollowRequest {
            query: Query::default(),
            now: Time::now(),
            after: Position(self.at),
        });
        let mut at = Position(self.at);
        while at < head && self.seen.len() < MOST_SEEN {
            match feed.next().await {
                Some(Ok(batch)) => {
                    at = batch.at;
                    for key in batch.entries.iter().filter_map(place) {
                        *self.seen.entry(key).or_default() += 1;
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
        let bytes = entries.iter().map(|entry| entry.text.len()).sum();
        match self.store.appender().append_or_back(entries).await {
            Ok(range) => {
                self.at = range.end.saturating_sub(1);
                Outcome::all(count, bytes)
            }
            Err(NotTaken { error, entries }) => {
                // They are given again, as they were.
                let mut lines = lines.into_iter();
                let back = entries.into_iter().map(|mut entry| {
                    entry.position = Position::default();
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

    /// Whether an entry is in the log already; each that is there is met once.
    fn was_seen(&mut self, entry: &Entry) -> bool {
        if self.seen.is_empty() {
            return false;
        }
        let Some(Counted::Occupied(mut left)) = place(entry).map(|key| self.seen.entry(key)) else {
            return false;
        };
        if *left.get() == 1 {
            left.remove();
        } else {
            *left.get_mut() -= 1;
        }
        true
    }

    /// How far the log was when the last batch was appended.
    pub fn note(&self) -> Option<Value> {
        (self.at > 0).then(|| json!({"log": self.at}))
    }
}

/// What tells an entry that was read from a file: where it stood there, and its words.
fn place(entry: &Entry) -> Option<u64> {
    let offset = entry.fields.get("offset")?.as_u64()?;
    Some(FixedState::with_seed(0).hash_one((&entry.source, offset, &entry.text)))
}
