//! What is learned of a file's blocks: those that are whole once for ever, the last ones whenever they change.

use std::io;
use std::sync::{Arc, PoisonError};

use super::block::Block;
use super::index::{Summary, Summing};
use super::part::Part;
use crate::query::NamespaceCount;

/// What the last blocks of a file hold, which may still change.
#[derive(Debug)]
pub(super) struct Tail {
    settled: u64,
    /// The number of the first of them.
    first: u64,
    summaries: Vec<Summing>,
}

impl Tail {
    /// What is known of a block.
    pub fn get(&self, block: u64) -> Option<Summary> {
        let at = usize::try_from(block.checked_sub(self.first)?).ok()?;
        Some(self.summaries.get(at)?.summary)
    }

    /// Namespaces, and what these blocks hold of them.
    pub fn namespaces(&self) -> impl Iterator<Item = &NamespaceCount> {
        self.summaries.iter().flat_map(Summing::namespaces)
    }
}

impl Part {
    /// Looks at all entries of a block and remembers what they are; whether it is whole.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn learn(&self, number: u64, settled: u64, block: &mut Block) -> io::Result<bool> {
        self.block(number, settled, block)?;
        // What reaches the end of what is shown may still grow.
        let is_whole = block.end() < settled || self.is_final();
        if !is_whole {
            return Ok(false);
        }
        let seen = self.summed(number, block);
        self.index_mut().put(number, seen);
        Ok(true)
    }

    /// Bytes that are known; the last ones, which may still change, with all others.
    pub fn indexed(&self) -> u64 {
        let (settled, index) = (self.settled(), self.index());
        if index.covers(self.whole_blocks(settled)) {
            settled
        } else {
            index.bytes().min(settled)
        }
    }

    /// What the blocks hold that may still change, once all others are known. It is looked at for the first time in the
    /// background (`is_first`), where many files are opened at once; then whenever it changed.
    pub fn tail(&self, settled: u64, is_first: bool) -> Option<Arc<Tail>> {
        let whole = self.whole_blocks(settled);
        if !self.index().covers(whole) {
            return None;
        }
        let mut known = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(tail) if (tail.settled, tail.first) == (settled, whole) => {
                return Some(Arc::clone(tail));
            }
            None if !is_first => return None,
            _ => {}
        }
        let (mut block, mut summaries) = (Block::default(), Vec::new());
        for number in whole..self.blocks(settled) {
            self.block(number, settled, &mut block).ok()?;
            summaries.push(self.summed(number, &block));
        }
        let tail = Arc::new(Tail {
            settled,
            first: whole,
            summaries,
        });
        *known = Some(Arc::clone(&tail));
        Some(tail)
    }

    fn summed(&self, number: u64, block: &Block) -> Summing {
        let mut seen = Summing::default();
        self.each(number, block, |found| {
            seen.add(found.key.time, found.level, &found.namespace);
        });
        seen
    }
}
