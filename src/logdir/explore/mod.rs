//! A log directory as something to explore, where it lies: nothing is copied.
//!
//! ```text
//! LogDirectory --looks now and then--> a picture of the files --LogReader--> LogEntry --convert--> Entry
//!              page, histogram, facets, values, context, entry: of one picture each; Feed: of one after the other
//! ```
//!
//! Entries are shown in the order of their times, as every log's are; they are stored nearly in it. Pings (level INTERNAL)
//! are hidden from questions that name no level and no event. How far a clock stepped back is found when everything is
//! counted; pages are complete from then on.

mod convert;
mod count;
mod feed;
mod lookup;
mod page;
mod place;
mod select;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use convert::to_entry;
pub use feed::{Feed, FeedBatch};

use super::clocks::Clocks;
use super::session::Session;
use super::{Error, LogDirectorySource, LogReader};
use crate::entry::Position;
use crate::query::NamespaceCount;

/// So many damaged places are told.
const MAX_TOLD: usize = 100;
/// Times that rise by less than this are put right by reading more; a time that is simply wrong must not make every page
/// read everything.
const MAX_SLACK: Duration = Duration::from_hours(1);

/// A log directory that is explored. Copies share what is open.
#[derive(Clone)]
pub struct LogDirectory(Arc<Shared>);

struct Shared {
    source: Mutex<LogDirectorySource>,
    counted: Mutex<Counted>,
    /// The farthest that a clock was seen to step back, in milliseconds.
    clock_step: AtomicU64,
    /// Damaged places that were told: file and offset.
    told: Mutex<HashSet<(String, u64)>>,
}

/// The entries before an edge, counted.
struct Counted {
    edge: u64,
    count: NamespaceCount,
    clocks: Clocks,
}

impl LogDirectory {
    /// Opens the directory of a source; with a poll interval it follows what is written. Where nobody has written for a
    /// while (`quiet`), every file there is now is shown; those that are added later wait for all processes as ever.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn open(source: LogDirectorySource, quiet: bool) -> Result<Self, Error> {
        let mut source = source.immutable(quiet);
        source.look()?;
        let source = source.immutable(false);
        Ok(Self(Arc::new(Shared {
            source: Mutex::new(source),
            counted: Mutex::new(Counted {
                edge: 0,
                count: NamespaceCount::of(convert::NAMESPACE),
                clocks: Clocks::default(),
            }),
            clock_step: AtomicU64::new(0),
            told: Mutex::new(HashSet::new()),
        })))
    }

    /// The files that are not shown yet because not every process writes to them.
    #[must_use]
    pub fn hidden(&self) -> Vec<String> {
        let source = lock(&self.0.source);
        let (_, hidden) = source.listing();
        hidden.into_iter().map(str::to_owned).collect()
    }

    /// Says what was passed over, each place once.
    fn tell(&self, reading: &Reading) {
        let mut told = lock(&self.0.told);
        for damage in reading.reader.damage() {
            if told.len() < MAX_TOLD && told.insert((damage.file.clone(), damage.offset)) {
                tracing::warn!("{damage}");
            }
        }
    }

    /// A reader of what is there now.
    fn reading(&self) -> Result<Reading, Error> {
        let mut source = lock(&self.0.source);
        source.refresh()?;
        let slack = Duration::from_millis(self.0.clock_step.load(Ordering::Relaxed));
        Ok(Reading {
            size: source.shown_bytes(),
            reader: LogReader::new(source.frozen()).clock_slack(slack.min(MAX_SLACK)),
        })
    }
}

impl fmt::Debug for LogDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogDirectory")
    }
}

/// One picture of the directory, being read.
struct Reading {
    reader: LogReader<LogDirectorySource>,
    /// Its bytes.
    size: u64,
}

impl Reading {
    fn session(&mut self) -> Result<Session<'_, LogDirectorySource>, Error> {
        Session::open(&mut self.reader.blocks)
    }

    /// Whoever follows after this position misses nothing: behind it, no block is whole yet.
    fn head(&mut self) -> Result<Position, Error> {
        let size = self.size;
        Ok(place::before(self.session()?.edge_before(size)?))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
