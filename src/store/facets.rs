//! The most frequent values of a field, and completions.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::segment::Segment;
use super::state::Tables;
use super::{Error, Store};
use crate::base::{Time, Workers};
use crate::entry::Level;
use crate::query::{
    Facets, FacetsRequest, Field, Matcher, Query, ValueCounts, Values, ValuesRequest, Verdict,
    complete_levels, complete_names,
};

/// Entries looked at before facets are of the newest part only, and say so.
const MAX_LOOKED_AT: u64 = 16_000_000;
/// Entries whose fields are offered as completions.
const COMPLETION_SAMPLE: u64 = 262_144;
/// Completions offered.
const MAX_COMPLETIONS: usize = 50;

impl Store {
    /// Counts the values of a field. Blocks the thread until done or `stop` says so.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn facets(
        &self,
        request: &FacetsRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Facets, Error> {
        let matcher = Matcher::compile(&request.query, request.now);
        if let Some(facets) = self.facets_of_everything(request, &matcher) {
            return Ok(facets);
        }
        if matcher.is_everything()
            && let Some(counts) = self.tallied(&request.field)?
        {
            return Ok(counts.top(false, request.limit));
        }
        let (counts, partial) = self.count_values(&request.field, &matcher, MAX_LOOKED_AT, stop)?;
        Ok(counts.top(partial, request.limit))
    }

    /// The values of a field with few of them, counted when the segments were written.
    fn tallied(&self, field: &Field) -> Result<Option<ValueCounts>, Error> {
        let tables = self.shared.tables();
        let mut counts = ValueCounts::default();
        for segment in &tables.segments {
            let Some(values) = segment.tallied_values(field)? else {
                return Ok(None);
            };
            for (value, count) in values.iter() {
                counts.add(value, *count);
            }
        }
        for table in tables.memtables() {
            table.each(|entry| {
                if let Some(value) = field.value(entry) {
                    counts.add(&value, 1);
                }
            });
        }
        Ok(Some(counts))
    }

    /// Counts the values of a field in matching entries, the newest first; whether it ended before the oldest.
    fn count_values(
        &self,
        field: &Field,
        matcher: &Matcher,
        most: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<(ValueCounts, bool), Error> {
        let tables = self.shared.tables();
        let mut counts = ValueCounts::default();
        let mut looked_at = 0;
        for table in tables.memtables() {
            looked_at += table.len() as u64;
            table.each(|entry| {
                if matcher.matches(entry)
                    && let Some(value) = field.value(entry)
                {
                    counts.add(&value, 1);
                }
            });
        }
        let workers = Workers::new(self.shared.options.threads);
        for some in newest_groups(&tables).chunks(16) {
            if looked_at >= most || stop() {
                return Ok((counts, true));
            }
            looked_at += some
                .iter()
                .map(|(segment, at)| segment.groups.get(*at).map_or(0, |group| group.rows as u64))
                .sum::<u64>();
            for counted in workers.map(some, |(segment, group)| {
                count_group(segment, *group, field, matcher)
            }) {
                match counted {
                    Ok(more) => counts.merge(&more),
                    Err(error @ Error::Damaged { .. }) => tracing::warn!("{error}"),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((counts, false))
    }

    /// Namespaces and levels of the whole log are counted as it grows.
    fn facets_of_everything(&self, request: &FacetsRequest, matcher: &Matcher) -> Option<Facets> {
        if !matcher.is_everything() {
            return None;
        }
        let namespaces = self.namespaces();
        let mut counts = ValueCounts::default();
        match request.field {
            Field::Namespace => {
                for namespace in &namespaces {
                    counts.add(&namespace.name, namespace.total());
                }
            }
            Field::Level => {
                for level in Level::ALL {
                    let of_level = namespaces.iter().map(|it| it.levels[level as usize]);
                    let count = of_level.sum();
                    if count > 0 {
                        counts.add(level.word(), count);
                    }
                }
            }
            _ => return None,
        }
        Some(counts.top(false, request.limit))
    }

    /// Completions of what a user types, from the newest part of the log.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn values(&self, request: &ValuesRequest) -> Result<Values, Error> {
        let everything = Matcher::compile(&Query::default(), Time::MAX);
        match request {
            ValuesRequest::Names(prefix) => {
                let tables = self.shared.tables();
                let mut found = BTreeSet::new();
                let mut note = |name: &str| {
                    if name.starts_with(prefix.as_str()) && !found.contains(name) {
                        found.insert(name.to_owned());
                    }
                };
                for table in tables.memtables() {
                    table.each(|entry| entry.fields.keys().for_each(|name| note(name)));
                }
                for segment in &tables.segments {
                    segment.each_name(&mut note);
                }
                Ok(complete_names(prefix, found))
            }
            ValuesRequest::Of(field, prefix) => {
                if *field == Field::Level {
                    return Ok(complete_levels(prefix));
                }
                if *field == Field::Namespace {
                    let names = self.namespaces().into_iter().map(|count| count.name);
                    return Ok(names
                        .filter(|name| name.starts_with(prefix.as_str()))
                        .take(MAX_COMPLETIONS)
                        .collect());
                }
                let (counts, _) =
                    self.count_values(field, &everything, COMPLETION_SAMPLE, &|| false)?;
                Ok(counts.completions(prefix))
            }
        }
    }
}

/// Every row group, the newest first.
fn newest_groups(tables: &Tables) -> Vec<(Arc<Segment>, usize)> {
    let of = |segment: &Arc<Segment>| {
        let segment = Arc::clone(segment);
        (0..segment.groups.len()).map(move |at| (Arc::clone(&segment), at))
    };
    let mut groups: Vec<_> = tables.segments.iter().flat_map(of).collect();
    groups.sort_by_key(|(segment, at)| {
        std::cmp::Reverse(segment.groups.get(*at).map(|group| group.newest))
    });
    groups
}

fn count_group(
    segment: &Segment,
    group: usize,
    field: &Field,
    matcher: &Matcher,
) -> Result<ValueCounts, Error> {
    let mut counts = ValueCounts::default();
    let verdict = segment.verdict(group, matcher)?;
    if verdict == Verdict::None {
        return Ok(counts);
    }
    if verdict == Verdict::All {
        let tally = segment.tally(group)?;
        if let Some(values) = segment.tallied(&tally, group, field) {
            for (value, count) in values {
                counts.add(value, *count);
            }
            return Ok(counts);
        }
    }
    if matches!(field, Field::Namespace | Field::Level) {
        let tally = segment.tally(group)?;
        if let Some(cells) = segment.matching_cells(&tally, matcher) {
            for cell in cells {
                let level = Level::ALL.get(cell.level).map_or("", |level| level.word());
                counts.add(
                    if *field == Field::Level {
                        level
                    } else {
                        cell.namespace
                    },
                    cell.count,
                );
            }
            return Ok(counts);
        }
    }
    let selected = segment.select(group, matcher)?;
    segment.each_value(group, field, &selected, &mut |value, count| {
        counts.add(value, count);
    })?;
    Ok(counts)
}
