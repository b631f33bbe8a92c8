//! Merges memtables and segments by key.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Error;
use super::build::Row;
use super::source::Source;
use super::state::Tables;
use crate::base::{Time, Workers};
use crate::entry::{Key, Position};
use crate::query::{Direction, Matcher};

/// Reads matching entries in the direction's order, from beyond a key.
pub(super) struct Scan<'m> {
    matcher: &'m Matcher,
    direction: Direction,
    workers: Workers,
    sources: Vec<Source>,
    heap: BinaryHeap<Candidate>,
    /// Entries looked at or passed over by their summary.
    pub scanned: u64,
    /// Entries put to the matcher: what the budget counts.
    looked_at: u64,
    /// Entries that may be put to it before the answer is wanted: no more are looked at ahead.
    budget: u64,
    /// Row groups that could not be read, one sentence each.
    pub damage: Vec<String>,
}

/// What a scan gave.
pub(super) enum Step {
    /// The next matching entry.
    Row(Row),
    /// Nothing yet: a part was looked at and held no match.
    Looked,
    /// There is nothing more.
    End,
}

/// A source and the best key it may still give.
struct Candidate {
    key: Key,
    source: usize,
    direction: Direction,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.direction {
            Direction::Older => self.key.cmp(&other.key),
            Direction::Newer => Reverse(self.key).cmp(&Reverse(other.key)),
        }
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Candidate {}

impl<'m> Scan<'m> {
    /// A scan from beyond `start`, on so many threads.
    pub fn new(
        tables: &Tables,
        matcher: &'m Matcher,
        start: Key,
        direction: Direction,
        threads: usize,
    ) -> Self {
        let (from, to) = matcher.time_range();
        // Nothing outside the question's times is looked at: the start moves to their edge.
        let start = match direction {
            Direction::Older if to < Time::MAX => start.min(Key {
                time: to,
                position: Position(0),
            }),
            Direction::Newer if from > Time::MIN => start.max(
                Key {
                    time: from,
                    position: Position(0),
                }
                .before(),
            ),
            _ => start,
        };
        let mut scan = Self {
            matcher,
            direction,
            // What everything is asked for is answered by the first part; of anything else nobody knows.
            workers: if matcher.is_everything() {
                Workers::new(threads)
            } else {
                Workers::eager(threads)
            },
            sources: Vec::new(),
            heap: BinaryHeap::new(),
            scanned: 0,
            looked_at: 0,
            budget: u64::MAX,
            damage: Vec::new(),
        };
        for table in tables.memtables() {
            if let Some(source) = Source::memory(table, start) {
                scan.add(source);
            }
        }
        for segment in &tables.segments {
            scan.add(Source::stored(segment, start, direction));
        }
        scan
    }

    /// The same, with so many entries to put to the matcher.
    pub fn within(self, budget: u64) -> Self {
        Self { budget, ..self }
    }

    /// Whether as many were looked at, and going on means looking at more.
    pub fn is_spent(&self) -> bool {
        self.looked_at >= self.budget && self.must_look()
    }

    fn add(&mut self, source: Source) {
        self.sources.push(source);
        self.requeue(self.sources.len() - 1);
    }

    /// Puts a source back with the best key it may still give; one that is exhausted stays out.
    fn requeue(&mut self, source: usize) {
        let Some(at) = self.sources.get(source) else {
            return;
        };
        if let Some(key) = at.best(self.direction) {
            self.heap.push(Candidate {
                key,
                source,
                direction: self.direction,
            });
        }
    }

    /// Whether going on means looking at another part; otherwise a row is ready.
    fn must_look(&self) -> bool {
        let source = self
            .heap
            .peek()
            .and_then(|candidate| self.sources.get(candidate.source));
        source.is_some_and(|source| source.front().is_none())
    }

    /// The best key that may still come.
    pub fn next_key(&self) -> Option<Key> {
        self.heap.peek().map(|candidate| candidate.key)
    }

    /// The next entry, or one part's worth of looking for it.
    ///
    /// # Errors
    /// The disk refuses. Damage is passed over and noted.
    pub fn step(&mut self) -> Result<Step, Error> {
        let (from, to) = self.matcher.time_range();
        let Some(candidate) = self.heap.pop() else {
            return Ok(Step::End);
        };
        let beyond_range = match self.direction {
            Direction::Older => candidate.key.time < from,
            Direction::Newer => candidate.key.time >= to && to != Time::MAX,
        };
        if beyond_range {
            self.heap.clear();
            return Ok(Step::End);
        }
        let Some(source) = self.sources.get_mut(candidate.source) else {
            return Ok(Step::End);
        };
        if let Some(row) = source.pop() {
            self.requeue(candidate.source);
            return Ok(Step::Row(row));
        }
        self.fill(candidate.source)?;
        self.requeue(candidate.source);
        Ok(Step::Looked)
    }

    fn fill(&mut self, source: usize) -> Result<(), Error> {
        let Some(source) = self.sources.get_mut(source) else {
            return Ok(());
        };
        let left = self.budget.saturating_sub(self.looked_at);
        let filled = source.fill(self.matcher, self.direction, &mut self.workers, left)?;
        self.scanned += filled.scanned;
        self.looked_at += filled.looked_at;
        self.damage.extend(filled.damage);
        Ok(())
    }
}
