//! How far a scan has to go until nothing it looks for can follow: section 13 of the format's description.
//!
//! Entries are stored in the order of their times per process, not among processes. Whoever knows which processes live
//! (from the beginning of a run, or from a ping of the master, and from what is spawned and exits) and how far each of
//! them has come, knows a time that nothing beyond the scan can pass.

use foldhash::HashMap;

use super::Lifecycle;
use super::entry::{Author, Body, LogEntry};
use crate::query::Direction;

/// What a scan in one direction knows about the entries that it has not reached.
#[derive(Clone, Debug)]
pub(super) struct Frontier {
    direction: Direction,
    /// Whether the living processes are known.
    known: bool,
    processes: Vec<Process>,
    /// Where each author's stands.
    places: HashMap<Author, usize>,
    /// Holds for every process: the beginning of the run that was passed last.
    edge: Option<u64>,
    /// Where the author of the last entry stands: the next is mostly of the same.
    last: usize,
    /// No clock stepped back farther than so many milliseconds.
    slack: u64,
}

#[derive(Clone, Debug)]
struct Process {
    author: Author,
    lives: bool,
    /// The time of the last entry that the scan met.
    at: Option<u64>,
}

impl Frontier {
    /// Nothing is known, but that no clock stepped back farther than `slack` milliseconds.
    pub fn new(direction: Direction, slack: u64) -> Self {
        Self {
            direction,
            known: false,
            processes: Vec::new(),
            places: HashMap::default(),
            edge: None,
            last: 0,
            slack,
        }
    }

    /// For a scan the other way, from where this one has stopped: who lives is known, if it is.
    pub fn turned(&self) -> Self {
        let mut turned = Self::new(
            match self.direction {
                Direction::Older => Direction::Newer,
                Direction::Newer => Direction::Older,
            },
            self.slack,
        );
        turned.known = self.known;
        for process in self.processes.iter().filter(|process| process.lives) {
            turned.process(process.author).lives = true;
        }
        turned
    }

    /// Takes in the next entries of the scan.
    pub fn see_all<'e>(&mut self, entries: impl Iterator<Item = &'e LogEntry>) {
        for entry in entries {
            self.see(entry);
        }
    }

    /// Takes in the next entry of the scan.
    pub fn see(&mut self, entry: &LogEntry) {
        let time = entry.timestamp;
        match (entry.event(), entry.worker_id, self.direction) {
            (Some(Lifecycle::StartingUp), ..) => {
                self.processes.clear();
                self.places.clear();
                self.edge = Some(time);
                self.known = self.direction == Direction::Newer;
                self.process(Author::Master).lives = self.known;
            }
            (Some(Lifecycle::MasterPing), ..) if !self.known => {
                self.known = true;
                self.process(Author::Master).lives = true;
                if let Body::MasterPing { worker_ids } = &entry.body {
                    for worker in worker_ids {
                        self.process(Author::Worker(*worker)).lives = true;
                    }
                }
            }
            // What a worker wrote lies between its spawning and its exit.
            (Some(Lifecycle::WorkerSpawned), Some(worker), Direction::Newer)
            | (Some(Lifecycle::WorkerExited), Some(worker), Direction::Older) => {
                let known = self.known;
                let process = self.process(Author::Worker(worker));
                process.lives = known;
                process.at = Some(time);
            }
            (Some(Lifecycle::WorkerSpawned | Lifecycle::WorkerExited), Some(worker), _) => {
                let process = self.process(Author::Worker(worker));
                process.lives = false;
                process.at = None;
            }
            _ => {}
        }
        self.process(entry.author()).at = Some(time);
    }

    fn process(&mut self, author: Author) -> &mut Process {
        let is_it = |process: &Process| process.author == author;
        if !self.processes.get(self.last).is_some_and(is_it) {
            self.last = *self.places.entry(author).or_insert_with(|| {
                self.processes.push(Process {
                    author,
                    lives: false,
                    at: None,
                });
                self.processes.len() - 1
            });
        }
        &mut self.processes[self.last]
    }

    /// The time that no entry beyond the scan passes: towards older ones, none is later; towards newer ones, none is
    /// earlier. `None` while nothing can be said.
    pub fn time(&self) -> Option<u64> {
        let living = self.processes.iter().filter(|process| process.lives);
        let times = living.map(|process| process.at);
        // Of all of them, or it proves nothing.
        let times: Option<Vec<u64>> = times.collect();
        let times = times.filter(|_| self.known).unwrap_or_default();
        match self.direction {
            Direction::Older => {
                let latest = times.into_iter().max();
                let time = latest.into_iter().chain(self.edge).min();
                time.map(|time| time.saturating_add(self.slack))
            }
            Direction::Newer => {
                let earliest = times.into_iter().min();
                let time = earliest.into_iter().chain(self.edge).max();
                time.map(|time| time.saturating_sub(self.slack))
            }
        }
    }

    /// Whether everything beyond the scan lies beyond a time, too.
    pub fn is_beyond(&self, bound: u64) -> bool {
        self.time().is_some_and(|time| match self.direction {
            Direction::Older => time < bound,
            Direction::Newer => time > bound,
        })
    }
}
