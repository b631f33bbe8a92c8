//! From bytes to [`Entry`], whatever the sender's habits.
//!
//! ```text
//! line --Decoder--> JSON object --+
//!                   logfmt -------+--> keys by their usual names --> Entry
//!                   CRI, Docker, syslog --> what is within, decoded -> Entry
//!                   access log, klog, plain text --> leading time and level --> Entry
//! lines --> [`Lines`] joins continuation lines (stack traces) to the entry before
//! ```
//!
//! Invariants: decoding never fails (what is no known form is text); no key or byte is dropped; times are not altered but for their zone.

mod access;
mod container;
mod custom;
mod decoder;
mod detect;
mod export;
mod format;
mod glance;
mod lines;
mod logfmt;
mod nested;
mod object;
mod pairs;
mod pattern;
mod plain;
mod syslog;
pub mod time;

pub use custom::{FormatError, FormatOptions};
pub use decoder::Decoder;
pub use format::Format;
pub use glance::Glance;
pub use lines::Lines;
pub use nested::words;
pub use object::{attach, from_object, from_wire};
pub use pairs::Pairs;
pub use pattern::{Pattern, PatternError, PatternOptions};

use self::time::Unsaid;
use super::Entry;
use crate::base::{Time, Zone};

/// What an entry gets where its sender said nothing.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Time of arrival; also supplies the year to times that have none.
    pub arrival: Time,
    /// The zone of times that name none.
    pub zone: Zone,
    /// Namespace of entries that name none.
    pub namespace: String,
    /// Source of entries that name none.
    pub source: Option<String>,
}

impl Defaults {
    /// Arrived at `arrival`, written in UTC, namespace `default`, no source.
    #[must_use]
    pub fn at(arrival: Time) -> Self {
        Self {
            arrival,
            zone: Zone::default(),
            namespace: "default".to_owned(),
            source: None,
        }
    }

    /// What times leave unsaid.
    fn unsaid(&self) -> Unsaid<'_> {
        Unsaid {
            arrival: self.arrival,
            zone: &self.zone,
        }
    }
}

/// The form a line was found to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// Anything else, with a time found at its head.
    Timed,
    /// Anything else.
    Plain,
    /// A part of a line that goes on in the next.
    Part,
}

/// Decodes one line (without its newline) in the form it is found to have.
#[must_use]
pub fn line(line: &[u8], defaults: &Defaults) -> (Entry, Form) {
    Decoder::Auto.line(line, defaults)
}
