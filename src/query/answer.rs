//! What anything that holds a log answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cursor, Direction, PageRequest, Start};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};

/// How far a scan came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Entries looked at or passed over by their summaries.
    pub scanned: u64,
    /// Entries there are.
    pub total: u64,
}

/// One page, oldest entry first whichever way it was read.
///
/// A page may be short and still have more beyond it: a scan stops at its budget. Then the cursor goes on where the
/// scan stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Goes on towards older entries; `None` when there are none.
    pub older: Option<Cursor>,
    /// Goes on towards newer entries; `None` when there were none when the page was read.
    pub newer: Option<Cursor>,
    /// The newest position at the moment the page was read: who follows after it misses nothing.
    pub head: Position,
    /// Whether the scan stopped at its budget before the limit was reached.
    pub partial: bool,
    /// What the scan looked at.
    pub progress: Progress,
}

impl Page {
    /// The page the right way round, from entries in the order they were read, and where it goes on: beyond its far edge,
    /// at `forward`, and back beyond its first entry.
    #[must_use]
    pub fn placed(mut self, request: &PageRequest, forward: Option<Key>) -> Self {
        let near = self.entries.first().map(Entry::key);
        let cursor = |key, direction| Cursor { key, direction };
        let forward = forward.map(|key| cursor(key, request.direction));
        // What lies on the near side was not looked at: from a place in the middle there may be something.
        let start = match request.start {
            Start::Beyond(key) => Some(key),
            Start::End => None,
        };
        (self.older, self.newer) = match request.direction {
            Direction::Older => {
                self.entries.reverse();
                let near = start.map(|key| near.unwrap_or_else(|| key.before()));
                (forward, near.map(|key| cursor(key, Direction::Newer)))
            }
            Direction::Newer => {
                let near = start.map(|key| near.unwrap_or_else(|| key.after()));
                (near.map(|key| cursor(key, Direction::Older)), forward)
            }
        };
        self
    }

    /// This page of what is older than an entry, the entry, and a page of what is newer.
    #[must_use]
    pub fn around(mut self, entry: Entry, after: Self) -> Self {
        self.entries.push(entry);
        self.entries.extend(after.entries);
        self.newer = after.newer;
        self.partial |= after.partial;
        self.progress.scanned += after.progress.scanned;
        self
    }

    /// This page and the one read beyond it in the same direction.
    #[must_use]
    pub fn joined(self, far: Self, direction: Direction) -> Self {
        let mut progress = far.progress;
        progress.scanned += self.progress.scanned;
        let (older, newer, mut entries, rest) = match direction {
            Direction::Older => (far.older, self.newer, far.entries, self.entries),
            Direction::Newer => (self.older, far.newer, self.entries, far.entries),
        };
        entries.extend(rest);
        Self {
            entries,
            older,
            newer,
            head: self.head,
            partial: far.partial,
            progress,
        }
    }
}

/// Counts of entries over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Histogram {
    /// Start of the first bucket, nanoseconds since the epoch.
    pub start: i64,
    /// Width of a bucket in nanoseconds.
    pub width: i64,
    /// Per bucket the entries of each level, mildest first.
    pub buckets: Vec<[u64; 6]>,
    /// Whether a budget ended the count early: what is missing is the oldest.
    pub partial: bool,
}

impl Histogram {
    /// The same buckets, with nothing in them; told to be incomplete.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self {
            buckets: vec![[0; 6]; self.buckets.len()],
            partial: true,
            ..*self
        }
    }

    /// Adds the counts of a part of the same time, each where its bucket begins.
    pub fn absorb(&mut self, part: &Self) {
        let starts = (0..).map(|at: i64| part.start.saturating_add(at.saturating_mul(part.width)));
        for (start, levels) in starts.zip(&part.buckets) {
            let at = start
                .saturating_sub(self.start)
                .div_euclid(self.width.max(1));
            let slot = usize::try_from(at)
                .ok()
                .and_then(|at| self.buckets.get_mut(at));
            for (sum, count) in slot.into_iter().flatten().zip(levels) {
                *sum += count;
            }
        }
    }

    /// Entries of each level, all in all.
    #[must_use]
    pub fn levels(&self) -> [u64; 6] {
        self.buckets.iter().fold([0; 6], |sums, levels| {
            std::array::from_fn(|level| sums[level] + levels[level])
        })
    }
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    /// The value as words.
    pub value: String,
    /// Entries that have it.
    pub count: u64,
}

/// The most frequent values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// Most frequent first; ties by value.
    pub values: Vec<Facet>,
    /// Entries that have any value.
    pub covered: u64,
    /// Whether only the newest part of the log was counted.
    pub partial: bool,
}

/// Completions, best first.
pub type Values = Vec<String>;

/// A namespace and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamespaceCount {
    /// Its name.
    pub name: String,
    /// Entries of each level, mildest first.
    pub levels: [u64; 6],
    /// Time of its newest entry, nanoseconds since the epoch.
    pub newest: i64,
}

impl NamespaceCount {
    /// A namespace that holds nothing yet.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            levels: [0; 6],
            newest: i64::MIN,
        }
    }

    /// Adds what another part of it holds.
    pub fn absorb(&mut self, part: &Self) {
        self.newest = self.newest.max(part.newest);
        for (sum, count) in self.levels.iter_mut().zip(part.levels) {
            *sum += count;
        }
    }

    /// All its entries.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.levels.iter().sum()
    }

    /// Its entries of level error and fatal.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.levels.iter().skip(4).sum()
    }

    /// When its newest entry happened.
    #[must_use]
    pub fn newest(&self) -> Time {
        Time(self.newest)
    }
}
