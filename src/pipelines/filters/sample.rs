//! A part of the entries, whole traces at a time.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::entry::Entry;
use crate::pipelines::options::SampleOptions;

#[derive(Debug)]
pub(super) struct Sample {
    one_in: u64,
    /// Entries without a trace that came.
    count: u64,
}

impl Sample {
    pub fn new(options: &SampleOptions) -> Result<Self, String> {
        if options.one_in == 0 {
            return Err("expected `one_in` of at least 1, found 0".to_owned());
        }
        Ok(Self {
            one_in: options.one_in,
            count: 0,
        })
    }

    /// Every entry of a trace has the same answer, here and in every other process; of those without a trace, the first
    /// and every n-th after it pass.
    pub fn keeps(&mut self, entry: &Entry) -> bool {
        let number = if let Some(trace) = &entry.scope.trace {
            FixedState::with_seed(0).hash_one(trace)
        } else {
            self.count += 1;
            self.count - 1
        };
        number.is_multiple_of(self.one_in)
    }
}
