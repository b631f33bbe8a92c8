//! One log record, and how bytes become one.
//!
//! ```text
//! bytes --decode--> Entry (no position yet) --store::Appender--> Entry with its Position
//! Entry <--json--> the one JSON form of the wire
//! ```
//!
//! Invariants: nothing that arrived is lost (unknown keys stay in [`Fields`], undecodable bytes ride along, see
//! [`bytes`]); times are never altered. Knows no storage, no network, no terminal and no clock: the time of arrival is
//! passed in.

mod level;
mod pseudonyms;
mod record;
mod visible;

pub mod bytes;
pub mod decode;
pub mod ink;
pub mod json;

pub use level::{Level, UnknownLevel};
pub use pseudonyms::Pseudonyms;
pub use record::{Entry, Fields, Key, Position, Scope};
pub use visible::{Visible, visible};
