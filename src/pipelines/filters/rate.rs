//! No more than a rate: one token an entry, from a bucket that fills as time goes by.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use serde_json::json;

use crate::base::Time;
use crate::entry::{Entry, Level, Scope};
use crate::pipelines::options::RateOptions;
use crate::pipelines::record::Record;
use crate::query::Field;

/// Keys that are remembered before those that have rested are forgotten, and told of by name.
const REMEMBERED: usize = 10_000;

/// Driven by the time that is passed in.
type Limiter =
    RateLimiter<String, HashMapStateStore<String>, FakeRelativeClock, NoOpMiddleware<Nanos>>;

#[derive(Debug)]
pub(super) struct Rate {
    limiter: Limiter,
    clock: FakeRelativeClock,
    /// What the clock shows.
    at: Time,
    by: By,
    most: NonZeroU32,
    dropped: BTreeMap<String, u64>,
    summary: Duration,
    told: Time,
}

#[derive(Debug)]
enum By {
    Pipeline,
    Source,
    Field(Field),
}

impl Rate {
    pub fn new(options: &RateOptions, now: Time) -> Result<Self, String> {
        let expected = "expected `rate` and `burst` of at least 1, found 0";
        let rate = NonZeroU32::new(options.rate).ok_or(expected)?;
        let burst = NonZeroU32::new(options.burst.unwrap_or(options.rate)).ok_or(expected)?;
        let clock = FakeRelativeClock::default();
        let quota = Quota::per_second(rate).allow_burst(burst);
        Ok(Self {
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
            at: now,
            by: match options.by.as_str() {
                "pipeline" => By::Pipeline,
                "source" => By::Source,
                name => By::Field(Field::named(name)),
            },
            most: rate,
            dropped: BTreeMap::new(),
            summary: options.summary.0,
            told: now,
        })
    }

    /// Whether there is a token for an entry. A clock that goes back adds none.
    pub fn allows(&mut self, entry: &Entry, now: Time) -> bool {
        self.clock.advance(now.since(self.at));
        self.at = self.at.max(now);
        let key = match &self.by {
            By::Pipeline => String::new(),
            By::Source => entry.source.clone().unwrap_or_default(),
            By::Field(field) => field.value(entry).unwrap_or_default().into_owned(),
        };
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        let is_allowed = self.limiter.check_key(&key).is_ok();
        if !is_allowed {
            let known = self.dropped.len() < REMEMBERED || self.dropped.contains_key(&key);
            let key = if known { key } else { "…".to_owned() };
            *self.dropped.entry(key).or_default() += 1;
        }
        is_allowed
    }

    /// Adds an entry for each key that lost some, when it is time for it.
    pub fn tell(&mut self, records: &mut Vec<Record>, now: Time, is_pulse: bool) {
        let is_due = now.since(self.told) >= self.summary;
        if self.dropped.is_empty() || !is_due || (records.is_empty() && !is_pulse) {
            return;
        }
        self.told = now;
        for (key, count) in std::mem::take(&mut self.dropped) {
            let of = match &self.by {
                By::Pipeline => String::new(),
                By::Source => format!(" of source {key:?}"),
                By::Field(field) => format!(" with {} {key:?}", field.name()),
            };
            let most = self.most;
            let mut entry = Entry {
                time: now,
                level: Level::Warn,
                text: format!("{count} entries{of} were dropped: more than {most} a second"),
                source: Some("tailwater".to_owned()),
                scope: Scope {
                    namespace: "default".to_owned(),
                    ..Scope::default()
                },
                ..Entry::default()
            };
            entry.fields.insert("dropped".to_owned(), json!(count));
            records.push(entry.into());
        }
    }
}
