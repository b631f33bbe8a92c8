//! A walk over the blocks of a log, from where a question begins towards older or newer ones.

use std::collections::VecDeque;

use super::index::Summary;
use super::lane::{Address, Lane};
use crate::base::Time;
use crate::query::Direction;

/// How far times of blocks that nobody has looked at are taken to be out of order, at the most:
const DISORDER: i64 = 10_000_000_000;
/// so long, and so many blocks.
const DISORDERED_BLOCKS: usize = 8;

/// Where a question has come to in a lane, and how near to its start what it has not read may be.
#[derive(Debug)]
pub(super) struct Walk {
    lane: Lane,
    direction: Direction,
    /// Blocks before this were read or passed over, counted in the direction.
    passed: usize,
    /// Of the blocks up to each: the greatest time (the least, towards newer ones) of all that are known.
    bounds: Vec<Time>,
    /// How many of the blocks up to each are not known.
    unknown: Vec<u32>,
    /// Times of the last blocks that were read, the nearest of each.
    recent: VecDeque<Time>,
    farthest: Option<Time>,
}

impl Walk {
    /// Before the first block, where times beyond `start` begin.
    pub fn new(lane: Lane, direction: Direction, start: Time) -> Self {
        let summaries = lane.summaries();
        let (mut bounds, mut unknown) = (Vec::with_capacity(summaries.len()), Vec::new());
        let mut bound = if direction == Direction::Older {
            Time::MIN
        } else {
            Time::MAX
        };
        let mut count = 0;
        let mut add = |summary: &Option<Summary>| {
            match summary {
                Some(known) if direction == Direction::Older => bound = bound.max(known.newest),
                Some(known) => bound = bound.min(known.oldest),
                None => count += 1,
            }
            bounds.push(bound);
            unknown.push(count);
        };
        // The farthest block comes first here.
        match direction {
            Direction::Older => summaries.iter().for_each(&mut add),
            Direction::Newer => summaries.iter().rev().for_each(&mut add),
        }
        let is_known = unknown.last().is_none_or(|count| *count == 0);
        let passed = if is_known {
            0
        } else {
            let slack = |by: i64| Time(start.0.saturating_add(by));
            match direction {
                Direction::Older if start == Time::MAX => 0,
                Direction::Newer if start == Time::MIN => 0,
                Direction::Older => {
                    let behind = lane.seek(slack(DISORDER)) + 1;
                    lane.blocks().saturating_sub(behind)
                }
                Direction::Newer => lane.seek(slack(-DISORDER)).saturating_sub(1),
            }
        };
        Self {
            lane,
            direction,
            passed,
            bounds,
            unknown,
            recent: VecDeque::new(),
            farthest: None,
        }
    }

    /// The same walk after a file on its way was unpacked.
    pub fn unpacked(&self, start: Time) -> Self {
        let start = match (self.farthest, self.direction) {
            (None, _) => start,
            (Some(far), Direction::Older) => start.min(Time(far.0.saturating_add(DISORDER))),
            (Some(far), Direction::Newer) => start.max(Time(far.0.saturating_sub(DISORDER))),
        };
        Self::new(self.lane.refreshed(), self.direction, start)
    }

    /// Whether its files lie on another host.
    pub fn is_far(&self) -> bool {
        self.lane.is_far()
    }

    /// Blocks that were not read or passed over.
    fn left(&self) -> usize {
        self.lane.blocks().saturating_sub(self.passed)
    }

    /// The number in the row of the next block.
    fn next_at(&self) -> Option<usize> {
        let left = self.left().checked_sub(1)?;
        Some(match self.direction {
            Direction::Older => left,
            Direction::Newer => self.passed,
        })
    }

    /// How near to the start the times of what was not read may be; `None` when everything was.
    pub fn frontier(&self) -> Option<Time> {
        let last = self.left().checked_sub(1)?;
        let known = *self.bounds.get(last)?;
        if *self.unknown.get(last)? == 0 {
            return Some(known);
        }
        // Of what nobody has looked at it is taken that times are nearly in order.
        let guessed = match (self.farthest, self.recent.front(), self.direction) {
            (None, _, Direction::Older) => Time::MAX,
            (None, _, Direction::Newer) => Time::MIN,
            (Some(far), before, Direction::Older) => {
                let slack = Time(far.0.saturating_add(DISORDER));
                let before = before.filter(|_| self.recent.len() >= DISORDERED_BLOCKS);
                before.map_or(slack, |before| slack.min(*before).max(far))
            }
            (Some(far), before, Direction::Newer) => {
                let slack = Time(far.0.saturating_sub(DISORDER));
                let before = before.filter(|_| self.recent.len() >= DISORDERED_BLOCKS);
                before.map_or(slack, |before| slack.max(*before).min(far))
            }
        };
        Some(match self.direction {
            Direction::Older => known.max(guessed),
            Direction::Newer => known.min(guessed),
        })
    }

    /// The next blocks that must be read, up to so many; others are passed over.
    pub fn take(&mut self, most: usize, is_wanted: impl Fn(&Lane, usize) -> bool) -> Vec<Address> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(at) = self.next_at()
        {
            let address = self.lane.address(at);
            let is_closed = address.as_ref().is_some_and(|address| address.is_closed);
            if is_closed && !taken.is_empty() {
                break;
            }
            self.passed += 1;
            if is_closed || is_wanted(&self.lane, at) {
                taken.extend(address);
                if is_closed {
                    break;
                }
            }
        }
        taken
    }

    /// A block was read whose farthest time is this.
    pub fn read(&mut self, time: Time) {
        let far = self.farthest.get_or_insert(time);
        *far = match self.direction {
            Direction::Older => (*far).min(time),
            Direction::Newer => (*far).max(time),
        };
        if self.recent.len() >= DISORDERED_BLOCKS {
            self.recent.pop_front();
        }
        self.recent.push_back(*far);
    }
}
