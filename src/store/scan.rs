//! Merges memtables and runs by key, decoding only what the question may be in.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::Error;
use super::memtable::Memtable;
use super::run::{Block, Run};
use super::state::Tables;
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{Direction, Matcher, Verdict};

/// Entries taken from a memtable at once, so that its lock is held briefly.
const MEMTABLE_CHUNK: usize = 512;

/// Reads matching entries in the direction's order, from beyond a key.
pub(super) struct Scan<'m> {
    matcher: &'m Matcher,
    direction: Direction,
    sources: Vec<Source>,
    heap: BinaryHeap<Candidate>,
    /// Entries looked at or passed over by their summary.
    pub scanned: u64,
    /// Entries decoded and put to the matcher: what the budget counts.
    pub looked_at: u64,
    /// Runs whose blocks could not be read, one sentence each.
    pub damage: Vec<String>,
}

/// What a scan gave.
pub(super) enum Step {
    /// The next matching entry.
    Row(Arc<Entry>),
    /// Nothing yet: a block was looked at and held no match.
    Looked,
    /// There is nothing more.
    End,
}

struct Source {
    rows: VecDeque<Arc<Entry>>,
    body: Body,
}

enum Body {
    Memtable {
        table: Arc<Memtable>,
        beyond: Key,
        last: Key,
    },
    /// `blocks` is what is still to be read, in the order of keys.
    Run {
        run: Arc<Run>,
        blocks: std::ops::Range<usize>,
        beyond: Key,
    },
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
    /// A scan from beyond `start`.
    pub fn new(tables: &Tables, matcher: &'m Matcher, start: Key, direction: Direction) -> Self {
        let (from, to) = matcher.time_range();
        // Nothing outside the question's times is looked at: the start moves to their edge.
        let start = match direction {
            Direction::Older if to < Time::MAX => start.min(Key {
                time: to,
                position: Position(0),
            }),
            Direction::Newer if from > Time::MIN => start.max(before(Key {
                time: from,
                position: Position(0),
            })),
            _ => start,
        };
        let mut scan = Self {
            matcher,
            direction,
            sources: Vec::new(),
            heap: BinaryHeap::new(),
            scanned: 0,
            looked_at: 0,
            damage: Vec::new(),
        };
        for table in tables.frozen.iter().chain([&tables.active]) {
            let Some((_, last)) = table.keys() else {
                continue;
            };
            scan.add(Body::Memtable {
                table: Arc::clone(table),
                beyond: start,
                last,
            });
        }
        for run in &tables.runs {
            let blocks = match direction {
                Direction::Older => 0..run.blocks.partition_point(|block| block.oldest < start),
                Direction::Newer => {
                    run.blocks.partition_point(|block| block.newest <= start)..run.blocks.len()
                }
            };
            scan.add(Body::Run {
                run: Arc::clone(run),
                blocks,
                beyond: start,
            });
        }
        scan
    }

    fn add(&mut self, body: Body) {
        let source = Source {
            rows: VecDeque::new(),
            body,
        };
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

    /// Whether going on means looking at another block; otherwise a row is ready.
    pub fn must_look(&self) -> bool {
        let source = self
            .heap
            .peek()
            .and_then(|candidate| self.sources.get(candidate.source));
        source.is_some_and(|source| source.rows.is_empty())
    }

    /// The best key that may still come.
    pub fn next_key(&self) -> Option<Key> {
        self.heap.peek().map(|candidate| candidate.key)
    }

    /// The next entry, or one block's worth of looking for it.
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
        if let Some(row) = source.rows.pop_front() {
            self.requeue(candidate.source);
            return Ok(Step::Row(row));
        }
        self.fill(candidate.source)?;
        self.requeue(candidate.source);
        Ok(Step::Looked)
    }

    fn fill(&mut self, source: usize) -> Result<(), Error> {
        let (direction, matcher) = (self.direction, self.matcher);
        let Some(Source { rows, body }) = self.sources.get_mut(source) else {
            return Ok(());
        };
        match body {
            Body::Memtable { table, beyond, .. } => {
                let chunk = table.beyond(*beyond, direction, MEMTABLE_CHUNK);
                self.scanned += chunk.len() as u64;
                self.looked_at += chunk.len() as u64;
                match chunk.last() {
                    Some(last) => *beyond = last.key(),
                    None => {
                        *beyond = if direction == Direction::Older {
                            Key::MIN
                        } else {
                            Key::MAX
                        }
                    }
                }
                rows.extend(chunk.into_iter().filter(|entry| matcher.matches(entry)));
            }
            Body::Run {
                run,
                blocks,
                beyond,
            } => {
                let next = match direction {
                    Direction::Older => blocks.next_back(),
                    Direction::Newer => blocks.next(),
                };
                let Some(block) = next.and_then(|at| run.blocks.get(at)) else {
                    return Ok(());
                };
                self.scanned += block.count;
                if matcher.verdict(&block.summary) == Verdict::None {
                    return Ok(());
                }
                self.looked_at += block.count;
                match run.read(block) {
                    Ok(entries) => rows.extend(in_order(entries, *beyond, direction, matcher)),
                    Err(error @ Error::Damaged { .. }) => self.damage.push(error.to_string()),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

fn in_order(
    entries: Vec<Entry>,
    beyond: Key,
    direction: Direction,
    matcher: &Matcher,
) -> Vec<Arc<Entry>> {
    let wanted = |entry: &Entry| match direction {
        Direction::Older => entry.key() < beyond,
        Direction::Newer => entry.key() > beyond,
    };
    let mut rows: Vec<_> = entries
        .into_iter()
        .filter(|entry| wanted(entry) && matcher.matches(entry))
        .map(Arc::new)
        .collect();
    if direction == Direction::Older {
        rows.reverse();
    }
    rows
}

impl Source {
    fn best(&self, direction: Direction) -> Option<Key> {
        if let Some(row) = self.rows.front() {
            return Some(row.key());
        }
        match &self.body {
            Body::Memtable {
                table,
                beyond,
                last,
            } => {
                let (first, _) = table.keys()?;
                // The newest key was noted at the start: what arrives during the scan is the followers' business.
                match direction {
                    Direction::Older => (first < *beyond).then(|| before(*beyond).min(*last)),
                    Direction::Newer => (beyond < last).then(|| after(*beyond).max(first)),
                }
            }
            Body::Run {
                run,
                blocks,
                beyond,
            } => {
                // The first block may reach to the wrong side of the start.
                let edge = |block: &Block| match direction {
                    Direction::Older => block.newest.min(before(*beyond)),
                    Direction::Newer => block.oldest.max(after(*beyond)),
                };
                let next = if direction == Direction::Older {
                    blocks.end.checked_sub(1)?
                } else {
                    blocks.start
                };
                blocks
                    .contains(&next)
                    .then(|| run.blocks.get(next).map(edge))?
            }
        }
    }
}

/// The greatest key below this one.
pub(super) fn before(key: Key) -> Key {
    match key.position.0.checked_sub(1) {
        Some(position) => Key {
            position: Position(position),
            ..key
        },
        None => Key {
            time: Time(key.time.0.saturating_sub(1)),
            position: Position(u64::MAX),
        },
    }
}

/// The least key above this one.
pub(super) fn after(key: Key) -> Key {
    match key.position.0.checked_add(1) {
        Some(position) => Key {
            position: Position(position),
            ..key
        },
        None => Key {
            time: Time(key.time.0.saturating_add(1)),
            position: Position(0),
        },
    }
}
