//! Whether a file is a copy of another, and where its last line begins.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use memchr::memrchr;

use super::look::Found;
use super::tracked::Tracked;

/// Bytes compared at once.
const BLOCK: usize = 64 << 10;

/// Where the last line of a file begins that has not ended: reading from the end begins there.
pub(super) fn line_start(file: &File, length: u64) -> u64 {
    let from = length.saturating_sub(BLOCK as u64);
    let mut bytes = vec![0; usize::try_from(length - from).unwrap_or(BLOCK)];
    match file.read_exact_at(&mut bytes, from) {
        Ok(()) => memrchr(b'\n', &bytes).map_or(if from == 0 { 0 } else { length }, |at| {
            from + at as u64 + 1
        }),
        Err(_) => length,
    }
}

/// How much a file looks like a copy of another: what `copytruncate` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    None,
    /// It may still grow to be one, or the original will be seen to be cut.
    Perhaps,
    Copy,
}

pub(super) fn likeness(
    original: &Tracked,
    found: &Found,
    file: &File,
    length: u64,
    settled: Duration,
) -> Likeness {
    if original.id == found.id || original.head.is_empty() || !original.head.begins(file) {
        return Likeness::None;
    }
    if length >= original.offset {
        // It waits for its original to be cut: then it is read on, or let be.
        return if original.tail.stands_before(original.offset, file) {
            Likeness::Perhaps
        } else {
            Likeness::None
        };
    }
    let age = found.modified.elapsed().unwrap_or_default();
    if age < settled {
        Likeness::Perhaps
    } else if begins_like(&original.file, file, length) {
        Likeness::Copy
    } else {
        Likeness::None
    }
}

fn begins_like(original: &File, file: &File, length: u64) -> bool {
    let (mut ours, mut theirs) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut at = 0;
    while at < length {
        let size = usize::try_from(length - at).map_or(BLOCK, |left| left.min(BLOCK));
        let read = |file: &File, bytes: &mut [u8]| file.read_exact_at(bytes, at).is_ok();
        if !read(original, &mut ours[..size])
            || !read(file, &mut theirs[..size])
            || ours[..size] != theirs[..size]
        {
            return false;
        }
        at += size as u64;
    }
    true
}
