//! Pages in the order of times, from entries that are stored nearly in it.
//!
//! The scan begins where everything beyond lies beyond the page's start, and keeps the entries nearest to the start. It
//! ends when nothing that was not read can be nearer than the farthest of those kept.

use std::collections::BTreeMap;

use super::convert::{millis_of, time_of};
use super::place::position;
use super::select::Selection;
use super::{LogDirectory, Reading};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::logdir::{Error, MAX_TIMESTAMP};
use crate::query::{Direction, Page, PageRequest, Progress, Start, Ties};

/// Entries looked at before a page is given though it is not full.
const SCAN_BUDGET: u64 = 200_000;
/// Entries of one time that [`Ties::Whole`] takes beyond the limit.
const MAX_TIES: usize = 5_000;

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
    request: &'r PageRequest,
    selection: Selection,
    start: Key,
    /// The entries nearest to the start.
    kept: BTreeMap<Key, Entry>,
    /// Entries that were too far from the start.
    dropped: bool,
    scanned: u64,
    budget: u64,
}

impl<'r> Scan<'r> {
    fn new(request: &'r PageRequest, budget: u64) -> Self {
        let selection = Selection::new(&request.query, request.now);
        let (from, to) = selection.times();
        let at = |time| Key {
            time,
            position: Position(0),
        };
        let asked = match (request.start, request.direction) {
            (Start::Beyond(key), _) => key,
            (Start::End, Direction::Older) => Key::MAX,
            (Start::End, Direction::Newer) => Key::MIN,
        };
        let start = match request.direction {
            Direction::Older => asked.min(at(to)),
            Direction::Newer => asked.max(at(from).before()),
        };
        Self {
            request,
            selection,
            start,
            kept: BTreeMap::new(),
            dropped: false,
            scanned: 0,
            budget,
        }
    }

    /// The page in the order it was read, and the key beyond which more may lie.
    fn run(mut self, reading: &mut Reading) -> Result<(Page, Option<Key>), Error> {
        let size = reading.size;
        let forever = i64::try_from(MAX_TIMESTAMP).unwrap_or(i64::MAX);
        let time = match self.start.time {
            Time::MAX => forever,
            time => millis_of(time).clamp(0, forever),
        };
        let mut range = match self.request.direction {
            Direction::Older => reading.reader.range_reversed(0, time)?,
            Direction::Newer => reading.reader.range(time, forever)?,
        };
        let (mut bytes, mut partial, mut ended) = (0, None, false);
        while !self.is_done(range.frontier().time()) {
            if self.scanned >= self.budget
                && let Some(resume) = self.resume(range.frontier().time())
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
                if self.is_nearer(self.start, key)
                    && let Some(entry) = self.selection.pick(entry, key.position)
                {
                    self.keep(key, entry);
                }
            }
        }
        let total = u128::from(self.scanned) * u128::from(size) / u128::from(bytes.max(1));
        let progress = Progress {
            scanned: self.scanned,
            total: u64::try_from(total).unwrap_or(u64::MAX).max(self.scanned),
        };
        Ok(self.finish(partial, ended, progress))
    }

    /// Whether a key lies nearer to the start than another.
    fn is_nearer(&self, near: Key, far: Key) -> bool {
        match self.request.direction {
            Direction::Older => near > far,
            Direction::Newer => near < far,
        }
    }

    fn capacity(&self) -> usize {
        match self.request.ties {
            Ties::Split => self.request.limit,
            Ties::Whole => self.request.limit + MAX_TIES,
        }
    }

    /// The farthest entry that is kept.
    fn farthest(&self) -> Option<Key> {
        let far = match self.request.direction {
            Direction::Older => self.kept.first_key_value(),
            Direction::Newer => self.kept.last_key_value(),
        };
        far.map(|(key, _)| *key)
    }

    fn keep(&mut self, key: Key, entry: Entry) {
        if self.kept.len() >= self.capacity() {
            self.dropped = true;
            match self.farthest() {
                Some(farthest) if self.is_nearer(key, farthest) => self.kept.remove(&farthest),
                _ => return,
            };
        }
        self.kept.insert(key, entry);
    }

    /// The last entry of a full page: what lies beyond its time does not belong to the page.
    fn last_wanted(&self) -> Option<Key> {
        let last = self.request.limit.checked_sub(1)?;
        let key = match self.request.direction {
            Direction::Older => self.kept.keys().nth_back(last),
            Direction::Newer => self.kept.keys().nth(last),
        };
        key.copied()
    }

    /// Whether nothing that was not read can belong to the page, given the time that none of it passes.
    fn is_done(&self, frontier: Option<u64>) -> bool {
        let Some(frontier) = frontier.map(time_of) else {
            return self.request.limit == 0;
        };
        let (from, to) = self.selection.times();
        let last = self.last_wanted().map(|key| key.time);
        match self.request.direction {
            Direction::Older => frontier < from || last.is_some_and(|time| frontier < time),
            Direction::Newer => frontier >= to || last.is_some_and(|time| frontier > time),
        }
    }

    /// Where a scan that ends here is taken up, if that is beyond where it began: everything that was not read lies beyond.
    fn resume(&self, frontier: Option<u64>) -> Option<Key> {
        let frontier = frontier?;
        let key = match self.request.direction {
            Direction::Older => Key {
                time: time_of(frontier.saturating_add(1)),
                position: Position(0),
            },
            Direction::Newer => Key {
                time: time_of(frontier),
                position: Position(0),
            }
            .before(),
        };
        self.is_nearer(self.start, key).then_some(key)
    }

    fn finish(
        mut self,
        partial: Option<Key>,
        ended: bool,
        progress: Progress,
    ) -> (Page, Option<Key>) {
        if let Some(resume) = partial {
            // What lies beyond is read again.
            let mut beyond = self.kept.split_off(&resume);
            if self.request.direction == Direction::Older {
                std::mem::swap(&mut self.kept, &mut beyond);
            }
        }
        let mut entries: Vec<Entry> = match self.request.direction {
            Direction::Older => self.kept.into_values().rev().collect(),
            Direction::Newer => self.kept.into_values().collect(),
        };
        let limit = self.request.limit;
        let mut cut = false;
        if entries.len() > limit {
            let edge = limit.checked_sub(1).map(|last| entries[last].time);
            let tied = entries[limit..].iter();
            let tied = tied.take_while(|entry| Some(entry.time) == edge).count();
            cut = limit + tied < entries.len();
            entries.truncate(limit + tied);
        }
        let full = entries.len() >= limit;
        let more = self.dropped || (full && !ended);
        let last = entries.last().map(Entry::key);
        // What was cut off is nearer than where the scan stopped.
        let beyond = if cut {
            last
        } else {
            partial.or(last.filter(|_| more))
        };
        let page = Page {
            entries,
            partial: partial.is_some() && !cut,
            progress,
            ..Page::default()
        };
        (page, beyond)
    }
}
