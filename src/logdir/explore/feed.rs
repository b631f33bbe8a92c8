//! Entries as they are written.

use std::sync::Arc;
use std::time::Duration;

use super::LogDirectory;
use super::place::{before, block_after, position};
use super::select::Selection;
use crate::entry::{Entry, Position};
use crate::logdir::Error;
use crate::query::{Direction, FollowRequest};

/// How often the directory is asked for more.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Entries looked at before a batch is given, so that a follower of rare entries still moves its position.
const BATCH: usize = 1_024;

/// Follows a directory. It holds a position, not a queue.
#[derive(Debug)]
pub struct Feed {
    directory: LogDirectory,
    selection: Arc<Selection>,
    at: Position,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedBatch {
    /// The entries that are asked for, in the order they are stored.
    pub entries: Vec<Entry>,
    /// Everything up to here was looked at.
    pub at: Position,
}

impl LogDirectory {
    /// Follows what is stored behind a position.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        Feed {
            directory: self.clone(),
            selection: Arc::new(Selection::new(&request.query, request.now)),
            at: request.after,
        }
    }

    fn read_after(&self, at: Position, selection: &Selection) -> Result<FeedBatch, Error> {
        let mut reading = self.reading()?;
        let mut session = reading.session()?;
        let mut edge = block_after(at);
        let mut batch = FeedBatch {
            entries: Vec::new(),
            at,
        };
        let mut looked_at = 0;
        while looked_at < BATCH
            && let Some(block) = session.next(&mut edge, Direction::Newer)?
        {
            looked_at += block.entries.len();
            for (number, entry) in block.entries.iter().enumerate() {
                let position = position(block.place.start, number);
                if position > at {
                    batch.entries.extend(selection.pick(entry, position));
                }
            }
            batch.at = before(edge).max(at);
        }
        Ok(batch)
    }
}

impl Feed {
    /// Waits until something was written; the batch may be empty when nothing of it is asked for. Safe to drop and call
    /// again.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub async fn next(&mut self) -> Result<FeedBatch, Error> {
        loop {
            let (directory, selection) = (self.directory.clone(), Arc::clone(&self.selection));
            let at = self.at;
            let read = move || directory.read_after(at, &selection);
            let read = tokio::task::spawn_blocking(read).await;
            let batch = read.unwrap_or_else(|_| {
                Ok(FeedBatch {
                    entries: Vec::new(),
                    at,
                })
            })?;
            if batch.at > self.at {
                self.at = batch.at;
                return Ok(batch);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
