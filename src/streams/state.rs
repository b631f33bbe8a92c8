//! How a stream stands.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Time;
use crate::blobs::{Key, Stamp};

/// How a stream is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// After so long without a line it is closed; what the options say, if it is not said here.
    pub ttl: Option<Duration>,
    /// Whether one that was closed begins anew.
    pub again: bool,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The number of its first line.
    pub first: u64,
    /// The number of its last line; one less than the first when there was none.
    pub last: u64,
    /// Whether it had been taken before, by the name of its batch.
    pub is_repeated: bool,
}

/// Why a stream takes no more lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// It was closed.
    Closed,
    /// It was silent for too long.
    Expired,
}

impl Reason {
    /// The word of the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Expired => "expired",
        }
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: Reason,
    /// The number of its last line.
    pub last: u64,
    /// When.
    pub at: Time,
}

/// How a stream stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamState {
    /// Its name.
    pub key: Key,
    /// When it was opened.
    pub opened: Time,
    /// The number of the oldest line that there is.
    pub first: u64,
    /// The number of the newest line; one less than the first when there is none.
    pub last: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Lines a second, lately.
    pub rate: f64,
    /// Who reads along, of this service.
    pub subscribers: u64,
    /// When the last line came, or it was opened.
    pub written: Time,
    /// After so long without a line it is closed.
    pub ttl: Duration,
    /// How it ended, if it has.
    pub end: Option<End>,
    /// The blob that had its name when it was opened.
    pub(super) replaces: Option<Stamp>,
}

/// How a new stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The number of its first line.
    pub first: u64,
    pub ttl: Duration,
    pub replaces: Option<Stamp>,
}
