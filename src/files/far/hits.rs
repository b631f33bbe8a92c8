//! Where a host finds words in a file, remembered while the file grows.

use std::sync::{Arc, Mutex, PoisonError};

use super::content::FarContent;

/// Lines that a host tells it found.
const MOST: usize = 100_000;

/// Words that a host looked for, as far as the file was shown then, and the blocks it found them in.
#[derive(Debug, Default)]
pub struct FarHits(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    words: Vec<String>,
    settled: u64,
    blocks: Arc<Vec<u64>>,
}

impl FarHits {
    /// The blocks of so many bytes that may hold lines with one of the words, of a file that is shown up to `settled`, in
    /// their order; nothing where the host cannot look. Of words it looked for before, it looks only at what is new.
    pub fn blocks(
        &self,
        far: &FarContent,
        words: Vec<String>,
        settled: u64,
        block: u64,
    ) -> Option<Arc<Vec<u64>>> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = found.as_ref();
        let known = known.filter(|of| of.words == words && of.settled <= settled);
        let (from, before) = known.map_or((0, None), |of| (of.settled, Some(&of.blocks)));
        if let Some(before) = before.filter(|_| from == settled) {
            return Some(Arc::clone(before));
        }
        let hits = far.hits(&words, from, MOST).ok()?;
        // The last of so many: what lies before them is read. A line may belong to an entry of the block before.
        let is_whole = hits.len() < MOST;
        let unknown = if is_whole {
            0..0
        } else {
            from / block..hits.first().copied().unwrap_or(from) / block
        };
        let around = hits
            .iter()
            .map(|at| at / block)
            .flat_map(|block| [block.saturating_sub(1), block]);
        let before = before.iter().flat_map(|blocks| blocks.iter().copied());
        let mut blocks: Vec<u64> = before.chain(unknown).chain(around).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let blocks = Arc::new(blocks);
        *found = Some(Found {
            words,
            settled,
            blocks: Arc::clone(&blocks),
        });
        Some(blocks)
    }
}
