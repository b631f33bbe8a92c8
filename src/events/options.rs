//! How events are kept.

use std::time::Duration;

/// How events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Events of the history.
    pub history: u64,
    /// How long they are kept.
    pub history_age: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            history: 100_000,
            history_age: Duration::from_hours(24 * 30),
        }
    }
}
