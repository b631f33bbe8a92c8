//! How far a long piece of work has come, told across threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Work done of work to do, in whatever unit the worker counts.
#[derive(Debug, Default)]
pub struct Gauge {
    done: AtomicU64,
    total: AtomicU64,
    finished: AtomicBool,
}

impl Gauge {
    /// More work was found.
    pub fn expect(&self, more: u64) {
        self.total.fetch_add(more, Ordering::Relaxed);
    }

    /// Some of it is done.
    pub fn advance(&self, done: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    /// All of it is done.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    /// Done and total; `None` when finished.
    #[must_use]
    pub fn reading(&self) -> Option<(u64, u64)> {
        if self.finished.load(Ordering::Acquire) {
            return None;
        }
        let done = self.done.load(Ordering::Relaxed);
        Some((done, self.total.load(Ordering::Relaxed).max(done)))
    }
}
