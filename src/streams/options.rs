//! How much of a stream is kept, and how long it may be silent.

use std::time::Duration;

/// How streams are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// After so long without a line a stream is closed, unless it was opened with a time of its own.
    pub ttl: Duration,
    /// The longest time that a stream may be opened with.
    pub ttl_most: Duration,
    /// Bytes of an open stream on disk; beyond them the oldest lines go, and readers and the blob are told.
    pub history: u64,
    /// Bytes of a stream in memory for those who read along.
    pub ring: usize,
    /// Bytes of a line at the most.
    pub line: usize,
    /// Whether lines enter the embedded log too.
    pub to_log: bool,
    /// The Redis that holds open streams, so that several services share them; `None` is the local directory.
    pub redis: Option<RedisOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ttl: Duration::from_hours(5),
            ttl_most: Duration::from_hours(24),
            history: 4 << 30,
            ring: 512 << 10,
            line: 1 << 20,
            to_log: false,
            redis: None,
        }
    }
}

/// A Redis.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// `redis://user:password@host:port/db`, or `rediss://` for TLS.
    pub url: String,
    /// What stands before every name in it.
    pub prefix: String,
    /// Lines of an open stream; beyond them the oldest go.
    pub history_lines: u64,
}

/// The address may hold a password.
impl std::fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("history_lines", &self.history_lines)
            .finish_non_exhaustive()
    }
}
