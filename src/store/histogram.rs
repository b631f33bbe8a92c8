//! Counts over time: from the tallies of row groups where time, level and namespace decide, from their columns otherwise.

use std::sync::Arc;

use super::segment::Segment;
use super::{Error, Store};
use crate::base::{Time, Workers};
use crate::query::{Histogram, HistogramRequest, Matcher, TimeCounts, Verdict};

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
        let ends = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let asked = ends.and_then(|ends| TimeCounts::asked(request, ends, matcher.time_range()));
        let Some(mut counts) = asked else {
            return Ok(Histogram::default());
        };
        let (from, to) = counts.times();
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
    all: &TimeCounts,
) -> Result<Option<TimeCounts>, Error> {
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
        if counts.width() % tally.width == 0
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
