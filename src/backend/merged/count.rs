//! Counts, values and patterns of several logs: what each counted is summed; what cannot be summed is made from merged pages.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use super::Merged;
use super::skew::moved;
use crate::backend::Error;
use crate::base::Time;
use crate::entry::Entry;
use crate::query::{
    CompareRequest, Comparing, Differences, Facets, FacetsRequest, Histogram, HistogramRequest,
    NamespaceCount, PatternsRequest, TemplateCounts, Templates, TimeCounts, ValueCounts, Values,
    ValuesRequest,
};

/// Buckets that can be asked for.
const MAX_BUCKETS: usize = 2_000;
/// So many times the buckets are asked of a member whose clock is corrected: its buckets begin at odd times then, and the
/// narrower they are, the less is counted in the neighbour of its bucket.
const FINER: usize = 8;
/// So many times the values are asked of each member: what is frequent in all of them together may be rare in each.
const DEEPER: usize = 4;
/// Values that can be asked for.
const MAX_VALUES: usize = 1_000;
/// Completions offered.
const MAX_COMPLETIONS: usize = 50;

impl Merged {
    /// Counts over time.
    ///
    /// # Errors
    /// No member answers.
    pub fn histogram(&self, request: HistogramRequest) -> BoxFuture<'_, Result<Histogram, Error>> {
        Box::pin(async move {
            let most = request.buckets.clamp(1, MAX_BUCKETS);
            let questions = self.questions::<Histogram>(|member| {
                let buckets = match member.skew() {
                    0 => most,
                    _ => (most * FINER).min(MAX_BUCKETS),
                };
                let asked = HistogramRequest {
                    query: member.query(&request.query, request.now),
                    now: request.now,
                    after: request.after.map(|time| member.own_time(time)),
                    before: request.before.map(|time| member.own_time(time)),
                    buckets,
                };
                let backend = member.backend.clone();
                Box::pin(async move { backend.histogram(asked).await })
            });
            let answers = self.answers(questions).await?.into_iter();
            let counts = answers.map(|(member, counts)| (member.skew(), counts));
            Ok(summed(counts.collect(), most))
        })
    }

    /// The most frequent values of a field.
    ///
    /// # Errors
    /// No member answers.
    pub fn facets(&self, request: FacetsRequest) -> BoxFuture<'_, Result<Facets, Error>> {
        Box::pin(async move {
            let deeper = request.limit.saturating_mul(DEEPER).min(MAX_VALUES);
            let questions = self.questions::<Facets>(|member| {
                let asked = FacetsRequest {
                    query: member.query(&request.query, request.now),
                    now: request.now,
                    field: request.field.clone(),
                    limit: deeper.max(request.limit),
                };
                let backend = member.backend.clone();
                Box::pin(async move { backend.facets(asked).await })
            });
            let (mut counts, mut covered, mut partial) = (ValueCounts::default(), 0, false);
            for (_, facets) in self.answers(questions).await? {
                covered += facets.covered;
                partial |= facets.partial;
                for facet in facets.values {
                    counts.add(&facet.value, facet.count);
                }
            }
            let top = counts.top(partial, request.limit);
            // Entries of values that a member did not name have a value nonetheless.
            Ok(Facets { covered, ..top })
        })
    }

    /// Completions of field names and values: the best of each member first.
    ///
    /// # Errors
    /// No member answers.
    pub fn values(&self, request: ValuesRequest) -> BoxFuture<'_, Result<Values, Error>> {
        Box::pin(async move {
            let questions = self.questions::<Values>(|member| {
                let (backend, asked) = (member.backend.clone(), request.clone());
                Box::pin(async move { backend.values(asked).await })
            });
            let answers = self.answers(questions).await?.into_iter();
            let lists: Vec<Values> = answers.map(|(_, values)| values).collect();
            Ok(in_turn(&lists))
        })
    }

    /// Namespaces and what they hold, by name.
    ///
    /// # Errors
    /// No member answers.
    pub fn namespaces(&self) -> BoxFuture<'_, Result<Vec<NamespaceCount>, Error>> {
        Box::pin(async move {
            let questions = self.questions::<Vec<NamespaceCount>>(|member| {
                let backend = member.backend.clone();
                Box::pin(async move { backend.namespaces().await })
            });
            let mut sums: BTreeMap<String, NamespaceCount> = BTreeMap::new();
            for (member, counts) in self.answers(questions).await? {
                for count in counts {
                    let newest = member.time(count.newest()).0;
                    let sum = sums
                        .entry(count.name.clone())
                        .or_insert_with(|| NamespaceCount::of(&count.name));
                    add(&mut sum.levels, &count.levels);
                    sum.newest = sum.newest.max(newest);
                }
            }
            Ok(sums.into_values().collect())
        })
    }

    /// Lines of one shape, and how often they occur.
    ///
    /// # Errors
    /// No member answers.
    pub fn patterns(&self, request: PatternsRequest) -> BoxFuture<'_, Result<Templates, Error>> {
        Box::pin(async move {
            let (now, most) = (request.now, request.sample);
            let mut counts = TemplateCounts::default();
            let see = &mut |entry: &Entry| counts.add(entry);
            let is_partial = self.sample(&request.query, now, most, see).await?;
            Ok(counts.top(is_partial, request.limit))
        })
    }

    /// What is different in a span from what lies before it.
    ///
    /// # Errors
    /// No member answers.
    pub fn compare(&self, request: CompareRequest) -> BoxFuture<'_, Result<Differences, Error>> {
        Box::pin(async move {
            let (now, most) = (request.now, request.sample);
            let (mut comparing, mut is_partial) = (Comparing::default(), false);
            for (query, is_inside) in request.sides().iter().zip([true, false]) {
                let see = &mut |entry: &Entry| comparing.add(entry, is_inside);
                is_partial |= self.sample(query, now, most, see).await?;
            }
            Ok(comparing.done(is_partial, request.limit))
        })
    }
}

fn add(sums: &mut [u64; 6], more: &[u64; 6]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Histograms of several members, each with what corrects its clock, as one of at most so many buckets.
///
/// Buckets begin at multiples of their width. So where a common width is a multiple of a member's, each of the member's
/// buckets lies within one of the sum, and the sum is exact. Where there is none that is wide enough (weeks and months), and
/// where a clock is corrected, a bucket is counted where its middle falls.
fn summed(mut counted: Vec<(i64, Histogram)>, most: usize) -> Histogram {
    let partial = counted.iter().any(|(_, counts)| counts.partial);
    counted.retain(|(_, counts)| !counts.buckets.is_empty() && counts.width > 0);
    if let [(0, only)] = counted.as_mut_slice() {
        return Histogram {
            partial,
            ..std::mem::take(only)
        };
    }
    let spans = counted.iter().map(|(skew, counts)| {
        let buckets = i64::try_from(counts.buckets.len()).unwrap_or(i64::MAX);
        let length = counts.width.saturating_mul(buckets);
        let begins = moved(Time(counts.start), *skew);
        (begins, moved(begins, length))
    });
    let Some((from, to)) = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Histogram::default();
    };
    let is_exact = |(skew, _): &&(i64, Histogram)| *skew == 0;
    let exact = counted.iter().filter(is_exact);
    let widths: Vec<i64> = exact.map(|(_, counts)| counts.width).collect();
    let mut sum = common(from, to, most, &widths);
    sum.partial = partial;
    for (skew, counts) in &counted {
        let first = moved(Time(counts.start), *skew);
        for (at, levels) in (0_i64..).zip(&counts.buckets) {
            let begins = moved(first, counts.width.saturating_mul(at));
            count(&mut sum, moved(begins, counts.width / 2), levels);
        }
    }
    sum
}

/// Empty buckets for a span: as narrow as their number and the widths allow that are to fit into them.
fn common(from: Time, to: Time, most: usize, widths: &[i64]) -> Histogram {
    let empty = |most| TimeCounts::new(from, to, most).done(false);
    let fits = |counts: &Histogram| {
        // The span is one of whole buckets already: it may be cut into just as many as there may be.
        counts.buckets.len() <= most.max(3) && widths.iter().all(|width| counts.width % width == 0)
    };
    let mut narrowest_first = (1..=most + 2).rev().map(empty);
    narrowest_first.find(fits).unwrap_or_else(|| empty(most))
}

/// Counts entries of a time.
fn count(sum: &mut Histogram, time: Time, levels: &[u64; 6]) {
    let bucket = time.0.saturating_sub(sum.start).div_euclid(sum.width);
    let bucket = usize::try_from(bucket).ok();
    if let Some(sums) = bucket.and_then(|bucket| sum.buckets.get_mut(bucket)) {
        add(sums, levels);
    }
}

/// The first of each list, then the second of each, each value once.
fn in_turn(lists: &[Values]) -> Values {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let mut values = Values::new();
    for value in (0..longest).flat_map(|at| lists.iter().filter_map(move |list| list.get(at))) {
        if values.len() >= MAX_COMPLETIONS {
            break;
        }
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}
