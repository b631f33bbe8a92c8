//! Entries as they arrive: by position, waiting for the head to move.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::{Error, Store};
use crate::entry::{Entry, Position};
use crate::query::{FollowRequest, Matcher};

/// Positions looked at before a batch is given, so that a follower of rare entries still moves its position.
const BATCH: usize = 1_024;

/// Follows the log. It holds a position, not a queue: however slow its reader is, nothing is lost and nothing grows.
#[derive(Debug)]
pub struct Feed {
    store: Store,
    matcher: Matcher,
    at: Position,
    head: watch::Receiver<Position>,
    /// What is left of a sealed run's entries, by position.
    sealed: VecDeque<Entry>,
}

/// What arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedBatch {
    /// The entries that match, by position.
    pub entries: Vec<Entry>,
    /// Everything up to here was looked at: follow after it to go on.
    pub at: Position,
}

impl Store {
    /// Follows what arrives after a position.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        let matcher = Matcher::compile(&request.query, request.now);
        let head = self.head();
        // A position from another life of the log (it was emptied) would wait for ever: from the head then.
        let at = request.after.min(*head.borrow());
        Feed {
            store: self.clone(),
            matcher,
            at,
            head,
            sealed: VecDeque::new(),
        }
    }
}

impl Feed {
    /// Waits until something arrived; the batch may be empty when nothing of it matches. `None` when the log is gone.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn next(&mut self) -> Option<Result<FeedBatch, Error>> {
        let at = self.at;
        self.head.wait_for(|head| *head > at).await.ok()?;
        Some(self.read())
    }

    fn read(&mut self) -> Result<FeedBatch, Error> {
        if self.sealed.is_empty() {
            let tables = self.store.shared.tables();
            let memtables = tables.frozen.iter().chain([&tables.active]);
            let in_memory = memtables
                .filter(|table| table.positions().is_some_and(|(_, last)| last > self.at))
                .min_by_key(|table| table.positions());
            let run = tables.runs.iter().find(|run| run.last > self.at);
            match (run, in_memory) {
                // Runs come before memtables: they hold the older positions.
                (Some(run), _) => {
                    let mut entries = Vec::new();
                    for block in run
                        .blocks
                        .iter()
                        .filter(|block| block.positions.1 > self.at)
                    {
                        match run.read(block) {
                            Ok(block) => entries
                                .extend(block.into_iter().filter(|entry| entry.position > self.at)),
                            Err(error @ Error::Damaged { .. }) => tracing::warn!("{error}"),
                            Err(error) => return Err(error),
                        }
                    }
                    entries.sort_unstable_by_key(|entry| entry.position);
                    if entries.is_empty() {
                        self.at = run.last;
                    }
                    self.sealed = entries.into();
                }
                (None, Some(table)) => {
                    let arrived = table.after(self.at, BATCH);
                    self.at = arrived.last().map_or(self.at, |entry| entry.position);
                    let entries = arrived
                        .iter()
                        .filter(|entry| self.matcher.matches(entry))
                        .map(|entry| (**entry).clone())
                        .collect();
                    return Ok(FeedBatch {
                        entries,
                        at: self.at,
                    });
                }
                // Between a seal's two steps, or positions that were damaged away: the head is all there is.
                (None, None) => self.at = *self.head.borrow(),
            }
        }
        let batch: Vec<_> = self.sealed.drain(..self.sealed.len().min(BATCH)).collect();
        self.at = batch.last().map_or(self.at, |entry| entry.position);
        let entries = batch
            .into_iter()
            .filter(|entry| self.matcher.matches(entry))
            .collect();
        Ok(FeedBatch {
            entries,
            at: self.at,
        })
    }
}
