//! The most frequent values of a field, and completions.

use std::collections::{BTreeSet, HashMap};

use super::scan::{Scan, Step};
use super::{Error, Store};
use crate::base::Time;
use crate::entry::{Entry, Key, Level};
use crate::query::{
    Direction, Facet, Facets, FacetsRequest, Field, KNOWN_FIELDS, Matcher, Query, Values,
    ValuesRequest,
};

/// Entries looked at before facets are of the newest part only, and say so.
const MAX_LOOKED_AT: u64 = 1_000_000;
/// Different values counted; further ones only count as covered.
const MAX_VALUES: usize = 100_000;
/// Entries whose fields are offered as completions.
const COMPLETION_SAMPLE: u64 = 20_000;
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
        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut covered = 0;
        let partial = self.each_newest(&matcher, MAX_LOOKED_AT, stop, |entry| {
            let Some(value) = request.field.value(entry) else {
                return;
            };
            covered += 1;
            if let Some(count) = counts.get_mut(&*value) {
                *count += 1;
            } else if counts.len() < MAX_VALUES {
                counts.insert(value.into_owned(), 1);
            }
        })?;
        Ok(top(counts, covered, partial, request.limit))
    }

    /// Namespaces and levels of the whole log are counted as it grows.
    fn facets_of_everything(&self, request: &FacetsRequest, matcher: &Matcher) -> Option<Facets> {
        if !matcher.is_everything() {
            return None;
        }
        let namespaces = self.namespaces();
        let covered = namespaces
            .iter()
            .map(crate::query::NamespaceCount::total)
            .sum();
        let counts: HashMap<String, u64> = match request.field {
            Field::Namespace => namespaces
                .iter()
                .map(|count| (count.name.clone(), count.total()))
                .collect(),
            Field::Level => {
                let of_level = |level: Level| {
                    namespaces
                        .iter()
                        .map(|count| count.levels[level as usize])
                        .sum()
                };
                let all = Level::ALL
                    .into_iter()
                    .map(|level| (level.word().to_owned(), of_level(level)));
                all.filter(|(_, count)| *count > 0).collect()
            }
            _ => return None,
        };
        Some(top(counts, covered, false, request.limit))
    }

    /// Completions of what a user types, from the newest part of the log.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn values(&self, request: &ValuesRequest) -> Result<Values, Error> {
        let everything = Matcher::compile(&Query::default(), Time::MAX);
        match request {
            ValuesRequest::Names(prefix) => {
                let mut found = BTreeSet::new();
                self.each_newest(&everything, COMPLETION_SAMPLE, &|| false, |entry| {
                    for name in entry.fields.keys() {
                        if name.starts_with(prefix.as_str()) && !found.contains(name) {
                            found.insert(name.clone());
                        }
                    }
                })?;
                let known = KNOWN_FIELDS
                    .iter()
                    .map(|field| field.name().to_owned())
                    .filter(|name| name.starts_with(prefix.as_str()));
                Ok(known
                    .chain(found.into_iter().filter(|name| !is_known(name)))
                    .take(MAX_COMPLETIONS)
                    .collect())
            }
            ValuesRequest::Of(field, prefix) => {
                if *field == Field::Level {
                    let words = Level::ALL.map(|level| level.word().to_ascii_lowercase());
                    return Ok(words
                        .into_iter()
                        .filter(|word| word.starts_with(&prefix.to_ascii_lowercase()))
                        .collect());
                }
                if *field == Field::Namespace {
                    let names = self.namespaces().into_iter().map(|count| count.name);
                    return Ok(names
                        .filter(|name| name.starts_with(prefix.as_str()))
                        .take(MAX_COMPLETIONS)
                        .collect());
                }
                let mut counts: HashMap<String, u64> = HashMap::new();
                self.each_newest(&everything, COMPLETION_SAMPLE, &|| false, |entry| {
                    if let Some(value) = field
                        .value(entry)
                        .filter(|value| value.starts_with(prefix.as_str()) && value.len() < 200)
                    {
                        *counts.entry(value.into_owned()).or_default() += 1;
                    }
                })?;
                Ok(top(counts, 0, false, MAX_COMPLETIONS)
                    .values
                    .into_iter()
                    .map(|facet| facet.value)
                    .collect())
            }
        }
    }

    /// Visits matching entries, newest first; whether it ended before the oldest.
    fn each_newest(
        &self,
        matcher: &Matcher,
        most: u64,
        stop: &dyn Fn() -> bool,
        mut visit: impl FnMut(&Entry),
    ) -> Result<bool, Error> {
        let tables = self.shared.tables();
        let mut scan = Scan::new(&tables, matcher, Key::MAX, Direction::Older);
        loop {
            match scan.step()? {
                Step::Row(entry) => visit(&entry),
                Step::Looked if scan.looked_at >= most || stop() => {
                    return Ok(scan.next_key().is_some());
                }
                Step::Looked => {}
                Step::End => return Ok(false),
            }
        }
    }
}

fn is_known(name: &str) -> bool {
    KNOWN_FIELDS.iter().any(|field| field.name() == name)
}

fn top(counts: HashMap<String, u64>, covered: u64, partial: bool, limit: usize) -> Facets {
    let mut values: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| Facet { value, count })
        .collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(limit);
    Facets {
        values,
        covered,
        partial,
    }
}
