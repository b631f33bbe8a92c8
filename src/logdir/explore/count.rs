//! Counts: over time, of a field's values, of everything.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::convert::{level_of, millis_of, time_of};
use super::select::Selection;
use super::{LogDirectory, lock};
use crate::base::Time;
use crate::entry::{Entry, Position};
use crate::logdir::entry::LogEntry;
use crate::logdir::{Error, LogLevel, MAX_TIMESTAMP};
use crate::query::{
    Direction, Facets, FacetsRequest, Field, Histogram, HistogramRequest, NamespaceCount, Query,
    TimeCounts, ValueCounts, Values, ValuesRequest, complete_levels, complete_names,
};

/// Entries looked at before counts are of the newest part only, and say so.
const MAX_LOOKED_AT: u64 = 4_000_000;
/// Entries whose fields are offered as completions.
const COMPLETION_SAMPLE: u64 = 50_000;
/// Blocks at each end in which the earliest and the latest time are looked for: times are stored nearly in order.
const EDGE_BLOCKS: usize = 64;

impl LogDirectory {
    /// Counts entries over time. Blocks the thread until all is counted or `stop` says so.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn histogram(
        &self,
        request: &HistogramRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Histogram, Error> {
        let selection = Selection::new(&request.query, request.now);
        let ends = self.times()?;
        let asked = ends.and_then(|ends| TimeCounts::asked(request, ends, selection.times()));
        let Some(mut counts) = asked else {
            return Ok(Histogram::default());
        };
        let partial = self.each(counts.times(), MAX_LOOKED_AT, stop, &mut |entry| {
            let time = time_of(entry.timestamp);
            if counts.covers(time) && selection.selects(entry) {
                counts.add(time, level_of(entry.level) as usize, 1);
            }
        })?;
        Ok(counts.done(partial))
    }

    /// Counts the values of a field. Blocks the thread until done or `stop` says so.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn facets(
        &self,
        request: &FacetsRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Facets, Error> {
        let selection = Selection::new(&request.query, request.now);
        let (counts, partial) = self.values_of(&request.field, &selection, MAX_LOOKED_AT, stop)?;
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
        let partial = self.each(selection.times(), most, stop, &mut |entry| {
            if let Some(entry) = selection.pick(entry, Position(0))
                && let Some(value) = field.value(&entry)
            {
                counts.add(&value, 1);
            }
        })?;
        Ok((counts, partial))
    }

    /// Completions of field names and values.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn values(&self, request: &ValuesRequest) -> Result<Values, Error> {
        let everything = Selection::new(&Query::default(), Time::MAX);
        match request {
            ValuesRequest::Names(prefix) => {
                let mut found = BTreeSet::new();
                self.each(
                    everything.times(),
                    COMPLETION_SAMPLE,
                    &|| false,
                    &mut |it| {
                        if let Some(entry) = everything.pick(it, Position(0)) {
                            found.extend(entry.fields.keys().cloned());
                        }
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

    /// The one namespace there is, and what it holds. What was counted before is not counted again.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn namespaces(&self, stop: &dyn Fn() -> bool) -> Result<Vec<NamespaceCount>, Error> {
        let mut reading = self.reading()?;
        let mut session = reading.session()?;
        let mut counted = lock(&self.0.counted);
        let mut edge = counted.edge;
        while !stop()
            && let Some(block) = session.next(&mut edge, Direction::Newer)?
        {
            for entry in &block.entries {
                counted.clocks.see(entry);
                if entry.level != LogLevel::Internal {
                    counted.count.levels[level_of(entry.level) as usize] += 1;
                    let newest = time_of(entry.timestamp).0;
                    counted.count.newest = counted.count.newest.max(newest);
                }
            }
            counted.edge = edge;
        }
        let step = counted.clocks.step();
        self.0.clock_step.store(step, Ordering::Relaxed);
        let count = counted.count.clone();
        Ok(Some(count)
            .filter(|count| count.total() > 0)
            .into_iter()
            .collect())
    }

    /// The earliest and the latest time.
    fn times(&self) -> Result<Option<(Time, Time)>, Error> {
        let mut reading = self.reading()?;
        let size = reading.size;
        let mut session = reading.session()?;
        let mut times: Option<(u64, u64)> = None;
        for (direction, start) in [(Direction::Newer, 0), (Direction::Older, size)] {
            let mut edge = start;
            for _ in 0..EDGE_BLOCKS {
                let Some(block) = session.next(&mut edge, direction)? else {
                    break;
                };
                for entry in &block.entries {
                    let time = entry.timestamp;
                    let (first, last) = times.unwrap_or((time, time));
                    times = Some((first.min(time), last.max(time)));
                }
            }
        }
        Ok(times.map(|(first, last)| (time_of(first), time_of(last))))
    }

    /// Shows the newest entries that match, up to so many looked at; whether there were more. Blocks the thread until done or
    /// `stop` says so.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn sample(
        &self,
        query: &Query,
        now: Time,
        most: u64,
        stop: &dyn Fn() -> bool,
        see: &mut dyn FnMut(&Entry),
    ) -> Result<bool, Error> {
        let selection = Selection::new(query, now);
        self.each(selection.times(), most, stop, &mut |entry| {
            if let Some(entry) = selection.pick(entry, Position(0)) {
                see(&entry);
            }
        })
    }

    /// Shows the entries between two times, the newest first, up to so many. Whether there were more.
    fn each(
        &self,
        (from, to): (Time, Time),
        most: u64,
        stop: &dyn Fn() -> bool,
        see: &mut dyn FnMut(&LogEntry),
    ) -> Result<bool, Error> {
        let forever = i64::try_from(MAX_TIMESTAMP).unwrap_or(i64::MAX);
        let min = millis_of(from).clamp(0, forever);
        let max = match to {
            Time::MAX => forever,
            to => millis_of(to).clamp(min, forever),
        };
        let mut reading = self.reading()?;
        for (seen, entry) in (0..).zip(reading.reader.range_reversed(min, max)?) {
            if seen >= most || (seen % 4_096 == 0 && stop()) {
                return Ok(true);
            }
            see(&entry?);
        }
        self.tell(&reading);
        Ok(false)
    }
}
