//! Counts over time, patterns, and what is different.

use tokio::sync::mpsc::UnboundedSender;

use super::{Number, Performer};
use crate::base::Time;
use crate::explorer::message::Message;
use crate::query::{
    CompareRequest, Direction, Expression, Field, HistogramRequest, PageRequest, PatternsRequest,
    Query, Start, Ties,
};

/// Patterns and differences asked for.
const LIMIT: usize = 500;
/// Entries looked at for them: few at first, so that something is there at once; and whether that is all.
const SAMPLES: [(u64, bool); 2] = [(10_000, false), (200_000, true)];
/// Entries of a trace that are put together.
const TRACE_LIMIT: usize = 1_000;

impl Performer {
    /// Counts over time, and then what there is without filters.
    pub(super) fn histogram(
        &mut self,
        number: Number,
        query: Query,
        all: Option<Query>,
        now: Time,
        buckets: usize,
    ) {
        let asked = |query, buckets| HistogramRequest {
            query,
            now,
            after: None,
            before: None,
            buckets,
        };
        let request = asked(query, buckets);
        let all = all.map(|all| asked(all, 1));
        let (backend, messages) = self.handles();
        let task = tokio::spawn(async move {
            let message = match backend.histogram(request).await {
                Ok(counts) => Message::Counted { number, counts },
                Err(error) => Message::Failed {
                    number,
                    reason: error.explained(),
                },
            };
            let _ = messages.send(message);
            // What is hidden is a courtesy: where it cannot be told, nothing is.
            let Some(all) = all else { return };
            if let Ok(all) = backend.histogram(all).await {
                let levels = all.buckets.iter().fold([0; 6], |sums, levels| {
                    std::array::from_fn(|level| sums[level] + levels[level])
                });
                let _ = messages.send(Message::CountedAll { number, levels });
            }
        });
        self.histogram.replace(number, task);
    }

    pub(super) fn patterns(&mut self, number: Number, query: Query, now: Time) {
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

    pub(super) fn compare(
        &mut self,
        number: Number,
        query: Query,
        now: Time,
        (from, to): (Time, Time),
    ) {
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

    pub(super) fn trace(&mut self, number: Number, trace: String, now: Time) {
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
