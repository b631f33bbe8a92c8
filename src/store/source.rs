//! What a scan merges: a memtable, or a segment of which only what the question may be in is decoded.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;

use super::Error;
use super::build::Row;
use super::memtable::Memtable;
use super::parallel::Workers;
use super::segment::Segment;
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{Direction, Matcher, Verdict};

/// Entries taken from a memtable at once, so that its lock is held briefly.
const MEMTABLE_CHUNK: usize = 512;

/// One table, and the matching rows of it that are ready, in the direction's order.
pub(super) enum Source {
    /// A memtable: entries beyond `beyond`, up to the newest when the scan began.
    Memory {
        table: Arc<Memtable>,
        beyond: Key,
        last: Key,
        ready: VecDeque<Arc<Entry>>,
    },
    /// A segment: `groups` is what is still to be read, in the order of keys.
    Stored {
        segment: Arc<Segment>,
        groups: Range<usize>,
        beyond: Key,
        ready: VecDeque<Found>,
    },
}

/// What filling a source cost.
#[derive(Default)]
pub(super) struct Filled {
    /// Entries looked at or passed over by their summary.
    pub scanned: u64,
    /// Entries put to the matcher.
    pub looked_at: u64,
    /// Row groups that could not be read, one sentence each.
    pub damage: Vec<String>,
}

/// The matching rows of a row group.
pub(super) struct Found {
    group: usize,
    rows: VecDeque<u32>,
    times: ScalarBuffer<i64>,
    positions: ScalarBuffer<u64>,
}

impl Source {
    /// What a memtable holds beyond a key; nothing when it is empty.
    pub fn memory(table: &Arc<Memtable>, beyond: Key) -> Option<Self> {
        let (_, last) = table.keys()?;
        Some(Self::Memory {
            table: Arc::clone(table),
            beyond,
            last,
            ready: VecDeque::new(),
        })
    }

    /// What a segment holds beyond a key.
    pub fn stored(segment: &Arc<Segment>, beyond: Key, direction: Direction) -> Self {
        let groups = &segment.groups;
        let groups = match direction {
            Direction::Older => 0..groups.partition_point(|group| group.oldest < beyond),
            Direction::Newer => {
                groups.partition_point(|group| group.newest <= beyond)..groups.len()
            }
        };
        Self::Stored {
            segment: Arc::clone(segment),
            groups,
            beyond,
            ready: VecDeque::new(),
        }
    }

    /// The key of the row that is ready.
    pub fn front(&self) -> Option<Key> {
        match self {
            Self::Memory { ready, .. } => ready.front().map(|entry| entry.key()),
            Self::Stored { ready, .. } => {
                let found = ready.front()?;
                found.rows.front().map(|row| found.key(*row))
            }
        }
    }

    /// Takes the row that is ready.
    pub fn pop(&mut self) -> Option<Row> {
        match self {
            Self::Memory { ready, .. } => ready.pop_front().map(Row::Memory),
            Self::Stored { ready, segment, .. } => {
                let found = ready.front_mut()?;
                let row = found.rows.pop_front()?;
                let popped = Row::Stored {
                    key: found.key(row),
                    segment: Arc::clone(segment),
                    group: found.group,
                    row,
                };
                if found.rows.is_empty() {
                    ready.pop_front();
                }
                Some(popped)
            }
        }
    }

    /// The best key it may still give; nothing when it is exhausted.
    pub fn best(&self, direction: Direction) -> Option<Key> {
        if let Some(key) = self.front() {
            return Some(key);
        }
        match self {
            Self::Memory {
                table,
                beyond,
                last,
                ..
            } => {
                let (first, _) = table.keys()?;
                // The newest key was noted at the start: what arrives during the scan is the followers' business.
                match direction {
                    Direction::Older => (first < *beyond).then(|| beyond.before().min(*last)),
                    Direction::Newer => (beyond < last).then(|| beyond.after().max(first)),
                }
            }
            Self::Stored {
                segment,
                groups,
                beyond,
                ..
            } => {
                let next = match direction {
                    Direction::Older => groups.end.checked_sub(1)?,
                    Direction::Newer => groups.start,
                };
                let group = groups.contains(&next).then(|| segment.groups.get(next))??;
                // The first row group may reach to the wrong side of the start.
                Some(match direction {
                    Direction::Older => group.newest.min(beyond.before()),
                    Direction::Newer => group.oldest.max(beyond.after()),
                })
            }
        }
    }

    /// Looks at the next part: a chunk of a memtable, or as many row groups as the workers take at once.
    ///
    /// # Errors
    /// The disk refuses. Damage is passed over and noted.
    pub fn fill(
        &mut self,
        matcher: &Matcher,
        direction: Direction,
        workers: &mut Workers,
    ) -> Result<Filled, Error> {
        let mut filled = Filled::default();
        match self {
            Self::Memory {
                table,
                beyond,
                ready,
                ..
            } => {
                let chunk = table.beyond(*beyond, direction, MEMTABLE_CHUNK);
                filled.scanned = chunk.len() as u64;
                filled.looked_at = filled.scanned;
                *beyond = chunk.last().map_or(end_of(direction), |last| last.key());
                ready.extend(chunk.into_iter().filter(|entry| matcher.matches(entry)));
            }
            Self::Stored {
                segment,
                groups,
                beyond,
                ready,
            } => {
                // Few for a question that is soon answered, all that threads allow for one that is not.
                let ahead = workers.at_once();
                let mut candidates = Vec::with_capacity(ahead);
                while candidates.len() < ahead {
                    let next = match direction {
                        Direction::Older => groups.next_back(),
                        Direction::Newer => groups.next(),
                    };
                    let Some((at, group)) = next.and_then(|at| Some((at, segment.groups.get(at)?)))
                    else {
                        break;
                    };
                    filled.scanned += group.rows as u64;
                    if segment.verdict(at, matcher)? != Verdict::None {
                        filled.looked_at += group.rows as u64;
                        candidates.push(at);
                    }
                }
                for outcome in workers.map(&candidates, |at| {
                    Found::of(segment, *at, matcher, *beyond, direction)
                }) {
                    match outcome {
                        Ok(found) if found.rows.is_empty() => {}
                        Ok(found) => ready.push_back(found),
                        Err(error @ Error::Damaged { .. }) => filled.damage.push(error.to_string()),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(filled)
    }
}

fn end_of(direction: Direction) -> Key {
    match direction {
        Direction::Older => Key::MIN,
        Direction::Newer => Key::MAX,
    }
}

impl Found {
    /// The matching rows of a row group beyond a key.
    fn of(
        segment: &Segment,
        group: usize,
        matcher: &Matcher,
        beyond: Key,
        direction: Direction,
    ) -> Result<Self, Error> {
        let known = segment.groups.get(group);
        let rows = known.map_or(0, |group| group.rows);
        let straddles = known.is_some_and(|group| group.oldest <= beyond && beyond <= group.newest);
        let mut found = Self {
            group,
            rows: VecDeque::new(),
            times: ScalarBuffer::from(Vec::new()),
            positions: ScalarBuffer::from(Vec::new()),
        };
        let mut range = 0..rows;
        if straddles {
            (found.times, found.positions) = (segment.times(group)?, segment.row_positions(group)?);
            let edge = partition(rows, |row| match direction {
                Direction::Older => found.key(row) < beyond,
                Direction::Newer => found.key(row) <= beyond,
            });
            range = match direction {
                Direction::Older => 0..edge,
                Direction::Newer => edge..rows,
            };
        }
        let selected = segment.select(group, matcher, range)?;
        found.rows = selected.set_indices_u32().collect();
        if direction == Direction::Older {
            found.rows.make_contiguous().reverse();
        }
        if !found.rows.is_empty() && found.times.is_empty() {
            (found.times, found.positions) = (segment.times(group)?, segment.row_positions(group)?);
        }
        Ok(found)
    }

    fn key(&self, row: u32) -> Key {
        Key {
            time: Time(self.times[row as usize]),
            position: Position(self.positions[row as usize]),
        }
    }
}

/// The first row for which the test does not hold, when it holds for all before.
fn partition(rows: usize, test: impl Fn(u32) -> bool) -> usize {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = usize::midpoint(low, high);
        if test(u32::try_from(middle).unwrap_or(u32::MAX)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
