//! From bytes to [`Entry`], whatever the sender's habits.
//!
//! ```text
//! line --detect--> JSON object --+
//!                  logfmt -------+--> keys by their usual names --> Entry
//!                  plain text ------> leading time and level -----> Entry
//! lines --> [`Lines`] joins continuation lines (stack traces) to the entry before
//! ```
//!
//! Invariants: decoding never fails (what is no known form is text); no key or byte is dropped; times are not altered.

mod lines;
mod logfmt;
mod object;
mod plain;
pub mod time;

pub use lines::Lines;
pub use object::{Pairs, attach, from_object, from_wire};

use super::Entry;
use super::bytes;
use crate::base::Time;

/// What an entry gets where its sender said nothing.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Time of arrival; also supplies the year to times that have none.
    pub arrival: Time,
    /// Namespace of entries that name none.
    pub namespace: String,
    /// Source of entries that name none.
    pub source: Option<String>,
}

impl Defaults {
    /// Arrived at `arrival`, namespace `default`, no source.
    #[must_use]
    pub fn at(arrival: Time) -> Self {
        Self {
            arrival,
            namespace: "default".to_owned(),
            source: None,
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
}

/// Decodes one line (without its newline).
#[must_use]
pub fn line(line: &[u8], defaults: &Defaults) -> (Entry, Form) {
    let text = bytes::decode(line);
    let trimmed = text.trim_end_matches(['\r', '\n']);
    if trimmed.trim_start().starts_with('{')
        && let Ok(object) = serde_json::from_str::<Pairs>(trimmed)
    {
        return (from_object(object, defaults), Form::Json);
    }
    if let Some(object) = logfmt::parse(trimmed) {
        return (from_object(object, defaults), Form::Logfmt);
    }
    plain::parse(trimmed, defaults)
}
