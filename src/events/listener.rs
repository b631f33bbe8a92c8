//! What waits for events: a state machine without time or place of its own.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::filter::{ContextFilter, passes};
use super::{Action, CloudEvent};
use crate::base::Time;

/// Types that a listener may wait for.
const MAX_TYPES: usize = 64;

/// When a listener fires, and whether it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// For each event; it stays.
    StartSimple,
    /// For each event of one of its types; it stays.
    #[serde(rename = "StartOR")]
    StartOr,
    /// When one event of each of its types is held; it begins anew.
    StartAnd,
    /// For the first event; it ends.
    WaitSimple,
    /// For the first event of one of its types; it ends.
    #[serde(rename = "WaitOR")]
    WaitOr,
    /// When one event of each of its types is held; it ends.
    WaitAnd,
}

impl Trigger {
    /// Whether it ends when it has fired.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::WaitSimple | Self::WaitOr | Self::WaitAnd)
    }

    /// Whether it collects an event of each type.
    #[must_use]
    pub const fn collects(self) -> bool {
        matches!(self, Self::StartAnd | Self::WaitAnd)
    }
}

/// What shall wait for events.
#[derive(Clone, Debug, PartialEq)]
pub struct NewListener {
    /// Whose events.
    pub namespace: String,
    /// When it fires.
    pub trigger: Trigger,
    /// Types of events.
    pub types: Vec<String>,
    /// Which of them.
    pub filters: Vec<ContextFilter>,
    /// How long a collected event counts; for ever if nothing is said.
    pub lifespan: Option<Duration>,
    /// What is done then; nothing but to tell who waits.
    pub action: Option<Action>,
}

/// An event that is held until the others have come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The event.
    pub event: Arc<CloudEvent>,
    /// When it came, nanoseconds since 1970.
    at: i64,
}

/// What waits for events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// What it is called.
    pub id: Uuid,
    /// Whose events.
    pub namespace: String,
    /// When it fires.
    pub trigger: Trigger,
    /// Types of events.
    pub types: Vec<String>,
    /// Which of them.
    pub filters: Vec<ContextFilter>,
    /// How long a collected event counts, milliseconds; 0 is for ever.
    pub lifespan: u64,
    /// What is done when it fires.
    pub action: Option<Action>,
    /// Events that are held, oldest first: at most one of each type, the oldest.
    pub held: Vec<Held>,
    /// How often it has fired.
    pub fired: u64,
    /// When it was made and changed, nanoseconds since 1970.
    pub created: i64,
    /// The same of its last change.
    pub updated: i64,
    /// Whether it has ended.
    pub is_over: bool,
    /// Whether it lives with who waits for it: left alone, it ends.
    #[serde(default)]
    pub is_leased: bool,
}

/// What no listener is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: expected {expected}")]
pub struct ListenerError {
    name: &'static str,
    expected: String,
}

impl ListenerError {
    pub(super) fn new(name: &'static str, expected: &str) -> Self {
        Self {
            name,
            expected: expected.to_owned(),
        }
    }
}

impl Listener {
    /// A listener that has seen nothing yet.
    ///
    /// # Errors
    /// It could never fire as it is meant to.
    pub fn new(new: NewListener, now: Time) -> Result<Self, ListenerError> {
        let wrong = ListenerError::new;
        let count = new.types.len();
        if count == 0 || count > MAX_TYPES || new.types.iter().any(String::is_empty) {
            return Err(wrong("types", "1 to 64 types of events"));
        }
        let mut distinct = new.types.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < count {
            return Err(wrong("types", "each type once: one event of each is held"));
        }
        let is_simple = matches!(new.trigger, Trigger::StartSimple | Trigger::WaitSimple);
        if is_simple && count > 1 {
            return Err(wrong(
                "types",
                "one type; StartOR or WaitOR are for several",
            ));
        }
        if let Some(filter) = new.filters.iter().find(|of| !new.types.contains(&of.kind)) {
            let expected = format!("a type that it listens for, found {:?}", filter.kind);
            return Err(wrong("filters", &expected));
        }
        if new.trigger.waits() && new.action.is_some() {
            return Err(wrong("action", "none: who waits is told"));
        }
        if !new.trigger.waits() && new.action.is_none() {
            return Err(wrong("action", "what is done when it fires"));
        }
        Ok(Self {
            id: Uuid::new_v4(),
            namespace: new.namespace,
            trigger: new.trigger,
            types: new.types,
            filters: new.filters,
            lifespan: new.lifespan.map_or(0, |span| {
                u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
            }),
            action: new.action,
            held: Vec::new(),
            fired: 0,
            created: now.0,
            updated: now.0,
            is_over: false,
            is_leased: false,
        })
    }

    /// Whether an event is for it.
    #[must_use]
    pub fn is_for(&self, event: &CloudEvent) -> bool {
        !self.is_over
            && self.types.iter().any(|kind| kind == event.kind())
            && passes(&self.filters, event)
    }

    /// Offers an event that is for it; the events that it fires with, if it does.
    pub fn offer(&mut self, event: &Arc<CloudEvent>, now: Time) -> Option<Vec<Arc<CloudEvent>>> {
        let events = if self.trigger.collects() {
            self.collect(event, now)?
        } else {
            vec![Arc::clone(event)]
        };
        self.fired += 1;
        self.updated = now.0;
        self.is_over = self.trigger.waits();
        Some(events)
    }

    /// Holds an event; all that are held when there is one of each type.
    fn collect(&mut self, event: &Arc<CloudEvent>, now: Time) -> Option<Vec<Arc<CloudEvent>>> {
        let lifespan = Duration::from_millis(self.lifespan);
        if self.lifespan > 0 {
            self.held
                .retain(|held| now.since(Time(held.at)) <= lifespan);
        }
        // Of a type the oldest is held: what comes after it adds nothing.
        let is_held = |held: &Held| held.event.kind() == event.kind();
        if self.held.iter().any(is_held) {
            return None;
        }
        self.held.push(Held {
            event: Arc::clone(event),
            at: now.0,
        });
        self.updated = now.0;
        (self.held.len() == self.types.len()).then(|| {
            let held = std::mem::take(&mut self.held);
            held.into_iter().map(|held| held.event).collect()
        })
    }

    /// The same listener as it shall be from now on: what it holds of types that it still waits for stays, and so do its
    /// name and how often it has fired, by which its firings are told apart.
    #[must_use]
    pub fn changed(&self, into: Self) -> Self {
        let is_wanted = |held: &&Held| {
            let kind = held.event.kind();
            into.trigger.collects() && into.types.iter().any(|wanted| wanted == kind)
        };
        Self {
            id: self.id,
            created: self.created,
            fired: self.fired,
            held: self.held.iter().filter(is_wanted).cloned().collect(),
            ..into
        }
    }

    /// Types of which nothing is held yet.
    #[must_use]
    pub fn awaits(&self) -> Vec<&str> {
        let is_held = |kind: &&String| self.held.iter().any(|held| held.event.kind() == **kind);
        let awaited = self.types.iter().filter(|kind| !is_held(kind));
        awaited.map(String::as_str).collect()
    }
}
