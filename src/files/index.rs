//! What is known of a file's blocks: the times they hold, how many entries of each level, and of which namespaces.
//!
//! It grows in the background, the newest blocks first. Pages pass over blocks by it and learn by it how far times are out
//! of order; counts over time are sums of it. A record takes about 60 bytes for 256 KiB of log.

use super::block::BLOCK;
use crate::base::Time;
use crate::query::{self, NamespaceCount};

/// Namespaces that are told apart, one bit of a word each; the last bit stands for all others.
const NAMES: usize = 63;
/// Namespaces that are counted; entries of further ones count as the last.
const COUNTED: usize = 10_000;

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// The times of its entries; the first is behind the second where there are none.
    pub oldest: Time,
    pub newest: Time,
    /// The time of its last entry, which entries without one inherit.
    pub last: Time,
    /// Entries of each level, mildest first.
    pub levels: [u32; 6],
    /// Bit `n` is set where entries are of the `n`th namespace of the index.
    pub namespaces: u64,
}

impl Summary {
    pub const EMPTY: Self = Self {
        oldest: Time::MAX,
        newest: Time::MIN,
        last: Time::MIN,
        levels: [0; 6],
        namespaces: 0,
    };

    pub fn count(&self) -> u64 {
        self.levels.iter().map(|count| u64::from(*count)).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.levels == [0; 6]
    }
}

/// What is known of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    blocks: Vec<Option<Summary>>,
    /// How many of them are known.
    known: usize,
    namespaces: Vec<NamespaceCount>,
}

/// A block's summary while its entries are looked at.
#[derive(Debug)]
pub(super) struct Summing {
    pub summary: Summary,
    /// Namespaces of the block: a handful.
    namespaces: Vec<NamespaceCount>,
}

impl Default for Summing {
    fn default() -> Self {
        Self {
            summary: Summary::EMPTY,
            namespaces: Vec::new(),
        }
    }
}

impl Summing {
    /// Namespaces of the block, and what it holds of them.
    pub fn namespaces(&self) -> &[NamespaceCount] {
        &self.namespaces
    }

    /// Looks at an entry; entries are seen in the file's order.
    pub fn add(&mut self, time: Time, level: usize, namespace: &str) {
        let summary = &mut self.summary;
        summary.oldest = summary.oldest.min(time);
        summary.newest = summary.newest.max(time);
        summary.last = time;
        summary.levels[level] += 1;
        let known = self
            .namespaces
            .iter()
            .position(|known| known.name == namespace);
        let at = known.unwrap_or_else(|| {
            self.namespaces.push(NamespaceCount::of(namespace));
            self.namespaces.len() - 1
        });
        let known = &mut self.namespaces[at];
        known.levels[level] += 1;
        known.newest = known.newest.max(time.0);
    }
}

impl Index {
    /// What is known of a block.
    pub fn get(&self, block: u64) -> Option<Summary> {
        *self.blocks.get(usize::try_from(block).ok()?)?
    }

    /// Takes in what was seen of a block, unless it is known already.
    pub fn put(&mut self, block: u64, seen: Summing) {
        let Ok(at) = usize::try_from(block) else {
            return;
        };
        if self.blocks.len() <= at {
            self.blocks.resize(at + 1, None);
        }
        if self.blocks[at].is_some() {
            return;
        }
        let mut summary = seen.summary;
        for counted in seen.namespaces {
            summary.namespaces |= 1 << self.add(counted).min(NAMES);
        }
        self.blocks[at] = Some(summary);
        self.known += 1;
    }

    /// The number of a namespace, whose counts are added.
    fn add(&mut self, counted: NamespaceCount) -> usize {
        let known = &mut self.namespaces;
        let at = known.iter().position(|known| known.name == counted.name);
        let Some(at) = at.or((known.len() >= COUNTED).then_some(COUNTED - 1)) else {
            known.push(counted);
            return known.len() - 1;
        };
        known[at].absorb(&counted);
        at
    }

    /// The newest of so many blocks that is not known.
    pub fn newest_unknown(&self, count: u64) -> Option<u64> {
        (0..count).rev().find(|block| self.get(*block).is_none())
    }

    /// Whether that many blocks are known.
    pub fn covers(&self, count: u64) -> bool {
        // Blocks are never learned twice, and none behind those that are whole.
        count <= self.known()
    }

    /// Blocks that are known.
    pub fn known(&self) -> u64 {
        self.known as u64
    }

    /// Bytes that are known.
    pub fn bytes(&self) -> u64 {
        self.known() * BLOCK
    }

    /// Namespaces of the blocks that are known, and what they hold.
    pub fn namespaces(&self) -> &[NamespaceCount] {
        &self.namespaces
    }

    /// A block as questions are put to it. Of the levels of a namespace no more is known than those of the block.
    pub fn asked(&self, summary: &Summary) -> query::Summary {
        let is_known = summary.namespaces >> NAMES == 0;
        let levels = summary.levels.map(u64::from);
        let names = self.namespaces.iter().take(NAMES).enumerate();
        let names = names.filter(|(at, _)| summary.namespaces >> at & 1 == 1);
        let mut namespaces: Vec<_> = names.map(|(_, of)| (of.name.clone(), levels)).collect();
        if !is_known {
            let others = self.namespaces.iter().skip(NAMES);
            namespaces.extend(others.map(|of| (of.name.clone(), levels)));
        }
        query::Summary {
            oldest: summary.oldest,
            newest: summary.newest,
            namespaces,
        }
    }

    /// The names of a block's namespaces, where all of them are told apart; else none.
    pub fn names(&self, summary: &Summary) -> Vec<&str> {
        if summary.namespaces >> NAMES != 0 {
            return Vec::new();
        }
        let names = self.namespaces.iter().take(NAMES).enumerate();
        let names = names.filter(|(at, _)| summary.namespaces >> at & 1 == 1);
        names.map(|(_, of)| of.name.as_str()).collect()
    }

    /// Its parts, for whoever keeps it.
    pub fn parts(&self) -> (&[Option<Summary>], &[NamespaceCount]) {
        (&self.blocks, &self.namespaces)
    }

    /// From its parts.
    pub fn of_parts(blocks: Vec<Option<Summary>>, namespaces: Vec<NamespaceCount>) -> Self {
        Self {
            known: blocks.iter().flatten().count(),
            blocks,
            namespaces,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_summed_once() {
        let mut index = Index::default();
        for _ in 0..2 {
            let mut seen = Summing::default();
            seen.add(Time(5), 2, "a");
            seen.add(Time(3), 4, "b");
            index.put(1, seen);
        }
        assert_eq!(index.get(0), None);
        let summary = index.get(1).expect("known");
        assert_eq!(
            (summary.oldest, summary.newest, summary.last),
            (Time(3), Time(5), Time(3))
        );
        assert_eq!((summary.count(), summary.namespaces), (2, 3));
        assert_eq!(
            index
                .namespaces()
                .iter()
                .map(NamespaceCount::total)
                .sum::<u64>(),
            2
        );
        assert_eq!(index.newest_unknown(2), Some(0));
        assert!(!index.covers(2));
        index.put(0, Summing::default());
        assert!(index.covers(2) && index.get(0).is_some_and(|of| of.is_empty()));
    }

    #[test]
    fn more_namespaces_than_bits_are_not_lost() {
        let mut index = Index::default();
        for number in 0..100 {
            let mut seen = Summing::default();
            seen.add(Time(1), 0, &format!("n{number}"));
            index.put(number, seen);
        }
        let summary = index.get(80).expect("known");
        let asked = index.asked(&summary);
        assert!(asked.namespaces.iter().any(|(name, _)| name == "n80"));
        assert!(!asked.namespaces.iter().any(|(name, _)| name == "n3"));
    }
}
