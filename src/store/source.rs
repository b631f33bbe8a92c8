//! What a scan merges: a memtable, or a segment of which only what the question may be in is decoded.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;

use super::Error;
use super::build::Row;
use super::memtable::Memtable;
use super::segment::Segment;
use crate::base::{Time, Workers};
use crate::entry::{Entry, Key, Position};
use crate::query::{Direction, Matcher, Verdict};

/// Entries taken from a memtable at once, so that its lock is held briefly.
const MEMTABLE_CHUNK: usize = 512;
/// Matching rows of a row group up to which they are built at once: their pages are read for their keys anyway.
const FEW: usize = 32;

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

/// The matching rows of a row group that are still to come, in the direction's order.
pub(super) enum Found {
    /// Few: built at once, and kept for the next time.
    Built(VecDeque<Arc<Entry>>),
    /// Many: what is not shown is never built.
    Rows {
        group: usize,
        rows: VecDeque<u32>,
        times: ScalarBuffer<i64>,
        positions: ScalarBuffer<u64>,
    },
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
            Self::Stored { ready, .. } => ready.front()?.front(),
        }
    }

    /// Takes the row that is ready.
    pub fn pop(&mut self) -> Option<Row> {
        match self {
            Self::Memory { ready, .. } => ready.pop_front().map(Row::Built),
            Self::Stored { ready, segment, .. } => {
                let found = ready.front_mut()?;
                let popped = found.pop(segment);
                if found.front().is_none() {
                    ready.pop_front();
                }
                popped
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

    /// Looks at the next part: a chunk of a memtable, or as many row groups as the workers take at once and hold so many
    /// entries.
    ///
    /// # Errors
    /// The disk refuses. Damage is passed over and noted.
    pub fn fill(
        &mut self,
        matcher: &Matcher,
        direction: Direction,
        workers: &mut Workers,
        most: u64,
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
                while candidates.len() < ahead && (candidates.is_empty() || filled.looked_at < most)
                {
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
                        Ok(found) if found.front().is_none() => {}
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
        let selected = segment.select(group, matcher)?;
        let mut rows: Vec<u32> = selected.set_indices_u32().collect();
        if rows.len() <= FEW {
            let mut entries = segment.kept_entries(group, &rows)?;
            match direction {
                Direction::Older => {
                    entries.retain(|entry| entry.key() < beyond);
                    entries.reverse();
                }
                Direction::Newer => entries.retain(|entry| entry.key() > beyond),
            }
            return Ok(Self::Built(entries.into()));
        }
        let (times, positions) = (segment.times(group)?, segment.row_positions(group)?);
        let key = |row: &u32| key(&times, &positions, *row);
        match direction {
            Direction::Older => {
                rows.truncate(rows.partition_point(|row| key(row) < beyond));
                rows.reverse();
            }
            Direction::Newer => drop(rows.drain(..rows.partition_point(|row| key(row) <= beyond))),
        }
        Ok(Self::Rows {
            group,
            rows: rows.into(),
            times,
            positions,
        })
    }

    fn front(&self) -> Option<Key> {
        match self {
            Self::Built(entries) => entries.front().map(|entry| entry.key()),
            Self::Rows {
                rows,
                times,
                positions,
                ..
            } => rows.front().map(|row| key(times, positions, *row)),
        }
    }

    fn pop(&mut self, segment: &Arc<Segment>) -> Option<Row> {
        match self {
            Self::Built(entries) => entries.pop_front().map(Row::Built),
            Self::Rows {
                group,
                rows,
                times,
                positions,
            } => rows.pop_front().map(|row| Row::Stored {
                key: key(times, positions, row),
                segment: Arc::clone(segment),
                group: *group,
                row,
            }),
        }
    }
}

fn key(times: &[i64], positions: &[u64], row: u32) -> Key {
    Key {
        time: Time(times[row as usize]),
        position: Position(positions[row as usize]),
    }
}
