//! The search over pages for a time: section 13 of the format's description.

use std::cmp::Ordering;
use std::ops::Range;

use super::Error;
use super::scan::Blocks;
use super::vfs::{PAGE_BYTES, Vfs};

/// A place near the entries of a time. Only a hint: entries are not quite in the order of their times.
///
/// Every other guess takes the times for evenly spread, which for most logs they nearly are; those between halve what is
/// left, so that the number of guesses is logarithmic in the number of pages whatever the times are.
pub(super) fn near<V: Vfs>(blocks: &mut Blocks<V>, time: u64) -> Result<u64, Error> {
    let page_bytes = PAGE_BYTES as u64;
    // Of these pages it may be in one; the times are those of the pages beside them.
    let mut pages = 0..blocks.size().div_ceil(page_bytes);
    let (mut before, mut after) = (None, None);
    let (mut best, mut halve) = (0, false);
    while !pages.is_empty() {
        let half = pages.start + (pages.end - pages.start) / 2;
        let guess = match (before, after) {
            (Some(before), Some(after)) if !halve => spread(&pages, before..after, time),
            _ => half,
        };
        halve = !halve;
        let Some((page, found)) = probe(blocks, guess..pages.end)? else {
            pages.end = guess;
            continue;
        };
        best = page;
        match time.cmp(&found) {
            Ordering::Greater => (pages.start, before) = (page + 1, Some(found)),
            Ordering::Less => (pages.end, after) = (guess, Some(found)),
            Ordering::Equal => break,
        }
    }
    Ok(best * page_bytes)
}

/// The page that a time would be in if times were evenly spread.
fn spread(pages: &Range<u64>, times: Range<u64>, time: u64) -> u64 {
    let count = u128::from(pages.end - pages.start);
    let span = u128::from(times.end.saturating_sub(times.start)).max(1);
    let into = u128::from(time.saturating_sub(times.start)).min(span);
    let page = u64::try_from(count * into / span).unwrap_or_default();
    (pages.start + page).min(pages.end - 1)
}

/// The first of the pages in which a block ends that can be read, and the time of that block's first entry.
fn probe<V: Vfs>(blocks: &mut Blocks<V>, pages: Range<u64>) -> Result<Option<(u64, u64)>, Error> {
    for page in pages {
        if let Some(place) = blocks.last_in_page(page)?
            && let Some(entry) = blocks.first_of(&place)?
        {
            return Ok(Some((page, entry.timestamp)));
        }
    }
    Ok(None)
}
