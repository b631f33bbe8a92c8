//! Ranges of time, both ways, and the tail of a log.

use std::time::Duration;

use super::ahead::Ahead;
use super::edge::{lower_edge, upper_edge};
use super::entry::LogEntry;
use super::frontier::Frontier;
use super::scan::{Block, Blocks};
use super::session::{Session, bounds, checked};
use super::tail::Tail;
use super::vfs::{Reads, Vfs};
use super::{Damage, Error};
use crate::query::Direction;

/// So many blocks are read ahead at the most, to be decoded on all processors.
const MAX_AHEAD: usize = 64;
/// And about so many bytes of them.
const MAX_AHEAD_BYTES: usize = 1 << 20;

/// Reads a log from any source of bytes.
///
/// One operation runs at a time: each borrows the reader until it is dropped, which closes the source.
pub struct LogReader<V> {
    pub(super) blocks: Blocks<V>,
    /// No clock stepped back farther than so many milliseconds.
    pub(super) slack: u64,
}

impl<V: Vfs> LogReader<V> {
    /// A reader of a source that is not open yet.
    pub fn new(source: V) -> Self {
        Self {
            blocks: Blocks::new(source),
            slack: 0,
        }
    }

    /// Finds entries also where the clock of a process stepped back, by no more than this. A range is found by the times and
    /// pings in the log: without slack, as in the original, entries written after such a step may be missed.
    #[must_use]
    pub fn clock_slack(mut self, slack: Duration) -> Self {
        self.slack = u64::try_from(slack.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Reads every block for every range: finds everything, however far a clock stepped back.
    #[must_use]
    pub fn exhaustive(self, exhaustive: bool) -> Self {
        self.clock_slack(if exhaustive {
            Duration::MAX
        } else {
            Duration::ZERO
        })
    }

    /// The entries from `min` to `max`, both included, milliseconds since 1970, in the order they are stored: of each
    /// process in the order of their times.
    ///
    /// # Errors
    /// A bound is no time, or they are the wrong way round: then no source was touched. Or the source cannot be read.
    pub fn range(&mut self, min: i64, max: i64) -> Result<Range<'_, V>, Error> {
        Range::begin(self, min, max, Direction::Newer)
    }

    /// The same entries in exactly the opposite order.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn range_reversed(&mut self, min: i64, max: i64) -> Result<Range<'_, V>, Error> {
        Range::begin(self, min, max, Direction::Older)
    }

    /// The entries from `min` on, and those that are written later. The source must look for them: see
    /// [`super::LogDirectorySource::poll_interval`].
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn tail(&mut self, min: i64) -> Result<Tail<'_, V>, Error> {
        let min = checked(min)?;
        let mut session = Session::open(&mut self.blocks)?;
        let edge = lower_edge(&mut session, min, self.slack)?.at;
        Ok(Tail { session, edge, min })
    }

    /// What was found damaged and passed over, in the order of the source, up to a thousand places.
    pub fn damage(&self) -> impl Iterator<Item = &Damage> {
        self.blocks.damage().iter()
    }

    /// How many damaged places there were, remembered or not.
    pub fn damage_count(&self) -> u64 {
        self.blocks.damage().count()
    }

    /// What was asked of the source so far.
    pub fn reads(&self) -> Reads {
        self.blocks.paged.reads()
    }
}

/// Entries of a range of time.
pub struct Range<'r, V: Vfs> {
    session: Session<'r, V>,
    direction: Direction,
    bounds: std::ops::RangeInclusive<u64>,
    /// Blocks that were read to find the beginning.
    passed: std::vec::IntoIter<Block>,
    edge: u64,
    frontier: Frontier,
    /// Blocks that were read ahead, and how many are the next time: few where little is wanted.
    ahead: Ahead,
    batch: usize,
    /// Why nothing more can be read.
    failed: Option<Error>,
    entries: std::vec::IntoIter<LogEntry>,
    ended: bool,
}

impl<'r, V: Vfs> Range<'r, V> {
    fn begin(
        reader: &'r mut LogReader<V>,
        min: i64,
        max: i64,
        direction: Direction,
    ) -> Result<Self, Error> {
        let bounds = bounds(min, max)?;
        let slack = reader.slack;
        let mut session = Session::open(&mut reader.blocks)?;
        let edge = match direction {
            Direction::Newer => lower_edge(&mut session, *bounds.start(), slack)?,
            Direction::Older => upper_edge(&mut session, *bounds.end(), slack)?,
        };
        Ok(Self {
            session,
            direction,
            bounds,
            passed: edge.passed.into_iter(),
            edge: edge.beyond,
            frontier: edge.frontier.turned(),
            ahead: Ahead::default(),
            batch: 1,
            failed: None,
            entries: Vec::new().into_iter(),
            ended: false,
        })
    }

    /// What was found damaged and passed over so far.
    pub fn damage(&self) -> impl Iterator<Item = &Damage> {
        self.session.damage().iter()
    }

    fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if let Some(block) = self.passed.next() {
            return Ok(Some(block));
        }
        loop {
            while self.failed.is_none()
                && self.ahead.len() < self.batch
                && self.ahead.stored_bytes() < MAX_AHEAD_BYTES
            {
                match self.session.next_stored(&mut self.edge, self.direction) {
                    Ok(Some(stored)) => self.ahead.put(stored),
                    Ok(None) => break,
                    // What was read before comes first.
                    Err(error) => self.failed = Some(error),
                }
            }
            self.batch = (self.batch + 1).min(MAX_AHEAD);
            let Some((place, decoded)) = self.ahead.take(&mut self.session.decoder) else {
                return self.failed.take().map_or(Ok(None), Err);
            };
            if let Some(block) = self.session.noted(place, decoded) {
                return Ok(Some(block));
            }
        }
    }

    /// The next block in the direction, its entries in the order they are stored.
    pub(super) fn block(&mut self) -> Result<Option<Block>, Error> {
        let block = self.next_block()?;
        if let Some(block) = &block {
            match self.direction {
                Direction::Newer => self.frontier.see_all(block.entries.iter()),
                Direction::Older => self.frontier.see_all(block.entries.iter().rev()),
            }
        }
        Ok(block)
    }

    /// The time that no entry passes which was not read yet.
    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Reads the next block. Whether there was one.
    fn advance(&mut self) -> Result<bool, Error> {
        let Some(Block { mut entries, .. }) = self.block()? else {
            return Ok(false);
        };
        let far = match self.direction {
            Direction::Newer => *self.bounds.end(),
            Direction::Older => {
                entries.reverse();
                *self.bounds.start()
            }
        };
        self.ended = self.frontier.is_beyond(far);
        self.entries = entries.into_iter();
        Ok(true)
    }
}

impl<V: Vfs> Iterator for Range<'_, V> {
    type Item = Result<LogEntry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bounds = &self.bounds;
            let inside = self.entries.find(|entry| bounds.contains(&entry.timestamp));
            if let Some(entry) = inside {
                return Some(Ok(entry));
            }
            if self.ended {
                return None;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
