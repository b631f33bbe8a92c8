//! Whether the clocks of the writing processes stepped back, and how far: see [`super::frontier`].

use std::collections::HashMap;

use super::Lifecycle;
use super::entry::{Author, LogEntry};

/// Watches the times of entries in the order they are stored.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// The latest time of each process that lives.
    latest: HashMap<Author, u64>,
    latest_of_all: u64,
    step: u64,
}

impl Clocks {
    /// Takes in the next entry.
    pub fn see(&mut self, entry: &LogEntry) {
        let time = entry.timestamp;
        match (entry.event(), entry.worker_id) {
            (Some(Lifecycle::StartingUp), _) => {
                self.stepped(self.latest_of_all, time);
                self.latest.clear();
            }
            (Some(Lifecycle::WorkerSpawned), Some(worker)) => {
                self.latest.insert(Author::Worker(worker), time);
            }
            (Some(Lifecycle::WorkerExited), Some(worker)) => {
                if let Some(latest) = self.latest.remove(&Author::Worker(worker)) {
                    self.stepped(latest, time);
                }
            }
            _ => {}
        }
        let author = entry.author();
        let latest = self.latest.get(&author).copied().unwrap_or(time);
        self.stepped(latest, time);
        self.latest.insert(author, latest.max(time));
        self.latest_of_all = self.latest_of_all.max(time);
    }

    fn stepped(&mut self, from: u64, to: u64) {
        self.step = self.step.max(from.saturating_sub(to));
    }

    /// The farthest that any clock stepped back, in milliseconds.
    pub fn step(&self) -> u64 {
        self.step
    }
}
