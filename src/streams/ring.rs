//! The newest lines in memory, for those who read along.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Batch, Part};

/// The newest batches, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Ring {
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
}

impl Ring {
    /// Adds a batch; the oldest go beyond so many bytes.
    pub fn push(&mut self, batch: Batch, most: usize) {
        self.bytes += batch.bytes();
        self.batches.push_back(Arc::new(batch));
        while self.bytes > most && self.batches.len() > 1 {
            let oldest = self.batches.pop_front();
            self.bytes -= oldest.map_or(0, |batch| batch.bytes());
        }
    }

    /// What comes after a number, about so many bytes of it; nothing when the next line is not here.
    pub fn after(&self, number: u64, most: usize) -> Vec<Part> {
        let from = self.batches.partition_point(|batch| batch.last() <= number);
        let next = self.batches.get(from);
        if next.is_none_or(|batch| batch.first > number + 1) {
            return Vec::new();
        }
        let mut bytes = 0;
        let enough = |batch: &&Arc<Batch>| {
            let is_first = bytes == 0;
            bytes += batch.bytes();
            is_first || bytes <= most
        };
        let part = |batch: &Arc<Batch>| Part {
            batch: Arc::clone(batch),
            after: number,
        };
        let batches = self.batches.range(from..);
        batches.take_while(enough).map(part).collect()
    }
}
