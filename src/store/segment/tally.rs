//! Counts of a row group: entries by time, namespace and level, and values of columns with few of them.

use std::collections::BTreeMap;

use foldhash::{HashMap, HashMapExt};

use serde::{Deserialize, Serialize};

use crate::entry::Entry;

/// Widths of buckets, in nanoseconds. Each divides the next, so that wider buckets are sums of narrower ones.
const WIDTHS: [i64; 10] = {
    const MS: i64 = 1_000_000;
    const S: i64 = 1_000 * MS;
    [
        MS,
        10 * MS,
        100 * MS,
        S,
        5 * S,
        60 * S,
        300 * S,
        3_600 * S,
        86_400 * S,
        864_000 * S,
    ]
};
/// Buckets and counts at most: with more, wider buckets are taken.
const MAX_BUCKETS: i64 = 256;
const MAX_CELLS: usize = 4_096;
/// A column with more values than this is not counted.
const MAX_VALUES: usize = 1_024;

/// The counts.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Tally {
    /// Width of a bucket in nanoseconds; buckets are aligned to multiples of it.
    pub width: i64,
    /// Number of the first bucket: its start divided by the width.
    pub first: i64,
    /// Bucket counted from the first, place of the namespace in the segment's list, level, entries.
    pub cells: Vec<(u32, usize, u8, u64)>,
    /// By column, the values and how many entries have them; columns with many values are not there.
    pub values: BTreeMap<String, Vec<(String, u64)>>,
}

impl Tally {
    /// Bytes it takes in memory.
    pub fn weight(&self) -> usize {
        let values = self
            .values
            .values()
            .flatten()
            .map(|(value, _)| value.len() + 40)
            .sum::<usize>();
        self.cells.len() * size_of::<(u32, usize, u8, u64)>() + values
    }
}

/// Counts of a row group, being made.
#[derive(Debug, Default)]
pub(super) struct Counting {
    /// Time, namespace, level of every entry.
    entries: Vec<(i64, usize, u8)>,
}

impl Counting {
    pub fn add(&mut self, entry: &Entry, namespace: usize) {
        self.entries
            .push((entry.time.0, namespace, entry.level as u8));
    }

    /// The cells, in the narrowest buckets that keep them few; starts anew.
    pub fn finish(&mut self, values: BTreeMap<String, Vec<(String, u64)>>) -> Tally {
        let entries = std::mem::take(&mut self.entries);
        let times = || entries.iter().map(|(time, ..)| *time);
        let (oldest, newest) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let wide_enough =
            |width: &&i64| newest.div_euclid(**width) - oldest.div_euclid(**width) < MAX_BUCKETS;
        let fitting = WIDTHS.iter().filter(wide_enough).copied();
        // The widest of all is taken whatever it costs: entries of many years are rare.
        for width in fitting.chain([i64::MAX]) {
            let most = if width == i64::MAX {
                usize::MAX
            } else {
                MAX_CELLS
            };
            if let Some(cells) = cells(&entries, width, most) {
                return Tally {
                    width,
                    first: oldest.div_euclid(width),
                    cells,
                    values,
                };
            }
        }
        Tally::default()
    }
}

/// Bucket, namespace, level and count; `None` when there are more than `most`. Entries come by time, so that a bucket is
/// counted whole before the next.
fn cells(
    entries: &[(i64, usize, u8)],
    width: i64,
    most: usize,
) -> Option<Vec<(u32, usize, u8, u64)>> {
    let first = entries.first()?.0.div_euclid(width);
    let mut cells = Vec::new();
    for bucket in entries.chunk_by(|a, b| a.0.div_euclid(width) == b.0.div_euclid(width)) {
        let mut counts: Vec<[u64; 6]> = Vec::new();
        for (_, namespace, level) in bucket {
            if counts.len() <= *namespace {
                counts.resize(namespace + 1, [0; 6]);
            }
            counts[*namespace][usize::from(*level)] += 1;
        }
        let number = u32::try_from(bucket.first()?.0.div_euclid(width) - first).unwrap_or(u32::MAX);
        for (namespace, levels) in counts.iter().enumerate() {
            let counted = (0_u8..).zip(levels).filter(|(_, count)| **count > 0);
            cells.extend(counted.map(|(level, count)| (number, namespace, level, *count)));
        }
        if cells.len() > most {
            return None;
        }
    }
    Some(cells)
}

/// The values of a column and how often each occurs, if they are few.
pub(super) fn few_values<'v>(
    values: impl Iterator<Item = Option<&'v str>>,
) -> Option<Vec<(String, u64)>> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for value in values.flatten() {
        *counts.entry(value).or_default() += 1;
        if counts.len() > MAX_VALUES {
            return None;
        }
    }
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| (value.to_owned(), count))
        .collect();
    counts.sort_unstable();
    Some(counts)
}
