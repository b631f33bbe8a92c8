//! The entries of a file's blocks: of most only a glance is taken.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::PoisonError;

use super::block::{BLOCK, Block, has_line_start};
use super::part::{LongLine, Part};
use super::place::{Place, position};
use super::selection::Bytes;
use crate::base::Time;
use crate::entry::{Entry, Key};

/// Blocks that are looked back through for a time to inherit, or on for an entry.
const LOOKED_BACK: u64 = 4;
/// Bytes of a block in which its first entry mostly ends.
const FIRST_BYTES: u64 = 16 << 10;

/// An entry within a block that was read.
pub(super) struct Found<'b> {
    pub key: Key,
    pub level: usize,
    pub namespace: Cow<'b, str>,
    pub raw: &'b [u8],
}

impl<'b> Found<'b> {
    /// The same, of another place.
    pub fn again(&self, key: Key, raw: &'b [u8]) -> Self {
        Self {
            key,
            level: self.level,
            namespace: self.namespace.clone(),
            raw,
        }
    }
}

impl Part {
    /// Shows the entries of a block in the file's order. Of most only a glance is taken.
    pub fn each<'b>(&'b self, number: u64, block: &'b Block, see: impl FnMut(Found<'b>)) {
        self.each_of(number, block, None, see);
    }

    /// Shows those entries of a block that may be looked for, in the file's order.
    pub fn each_of<'b>(
        &'b self,
        number: u64,
        block: &'b Block,
        wanted: Option<&Bytes>,
        mut see: impl FnMut(Found<'b>),
    ) {
        let (bytes, begin) = (block.bytes(), block.first());
        let mut hits = wanted.map(|wanted| wanted.hits(bytes));
        let mut hit = hits.as_mut().map_or(Some(0), |hits| hits.next_from(0));
        // The time of the last entry that was looked at, and those that were passed over since.
        let (mut last, mut passed): (Option<Time>, Vec<Range<usize>>) = (None, Vec::new());
        for range in block.entries(self.format()) {
            let Some(next) = hit else { return };
            if hits.is_some() && begin + next >= range.end {
                passed.push(range);
                continue;
            }
            let raw = block.entry(&range);
            let offset = block.offset(range.start);
            let glance = self.format().glance(raw, self.defaults());
            let time = glance.time.unwrap_or_else(|| {
                let mut before = passed.iter().rev();
                let before = before.find_map(|range| self.time_of(block.entry(range)));
                let known = before.or(last).filter(|_| self.format().is_timed());
                known.unwrap_or_else(|| self.inherited(number, offset))
            });
            last = Some(time);
            passed.clear();
            if let Some(hits) = &mut hits {
                hit = hits.next_from(range.end - begin);
            }
            let namespace = glance
                .namespace
                .unwrap_or(Cow::Borrowed(&self.defaults().namespace));
            see(Found {
                key: self.key(time, offset),
                level: glance.level as usize,
                namespace,
                raw,
            });
        }
    }

    /// The time that an entry tells.
    fn time_of(&self, raw: &[u8]) -> Option<Time> {
        self.format().glance(raw, self.defaults()).time
    }

    /// The entry of what was found, whole.
    pub fn decode(&self, key: Key, raw: &[u8]) -> Entry {
        let mut entry = self.format().decode(raw, self.defaults());
        entry.time = key.time;
        entry.position = key.position;
        entry
    }

    pub fn key(&self, time: Time, offset: u64) -> Key {
        Key {
            time,
            position: position(Place {
                slot: self.slot,
                offset,
            }),
        }
    }

    /// The time of an entry that tells none and stands first in its block.
    fn inherited(&self, block: u64, offset: u64) -> Time {
        if !self.format().is_timed() {
            return self.arrived(offset);
        }
        let is_piece = block > 0 && offset == block * BLOCK;
        if is_piece {
            return self.time_of_line(block);
        }
        self.last_time_before(block)
    }

    /// The last time that an entry tells in the blocks before one, as far as it is looked for.
    fn last_time_before(&self, block: u64) -> Time {
        let (settled, mut read) = (self.settled(), Block::default());
        for before in (block.saturating_sub(LOOKED_BACK)..block).rev() {
            let last = match self.summary(before) {
                Some(summary) => (!summary.is_empty()).then_some(summary.last),
                None if self.block(before, settled, &mut read).is_ok() => {
                    let entries = read.entries(self.format());
                    entries
                        .filter_map(|range| self.time_of(read.entry(&range)))
                        .last()
                }
                None => None,
            };
            if let Some(last) = last {
                return last;
            }
        }
        self.defaults().arrival
    }

    /// The time of the entry whose line goes on at the beginning of a block. Its pieces ask one after the other.
    fn time_of_line(&self, block: u64) -> Time {
        let mut known = self
            .long_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = known
            .as_ref()
            .filter(|line| line.blocks.contains(&(block - 1)))
        {
            return line.time;
        }
        let begins = |at: &u64| {
            let (from, to) = (at * BLOCK, (at + 1) * BLOCK);
            self.with_content(|content| has_line_start(content, from, to).unwrap_or(true))
        };
        let begun = (0..block).rev().find(begins).unwrap_or(0);
        let time = self.last_time_before(begun + 1);
        let blocks = begun..block;
        *known = Some(LongLine { blocks, time });
        time
    }

    /// The time of the first entry of a block that was read.
    pub fn first_time_in(&self, number: u64, block: &Block) -> Option<Time> {
        let range = block.entries(self.format()).next()?;
        let glance = self.format().glance(block.entry(&range), self.defaults());
        let inherited = || self.inherited(number, block.offset(range.start));
        Some(glance.time.unwrap_or_else(inherited))
    }

    /// The time of the first entry of a block, cheaply: times are mostly in order.
    pub fn first_time(&self, block: u64, settled: u64) -> Option<Time> {
        if let Some(summary) = self.summary(block) {
            return (!summary.is_empty()).then_some(summary.oldest);
        }
        let mut read = Block::default();
        let near = (block * BLOCK + FIRST_BYTES).min(settled);
        for length in [near, settled] {
            self.block(block, length, &mut read).ok()?;
            let mut first = None;
            for range in read.entries(self.format()) {
                let glance = self.format().glance(read.entry(&range), self.defaults());
                first = glance.time;
                if first.is_some() {
                    break;
                }
                if !self.format().is_timed() {
                    return Some(self.inherited(block, read.offset(range.start)));
                }
            }
            if first.is_some() {
                return first;
            }
        }
        None
    }

    /// The time of its last entry.
    pub fn last_time(&self, settled: u64) -> Option<Time> {
        let mut read = Block::default();
        let blocks = self.blocks(settled);
        for block in (blocks.saturating_sub(LOOKED_BACK)..blocks).rev() {
            self.block(block, settled, &mut read).ok()?;
            let mut last = None;
            self.each(block, &read, |found| last = Some(found.key.time));
            if last.is_some() {
                return last;
            }
        }
        None
    }
}
