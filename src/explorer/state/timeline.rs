//! Entries over time: the counts above the log, and where one is in them.

use std::ops::Range;
use std::time::Duration;

use crate::base::Time;
use crate::explorer::request::Number;
use crate::query::{Histogram, Query};

/// How much above the mean a burst is: so many times the mean, and so many standard deviations more than it.
const BURST: (f64, f64) = (2.0, 1.0);

/// Counts of the whole query over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Timeline {
    pub is_hidden: bool,
    /// As they were last told.
    pub counts: Histogram,
    /// What they answer, and when it was asked.
    pub asked: Option<(Query, u16)>,
    pub asked_at: Time,
    /// How long the answer took: what takes long is not asked often.
    pub took: Duration,
    /// Where one is, while the pane has the keys.
    pub cursor: Time,
    /// Where the span begins that is being selected.
    pub anchor: Option<Time>,
    /// Entries of each level that there are in the same time without filters.
    pub all: Option<[u64; 6]>,
    /// Which request the counts answer.
    pub counted: Option<Number>,
    /// Whether counts are shown while they come: there are none of the question yet.
    pub fills: bool,
    /// From when until when there were entries, before the log was narrowed to a range.
    pub whole: Option<(Time, Time)>,
}

/// What of a bucket is told apart: severe, warnings, the rest.
pub(in crate::explorer) fn classes(levels: &[u64; 6]) -> [u64; 3] {
    let [trace, debug, info, warn, error, fatal] = levels;
    [error + fatal, *warn, trace + debug + info]
}

impl Timeline {
    pub fn len(&self) -> usize {
        self.counts.buckets.len()
    }

    /// The bucket of a time; the nearest one for times beyond.
    pub fn bucket(&self, time: Time) -> usize {
        let width = self.counts.width.max(1);
        let at = time.0.saturating_sub(self.counts.start).div_euclid(width);
        let last = self.len().saturating_sub(1);
        usize::try_from(at).map_or(0, |at| at.min(last))
    }

    /// When a bucket begins.
    pub fn begins(&self, bucket: usize) -> Time {
        let bucket = i64::try_from(bucket).unwrap_or(i64::MAX);
        Time(
            self.counts
                .start
                .saturating_add(self.counts.width.saturating_mul(bucket)),
        )
    }

    /// From when until when some buckets reach.
    pub fn times(&self, buckets: &Range<usize>) -> (Time, Time) {
        (self.begins(buckets.start), self.begins(buckets.end))
    }

    /// The buckets that are selected, if some are.
    pub fn selected(&self) -> Option<Range<usize>> {
        let (a, b) = (self.bucket(self.anchor?), self.bucket(self.cursor));
        Some(a.min(b)..a.max(b) + 1)
    }

    /// Entries of each level in all buckets.
    pub fn totals(&self) -> [u64; 6] {
        let mut totals = [0; 6];
        for bucket in &self.counts.buckets {
            for (total, count) in totals.iter_mut().zip(bucket) {
                *total += count;
            }
        }
        totals
    }

    /// The most entries that a bucket has.
    pub fn highest(&self) -> u64 {
        let sums = self.counts.buckets.iter().map(|levels| levels.iter().sum());
        sums.max().unwrap_or(0)
    }

    /// How much each bucket is worth a look: how severe it is, or where nothing is, how much there is.
    fn interests(&self) -> Vec<u64> {
        let all = self.counts.buckets.iter().map(classes);
        let has_severe = all.clone().any(|[severe, ..]| severe > 0);
        let of = |[severe, warn, rest]: [u64; 3]| {
            if has_severe {
                severe
            } else {
                severe + warn + rest
            }
        };
        all.map(of).collect()
    }

    /// Which buckets are in a burst.
    #[expect(clippy::cast_precision_loss, reason = "a threshold")]
    fn bursts(&self) -> Vec<bool> {
        let interests = self.interests();
        let count = interests.len().max(1) as f64;
        let values = interests.iter().map(|interest| *interest as f64);
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let threshold = (mean * BURST.0).max(mean + BURST.1 * variance.sqrt());
        let is_burst = |interest: &u64| *interest > 0 && *interest as f64 >= threshold;
        interests.iter().map(is_burst).collect()
    }

    /// The burst around a bucket; only that bucket if it is in none.
    pub fn burst_around(&self, bucket: usize) -> Range<usize> {
        around(&self.bursts(), bucket)
    }

    /// Entries that match, where all of them were counted.
    pub fn matching(&self) -> Option<u64> {
        let is_known = self.counted.is_some() && !self.counts.partial;
        is_known.then(|| self.counts.levels().iter().sum())
    }

    /// Where the next burst begins, or the one before; within a burst that is where it began itself.
    pub fn next_burst(&self, from: usize, forward: bool) -> Option<usize> {
        let bursts = self.bursts();
        let own = around(&bursts, from);
        let is_in = |bucket: &usize| bursts.get(*bucket).copied().unwrap_or(false);
        if forward {
            return (own.end..bursts.len()).find(is_in);
        }
        if own.start < from {
            return Some(own.start);
        }
        let found = (0..own.start).rev().find(is_in)?;
        Some(around(&bursts, found).start)
    }
}

/// The bursts in a row around a bucket; only that bucket if it is in none.
fn around(bursts: &[bool], bucket: usize) -> Range<usize> {
    let is_in = |bucket: usize| bursts.get(bucket).copied().unwrap_or(false);
    let (mut from, mut to) = (bucket, bucket + 1);
    if is_in(bucket) {
        while from > 0 && is_in(from - 1) {
            from -= 1;
        }
        while is_in(to) {
            to += 1;
        }
    }
    from..to.min(bursts.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(errors: &[u64]) -> Timeline {
        Timeline {
            counts: Histogram {
                start: 100,
                width: 10,
                buckets: errors.iter().map(|of| [0, 0, 50, 0, *of, 0]).collect(),
                partial: false,
            },
            ..Timeline::default()
        }
    }

    #[test]
    fn buckets_and_times_are_found() {
        let timeline = timeline(&[0, 1, 0]);
        assert_eq!(
            (
                timeline.bucket(Time(0)),
                timeline.bucket(Time(119)),
                timeline.bucket(Time(999))
            ),
            (0, 1, 2)
        );
        assert_eq!(timeline.times(&(1..3)), (Time(110), Time(130)));
        assert_eq!(timeline.totals(), [0, 0, 150, 0, 1, 0]);
        assert_eq!(
            Timeline::default().bucket(Time(5)),
            0,
            "nothing is known yet"
        );
    }

    #[test]
    fn bursts_are_found_both_ways() {
        let timeline = timeline(&[
            1, 0, 1, 90, 95, 80, 1, 0, 1, 0, 1, 0, 70, 1, 0, 1, 0, 1, 1, 0,
        ]);
        assert_eq!(timeline.next_burst(19, false), Some(12));
        assert_eq!(timeline.next_burst(12, false), Some(3), "where it began");
        assert_eq!(timeline.next_burst(5, false), Some(3), "its own beginning");
        assert_eq!(timeline.next_burst(3, false), None);
        assert_eq!(timeline.next_burst(0, true), Some(3));
        assert_eq!(timeline.next_burst(4, true), Some(12));
        assert_eq!(timeline.burst_around(4), 3..6);
        assert_eq!(timeline.burst_around(8), 8..9);
        assert_eq!(Timeline::default().next_burst(0, true), None);
    }
}
