//! Lines with their numbers, shared by all who read them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Lines;
use super::line::{BEGINS, GOES_ON};

/// Lines that were pushed or read together.
#[derive(Debug)]
pub struct Batch {
    /// The number of the first.
    pub first: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// What a reader makes of all of them, made once for all readers.
    made: OnceLock<Bytes>,
}

impl Batch {
    pub(super) fn new(first: u64, lines: Lines) -> Self {
        Self {
            first,
            text: lines.text,
            ends: lines.ends,
            made: OnceLock::new(),
        }
    }

    /// Lines that were read, JSON objects; there is at least one.
    pub(super) fn of<'l>(first: u64, read: impl Iterator<Item = &'l [u8]>) -> Self {
        let mut lines = Lines::default();
        for line in read {
            lines.text.push(GOES_ON);
            lines.text.extend_from_slice(line);
            lines.ends.push(lines.text.len());
        }
        Self::new(first, lines)
    }

    /// The number of the last.
    #[must_use]
    pub fn last(&self) -> u64 {
        (self.first + self.ends.len() as u64).saturating_sub(1)
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + 8 * self.ends.len() + 100
    }

    /// The lines after a number, with theirs; JSON objects.
    pub fn after(&self, number: u64) -> impl Iterator<Item = (u64, &[u8])> {
        let skipped = (number + 1).saturating_sub(self.first);
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let lines = starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start + 1..*end]);
        (self.first..).zip(lines).skip(skipped)
    }

    /// What `make` makes of the whole; the first answer is everybody's.
    pub fn shared(&self, make: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.made.get_or_init(|| make(self)).clone()
    }
}

/// Bytes that the name of a push may have.
pub(super) const MAX_NAME_BYTES: usize = 254;

/// A payload without what marks its push.
pub(super) fn json(payload: &[u8]) -> &[u8] {
    let marked = match payload.first() {
        Some(&BEGINS | &GOES_ON) | None => 0,
        Some(length) => usize::from(*length),
    };
    payload.get(1 + marked..).unwrap_or_default()
}

/// The name of the push that a payload begins, empty if it has none; nothing of the lines after the first.
pub(super) fn mark(payload: &[u8]) -> Option<&str> {
    match *payload.first()? {
        GOES_ON => None,
        BEGINS => Some(""),
        length => std::str::from_utf8(payload.get(1..1 + usize::from(length))?).ok(),
    }
}

/// Lines of a batch that come after a number.
#[derive(Clone, Debug)]
pub struct Part {
    /// The lines.
    pub batch: Arc<Batch>,
    /// Those up to here are not meant.
    pub after: u64,
}

impl Part {
    /// Whether all of the batch is meant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.after < self.batch.first
    }

    /// The lines that are meant, with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.batch.after(self.after)
    }
}
