//! Counts: over time, of a field's values, of namespaces.

use std::collections::BTreeSet;

use super::entries::Found;
use super::index::{Index, Summary};
use super::lane::Lane;
use super::selection::Selection;
use super::sweep::Sweep;
use super::{Error, LogFiles};
use crate::base::Time;
use crate::entry::Entry;
use crate::query::{
    Facets, FacetsRequest, Field, Histogram, HistogramRequest, NamespaceCount, Query, TimeCounts,
    ValueCounts, Values, ValuesRequest, Verdict, complete_levels, complete_names,
};

/// Bytes that are taken apart for counts of values before they are of the newest part only, and say so.
const MOST_VALUES: u64 = 512 << 20;
/// Bytes that are searched for counts over time.
const MOST_SEARCHED: u64 = 64 << 30;
/// Bytes of which fields are offered as completions.
const COMPLETION_SAMPLE: u64 = 8 << 20;

impl LogFiles {
    /// Counts entries over time: by the index what it tells, the rest by looking. What is asked without words is counted as
    /// far as the index has come, and says so. Blocks the thread until all is counted or `stop` says so.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn histogram(
        &self,
        request: &HistogramRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Histogram, Error> {
        let _asking = self.asking();
        let selection = Selection::new(&request.query, request.now, self.options());
        let lanes = self.picture().lanes;
        let ends = times(&lanes);
        let asked = ends.and_then(|ends| TimeCounts::asked(request, ends, selection.times()));
        let Some(mut counts) = asked else {
            return Ok(Histogram::default());
        };
        let mut is_partial = false;
        let mut rest = Vec::new();
        for lane in lanes {
            let (straddling, is_whole) = by_index(&lane, &selection, &mut counts);
            is_partial |= !is_whole;
            rest.push((lane, straddling));
        }
        let empty = counts.empty();
        let sweep = Sweep {
            selection: &selection,
            times: counts.times(),
            most: MOST_SEARCHED,
        };
        for (lane, straddling) in rest {
            let is_searched = selection.is_searched();
            let lane = if is_searched {
                lane
            } else {
                lane.only(straddling)
            };
            is_partial |= self.sweep(
                vec![lane],
                &sweep,
                stop,
                |address, block| {
                    let mut counts = empty.empty();
                    let needle = selection.needle_for(&address.part);
                    address.part.each_of(address.block, block, needle, |found| {
                        if counts.covers(found.key.time) && selection.selects(&address.part, &found)
                        {
                            counts.add(found.key.time, found.level, 1);
                        }
                    });
                    counts
                },
                |part| {
                    counts.merge(&part);
                    true
                },
            )?;
        }
        Ok(counts.done(is_partial))
    }

    /// Counts the values of a field. Blocks the thread until done or `stop` says so.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn facets(
        &self,
        request: &FacetsRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Facets, Error> {
        let _asking = self.asking();
        let selection = Selection::new(&request.query, request.now, self.options());
        let (counts, partial) = self.values_of(&request.field, &selection, MOST_VALUES, stop)?;
        Ok(counts.top(partial, request.limit))
    }

    fn values_of(
        &self,
        field: &Field,
        selection: &Selection,
        most: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<(ValueCounts, bool), Error> {
        let mut counts = ValueCounts::default();
        let sweep = Sweep {
            selection,
            times: selection.times(),
            most,
        };
        let partial = self.sweep(
            self.picture().lanes,
            &sweep,
            stop,
            |address, block| {
                let mut counts = ValueCounts::default();
                let needle = selection.needle_for(&address.part);
                address.part.each_of(address.block, block, needle, |found| {
                    if !selection.selects(&address.part, &found) {
                        return;
                    }
                    if *field == Field::Namespace {
                        // A glance tells it.
                        counts.add(&found.namespace, 1);
                        return;
                    }
                    let entry = address.part.decode(found.key, found.raw);
                    if let Some(value) = field.value(&entry) {
                        counts.add(&value, 1);
                    }
                });
                counts
            },
            |part| {
                counts.merge(&part);
                true
            },
        )?;
        Ok((counts, partial))
    }

    /// Completions of field names and values.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn values(&self, request: &ValuesRequest) -> Result<Values, Error> {
        let _asking = self.asking();
        let everything = Selection::new(&Query::default(), Time::MAX, self.options());
        match request {
            ValuesRequest::Names(prefix) => {
                let mut found = BTreeSet::new();
                self.sample_within(
                    &everything,
                    u64::MAX,
                    COMPLETION_SAMPLE,
                    &|| false,
                    &mut |it| {
                        found.extend(it.fields.keys().cloned());
                    },
                )?;
                Ok(complete_names(prefix, found))
            }
            ValuesRequest::Of(Field::Level, prefix) => Ok(complete_levels(prefix)),
            ValuesRequest::Of(field, prefix) => {
                let (counts, _) =
                    self.values_of(field, &everything, COMPLETION_SAMPLE, &|| false)?;
                Ok(counts.completions(prefix))
            }
        }
    }

    /// Namespaces and what they hold, as far as the index has come.
    #[must_use]
    pub fn namespaces(&self) -> Vec<NamespaceCount> {
        let mut all: Vec<NamespaceCount> = Vec::new();
        let mut add =
            |own: &NamespaceCount| match all.iter_mut().find(|known| known.name == own.name) {
                Some(known) => known.absorb(own),
                None => all.push(own.clone()),
            };
        for lane in self.picture().lanes {
            for (part, _) in lane.parts() {
                part.index().namespaces().iter().for_each(&mut add);
            }
            lane.tails()
                .flat_map(|tail| tail.namespaces())
                .for_each(&mut add);
        }
        all.sort_by(|a, b| b.total().cmp(&a.total()).then_with(|| a.name.cmp(&b.name)));
        all
    }

    /// Shows the newest entries that match, up to so many; whether there were more. Blocks the thread until done or `stop` says
    /// so.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn sample(
        &self,
        query: &Query,
        now: Time,
        most: u64,
        stop: &dyn Fn() -> bool,
        see: &mut dyn FnMut(&Entry),
    ) -> Result<bool, Error> {
        let _asking = self.asking();
        let selection = Selection::new(query, now, self.options());
        self.sample_within(&selection, most, MOST_SEARCHED, stop, see)
    }

    fn sample_within(
        &self,
        selection: &Selection,
        most: u64,
        most_bytes: u64,
        stop: &dyn Fn() -> bool,
        see: &mut dyn FnMut(&Entry),
    ) -> Result<bool, Error> {
        let sweep = Sweep {
            selection,
            times: selection.times(),
            most: most_bytes,
        };
        let mut left = most;
        self.sweep(
            self.picture().lanes,
            &sweep,
            stop,
            |address, block| {
                let mut entries = Vec::new();
                let (from, to) = selection.times();
                let needle = selection.needle_for(&address.part);
                address.part.each_of(address.block, block, needle, |found| {
                    let is_within = |found: &Found<'_>| {
                        from <= found.key.time && (found.key.time < to || to == Time::MAX)
                    };
                    if is_within(&found) && selection.selects(&address.part, &found) {
                        entries.push(address.part.decode(found.key, found.raw));
                    }
                });
                entries
            },
            |entries| {
                for entry in entries.iter().rev() {
                    if left == 0 {
                        return false;
                    }
                    see(entry);
                    left -= 1;
                }
                true
            },
        )
    }
}

/// Counts what the index alone tells. The blocks that are to be looked at, and whether nothing of the log is unknown.
fn by_index(lane: &Lane, selection: &Selection, counts: &mut TimeCounts) -> (Vec<usize>, bool) {
    let (mut straddling, mut is_whole) = (Vec::new(), true);
    if selection.is_searched() {
        return (straddling, is_whole);
    }
    let mut at = 0;
    for (part, settled) in lane.parts() {
        if part.is_closed() {
            is_whole = false;
            at += 1;
            continue;
        }
        let (blocks, whole) = (part.blocks(settled), part.whole_blocks(settled));
        let index = part.index();
        for block in 0..blocks {
            match index.get(block) {
                // The last blocks may still change: they are looked at.
                None if block >= whole => straddling.push(at),
                None => is_whole = false,
                Some(summary) if summary.is_empty() => {}
                Some(summary) => {
                    if !add(&index, &summary, selection, counts) {
                        straddling.push(at);
                    }
                }
            }
            at += 1;
        }
    }
    (straddling, is_whole)
}

/// Adds a block as a whole; whether that could be.
fn add(index: &Index, summary: &Summary, selection: &Selection, counts: &mut TimeCounts) -> bool {
    let times = (summary.oldest, summary.newest);
    if !counts.overlaps(times.0, times.1) {
        return true;
    }
    if !counts.in_one_bucket(times.0, times.1) {
        return false;
    }
    let names = index.names(summary);
    match names.as_slice() {
        [name] => add_levels(summary, name, selection, counts),
        _ if selection.matcher.asks_for_namespaces() => false,
        _ => add_levels(summary, "", selection, counts),
    }
}

fn add_levels(
    summary: &Summary,
    namespace: &str,
    selection: &Selection,
    counts: &mut TimeCounts,
) -> bool {
    let times = (summary.oldest, summary.newest);
    let verdicts: Vec<Verdict> = (0..summary.levels.len())
        .map(|level| selection.matcher.verdict_of_cell(times, level, namespace))
        .collect();
    let present = summary.levels.iter().zip(&verdicts);
    if present
        .clone()
        .any(|(count, verdict)| *count > 0 && *verdict == Verdict::Some)
    {
        return false;
    }
    for (level, (count, verdict)) in present.enumerate() {
        if *verdict == Verdict::All {
            counts.add(times.0, level, u64::from(*count));
        }
    }
    true
}

/// The earliest and the latest time, as far as they are known: of what the index does not know, the ends are looked at.
fn times(lanes: &[Lane]) -> Option<(Time, Time)> {
    let mut ends: Option<(Time, Time)> = None;
    for lane in lanes {
        let known = lane.summaries();
        let known = known.iter().flatten().filter(|summary| !summary.is_empty());
        let known = known.flat_map(|summary| [summary.oldest, summary.newest]);
        for time in known.chain(lane.end_times()) {
            let (first, last) = ends.unwrap_or((time, time));
            ends = Some((first.min(time), last.max(time)));
        }
    }
    ends
}
