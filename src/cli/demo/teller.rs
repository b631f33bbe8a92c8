//! Tells the story: entries in the order of their times, without end.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

use super::story::{Beat, Line, Once, Phase, Service, Step, Story};
use crate::base::Time;
use crate::entry::{Entry, Level, Scope};

/// Entries of a backlog cover this long.
const SPAN: Duration = Duration::from_hours(6);
/// Requests under way at once.
const CONCURRENT: usize = 12;

/// Tells entry after entry. The backlog is the story; afterwards its last phase goes on.
pub(in crate::cli) struct Teller {
    story: Story,
    dice: Rng,
    /// Where the backlog begins, and how many entries it has.
    start: Time,
    backlog: usize,
    told: usize,
    once: VecDeque<Once>,
    running: Vec<Running>,
    /// Beats, and when each is due.
    beats: Vec<(Beat, Time)>,
}

/// A request under way.
struct Running {
    trace: String,
    steps: VecDeque<Step>,
    /// Slots that stay the same within a request.
    user: String,
    order: String,
    instances: Vec<(String, String, String)>,
}

impl Teller {
    /// A story of `backlog` entries that ends at `end`.
    pub fn new(seed: u64, backlog: usize, end: Time) -> Self {
        let story = Story::load();
        let once = story.once.clone().into();
        let start = end.earlier(SPAN);
        let beats = story
            .beats
            .iter()
            .map(|beat| (beat.clone(), start))
            .collect();
        Self {
            story,
            dice: Rng::with_seed(seed),
            start,
            beats,
            backlog,
            told: 0,
            once,
            running: Vec::new(),
        }
    }

    /// The next entry of the backlog; `None` when all is told.
    pub fn backlog(&mut self) -> Option<Entry> {
        if self.told >= self.backlog {
            return None;
        }
        let share = self.share();
        let span = u64::try_from(SPAN.as_nanos()).unwrap_or(u64::MAX);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place within six hours"
        )]
        let offset =
            Duration::from_nanos((span as f64 * share) as u64 + self.dice.u64(0..1_000_000));
        Some(self.tell(self.start.later(offset), share))
    }

    /// The next entry after the backlog, at this time.
    pub fn live(&mut self, now: Time) -> Entry {
        self.tell(now, 1.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn share(&self) -> f64 {
        self.told as f64 / self.backlog.max(1) as f64
    }

    fn tell(&mut self, time: Time, share: f64) -> Entry {
        self.told += 1;
        if let Some(entry) = self.beat(time, share) {
            return entry;
        }
        if self.once.front().is_some_and(|once| once.at <= share)
            && let Some(once) = self.once.pop_front()
        {
            return self.line_of(time, share, &once.service, &once.line, None);
        }
        let phase = self.phase(share);
        let roll = self.dice.u32(0..1_000);
        let mut floor = 0;
        for sign in &phase.signs {
            floor += sign.per_thousand;
            if roll < floor {
                return self.line_of(time, share, &sign.service, &sign.line, None);
            }
        }
        if roll >= 880 {
            let service = self.dice.usize(0..self.story.services.len());
            let service = self.story.services[service].clone();
            let line = service.chatter[self.dice.usize(0..service.chatter.len())].clone();
            return self.line_of(time, share, &service.name, &line, None);
        }
        while self.running.len() < CONCURRENT {
            let request = self.begin(&phase);
            self.running.push(request);
        }
        self.step(time, share)
    }

    /// The beat that is due by a time, if there is one.
    fn beat(&mut self, time: Time, share: f64) -> Option<Entry> {
        let goes_on = |beat: &Beat| beat.until.is_none_or(|until| share <= until);
        let due = self
            .beats
            .iter_mut()
            .filter(|(beat, due)| goes_on(beat) && *due <= time);
        let (beat, due) = due.min_by_key(|(_, due)| *due)?;
        let entry = Entry {
            time: *due,
            scope: Scope {
                namespace: beat.service.clone(),
                instance: Some(beat.instance.clone()),
                ..Scope::default()
            },
            text: beat.text.clone(),
            ..Entry::default()
        };
        *due = due.later(Duration::from_secs(beat.every_seconds));
        Some(entry)
    }

    fn phase(&self, share: f64) -> Phase {
        let reached = self
            .story
            .phases
            .iter()
            .rev()
            .find(|phase| phase.from <= share);
        reached
            .or(self.story.phases.first())
            .cloned()
            .expect("the story has phases: a test reads it")
    }

    fn begin(&mut self, phase: &Phase) -> Running {
        let total: u32 = self
            .story
            .requests
            .iter()
            .map(|request| request.weight)
            .sum();
        let mut roll = self.dice.u32(0..total.max(1));
        let mut chosen = 0;
        for (at, request) in self.story.requests.iter().enumerate() {
            chosen = at;
            match roll.checked_sub(request.weight) {
                Some(rest) => roll = rest,
                None => break,
            }
        }
        let request = self.story.requests[chosen].clone();
        let mut steps: VecDeque<Step> = request.steps.into();
        if self.dice.f64() < phase.failing {
            steps.truncate(request.fails_at);
            steps.extend(request.failure);
        }
        let instances = self
            .story
            .services
            .clone()
            .iter()
            .map(|service| self.instance(service))
            .collect();
        Running {
            trace: format!("{:032x}", self.dice.u128(1..)),
            steps,
            user: format!("u{:05}", self.dice.u32(0..40_000)),
            order: format!("o-{:06}", self.dice.u32(0..1_000_000)),
            instances,
        }
    }

    /// A service with one of its instances and a span.
    fn instance(&mut self, service: &Service) -> (String, String, String) {
        let number = self.dice.usize(0..service.instances) + 1;
        (
            service.name.clone(),
            format!("{}-{number}", service.name),
            format!("{:016x}", self.dice.u64(1..)),
        )
    }

    fn step(&mut self, time: Time, share: f64) -> Entry {
        let at = self.dice.usize(0..self.running.len());
        let mut request = self.running.swap_remove(at);
        let Some(step) = request.steps.pop_front() else {
            return self.tell(time, share);
        };
        let entry = self.line_of(time, share, &step.service, &step.line, Some(&request));
        if !request.steps.is_empty() {
            self.running.push(request);
        }
        entry
    }

    fn line_of(
        &mut self,
        time: Time,
        share: f64,
        service: &str,
        line: &Line,
        request: Option<&Running>,
    ) -> Entry {
        let Some(service) = self
            .story
            .services
            .iter()
            .find(|known| known.name == service)
            .cloned()
        else {
            return Entry::default();
        };
        let known = request
            .and_then(|request| {
                request
                    .instances
                    .iter()
                    .find(|(name, ..)| *name == service.name)
            })
            .cloned();
        let (_, instance, span) = known.unwrap_or_else(|| self.instance(&service));
        let mut fill = |template: &str| self.fill(template, share, request);
        let text = fill(&line.text);
        let error = line.error.as_deref().map(&mut fill);
        let fields = line
            .fields
            .iter()
            .map(|(name, template)| (name.clone(), typed(fill(template))))
            .collect();
        let state = service.states[self.dice.usize(0..service.states.len())].clone();
        Entry {
            time,
            level: line.level.parse().unwrap_or(Level::Info),
            scope: Scope {
                namespace: service.name,
                trace: request.map(|request| request.trace.clone()),
                span: request.map(|_| span),
                instance: Some(instance),
                workflow: request.map(|_| service.workflow),
                state: request.map(|_| state),
                status: request.map(|_| "running".to_owned()),
                route: request.and(service.route),
                ..Scope::default()
            },
            text,
            error,
            fields,
            ..Entry::default()
        }
    }

    /// Fills the slots of a template.
    fn fill(&mut self, template: &str, share: f64, request: Option<&Running>) -> String {
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((slot, after)) = after.split_once('}') else {
                break;
            };
            text.push_str(&self.slot(slot, share, request));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn slot(&mut self, slot: &str, share: f64, request: Option<&Running>) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count"
        )]
        let grown = |from: f64, to: f64| {
            (from + (to - from) * ((share - 0.42) / 0.5).clamp(0.0, 1.0)) as u32
        };
        match (slot, request) {
            ("user", Some(request)) => request.user.clone(),
            ("order", Some(request)) => request.order.clone(),
            ("user", None) => format!("u{:05}", self.dice.u32(0..40_000)),
            ("order", None) => format!("o-{:06}", self.dice.u32(0..1_000_000)),
            ("leak", _) => grown(7.0, 64.0).to_string(),
            ("heap", _) => grown(310.0, 1_900.0).to_string(),
            ("n", _) => self.dice.u32(1..400).to_string(),
            ("ms", _) => (self.dice.u32(1..60) * self.dice.u32(1..5)).to_string(),
            ("us", _) => self.dice.u32(8..9_000).to_string(),
            ("slow", _) => (5_000 + self.dice.u32(0..900)).to_string(),
            ("pct", _) => self.dice.u32(40..99).to_string(),
            ("id", _) => format!("{:08x}", self.dice.u32(..)),
            ("ip", _) => format!(
                "10.{}.{}.{}",
                self.dice.u8(0..32),
                self.dice.u8(..),
                self.dice.u8(1..)
            ),
            (name, _) => match self.story.words.get(name) {
                Some(words) => words[self.dice.usize(0..words.len())].clone(),
                None => format!("{{{name}}}"),
            },
        }
    }
}

/// Numbers as numbers.
fn typed(text: String) -> Value {
    match text.parse::<i64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn told(seed: u64) -> Vec<Entry> {
        let mut teller = Teller::new(seed, 20_000, Time(1_773_478_800_000_000_000));
        std::iter::from_fn(|| teller.backlog()).collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert!(told(7) == told(7));
        assert!(told(7) != told(8));
    }

    #[test]
    fn the_story_is_an_incident() {
        let entries = told(7);
        assert_eq!(entries.len(), 20_000);
        let namespaces: BTreeSet<_> = entries
            .iter()
            .map(|entry| entry.scope.namespace.as_str())
            .collect();
        assert_eq!(namespaces.len(), 6);
        let errors = |range: std::ops::Range<usize>| {
            entries[range]
                .iter()
                .filter(|entry| entry.level >= Level::Error)
                .count()
        };
        assert!(
            errors(18_000..20_000) > 20 * errors(0..2_000).max(1),
            "a burst at the end"
        );
        let mut spread: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in &entries {
            if let Some(trace) = &entry.scope.trace {
                spread
                    .entry(trace)
                    .or_default()
                    .insert(&entry.scope.namespace);
            }
        }
        assert!(
            spread.values().any(|namespaces| namespaces.len() >= 5),
            "traces cross services"
        );
        let has = |part: &str| {
            entries.iter().any(|entry| {
                entry.text.contains(part)
                    || entry
                        .error
                        .as_deref()
                        .is_some_and(|error| error.contains(part))
            })
        };
        for part in ["release_on_error", "\n  at payments", "日本円", "Łódź"] {
            assert!(has(part), "{part}");
        }
        assert!(
            !entries.iter().any(|entry| entry.text.contains('{')),
            "every slot is filled"
        );
        assert!(
            entries
                .iter()
                .any(|entry| entry.fields.get("duration_ms").is_some_and(Value::is_i64))
        );
    }
}
