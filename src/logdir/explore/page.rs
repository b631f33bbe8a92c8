//! Pages in the order of times, from entries that are stored nearly in it.
//!
//! The scan begins where everything beyond lies beyond the page's start, and keeps the entries nearest to the start. It
//! ends when nothing that was not read can be nearer than the farthest of those kept.

use super::convert::{millis_of, time_of};
use super::place::position;
use super::select::Selection;
use super::{LogDirectory, Reading};
use crate::base::Time;
use crate::entry::Key;
use crate::logdir::{Error, MAX_TIMESTAMP};
use crate::query::{Direction, Nearest, Page, PageRequest, Progress};

/// Entries looked at before a page is given though it is not full.
const SCAN_BUDGET: u64 = 200_000;

impl LogDirectory {
    /// Reads one page. Blocks the thread for about one scan budget; in a directory without pings, for as long as it takes to
    /// read it.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn page(&self, request: &PageRequest) -> Result<Page, Error> {
        self.page_within(request, SCAN_BUDGET)
    }

    pub(super) fn page_within(&self, request: &PageRequest, budget: u64) -> Result<Page, Error> {
        let mut reading = self.reading()?;
        let head = reading.head()?;
        let (page, beyond) = Scan::new(request, budget).run(&mut reading)?;
        self.tell(&reading);
        Ok(Page { head, ..page }.placed(request, beyond))
    }
}

/// A page in the making.
struct Scan<'r> {
    direction: Direction,
    selection: Selection,
    nearest: Nearest<'r>,
    is_empty: bool,
    scanned: u64,
    budget: u64,
}

impl<'r> Scan<'r> {
    fn new(request: &'r PageRequest, budget: u64) -> Self {
        let selection = Selection::new(&request.query, request.now);
        Self {
            direction: request.direction,
            nearest: Nearest::new(request, selection.times(), usize::MAX),
            selection,
            is_empty: request.limit == 0,
            scanned: 0,
            budget,
        }
    }

    /// The page in the order it was read, and the key beyond which more may lie.
    fn run(mut self, reading: &mut Reading) -> Result<(Page, Option<Key>), Error> {
        let size = reading.size;
        let forever = i64::try_from(MAX_TIMESTAMP).unwrap_or(i64::MAX);
        let time = match self.nearest.start().time {
            Time::MAX => forever,
            time => millis_of(time).clamp(0, forever),
        };
        let mut range = match self.direction {
            Direction::Older => reading.reader.range_reversed(0, time)?,
            Direction::Newer => reading.reader.range(time, forever)?,
        };
        let (mut bytes, mut partial, mut ended) = (0, None, false);
        loop {
            let frontier = range.frontier().time().map(time_of);
            if frontier.map_or(self.is_empty, |frontier| self.nearest.is_done(frontier)) {
                break;
            }
            if self.scanned >= self.budget
                && let Some(resume) = frontier.and_then(|frontier| self.nearest.resume(frontier))
            {
                partial = Some(resume);
                break;
            }
            let Some(block) = range.block()? else {
                ended = true;
                break;
            };
            bytes += block.place.end - block.place.start;
            let numbered = block.entries.iter().enumerate();
            for (number, entry) in numbered {
                let key = Key {
                    time: time_of(entry.timestamp),
                    position: position(block.place.start, number),
                };
                self.scanned += 1;
                if self.nearest.is_beyond_start(key)
                    && let Some(entry) = self.selection.pick(entry, key.position)
                {
                    self.nearest.keep(entry);
                }
            }
        }
        let total = u128::from(self.scanned) * u128::from(size) / u128::from(bytes.max(1));
        let progress = Progress {
            scanned: self.scanned,
            total: u64::try_from(total).unwrap_or(u64::MAX).max(self.scanned),
        };
        let (page, beyond) = self.nearest.done(partial, ended);
        Ok((Page { progress, ..page }, beyond))
    }
}
