//! What `update` asks for: plain data, a closed list.

use std::time::Duration;

use super::request::{At, Number};
use super::state::Shown;
use crate::base::Time;
use crate::entry::Position;
use crate::query::{Cursor, Field, Query, ValuesRequest};

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Read a page that replaces the window; an earlier load is dropped.
    Load {
        number: Number,
        query: Query,
        now: Time,
        at: At,
        limit: usize,
    },
    /// Read a page beyond an edge.
    Extend {
        number: Number,
        query: Query,
        now: Time,
        cursor: Cursor,
        limit: usize,
    },
    /// Find the next match from a place on.
    Find {
        number: Number,
        query: Query,
        now: Time,
        cursor: Cursor,
    },
    /// Stop what has this number.
    Stop(Number),
    /// Follow what arrives; an earlier feed is dropped.
    Follow {
        number: Number,
        query: Query,
        now: Time,
        after: Position,
    },
    Namespaces,
    /// Ask what pipelines did.
    Pipelines,
    /// Ask which streams are open.
    Streams,
    /// Ask what lies directly below a prefix, after a name.
    Blobs {
        prefix: String,
        after: Option<String>,
    },
    /// Ask for the newest events, or those before a time.
    EventHistory {
        before: Option<String>,
    },
    /// Ask what waits for events.
    Listeners,
    /// Be told when a listener fires.
    Firings,
    /// Write a blob into a file.
    Save {
        key: String,
        path: String,
    },
    /// Turn to other lines: what is asked after this is asked of them.
    Show(Shown),
    /// Count over time what is asked for, and what there is in the same time without filters.
    Histogram {
        number: Number,
        query: Query,
        all: Option<Query>,
        now: Time,
        buckets: usize,
    },
    /// Find lines of one shape.
    Patterns {
        number: Number,
        query: Query,
        now: Time,
    },
    /// Read the entries of a trace.
    Trace {
        number: Number,
        trace: String,
        now: Time,
    },
    /// Find what is different in a span from what lies before it.
    Compare {
        number: Number,
        query: Query,
        now: Time,
        from: Time,
        to: Time,
    },
    Facets {
        number: Number,
        query: Query,
        now: Time,
        field: Field,
    },
    Complete {
        number: Number,
        request: ValuesRequest,
    },
    /// Fetch a whole entry.
    Whole(Position),
    /// Write text into a file that is not there yet.
    Write {
        path: String,
        text: String,
    },
    /// Write everything that is asked for into a file that is not there yet.
    Export {
        query: Query,
        now: Time,
        path: String,
    },
    /// Put text on the clipboard.
    Copy(String),
    /// Say [`super::message::Message::Woke`] after a while.
    Wake(Duration),
    /// Draw everything anew.
    Redraw,
    Suspend,
    Quit,
}

/// Effects of one message, in order.
#[must_use = "effects are wishes: unless they are performed, nothing happens"]
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Effects(pub Vec<Effect>);

impl Effects {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

impl From<Effect> for Effects {
    fn from(effect: Effect) -> Self {
        Self(vec![effect])
    }
}
