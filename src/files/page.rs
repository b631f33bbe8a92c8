//! Pages in the order of times, from files whose lines lie nearly in it.
//!
//! Each log is read from where the page begins, block by block; the entries nearest to the start are kept. The page ends when
//! nothing that was not read can be nearer than the farthest of those kept.

use super::block::BLOCK;
use super::lane::{Address, Extent, Lane};
use super::selection::Selection;
use super::walk::Walk;
use super::{Error, LogFiles};
use crate::base::{Time, Workers};
use crate::entry::{Entry, Key};
use crate::query::{Direction, Nearest, Page, PageRequest, Verdict};

/// What a page may cost before it is given though it is not full, in bytes: those that are only searched count once,
const BUDGET: u64 = 192 << 20;
/// those that are decoded so many times,
const DECODED: u64 = 8;
/// those that come from another host so many times.
const AFAR: u64 = 96;
/// Blocks read at once, at the most; and from another host.
const AT_ONCE: (usize, usize) = (32, 2);
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
        let (page, beyond) = Scan::new(self, request, budget).run(picture.lanes, stop)?;
        Ok(Page { head, ..page }.placed(request, beyond))
    }
}

/// A page in the making.
struct Scan<'r> {
    files: &'r LogFiles,
    request: &'r PageRequest,
    selection: Selection,
    nearest: Nearest<'r>,
    cost: u64,
    budget: u64,
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
        Self {
            files,
            request,
            nearest: Nearest::new(request, selection.times(), MAX_WEIGHT),
            selection,
            cost: 0,
            budget,
        }
    }

    /// The page in the order it was read, and the key beyond which more may lie.
    fn run(
        mut self,
        lanes: Vec<Lane>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Page, Option<Key>), Error> {
        let (direction, start) = (self.request.direction, self.nearest.start().time);
        let all = Extent::of(&lanes);
        let walk = |lane| Walk::new(lane, direction, start);
        let mut walks: Vec<Walk> = lanes.into_iter().map(walk).collect();
        let workers = Workers::eager(self.files.options().threads);
        let mut at_once = 1;
        let (mut partial, mut searched) = (None, 0);
        while let Some((frontier, at)) = self.next(&walks) {
            if self.nearest.is_done(frontier) {
                break;
            }
            if (self.cost >= self.budget || stop())
                && let Some(resume) = self.nearest.resume(frontier)
            {
                partial = Some(resume);
                break;
            }
            let walk = &mut walks[at];
            let most = if walk.is_far() { AT_ONCE.1 } else { AT_ONCE.0 };
            let addresses = walk.take(most.min(at_once), |lane, at| self.is_wanted(lane, at));
            if let Some(closed) = addresses.first().filter(|address| address.is_closed) {
                closed.part.unpack(self.files.options(), stop)?;
                if stop() && closed.part.is_closed() {
                    // What is in it is not known yet: it is looked into again.
                    partial = self.nearest.resume(frontier);
                    break;
                }
                *walk = walk.unpacked(start);
                continue;
            }
            searched += addresses.len() as u64 * BLOCK;
            let cutoff = self.nearest.cutoff();
            let harvests = workers.map(&addresses, |address| self.harvest(address, cutoff));
            let before = self.nearest.count();
            for harvest in harvests {
                let harvest = harvest?;
                self.cost += harvest.cost;
                if harvest.dropped {
                    self.nearest.drop_one();
                }
                if let Some(far) = harvest.far {
                    walk.read(far);
                }
                for entry in harvest.entries {
                    self.nearest.keep(entry);
                }
            }
            // Where little is found, much is read at once.
            let found = self.nearest.count().saturating_sub(before);
            if found * 4 < self.request.limit {
                at_once = (at_once * 2).min(AT_ONCE.0);
            }
        }
        let is_ended = self.next(&walks).is_none();
        let progress = all.progress(searched);
        let (page, beyond) = self.nearest.done(partial, is_ended);
        Ok((Page { progress, ..page }, beyond))
    }

    /// The log whose unread entries may be nearest to the start, and how near.
    fn next(&self, walks: &[Walk]) -> Option<(Time, usize)> {
        let frontiers = walks.iter().enumerate();
        let frontiers = frontiers.filter_map(|(at, walk)| Some((walk.frontier()?, at)));
        match self.request.direction {
            Direction::Older => frontiers.max(),
            Direction::Newer => frontiers.min_by_key(|(time, at)| (*time, std::cmp::Reverse(*at))),
        }
    }

    /// Whether a block must be read: what is known of it does not say that nothing of it belongs to the page.
    fn is_wanted(&self, lane: &Lane, at: usize) -> bool {
        let Some((summary, verdict)) = lane.verdict(at, &self.selection.matcher) else {
            return true;
        };
        let ((from, to), start) = (self.selection.times(), self.nearest.start().time);
        let is_near = match self.request.direction {
            Direction::Older => summary.oldest <= start,
            Direction::Newer => summary.newest >= start,
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
            cost: block.bytes().len() as u64 * if part.is_far() { AFAR } else { 1 },
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
            if !self.nearest.is_beyond_start(found.key) {
                return;
            }
            if cutoff.is_some_and(|cutoff| !self.nearest.is_nearer(found.key, cutoff)) {
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
            if harvest.entries.len() >= self.nearest.capacity() {
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
}
