//! What can happen to the explorer: plain data, a closed list.

use super::keymap::Key;
use super::regions::Target;
use super::request::Number;
use crate::api::{BlobsAnswer, EventsAnswer, FiringAnswer, ListenersAnswer, StreamsAnswer};
use crate::backend::{FileStanding, PipelineStatus, Standing};
use crate::base::Time;
use crate::entry::{Entry, Key as Place, Position};
use crate::query::{
    Differences, Direction, Facets, Field, Histogram, NamespaceCount, Page, Progress, Templates,
    Values,
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// The time is now this; comes before what happened at it.
    Clock(Time),
    /// The terminal has so many columns and rows.
    Resized(u16, u16),
    Key(Key),
    Pasted(String),
    Clicked(Target),
    /// The wheel turned over something: rows down, negative up.
    Wheel(Target, i32),
    /// A page that replaces the window, perhaps partial, more to come.
    Loaded {
        number: Number,
        page: Page,
        done: bool,
    },
    /// A page beyond an edge of the window.
    Extended {
        number: Number,
        page: Page,
    },
    /// A scan goes on.
    Scanning {
        number: Number,
        progress: Progress,
    },
    /// Where the next match is.
    Found {
        number: Number,
        direction: Direction,
        place: Option<Place>,
    },
    Live(Number, Live),
    Namespaces(Vec<NamespaceCount>),
    /// How it is with each of several logs.
    Standing(Vec<Standing>),
    /// The plain files that are explored.
    Files(Vec<FileStanding>),
    /// What pipelines did; none where there can be none.
    Pipelines(Result<Option<Vec<PipelineStatus>>, String>),
    /// Which streams are open; none where there can be none.
    Streams(Result<Option<StreamsAnswer>, String>),
    /// What lies directly below a prefix, after a name.
    Blobs {
        prefix: String,
        after: Option<String>,
        answer: Result<Option<BlobsAnswer>, String>,
    },
    /// Events that were taken: the newest, or those before a time; none where there can be none.
    EventHistory {
        before: Option<String>,
        answer: Result<Option<EventsAnswer>, String>,
    },
    /// What waits for events; none where there can be none.
    Listeners(Result<Option<ListenersAnswer>, String>),
    /// A listener fired.
    Fired(Box<FiringAnswer>),
    Facets {
        number: Number,
        field: Field,
        facets: Facets,
    },
    /// Counts over time, the newest first until they are done.
    Counted {
        number: Number,
        counts: Histogram,
        done: bool,
    },
    /// Entries of each level in the same time without filters.
    CountedAll {
        number: Number,
        levels: [u64; 6],
    },
    /// Lines of one shape, of a small part first.
    Patterns {
        number: Number,
        answer: Result<Templates, String>,
        done: bool,
    },
    /// The entries of a trace, oldest first, and whether there are more.
    Traced {
        number: Number,
        trace: String,
        answer: Result<(Vec<Entry>, bool), String>,
    },
    /// What is different in a span, of a small part first.
    Compared {
        number: Number,
        answer: Result<Differences, String>,
        done: bool,
    },
    Completions {
        number: Number,
        values: Values,
    },
    /// A whole entry.
    Whole {
        position: Position,
        entry: Option<Box<Entry>>,
    },
    /// A question failed.
    Failed {
        number: Number,
        reason: String,
    },
    /// Files are being read: done of total; `None` when they are.
    Loading(Option<(u64, u64)>),
    /// What became of something that was to be done beside the log.
    Done(Result<String, String>),
    /// What is watched is to be counted again.
    WatchesDue,
    /// What is watched was counted.
    Watched {
        name: String,
        answer: Result<WatchCount, String>,
    },
    /// A time asked for has come.
    Woke,
}

/// Entries of what is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WatchCount {
    /// In the time until now.
    pub count: u64,
    /// In the times before, oldest first.
    pub before: Vec<u64>,
}

/// What a feed tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Live {
    Entries(Vec<Entry>, Position),
    Connected,
    /// The connection is lost; another try in so many milliseconds.
    Lost {
        reason: String,
        wait_ms: u64,
    },
    Ended,
}
