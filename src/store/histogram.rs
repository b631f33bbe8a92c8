//! Counts over time: from summaries where a block lies within one bucket, from its entries otherwise.

use super::{Error, Store};
use crate::base::Time;
use crate::entry::Entry;
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
        let memtables: Vec<_> = tables.frozen.iter().chain([&tables.active]).collect();
        let ends = memtables
            .iter()
            .filter_map(|table| table.keys())
            .map(|(first, last)| (first.time, last.time))
            .chain(tables.runs.iter().filter_map(|run| {
                Some((
                    run.blocks.first()?.oldest.time,
                    run.blocks.last()?.newest.time,
                ))
            }));
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
        for table in memtables {
            for entry in table.sorted() {
                if matcher.matches(&entry) {
                    counts.add_entry(&entry);
                }
            }
        }
        for run in tables.runs.iter().rev() {
            for block in run.blocks.iter().rev() {
                if stop() {
                    return Ok(counts.done(true));
                }
                if block.newest.time < from || block.oldest.time >= to {
                    continue;
                }
                match matcher.verdict(&block.summary) {
                    Verdict::None => {}
                    Verdict::All if counts.in_one_bucket(block.oldest.time, block.newest.time) => {
                        for (level, count) in block.summary.levels.iter().enumerate() {
                            counts.add(block.oldest.time, level, *count);
                        }
                    }
                    Verdict::All | Verdict::Some => match run.read(block) {
                        Ok(entries) => {
                            entries
                                .iter()
                                .filter(|entry| matcher.matches(entry))
                                .for_each(|entry| counts.add_entry(entry));
                        }
                        Err(error @ Error::Damaged { .. }) => tracing::warn!("{error}"),
                        Err(error) => return Err(error),
                    },
                }
            }
        }
        Ok(counts.done(false))
    }
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

    fn add(&mut self, time: Time, level: usize, count: u64) {
        let Ok(bucket) = usize::try_from(self.bucket(time)) else {
            return;
        };
        if let Some(slot) = self
            .buckets
            .get_mut(bucket)
            .and_then(|levels| levels.get_mut(level))
        {
            *slot += count;
        }
    }

    fn add_entry(&mut self, entry: &Entry) {
        if self.covers(entry.time) {
            self.add(entry.time, entry.level as usize, 1);
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
