//! Counts over time: from the tallies of row groups where time, level and namespace decide, from their columns otherwise.

use std::sync::Arc;

use super::parallel::Workers;
use super::segment::Segment;
use super::{Error, Store};
use crate::base::Time;
use crate::query::{Histogram, HistogramRequest, Matcher, Verdict};

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

impl Store {
    /// Counts entries over time. Blocks the thread until all is counted or `stop` says so.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn histogram(
        &self,
        request: &HistogramRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Histogram, Error> {
        let matcher = Matcher::compile(&request.query, request.now);
        let tables = self.shared.tables();
        let in_memory = tables.memtables().filter_map(|table| table.keys());
        let stored = tables
            .segments
            .iter()
            .filter_map(|segment| segment.groups.first().zip(segment.groups.last()));
        let ends = in_memory
            .map(|(first, last)| (first.time, last.time))
            .chain(stored.map(|(first, last)| (first.oldest.time, last.newest.time)));
        let Some((oldest, newest)) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Ok(Histogram::default());
        };
        let (asked_from, asked_to) = matcher.time_range();
        let from = request.after.unwrap_or(oldest).max(asked_from).max(oldest);
        let to = request
            .before
            .unwrap_or(Time::MAX)
            .min(asked_to)
            .min(Time(newest.0.saturating_add(1)));
        if to <= from {
            return Ok(Histogram::default());
        }
        let mut counts = Counts::new(from, to, request.buckets);
        for table in tables.memtables() {
            table.each(|entry| {
                if matcher.matches(entry) {
                    counts.add(entry.time, entry.level as usize, 1);
                }
            });
        }
        let mut groups = Vec::new();
        for segment in &tables.segments {
            let within =
                |group: &super::segment::Group| group.newest.time >= from && group.oldest.time < to;
            let numbers = segment
                .groups
                .iter()
                .enumerate()
                .filter(|(_, group)| within(group))
                .map(|(at, _)| at);
            groups.extend(numbers.map(|at| (Arc::clone(segment), at)));
        }
        // The newest first: what is missing when it is stopped is the oldest.
        groups.sort_by_key(|(segment, at)| {
            std::cmp::Reverse(segment.groups.get(*at).map(|group| group.newest))
        });
        let workers = Workers::new(self.shared.options.threads);
        for some in groups.chunks(16) {
            if stop() {
                return Ok(counts.done(true));
            }
            for counted in workers.map(some, |(segment, group)| {
                count_group(segment, *group, &matcher, &counts)
            }) {
                match counted {
                    Ok(Some(more)) => counts.merge(&more),
                    Ok(None) => {}
                    Err(error @ Error::Damaged { .. }) => tracing::warn!("{error}"),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(counts.done(false))
    }
}

/// What a row group adds to the counts.
fn count_group(
    segment: &Segment,
    group: usize,
    matcher: &Matcher,
    all: &Counts,
) -> Result<Option<Counts>, Error> {
    let verdict = segment.verdict(group, matcher)?;
    let Some(known) = segment
        .groups
        .get(group)
        .filter(|_| verdict != Verdict::None)
    else {
        return Ok(None);
    };
    let mut counts = all.empty();
    if verdict == Verdict::All && counts.in_one_bucket(known.oldest.time, known.newest.time) {
        for (_, levels) in &known.summary.namespaces {
            for (level, count) in levels.iter().enumerate() {
                counts.add(known.oldest.time, level, *count);
            }
        }
        return Ok(Some(counts));
    }
    if counts.covers(known.oldest.time) && counts.covers(known.newest.time) {
        let tally = segment.tally(group)?;
        if counts.width % tally.width == 0
            && let Some(cells) = segment.matching_cells(&tally, matcher)
        {
            // A bucket may begin before the first entry, but its entries are all within.
            for cell in &cells {
                counts.add_to_bucket(Time(cell.start), cell.level, cell.count);
            }
            return Ok(Some(counts));
        }
    }
    let selected = segment.select(group, matcher)?;
    segment.each_time(group, &selected, &mut |time, level| {
        counts.add(time, level as usize, 1);
    })?;
    Ok(Some(counts))
}

struct Counts {
    from: Time,
    to: Time,
    start: i64,
    width: i64,
    buckets: Vec<[u64; 6]>,
}

impl Counts {
    fn new(from: Time, to: Time, most: usize) -> Self {
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

    fn covers(&self, time: Time) -> bool {
        self.from <= time && time < self.to
    }

    fn bucket(&self, time: Time) -> i64 {
        time.0.saturating_sub(self.start).div_euclid(self.width)
    }

    fn in_one_bucket(&self, oldest: Time, newest: Time) -> bool {
        self.covers(oldest) && self.covers(newest) && self.bucket(oldest) == self.bucket(newest)
    }

    fn empty(&self) -> Self {
        Self {
            buckets: vec![[0; 6]; self.buckets.len()],
            ..*self
        }
    }

    fn merge(&mut self, more: &Self) {
        for (into, from) in self.buckets.iter_mut().zip(&more.buckets) {
            for (into, from) in into.iter_mut().zip(from) {
                *into += from;
            }
        }
    }

    fn add(&mut self, time: Time, level: usize, count: u64) {
        if self.covers(time) {
            self.add_to_bucket(time, level, count);
        }
    }

    fn add_to_bucket(&mut self, time: Time, level: usize, count: u64) {
        let bucket = usize::try_from(self.bucket(time)).ok();
        if let Some(slot) = bucket.and_then(|bucket| self.buckets.get_mut(bucket)?.get_mut(level)) {
            *slot += count;
        }
    }

    fn done(self, partial: bool) -> Histogram {
        Histogram {
            start: self.start,
            width: self.width,
            buckets: self.buckets,
            partial,
        }
    }
}
