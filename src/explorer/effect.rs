//! What `update` asks for: plain data, a closed list.

use std::collections::BTreeMap;
use std::time::Duration;

use super::case::{Case, CaseForm};
use super::memory::SavedQuery;
use super::request::{At, Number};
use super::sharing::Shared;
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
    /// Ask how it is with each of several logs.
    Standing,
    /// Add so many nanoseconds to the times of one of several logs.
    Skew(usize, i64),
    /// Take the lines of a plain log for a format.
    Format {
        log: String,
        format: String,
    },
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
    /// Write a case into a file that is not there yet.
    WriteCase {
        path: String,
        case: Box<Case>,
        form: CaseForm,
        disguised: bool,
    },
    /// Write everything that is asked for into a file that is not there yet.
    Export {
        query: Query,
        now: Time,
        path: String,
        disguised: bool,
    },
    /// Show text in another program, which has the terminal until it ends.
    View(Program, String),
    /// Count what is watched, in the time until now and in those before.
    Watch {
        name: String,
        query: Query,
        now: Time,
        within: Duration,
    },
    /// Say [`super::message::Message::WatchesDue`] after a while.
    WakeWatches(Duration),
    /// Tell the user who looks elsewhere: a bell, and a notice of the terminal.
    Notify(String),
    /// Keep the saved queries.
    Keep(BTreeMap<String, SavedQuery>),
    /// Put something on the clipboard, perhaps with pseudonyms.
    Copy(Shared, bool),
    /// Say [`super::message::Message::Woke`] after a while.
    Wake(Duration),
    /// Draw everything anew.
    Redraw,
    Suspend,
    Quit,
}

impl Effect {
    /// Whether it writes a file, or starts a program.
    pub fn reaches_out(&self) -> bool {
        matches!(
            self,
            Self::Save { .. }
                | Self::WriteCase { .. }
                | Self::Export { .. }
                | Self::View(..)
                | Self::Keep(_)
                | Self::Copy(..)
                | Self::Suspend
        )
    }
}

/// A program of the user that text can be shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Pager,
    Editor,
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
