//! Merges memtables and segments by key, decoding only what the question may be in.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::ScalarBuffer;

use super::Error;
use super::memtable::Memtable;
use super::parallel::Workers;
use super::segment::Segment;
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
    workers: Workers,
    sources: Vec<Source>,
    heap: BinaryHeap<Candidate>,
    /// Entries looked at or passed over by their summary.
    pub scanned: u64,
    /// Entries put to the matcher: what the budget counts.
    pub looked_at: u64,
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

/// A matching entry, or where it lies: what is not shown is never built.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Memory(Arc<Entry>),
    Stored {
        key: Key,
        segment: Arc<Segment>,
        group: usize,
        row: u32,
    },
}

impl Row {
    pub fn key(&self) -> Key {
        match self {
            Self::Memory(entry) => entry.key(),
            Self::Stored { key, .. } => *key,
        }
    }
}

struct Source {
    rows: Rows,
    body: Body,
}

/// Rows that are ready, in the direction's order.
enum Rows {
    Memory(VecDeque<Arc<Entry>>),
    Stored(VecDeque<Found>),
}

/// The matching rows of a row group.
struct Found {
    group: usize,
    rows: VecDeque<u32>,
    times: ScalarBuffer<i64>,
    positions: ScalarBuffer<u64>,
}

impl Found {
    fn key(&self, row: u32) -> Key {
        Key {
            time: Time(self.times[row as usize]),
            position: Position(self.positions[row as usize]),
        }
    }
}

enum Body {
    Memtable {
        table: Arc<Memtable>,
        beyond: Key,
        last: Key,
    },
    /// `groups` is what is still to be read, in the order of keys.
    Segment {
        segment: Arc<Segment>,
        groups: Range<usize>,
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
            Direction::Newer if from > Time::MIN => start.max(before(Key {
                time: from,
                position: Position(0),
            })),
            _ => start,
        };
        let mut scan = Self {
            matcher,
            direction,
            workers: Workers::new(threads),
            sources: Vec::new(),
            heap: BinaryHeap::new(),
            scanned: 0,
            looked_at: 0,
            damage: Vec::new(),
        };
        for table in tables.memtables() {
            let Some((_, last)) = table.keys() else {
                continue;
            };
            let body = Body::Memtable {
                table: Arc::clone(table),
                beyond: start,
                last,
            };
            scan.add(Rows::Memory(VecDeque::new()), body);
        }
        for segment in &tables.segments {
            let groups = &segment.groups;
            let groups = match direction {
                Direction::Older => 0..groups.partition_point(|group| group.oldest < start),
                Direction::Newer => {
                    groups.partition_point(|group| group.newest <= start)..groups.len()
                }
            };
            let body = Body::Segment {
                segment: Arc::clone(segment),
                groups,
                beyond: start,
            };
            scan.add(Rows::Stored(VecDeque::new()), body);
        }
        scan
    }

    fn add(&mut self, rows: Rows, body: Body) {
        self.sources.push(Source { rows, body });
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
    pub fn must_look(&self) -> bool {
        let source = self
            .heap
            .peek()
            .and_then(|candidate| self.sources.get(candidate.source));
        source.is_some_and(|source| source.rows.front().is_none())
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
        let (direction, matcher) = (self.direction, self.matcher);
        let Some(Source { rows, body }) = self.sources.get_mut(source) else {
            return Ok(());
        };
        match (body, rows) {
            (Body::Memtable { table, beyond, .. }, Rows::Memory(rows)) => {
                let chunk = table.beyond(*beyond, direction, MEMTABLE_CHUNK);
                self.scanned += chunk.len() as u64;
                self.looked_at += chunk.len() as u64;
                *beyond = chunk.last().map_or(end_of(direction), |last| last.key());
                rows.extend(chunk.into_iter().filter(|entry| matcher.matches(entry)));
                Ok(())
            }
            (
                Body::Segment {
                    segment,
                    groups,
                    beyond,
                },
                Rows::Stored(found),
            ) => {
                // Few for a question that is soon answered, all that threads allow for one that is not.
                let ahead = self.workers.at_once();
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
                    self.scanned += group.rows as u64;
                    if segment.verdict(at, matcher)? != Verdict::None {
                        self.looked_at += group.rows as u64;
                        candidates.push(at);
                    }
                }
                for outcome in self.workers.map(&candidates, |at| {
                    rows_of(segment, *at, matcher, *beyond, direction)
                }) {
                    match outcome {
                        Ok(rows) if rows.rows.is_empty() => {}
                        Ok(rows) => found.push_back(rows),
                        Err(error @ Error::Damaged { .. }) => self.damage.push(error.to_string()),
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn end_of(direction: Direction) -> Key {
    match direction {
        Direction::Older => Key::MIN,
        Direction::Newer => Key::MAX,
    }
}

/// The matching rows of a row group beyond a key.
fn rows_of(
    segment: &Segment,
    group: usize,
    matcher: &Matcher,
    beyond: Key,
    direction: Direction,
) -> Result<Found, Error> {
    let known = segment.groups.get(group);
    let rows = known.map_or(0, |group| group.rows);
    let straddles = known.is_some_and(|group| group.oldest <= beyond && beyond <= group.newest);
    let mut found = Found {
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

impl Rows {
    fn front(&self) -> Option<Key> {
        match self {
            Self::Memory(rows) => rows.front().map(|entry| entry.key()),
            Self::Stored(found) => {
                let found = found.front()?;
                found.rows.front().map(|row| found.key(*row))
            }
        }
    }
}

impl Source {
    fn pop(&mut self) -> Option<Row> {
        match (&mut self.rows, &self.body) {
            (Rows::Memory(rows), _) => rows.pop_front().map(Row::Memory),
            (Rows::Stored(all), Body::Segment { segment, .. }) => {
                let found = all.front_mut()?;
                let row = found.rows.pop_front()?;
                let popped = Row::Stored {
                    key: found.key(row),
                    segment: Arc::clone(segment),
                    group: found.group,
                    row,
                };
                if found.rows.is_empty() {
                    all.pop_front();
                }
                Some(popped)
            }
            (Rows::Stored(_), Body::Memtable { .. }) => None,
        }
    }

    fn best(&self, direction: Direction) -> Option<Key> {
        if let Some(key) = self.rows.front() {
            return Some(key);
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
            Body::Segment {
                segment,
                groups,
                beyond,
                ..
            } => {
                let next = if direction == Direction::Older {
                    groups.end.checked_sub(1)?
                } else {
                    groups.start
                };
                let group = groups.contains(&next).then(|| segment.groups.get(next))??;
                // The first row group may reach to the wrong side of the start.
                Some(match direction {
                    Direction::Older => group.newest.min(before(*beyond)),
                    Direction::Newer => group.oldest.max(after(*beyond)),
                })
            }
        }
    }
}

/// Whether entries that were built will be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    ForNextTime,
    No,
}

/// Builds the entries of rows, in their order. Row groups that cannot be read are left out and noted.
pub(super) fn build(
    rows: Vec<Row>,
    threads: usize,
    keep: Keep,
    damage: &mut Vec<String>,
) -> Result<Vec<Entry>, Error> {
    let mut wanted: BTreeMap<(usize, usize), Wanted> = BTreeMap::new();
    let mut built: Vec<Option<Entry>> = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        match row {
            Row::Memory(entry) => built.push(Some(Arc::unwrap_or_clone(entry))),
            Row::Stored {
                segment,
                group,
                row,
                ..
            } => {
                built.push(None);
                let of = (Arc::as_ptr(&segment) as usize, group);
                let rows = Vec::new();
                wanted
                    .entry(of)
                    .or_insert(Wanted {
                        segment,
                        group,
                        rows,
                    })
                    .rows
                    .push((row, at));
            }
        }
    }
    let mut wanted: Vec<Wanted> = wanted.into_values().collect();
    wanted
        .iter_mut()
        .for_each(|wanted| wanted.rows.sort_unstable());
    let read = Workers::new(threads).map(&wanted, |wanted| {
        let numbers: Vec<u32> = wanted.rows.iter().map(|(row, _)| *row).collect();
        match keep {
            Keep::ForNextTime => wanted.segment.kept_entries(wanted.group, &numbers),
            Keep::No => wanted.segment.entries(wanted.group, &numbers),
        }
    });
    for (wanted, entries) in wanted.into_iter().zip(read) {
        match entries {
            Ok(entries) => {
                for (entry, (_, at)) in entries.into_iter().zip(wanted.rows) {
                    built[at] = Some(entry);
                }
            }
            Err(error @ Error::Damaged { .. }) => damage.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(built.into_iter().flatten().collect())
}

/// Rows of one row group, and their places in the answer.
struct Wanted {
    segment: Arc<Segment>,
    group: usize,
    rows: Vec<(u32, usize)>,
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
