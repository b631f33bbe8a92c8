//! Going over everything that a question may select, the newest blocks first, several at once.

use super::block::{BLOCK, Block};
use super::lane::{Address, Lane};
use super::selection::Selection;
use super::walk::Walk;
use super::{Error, LogFiles};
use crate::base::{Time, Workers};
use crate::query::{Direction, Verdict};

/// Blocks read at once.
const AT_ONCE: usize = 16;
/// Bytes of files on other hosts that are read for counts: they come over a line that others wait for.
const MOST_AFAR: u64 = 1 << 20;

/// What is gone over, and how far.
pub(super) struct Sweep<'s> {
    pub selection: &'s Selection,
    /// At or after the first, before the second.
    pub times: (Time, Time),
    /// Bytes that are read before it ends early; the rest is older.
    pub most: u64,
}

impl LogFiles {
    /// Does the work on each block that may hold something, and takes in what came of it, the newest blocks of each log first.
    /// Whether it ended early: for its budget, or because `stop` or `take` said so.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn sweep<T: Send>(
        &self,
        lanes: Vec<Lane>,
        sweep: &Sweep<'_>,
        stop: &dyn Fn() -> bool,
        work: impl Fn(&Address, &Block) -> T + Sync,
        mut take: impl FnMut(T) -> bool,
    ) -> Result<bool, Error> {
        let (from, to) = sweep.times;
        let workers = Workers::eager(self.options().threads);
        let mut walks: Vec<Walk> = lanes
            .into_iter()
            .map(|lane| Walk::new(lane, Direction::Older, to))
            .collect();
        let (mut read, mut read_afar, mut is_partial) = (0, 0, false);
        loop {
            let frontiers = walks.iter().enumerate();
            let frontiers = frontiers.filter_map(|(at, walk)| Some((walk.frontier()?, at)));
            let Some((frontier, nearest)) = frontiers.max() else {
                return Ok(is_partial);
            };
            if frontier < from {
                return Ok(is_partial);
            }
            if read >= sweep.most || stop() {
                return Ok(true);
            }
            let walk = &mut walks[nearest];
            let is_far = walk.is_far();
            if is_far && read_afar >= MOST_AFAR {
                is_partial = true;
                walks.swap_remove(nearest);
                continue;
            }
            let at_once = if is_far { 1 } else { AT_ONCE };
            let addresses = walk.take(at_once, |lane, at| is_wanted(lane, at, sweep));
            // Counts are no reason to unpack what nobody has looked at.
            if addresses.first().is_some_and(|address| address.is_closed) {
                is_partial = true;
                continue;
            }
            read += addresses.len() as u64 * BLOCK;
            let done = workers.map(&addresses, |address| {
                let needle = sweep.selection.needle_for(&address.part);
                let afar =
                    needle.and_then(|needle| address.part.found_afar(needle, address.settled));
                if afar.is_some_and(|blocks| blocks.binary_search(&address.block).is_err()) {
                    return Ok((0, None, None));
                }
                let mut block = self.spare_block();
                address
                    .part
                    .block(address.block, address.settled, &mut block)?;
                let first = address.part.first_time_in(address.block, &block);
                let may_hold = needle.is_none_or(|needle| needle.may_hold(block.bytes()));
                let done = may_hold.then(|| work(address, &block));
                Ok::<_, Error>((block.read, first, done))
            });
            for done in done {
                let (bytes, first, done) = done?;
                if is_far {
                    read_afar += bytes;
                }
                if let Some(first) = first {
                    walk.read(first);
                }
                if done.is_some_and(|done| !take(done)) {
                    return Ok(true);
                }
            }
        }
    }
}

fn is_wanted(lane: &Lane, at: usize, sweep: &Sweep<'_>) -> bool {
    let Some((summary, verdict)) = lane.verdict(at, &sweep.selection.matcher) else {
        return true;
    };
    let (from, to) = sweep.times;
    verdict != Verdict::None && summary.newest >= from && (summary.oldest < to || to == Time::MAX)
}
