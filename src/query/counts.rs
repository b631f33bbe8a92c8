//! Counting, for whatever holds a log: over time, and by value.

use foldhash::HashMap;

use super::{Facet, Facets, Histogram, HistogramRequest, KNOWN_FIELDS, Values};
use crate::base::Time;

/// Different values counted; further ones only count as covered.
const MAX_VALUES: usize = 100_000;
/// Completions offered.
const MAX_COMPLETIONS: usize = 50;
/// Longer values are no help in completing.
const MAX_COMPLETION_BYTES: usize = 200;

/// Widths that read well, in nanoseconds: 1, 2, 5, 10, 15, 30 of each unit from a millisecond to weeks.
const NICE_WIDTHS: [i64; 29] = {
    const MS: i64 = 1_000_000;
    const S: i64 = 1_000 * MS;
    const M: i64 = 60 * S;
    const H: i64 = 60 * M;
    const D: i64 = 24 * H;
    [
        MS,
        2 * MS,
        5 * MS,
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        M,
        2 * M,
        5 * M,
        10 * M,
        15 * M,
        30 * M,
        H,
        2 * H,
        6 * H,
        12 * H,
        D,
        7 * D,
        30 * D,
        365 * D,
    ]
};

/// Entries of each level over time, in buckets of a width that reads well.
#[derive(Debug)]
pub struct TimeCounts {
    from: Time,
    to: Time,
    start: i64,
    width: i64,
    buckets: Vec<[u64; 6]>,
}

impl TimeCounts {
    /// At most so many buckets, from one time up to another.
    #[must_use]
    pub fn new(from: Time, to: Time, most: usize) -> Self {
        let most = i64::try_from(most.clamp(1, 2_000)).unwrap_or(1);
        let span = to.0.saturating_sub(from.0).max(1);
        let fits = |width: &i64| span / width + 2 <= most.max(3);
        let width = NICE_WIDTHS
            .into_iter()
            .find(fits)
            .unwrap_or(span / most + 1);
        let start = from.0.div_euclid(width).saturating_mul(width);
        let buckets = usize::try_from((to.0 - 1).saturating_sub(start) / width + 1).unwrap_or(1);
        Self {
            from,
            to,
            start,
            width,
            buckets: vec![[0; 6]; buckets],
        }
    }

    /// The buckets that a question asks for, of entries between the oldest and the newest of a log (both included) and the times
    /// outside of which it matches nothing; `None` where nothing lies between.
    #[must_use]
    pub fn asked(
        request: &HistogramRequest,
        (oldest, newest): (Time, Time),
        (asked_from, asked_to): (Time, Time),
    ) -> Option<Self> {
        let from = request.after.unwrap_or(oldest).max(asked_from).max(oldest);
        let end = Time(newest.0.saturating_add(1));
        let to = request.before.unwrap_or(Time::MAX).min(asked_to).min(end);
        (from < to).then(|| Self::new(from, to, request.buckets))
    }

    /// What is counted: at or after the first, before the second.
    #[must_use]
    pub fn times(&self) -> (Time, Time) {
        (self.from, self.to)
    }

    /// The width of a bucket in nanoseconds.
    #[must_use]
    pub fn width(&self) -> i64 {
        self.width
    }

    /// Whether a time is counted.
    #[must_use]
    pub fn covers(&self, time: Time) -> bool {
        self.from <= time && time < self.to
    }

    fn bucket(&self, time: Time) -> i64 {
        time.0.saturating_sub(self.start).div_euclid(self.width)
    }

    /// Whether anything between two times, both included, is counted.
    #[must_use]
    pub fn overlaps(&self, oldest: Time, newest: Time) -> bool {
        oldest < self.to && self.from <= newest
    }

    /// Whether everything between two times is counted together.
    #[must_use]
    pub fn in_one_bucket(&self, oldest: Time, newest: Time) -> bool {
        self.covers(oldest) && self.covers(newest) && self.bucket(oldest) == self.bucket(newest)
    }

    /// The same buckets, with nothing in them.
    #[must_use]
    pub fn empty(&self) -> Self {
        Self {
            buckets: vec![[0; 6]; self.buckets.len()],
            ..*self
        }
    }

    /// Adds the counts of the same buckets.
    pub fn merge(&mut self, more: &Self) {
        for (into, from) in self.buckets.iter_mut().zip(&more.buckets) {
            for (into, from) in into.iter_mut().zip(from) {
                *into += from;
            }
        }
    }

    /// Counts entries of a level (its number), if their time is covered.
    pub fn add(&mut self, time: Time, level: usize, count: u64) {
        if self.covers(time) {
            self.add_to_bucket(time, level, count);
        }
    }

    /// Counts entries in the bucket of a time, covered or not.
    pub fn add_to_bucket(&mut self, time: Time, level: usize, count: u64) {
        let bucket = usize::try_from(self.bucket(time)).ok();
        if let Some(slot) = bucket.and_then(|bucket| self.buckets.get_mut(bucket)?.get_mut(level)) {
            *slot += count;
        }
    }

    /// The counts; `partial` says that the oldest are missing.
    #[must_use]
    pub fn done(self, partial: bool) -> Histogram {
        Histogram {
            start: self.start,
            width: self.width,
            buckets: self.buckets,
            partial,
        }
    }
}

/// Values and how often they were seen.
#[derive(Debug, Default)]
pub struct ValueCounts {
    values: HashMap<String, u64>,
    covered: u64,
}

impl ValueCounts {
    /// Counts entries of a value.
    pub fn add(&mut self, value: &str, count: u64) {
        self.covered += count;
        if let Some(known) = self.values.get_mut(value) {
            *known += count;
        } else if self.values.len() < MAX_VALUES {
            self.values.insert(value.to_owned(), count);
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, more: &Self) {
        let covered = self.covered + more.covered;
        for (value, count) in &more.values {
            self.add(value, *count);
        }
        self.covered = covered;
    }

    /// The most frequent first; `partial` says that only the newest entries were counted.
    #[must_use]
    pub fn top(self, partial: bool, limit: usize) -> Facets {
        let mut values: Vec<_> = self
            .values
            .into_iter()
            .map(|(value, count)| Facet { value, count })
            .collect();
        values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        values.truncate(limit);
        Facets {
            values,
            covered: self.covered,
            partial,
        }
    }

    /// Those that begin so, the most frequent first.
    #[must_use]
    pub fn completions(mut self, prefix: &str) -> Values {
        self.values
            .retain(|value, _| value.starts_with(prefix) && value.len() < MAX_COMPLETION_BYTES);
        let top = self.top(false, MAX_COMPLETIONS).values;
        top.into_iter().map(|facet| facet.value).collect()
    }
}

/// Names of fields that begin so: the known ones, then those found.
#[must_use]
pub fn complete_names(prefix: &str, found: impl IntoIterator<Item = String>) -> Values {
    let is_known = |name: &str| KNOWN_FIELDS.iter().any(|field| field.name() == name);
    let known = KNOWN_FIELDS.iter().map(|field| field.name().to_owned());
    let others = found.into_iter().filter(|name| !is_known(name));
    let names = known.chain(others).filter(|name| name.starts_with(prefix));
    names.take(MAX_COMPLETIONS).collect()
}

/// Words of levels that begin so, in any case.
#[must_use]
pub fn complete_levels(prefix: &str) -> Values {
    let words = crate::entry::Level::ALL.map(|level| level.word().to_ascii_lowercase());
    let prefix = prefix.to_ascii_lowercase();
    let words = words.into_iter().filter(|word| word.starts_with(&prefix));
    words.collect()
}
