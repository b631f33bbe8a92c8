//! How events are kept, what listeners may run, and which entries become events.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Rule;

/// How events are kept, what listeners may run, and which entries become events.
#[derive(Clone, Debug)]
pub struct Options {
    /// Events of the history.
    pub history: u64,
    /// How long they are kept.
    pub history_age: Duration,
    /// What the action `command` may run, by name.
    pub commands: BTreeMap<String, Program>,
    /// Which entries of the log become events.
    pub rules: Vec<Rule>,
}

/// A program that a listener may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// It is ended after so long.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            history: 100_000,
            history_age: Duration::from_hours(24 * 30),
            commands: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}
