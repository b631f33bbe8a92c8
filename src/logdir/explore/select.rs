//! Which entries a question selects.

use super::convert::{time_of, to_entry};
use crate::base::Time;
use crate::entry::{Entry, Position};
use crate::logdir::LogLevel;
use crate::logdir::entry::LogEntry;
use crate::query::{Expression, Field, Matcher, Query, Term};

/// A question, ready to be put to entries.
#[derive(Debug)]
pub(super) struct Selection {
    matcher: Matcher,
    /// Whether pings are shown, which are of no interest to people.
    internal: bool,
    times: (Time, Time),
    everything: bool,
}

impl Selection {
    pub fn new(query: &Query, now: Time) -> Self {
        let matcher = Matcher::compile(query, now);
        Self {
            internal: asks_for_internal(&query.0),
            times: matcher.time_range(),
            everything: matcher.is_everything(),
            matcher,
        }
    }

    /// The times outside of which nothing is selected: at or after the first, before the second.
    pub fn times(&self) -> (Time, Time) {
        self.times
    }

    /// The entry, if it is selected.
    pub fn pick(&self, entry: &LogEntry, position: Position) -> Option<Entry> {
        if !self.may_hold(entry) {
            return None;
        }
        let entry = to_entry(entry, position);
        (self.everything || self.matcher.matches(&entry)).then_some(entry)
    }

    /// Whether it is selected.
    pub fn selects(&self, entry: &LogEntry) -> bool {
        self.may_hold(entry)
            && (self.everything || self.matcher.matches(&to_entry(entry, Position(0))))
    }

    /// What can be said without taking the entry apart.
    fn may_hold(&self, entry: &LogEntry) -> bool {
        let time = time_of(entry.timestamp);
        let (from, to) = self.times;
        (self.internal || entry.level != LogLevel::Internal) && from <= time && time < to
    }
}

/// Whether a question names what only pings have, or the like: a level, an event, their type.
fn asks_for_internal(expression: &Expression) -> bool {
    let names = |field: &Field| field.name() == "event" || *field == Field::Level;
    match expression {
        Expression::Everything => false,
        Expression::All(parts) | Expression::Any(parts) => parts.iter().any(asks_for_internal),
        Expression::Not(part) => asks_for_internal(part),
        Expression::Term(term) => match term {
            Term::Levels(_) | Term::Level(..) => true,
            Term::Field(field, _) | Term::Exists(field) | Term::Compare(field, ..) => names(field),
            Term::Text(_) | Term::Time(..) => false,
        },
    }
}
