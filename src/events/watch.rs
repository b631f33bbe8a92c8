//! Turns entries of the log into events, as the rules say: each entry once, across restarts.

use std::sync::Arc;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio_util::sync::CancellationToken;

use super::actions::SOURCE;
use super::{CloudEvent, Events, Rule};
use crate::base::Time;
use crate::entry::{Entry, Position};
use crate::query::{Expression, FollowRequest, Matcher, Query};
use crate::store::Store;

/// After which what was not kept is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// Entries that were looked at before that is remembered though none became an event.
const REMEMBER: u64 = 100_000;

/// A rule at work.
struct Watcher {
    rule: Rule,
    matcher: Matcher,
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    left_out: u64,
}

impl Watcher {
    fn new(rule: Rule) -> Self {
        Self {
            matcher: Matcher::compile(&rule.query, Time::now()),
            limiter: RateLimiter::direct(Quota::per_minute(rule.per_minute)),
            left_out: 0,
            rule,
        }
    }

    fn look(&mut self, entry: &Entry) -> Option<(String, Arc<CloudEvent>)> {
        if !self.matcher.matches(entry) {
            return None;
        }
        if self.limiter.check().is_err() {
            if self.left_out == 0 {
                let most = self.rule.per_minute;
                tracing::warn!(
                    rule = self.rule.name,
                    most,
                    "entries become no events: too many a minute"
                );
            }
            self.left_out += 1;
            return None;
        }
        let left_out = std::mem::take(&mut self.left_out);
        let (namespace, event) = self.rule.event(entry, left_out);
        Some((namespace, Arc::new(event?)))
    }
}

/// Whether an entry was written by a listener: it becomes no event, so that nothing goes round in circles.
fn is_told(entry: &Entry) -> bool {
    entry.source.as_deref() == Some(SOURCE) && entry.fields.contains_key("firing")
}

/// Watches the log until it is stopped, from where it was left; at the first time from what comes next.
pub async fn watch(events: Events, store: Store, rules: Vec<Rule>, stopping: CancellationToken) {
    let known = match events.watched() {
        Ok(known) => known,
        Err(error) => {
            tracing::error!(%error, "entries become no events");
            return;
        }
    };
    if rules.is_empty() {
        // Rules that come later begin with what comes then.
        if known.is_some() {
            let _ = events.note(Vec::new(), None).await;
        }
        return;
    }
    let mut after = known.unwrap_or(store.head().borrow().0);
    if known.is_none() && !keep(&events, Vec::new(), after, &stopping).await {
        return;
    }
    let asked = Expression::any(rules.iter().map(|rule| rule.query.0.clone()));
    let mut watchers: Vec<Watcher> = rules.into_iter().map(Watcher::new).collect();
    let mut feed = store.follow(&FollowRequest {
        query: Query(asked),
        now: Time::now(),
        after: Position(after),
    });
    loop {
        let Some(Some(batch)) = stopping.run_until_cancelled(feed.next()).await else {
            return;
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(%error, "entries become no events for a while");
                let rest = tokio::time::sleep(RETRY);
                if stopping.run_until_cancelled(rest).await.is_none() {
                    return;
                }
                continue;
            }
        };
        let mut noted = Vec::new();
        for entry in batch.entries.iter().filter(|entry| !is_told(entry)) {
            noted.extend(
                watchers
                    .iter_mut()
                    .filter_map(|watcher| watcher.look(entry)),
            );
        }
        if noted.is_empty() && batch.at.0 < after.saturating_add(REMEMBER) {
            continue;
        }
        after = batch.at.0;
        if !keep(&events, noted, after, &stopping).await {
            return;
        }
    }
}

/// Keeps the events, and up to where the log was looked at, however often it takes; not when it is stopped.
async fn keep(
    events: &Events,
    noted: Vec<(String, Arc<CloudEvent>)>,
    at: u64,
    stopping: &CancellationToken,
) -> bool {
    while let Err(error) = events.note(noted.clone(), Some(at)).await {
        tracing::warn!(%error, "entries become events later");
        let rest = tokio::time::sleep(RETRY);
        if stopping.run_until_cancelled(rest).await.is_none() {
            return false;
        }
    }
    true
}
