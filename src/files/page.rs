//! Pages in the order of times, from files whose lines lie nearly in it.
//!
//! Each log is read from where the page begins, block by block; the entries nearest to the start are kept. The page ends when
//! nothing that was not read can be nearer than the farthest of those kept.

use std::collections::BTreeMap;

use super::lane::{Address, Walk};
use super::selection::Selection;
use super::{Error, LogFiles};
use crate::base::{Time, Workers};
use crate::entry::{Entry, Key, Position};
use crate::query::{Direction, Page, PageRequest, Progress, Start, Ties, Verdict};

/// What a page may cost before it is given though it is not full, in bytes: those that are only searched count once,
const BUDGET: u64 = 192 << 20;
/// those that are decoded so many times.
const DECODED: u64 = 8;
/// Blocks read at once, at the most.
const AT_ONCE: usize = 32;
/// Entries of one time that [`Ties::Whole`] takes beyond the limit.
const MAX_TIES: usize = 5_000;
/// Bytes that the entries of a page may take, estimated; a page of longer ones is shorter.
const MAX_WEIGHT: usize = 16 << 20;

impl LogFiles {
    /// Reads one page. Blocks the thread for some ten milliseconds, or until `stop` says so; longer where compressed files must
    /// be unpacked.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn page(&self, request: &PageRequest, stop: &dyn Fn() -> bool) -> Result<Page, Error> {
        self.page_within(request, BUDGET, stop)
    }

    pub(super) fn page_within(
        &self,
        request: &PageRequest,
        budget: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<Page, Error> {
        let _asking = self.asking();
        let picture = self.picture();
        let head = picture.head;
        let mut scan = Scan::new(self, request, budget);
        let (page, beyond) = scan.run(picture.lanes, stop)?;
        Ok(Page { head, ..page }.placed(request, beyond))
    }
}

/// A page in the making.
struct Scan<'r> {
    files: &'r LogFiles,
    request: &'r PageRequest,
    selection: Selection,
    start: Key,
    /// The entries nearest to the start.
    kept: BTreeMap<Key, Entry>,
    weight: usize,
    /// Entries that were too far from the start.
    dropped: bool,
    cost: u64,
    budget: u64,
    progress: Progress,
}

/// What a block holds for a page.
#[derive(Default)]
struct Harvest {
    /// The time of its entry that is farthest from the start.
    far: Option<Time>,
    entries: Vec<Entry>,
    dropped: bool,
    cost: u64,
}

impl<'r> Scan<'r> {
    fn new(files: &'r LogFiles, request: &'r PageRequest, budget: u64) -> Self {
        let selection = Selection::new(&request.query, request.now, files.options());
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
            Direction::Older if to == Time::MAX => asked,
            Direction::Older => asked.min(at(to)),
            Direction::Newer => asked.max(at(from).before()),
        };
        Self {
            files,
            request,
            selection,
            start,
            kept: BTreeMap::new(),
            weight: 0,
            dropped: false,
            cost: 0,
            budget,
            progress: Progress::default(),
        }
    }

    /// The page in the order it was read, and the key beyond which more may lie.
    fn run(
        &mut self,
        lanes: Vec<super::lane::Lane>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Page, Option<Key>), Error> {
        let direction = self.request.direction;
        let walk = |lane| Walk::new(lane, direction, self.start.time);
        let mut walks: Vec<Walk> = lanes.into_iter().map(walk).collect();
        let bytes: u64 = walks.iter().map(|walk| walk.lane().bytes()).sum();
        let workers = Workers::eager(self.files.options().threads);
        let mut at_once = 1;
        let (mut partial, mut searched) = (None, 0);
        while let Some(nearest) = self.nearest(&walks) {
            if self.is_done(walks.get(nearest).and_then(Walk::frontier)) {
                break;
            }
            if self.cost >= self.budget || stop() {
                let frontier = walks.get(nearest).and_then(Walk::frontier);
                if let Some(resume) = self.resume(frontier) {
                    partial = Some(resume);
                    break;
                }
            }
            let walk = &mut walks[nearest];
            let addresses = walk.take(at_once, |lane, at| self.is_wanted(lane, at));
            if let Some(closed) = addresses.first().filter(|address| address.is_closed) {
                closed.part.unpack(self.files.options(), stop)?;
                *walk = walk.unpacked(self.start.time);
                continue;
            }
            searched += addresses.len() as u64 * super::block::BLOCK;
            let cutoff = (self.kept.len() >= self.capacity())
                .then(|| self.farthest())
                .flatten();
            let harvests = workers.map(&addresses, |address| self.harvest(address, cutoff));
            let before = self.kept.len();
            for harvest in harvests {
                let harvest = harvest?;
                self.cost += harvest.cost;
                self.dropped |= harvest.dropped;
                if let Some(far) = harvest.far {
                    walk.read(far);
                }
                for entry in harvest.entries {
                    self.keep(entry);
                }
            }
            // Where little is found, much is read at once.
            let found = self.kept.len().saturating_sub(before);
            if found * 4 < self.request.limit {
                at_once = (at_once * 2).min(AT_ONCE);
            }
        }
        let is_ended = self.nearest(&walks).is_none();
        self.progress = self.files.progress(searched, bytes);
        Ok(self.finish(partial, is_ended))
    }

    /// The log whose unread entries may be nearest to the start.
    fn nearest(&self, walks: &[Walk]) -> Option<usize> {
        let frontiers = walks.iter().enumerate();
        let frontiers = frontiers.filter_map(|(at, walk)| Some((walk.frontier()?, at)));
        let nearest = match self.request.direction {
            Direction::Older => frontiers.max(),
            Direction::Newer => frontiers.min_by_key(|(time, at)| (*time, std::cmp::Reverse(*at))),
        };
        nearest.map(|(_, at)| at)
    }

    /// Whether a block must be read: what is known of it does not say that nothing of it belongs to the page.
    fn is_wanted(&self, lane: &super::lane::Lane, at: usize) -> bool {
        let Some((summary, verdict)) = lane.verdict(at, &self.selection.matcher) else {
            return true;
        };
        let (from, to) = self.selection.times();
        let is_near = match self.request.direction {
            Direction::Older => summary.oldest <= self.start.time,
            Direction::Newer => summary.newest >= self.start.time,
        };
        let is_within = summary.newest >= from && (summary.oldest < to || to == Time::MAX);
        verdict != Verdict::None && is_near && is_within
    }

    /// The entries of a block that may belong to the page.
    fn harvest(&self, address: &Address, cutoff: Option<Key>) -> Result<Harvest, Error> {
        let part = &address.part;
        let needle = self.selection.needle_for(part);
        let afar = needle.and_then(|needle| part.found_afar(needle, address.settled));
        if afar.is_some_and(|blocks| blocks.binary_search(&address.block).is_err()) {
            return Ok(Harvest::default());
        }
        let mut block = self.files.spare_block();
        part.block(address.block, address.settled, &mut block)?;
        let mut harvest = Harvest {
            // Times are mostly in order: where most entries are passed over, the first tells of all.
            far: needle.and_then(|_| part.first_time_in(address.block, &block)),
            entries: Vec::new(),
            dropped: false,
            cost: block.bytes().len() as u64,
        };
        let mut near = Vec::new();
        part.each_of(address.block, &block, needle, |found| {
            let time = found.key.time;
            harvest.cost += found.raw.len() as u64 * DECODED;
            let far = harvest.far.get_or_insert(time);
            *far = match self.request.direction {
                Direction::Older => (*far).min(time),
                Direction::Newer => (*far).max(time),
            };
            if !self.is_nearer(self.start, found.key) {
                return;
            }
            if cutoff.is_some_and(|cutoff| !self.is_nearer(found.key, cutoff)) {
                harvest.dropped = true;
                return;
            }
            match self.selection.glance(&found) {
                Verdict::None => {}
                verdict => near.push((found.key, found.raw, verdict)),
            }
        });
        near.sort_by_key(|(key, ..)| *key);
        if self.request.direction == Direction::Older {
            near.reverse();
        }
        for (key, raw, verdict) in near {
            if harvest.entries.len() >= self.capacity() {
                harvest.dropped = true;
                break;
            }
            let entry = part.decode(key, raw);
            if verdict == Verdict::All || self.selection.matcher.matches(&entry) {
                harvest.entries.push(entry);
            }
        }
        Ok(harvest)
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

    fn keep(&mut self, entry: Entry) {
        let key = entry.key();
        let is_full = |scan: &Self| {
            scan.kept.len() >= scan.capacity()
                || (scan.weight > MAX_WEIGHT && !scan.kept.is_empty())
        };
        while is_full(self) {
            self.dropped = true;
            match self.farthest() {
                Some(farthest) if self.is_nearer(key, farthest) => {
                    let gone = self.kept.remove(&farthest);
                    self.weight -= gone.map_or(0, |gone| gone.weight());
                }
                _ => return,
            }
        }
        self.weight += entry.weight();
        self.kept.insert(key, entry);
    }

    /// The last entry of a full page: what lies beyond its time does not belong to the page.
    fn last_wanted(&self) -> Option<Key> {
        if self.weight > MAX_WEIGHT {
            return self.farthest();
        }
        let last = self.request.limit.checked_sub(1)?;
        let key = match self.request.direction {
            Direction::Older => self.kept.keys().nth_back(last),
            Direction::Newer => self.kept.keys().nth(last),
        };
        key.copied()
    }

    /// Whether nothing that was not read can belong to the page, given how near it may be.
    fn is_done(&self, frontier: Option<Time>) -> bool {
        let Some(frontier) = frontier else {
            return true;
        };
        let (from, to) = self.selection.times();
        let last = self.last_wanted().map(|key| key.time);
        match self.request.direction {
            Direction::Older => frontier < from || last.is_some_and(|time| frontier < time),
            Direction::Newer => {
                (frontier >= to && to != Time::MAX) || last.is_some_and(|time| frontier > time)
            }
        }
    }

    /// Where a scan that ends here is taken up, if that is beyond where it began: everything that was not read lies beyond.
    fn resume(&self, frontier: Option<Time>) -> Option<Key> {
        let frontier = frontier?;
        let key = match self.request.direction {
            Direction::Older => Key {
                time: Time(frontier.0.saturating_add(1)),
                position: Position(0),
            },
            Direction::Newer => Key {
                time: frontier,
                position: Position(0),
            }
            .before(),
        };
        self.is_nearer(self.start, key).then_some(key)
    }

    fn finish(&mut self, partial: Option<Key>, is_ended: bool) -> (Page, Option<Key>) {
        if let Some(resume) = partial {
            // What lies beyond is read again.
            let mut beyond = self.kept.split_off(&resume);
            if self.request.direction == Direction::Older {
                std::mem::swap(&mut self.kept, &mut beyond);
            }
        }
        let kept = std::mem::take(&mut self.kept);
        let mut entries: Vec<Entry> = match self.request.direction {
            Direction::Older => kept.into_values().rev().collect(),
            Direction::Newer => kept.into_values().collect(),
        };
        let limit = self.request.limit;
        let mut is_cut = false;
        if entries.len() > limit {
            let edge = limit.checked_sub(1).map(|last| entries[last].time);
            let tied = entries[limit..].iter();
            let tied = tied.take_while(|entry| Some(entry.time) == edge).count();
            is_cut = limit + tied < entries.len();
            entries.truncate(limit + tied);
        }
        let is_full = entries.len() >= limit;
        let has_more = self.dropped || (is_full && !is_ended);
        let last = entries.last().map(Entry::key);
        // What was cut off is nearer than where the scan stopped.
        let beyond = if is_cut {
            last
        } else {
            partial.or(last.filter(|_| has_more))
        };
        let page = Page {
            entries,
            partial: partial.is_some() && !is_cut,
            progress: self.progress,
            ..Page::default()
        };
        (page, beyond)
    }
}
