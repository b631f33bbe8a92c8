//! Entries as they arrive: by position, waiting for the head to move.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use super::build::{Keep, Row, build};
use super::segment::Segment;
use super::{Error, Store};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{FollowRequest, Matcher, Verdict};

/// Positions looked at before a batch is given, so that a follower of rare entries still moves its position.
const BATCH: usize = 1_024;
/// Positions of a segment that are put in order at once.
const WINDOW: u64 = 65_536;

/// Follows the log. It holds a position, not a queue: however slow its reader is, nothing is lost and nothing grows.
#[derive(Debug)]
pub struct Feed {
    store: Store,
    matcher: Matcher,
    at: Position,
    head: watch::Receiver<Position>,
    /// What is left of a window of a segment: matching rows by position, and the window's end.
    sealed: VecDeque<Row>,
    sealed_to: Position,
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
            sealed_to: Position(0),
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
            // Segments come before memtables: they hold the older positions.
            let tables = self.store.shared.tables();
            let segment = tables
                .segments
                .iter()
                .find(|segment| segment.positions.1 > self.at);
            let mut in_memory = tables
                .memtables()
                .filter(|table| table.positions().is_some_and(|(_, last)| last > self.at));
            match (segment, in_memory.next()) {
                (Some(segment), _) => self.order_window(segment)?,
                (None, Some(table)) => {
                    let arrived = table.after(self.at, BATCH);
                    self.at = arrived.last().map_or(self.at, |entry| entry.position);
                    let matching = arrived.iter().filter(|entry| self.matcher.matches(entry));
                    return Ok(FeedBatch {
                        entries: matching.map(|entry| (**entry).clone()).collect(),
                        at: self.at,
                    });
                }
                // Positions that were damaged away: the head is all there is.
                (None, None) => self.at = *self.head.borrow(),
            }
        }
        let rows: Vec<Row> = self.sealed.drain(..self.sealed.len().min(BATCH)).collect();
        if self.sealed.is_empty() {
            self.at = self.at.max(self.sealed_to);
        } else if let Some(last) = rows.last() {
            self.at = last.key().position;
        }
        let mut damage = Vec::new();
        let entries = build(
            rows,
            self.store.shared.options.threads,
            Keep::No,
            &mut damage,
        )?;
        for damage in &damage {
            tracing::warn!("{damage}");
        }
        Ok(FeedBatch {
            entries,
            at: self.at,
        })
    }

    /// Puts the matching rows of the next positions of a segment in order.
    fn order_window(&mut self, segment: &Arc<Segment>) -> Result<(), Error> {
        let from = self
            .at
            .max(Position(segment.positions.0.0.saturating_sub(1)));
        let to = Position(from.0.saturating_add(WINDOW)).min(segment.positions.1);
        let mut rows = Vec::new();
        for (at, group) in segment.groups.iter().enumerate() {
            if group.positions.1 <= from || group.positions.0 > to {
                continue;
            }
            match self.matching(segment, at, from, to) {
                Ok(found) => rows.extend(found),
                Err(error @ Error::Damaged { .. }) => tracing::warn!("{error}"),
                Err(error) => return Err(error),
            }
        }
        rows.sort_unstable_by_key(|row: &Row| row.key().position);
        self.sealed = rows.into();
        self.sealed_to = to;
        Ok(())
    }

    fn matching(
        &self,
        segment: &Arc<Segment>,
        group: usize,
        from: Position,
        to: Position,
    ) -> Result<Vec<Row>, Error> {
        if segment.verdict(group, &self.matcher)? == Verdict::None {
            return Ok(Vec::new());
        }
        let (times, positions) = (segment.times(group)?, segment.row_positions(group)?);
        let selected = segment.select(group, &self.matcher)?;
        let wanted = selected
            .set_indices()
            .filter(|row| positions[*row] > from.0 && positions[*row] <= to.0);
        let row = |row: usize| Row::Stored {
            key: Key {
                time: Time(times[row]),
                position: Position(positions[row]),
            },
            segment: Arc::clone(segment),
            group,
            row: u32::try_from(row).unwrap_or(u32::MAX),
        };
        Ok(wanted.map(row).collect())
    }
}
