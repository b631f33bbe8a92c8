//! The record itself.

use std::fmt;

use serde_json::{Map, Value};

use super::Level;
use crate::base::Time;

/// What a sender attached beyond the known keys, in the order it was sent.
pub type Fields = Map<String, Value>;

/// The running number the embedded log gives an entry on arrival, from 1; 0 means "not stored yet". `id` on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an entry in the order of pages: by time, ties by arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// When the entry says it happened.
    pub time: Time,
    /// When it arrived.
    pub position: Position,
}

impl Key {
    /// Before every entry.
    pub const MIN: Self = Self {
        time: Time::MIN,
        position: Position(0),
    };
    /// After every entry.
    pub const MAX: Self = Self {
        time: Time::MAX,
        position: Position(u64::MAX),
    };

    /// The greatest key below this one.
    #[must_use]
    pub fn before(self) -> Self {
        match self.position.0.checked_sub(1) {
            Some(position) => Self {
                position: Position(position),
                ..self
            },
            None => Self {
                time: Time(self.time.0.saturating_sub(1)),
                position: Position(u64::MAX),
            },
        }
    }

    /// The least key above this one.
    #[must_use]
    pub fn after(self) -> Self {
        match self.position.0.checked_add(1) {
            Some(position) => Self {
                position: Position(position),
                ..self
            },
            None => Self {
                time: Time(self.time.0.saturating_add(1)),
                position: Position(0),
            },
        }
    }
}

/// Where an entry belongs. Empty strings and all-zero ids are never stored: they are `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The tenant or service; `default` when the sender named none.
    pub namespace: String,
    /// Trace id.
    pub trace: Option<String>,
    /// Span id.
    pub span: Option<String>,
    /// Id of a workflow instance, a pod, a host: whatever emits in parallel to its like.
    pub instance: Option<String>,
    /// Path of the workflow.
    pub workflow: Option<String>,
    /// State within the workflow.
    pub state: Option<String>,
    /// Status of the instance: running, completed, failed, …
    pub status: Option<String>,
    /// Branch of a parallel state.
    pub branch: Option<i64>,
    /// How a parent called this workflow.
    pub called_as: Option<String>,
    /// Ids of the instance's ancestors, separated by slashes.
    pub callpath: Option<String>,
    /// Path of the gateway route.
    pub route: Option<String>,
    /// Id of the activity (mirror, sync).
    pub activity: Option<String>,
    /// Direktiv's track, where one was sent.
    pub track: Option<String>,
}

/// One log record. Its words are in `text`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Number of arrival, given by the embedded log.
    pub position: Position,
    /// When it happened, as the sender said; the time of arrival when it did not.
    pub time: Time,
    /// How severe it is.
    pub level: Level,
    /// Where it belongs.
    pub scope: Scope,
    /// Its words; undecodable bytes are held as [`super::bytes`] says.
    pub text: String,
    /// The error it reports, beside its words.
    pub error: Option<String>,
    /// The file, host or stream it was read from.
    pub source: Option<String>,
    /// Everything else.
    pub fields: Fields,
}

impl Entry {
    /// Its place in the order of pages.
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            time: self.time,
            position: self.position,
        }
    }

    /// Its optional texts, always in this order: the order of the bytes on disk.
    pub(crate) fn optional_texts(&self) -> [&Option<String>; 13] {
        let scope = &self.scope;
        [
            &scope.trace,
            &scope.span,
            &scope.instance,
            &scope.workflow,
            &scope.state,
            &scope.status,
            &scope.called_as,
            &scope.callpath,
            &scope.route,
            &scope.activity,
            &scope.track,
            &self.error,
            &self.source,
        ]
    }

    /// Bytes it takes in memory, estimated: what bounds of tables and windows count.
    #[must_use]
    pub fn weight(&self) -> usize {
        let scope = &self.scope;
        let strings: usize = self
            .optional_texts()
            .iter()
            .filter_map(|value| value.as_ref())
            .map(String::len)
            .sum();
        let fields: usize = self
            .fields
            .iter()
            .map(|(name, value)| 96 + name.len() + weight_of(value))
            .sum();
        size_of::<Self>() + self.text.len() + scope.namespace.len() + strings + fields
    }
}

fn weight_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 32 + weight_of(item)).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| 96 + name.len() + weight_of(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
