//! Counts over time, patterns, and what is different.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::{Number, Performer};
use crate::backend::{Backend, Error};
use crate::base::Time;
use crate::explorer::effect::Effect;
use crate::explorer::message::{Message, WatchCount};
use crate::query::{
    CompareRequest, Direction, Expression, Field, Histogram, HistogramRequest, PageRequest,
    PatternsRequest, Query, Start, Ties,
};

/// Patterns and differences asked for.
const LIMIT: usize = 500;
/// Entries looked at for them: few at first, so that something is there at once; and whether that is all.
const SAMPLES: [(u64, bool); 2] = [(10_000, false), (200_000, true)];
/// Times, as long as the one that is watched, that are shown beside it.
const WATCHED_SPANS: u32 = 20;
/// Entries of a trace that are put together.
const TRACE_LIMIT: usize = 1_000;

/// Counts part by part, the newest and smallest first: what is looked for has mostly just happened.
async fn in_parts(
    backend: &Backend,
    asked: &HistogramRequest,
    all: &Histogram,
    tell: impl Fn(Histogram),
) -> Result<Histogram, Error> {
    let count = all.buckets.len();
    let begins = |bucket: usize| {
        let bucket = i64::try_from(bucket).unwrap_or(i64::MAX);
        Time(all.start.saturating_add(bucket.saturating_mul(all.width)))
    };
    let mut counts = all.emptied();
    let mut end = count;
    for start in [count - count / 8, count - count / 4, count / 2, 0] {
        if start == end {
            continue;
        }
        let part = HistogramRequest {
            after: Some(begins(start)),
            // What arrives meanwhile belongs to the last bucket.
            before: (end < count).then(|| begins(end)),
            buckets: end - start + 2,
            ..asked.clone()
        };
        let part = backend.histogram(part).await?;
        counts.absorb(&part);
        counts.partial = start > 0 || part.partial;
        end = start;
        if start > 0 {
            tell(counts.clone());
        }
    }
    Ok(counts)
}

/// Entries of each bucket.
fn sums(counts: &Histogram) -> Vec<u64> {
    let buckets = counts.buckets.iter();
    buckets.map(|levels| levels.iter().sum()).collect()
}

impl Performer {
    /// Starts an effect that looks at what there is rather than at the lines of it.
    pub(super) fn ask_insight(&mut self, effect: Effect) {
        match effect {
            Effect::Histogram {
                number,
                query,
                all,
                now,
                buckets,
            } => self.histogram(number, query, all, now, buckets),
            Effect::Patterns { number, query, now } => self.patterns(number, query, now),
            Effect::Compare {
                number,
                query,
                now,
                from,
                to,
            } => self.compare(number, query, now, (from, to)),
            Effect::Trace { number, trace, now } => self.trace(number, trace, now),
            Effect::Watch {
                name,
                query,
                now,
                within,
            } => self.watch(name, &query, now, within),
            _ => {}
        }
    }

    /// Counts what is watched. It is the log that is watched, whatever is shown.
    fn watch(&self, name: String, query: &Query, now: Time, within: Duration) {
        let (backend, messages) = (self.log.clone(), self.messages.clone());
        let asked = |after, buckets| HistogramRequest {
            query: query.clone(),
            now,
            after: Some(after),
            before: None,
            buckets,
        };
        let until_now = asked(now.earlier(within), 1);
        let before = asked(now.earlier(within * WATCHED_SPANS), WATCHED_SPANS as usize);
        tokio::spawn(async move {
            let counted = async {
                let count = sums(&backend.histogram(until_now).await?).iter().sum();
                let before = sums(&backend.histogram(before).await?);
                Ok(WatchCount { count, before })
            };
            let answer = counted.await.map_err(|error: Error| error.explained());
            let _ = messages.send(Message::Watched { name, answer });
        });
    }

    /// Counts over time, the newest first, and what there is without filters.
    fn histogram(
        &mut self,
        number: Number,
        query: Query,
        all: Option<Query>,
        now: Time,
        buckets: usize,
    ) {
        let (backend, messages) = self.handles();
        let answered = self.answered.clone();
        let task = tokio::spawn(async move {
            answered.cancelled().await;
            let asked = |query: &Query| HistogramRequest {
                query: query.clone(),
                now,
                after: None,
                before: None,
                buckets,
            };
            let counted = async {
                let Some(all) = all else {
                    return backend.histogram(asked(&query)).await;
                };
                // Without filters the counts are known by summaries: they say into which buckets all of the time falls.
                let all = backend.histogram(asked(&all)).await?;
                let tell = |counts| {
                    let done = false;
                    let _ = messages.send(Message::Counted {
                        number,
                        counts,
                        done,
                    });
                };
                let counts = in_parts(&backend, &asked(&query), &all, tell).await?;
                let levels = all.levels();
                let _ = messages.send(Message::CountedAll { number, levels });
                Ok(counts)
            };
            let message = match counted.await {
                Ok(counts) => Message::Counted {
                    number,
                    counts,
                    done: true,
                },
                Err(error) => Message::Failed {
                    number,
                    reason: error.explained(),
                },
            };
            let _ = messages.send(message);
        });
        self.histogram.replace(number, task);
    }

    fn patterns(&mut self, number: Number, query: Query, now: Time) {
        let (backend, messages) = self.handles();
        let task = deeper(messages, move |sample| {
            let backend = backend.clone();
            let request = PatternsRequest {
                query: query.clone(),
                now,
                sample,
                limit: LIMIT,
            };
            async move {
                let answer = backend.patterns(request).await;
                let is_partial = answer.as_ref().is_ok_and(|told| told.partial);
                let answer = answer.map_err(|error| error.explained());
                let tell = move |done| Message::Patterns {
                    number,
                    answer,
                    done,
                };
                (is_partial, tell)
            }
        });
        self.insight.replace(number, tokio::spawn(task));
    }

    fn compare(&mut self, number: Number, query: Query, now: Time, (from, to): (Time, Time)) {
        let (backend, messages) = self.handles();
        let task = deeper(messages, move |sample| {
            let backend = backend.clone();
            let request = CompareRequest {
                query: query.clone(),
                now,
                from,
                to,
                sample,
                limit: LIMIT,
            };
            async move {
                let answer = backend.compare(request).await;
                let is_partial = answer.as_ref().is_ok_and(|told| told.partial);
                let answer = answer.map_err(|error| error.explained());
                let tell = move |done| Message::Compared {
                    number,
                    answer,
                    done,
                };
                (is_partial, tell)
            }
        });
        self.insight.replace(number, tokio::spawn(task));
    }

    fn trace(&mut self, number: Number, trace: String, now: Time) {
        let (backend, messages) = self.handles();
        let task = tokio::spawn(async move {
            let request = PageRequest {
                query: Query(Expression::equals(Field::Trace, trace.clone())),
                now,
                start: Start::End,
                direction: Direction::Newer,
                limit: TRACE_LIMIT,
                ties: Ties::Split,
            };
            let page = backend.page(request).await;
            let answer = page.map(|page| (page.entries, page.newer.is_some()));
            let answer = answer.map_err(|error| error.explained());
            let _ = messages.send(Message::Traced {
                number,
                trace,
                answer,
            });
        });
        self.insight.replace(number, task);
    }
}

/// Looks at a few entries, and then at more if there are: what is told is whether there are, and the message, which says whether
/// it is the last.
async fn deeper<F, T>(messages: UnboundedSender<Message>, ask: impl Fn(u64) -> F)
where
    F: Future<Output = (bool, T)>,
    T: FnOnce(bool) -> Message,
{
    for (sample, is_last) in SAMPLES {
        let (is_partial, tell) = ask(sample).await;
        let done = is_last || !is_partial;
        if messages.send(tell(done)).is_err() || done {
            return;
        }
    }
}
