//! Blocks: a file cut into pieces of 256 KiB, each at the beginnings of entries.
//!
//! The entries of a block are those that begin in it; the last of them may reach beyond it. Where entries begin is told by
//! the lines of the block alone, so that blocks can be read in any order, by many threads, and give the same entries:
//!
//! - the lines that the format says begin one, and the first of the file;
//! - where a block has none of these, its first line: what continues an entry for a whole block is text of its own;
//! - where two blocks have no line at all, every 16 MiB: no line is longer.

use std::io;
use std::ops::Range;

use memchr::{memchr, memrchr};

use super::content::Content;
use crate::entry::decode::Format;

/// Bytes of a block.
pub(super) const BLOCK: u64 = 256 << 10;
/// Blocks after which a line without an end is cut.
const LONGEST_LINE: u64 = 64;
/// Bytes read beyond a block at first: the rest of its last entry is mostly there.
const BEYOND: usize = 8 << 10;
/// Bytes before a block that are looked at for the line before its first.
const BEFORE: u64 = 32 << 10;
/// Bytes before a block that tell whether it begins with a line: one would do. But where the target of a copy lies a few bytes
/// (1 to 63) behind its source, by their places in a page, some processors copy at a third of the speed (AMD's `rep movsb`);
/// buffers begin with a page.
const JUST_BEFORE: u64 = 64;

/// The bytes of a block's entries.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Where the bytes begin in the file.
    base: u64,
    bytes: Vec<u8>,
    /// Where the first entry begins, in the bytes.
    first: usize,
    /// Where the nominal end of the block is.
    nominal: usize,
    /// Where the last entry ends.
    end: usize,
    /// Bytes read to get it.
    pub read: u64,
}

/// The number of blocks that so many bytes make.
pub(super) fn count(length: u64) -> u64 {
    length.div_ceil(BLOCK)
}

impl Block {
    /// Reads a block of a file of which so many bytes are of interest. The buffer is used again.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn read(
        &mut self,
        content: &Content,
        format: &Format,
        number: u64,
        length: u64,
    ) -> io::Result<()> {
        let low = number * BLOCK;
        let high = (low + BLOCK).min(length);
        self.read = 0;
        let mut start = 0;
        for before in [JUST_BEFORE, BEFORE] {
            self.base = low.saturating_sub(before);
            self.fill(content, high, length)?;
            start = to_usize(low - self.base);
            // It may have become shorter.
            self.bytes.resize(self.bytes.len().max(start), 0);
            self.nominal = to_usize(high.saturating_sub(self.base)).clamp(start, self.bytes.len());
            let line = self
                .first_line(start)
                .and_then(|line| self.bytes.get(line..));
            let line = line.unwrap_or_default();
            let end = memchr(b'\n', line).unwrap_or(line.len());
            if !format.looks_back(&line[..end]) {
                break;
            }
        }
        self.first = match self.first_line(start) {
            // The first entry of a file begins it, whatever it looks like.
            Some(line) if number == 0 => line,
            Some(line) => {
                let is_whole = high == low + BLOCK;
                let found = self.next_start(format, line, self.nominal);
                found.or(is_whole.then_some(line)).unwrap_or(self.nominal)
            }
            None if self.is_cut(content, number, high)? => start,
            None => self.nominal,
        };
        self.end = self.first;
        if self.first < self.nominal {
            self.end = self
                .reach(content, format, high, length)?
                .min(self.bytes.len());
        }
        Ok(())
    }

    /// Where the first line begins that begins in the block.
    fn first_line(&self, start: usize) -> Option<usize> {
        let line = if start == 0 || self.bytes.get(start - 1) == Some(&b'\n') {
            start
        } else {
            start + memchr(b'\n', self.bytes.get(start..self.nominal)?)? + 1
        };
        (line < self.nominal).then_some(line)
    }

    /// Whether a line that covers the block is cut where the block begins.
    fn is_cut(&self, content: &Content, number: u64, high: u64) -> io::Result<bool> {
        let low = number * BLOCK;
        let may_be = number > 0 && number.is_multiple_of(LONGEST_LINE) && high == low + BLOCK;
        Ok(may_be && !has_line_start(content, low - BLOCK, low)?)
    }

    /// Reads on until at least this place and a little beyond.
    fn fill(&mut self, content: &Content, high: u64, length: u64) -> io::Result<()> {
        let to = (high + BEYOND as u64).min(length);
        self.bytes.resize(to_usize(to - self.base), 0);
        let filled = content.read(&mut self.bytes, self.base)?;
        self.bytes.truncate(filled);
        self.read += filled as u64;
        Ok(())
    }

    /// The first place at or after `from` and before `to` where an entry begins by its format. `from` begins a line.
    fn next_start(&self, format: &Format, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        while at < to {
            let end = memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |end| at + end);
            if format.begins(&self.bytes[at..end], || self.line_before(at)) {
                return Some(at);
            }
            at = end + 1;
        }
        None
    }

    /// The line before the one that begins here, if its beginning is near enough to be known whatever was read.
    fn line_before(&self, at: usize) -> Option<&[u8]> {
        let before = self.bytes.get(..at.checked_sub(1)?)?;
        let start = match memrchr(b'\n', before) {
            Some(end) => end + 1,
            None if self.base == 0 => 0,
            None => return None,
        };
        let low = self.offset(at) / BLOCK * BLOCK;
        let is_near = low <= BEFORE || self.offset(start) > low - BEFORE;
        is_near.then(|| &before[start..])
    }

    /// Where the last entry of the block ends: where the next begins, in a block behind it.
    fn reach(
        &mut self,
        content: &Content,
        format: &Format,
        high: u64,
        length: u64,
    ) -> io::Result<usize> {
        let mut at = self.nominal;
        // A line that began in the block belongs to it up to its newline.
        if self.bytes.get(at.wrapping_sub(1)) != Some(&b'\n') {
            let line = memrchr(b'\n', &self.bytes[..at]).map_or(0, |end| end + 1);
            at = self.line_end(content, line, length)?;
        }
        let mut block_end = high;
        while self.base + (at as u64) < length {
            // The lines that begin in a block behind, as its reader sees them.
            while block_end <= self.base + at as u64 {
                block_end += BLOCK;
            }
            let first = at;
            while self.base + (at as u64) < block_end.min(length) {
                let end = self.line_end(content, at, length)?;
                let line = self.bytes.get(at..end).unwrap_or_default();
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                if end <= at || format.begins(line, || self.line_before(at)) {
                    return Ok(at);
                }
                at = end;
            }
            // None of them begins an entry: then the first does, where the block is whole.
            if block_end <= length {
                return Ok(first);
            }
        }
        Ok(at)
    }

    /// Where the line that begins here ends, behind its newline or where it is cut; reads on for it.
    fn line_end(&mut self, content: &Content, from: usize, length: u64) -> io::Result<usize> {
        let begins = (self.base + from as u64) / BLOCK;
        let cut = (begins + 2).next_multiple_of(LONGEST_LINE) * BLOCK;
        let mut looked_at = from;
        loop {
            let found = memchr(b'\n', self.bytes.get(looked_at..).unwrap_or_default());
            let end = found.map(|at| looked_at + at + 1);
            looked_at = end.unwrap_or(self.bytes.len());
            let there = self.base + looked_at as u64;
            // A block that ends with the only newline in it has no line of its own either.
            if there >= cut + BLOCK {
                return Ok(to_usize(cut - self.base));
            }
            if end.is_some() || there >= length {
                return Ok(looked_at);
            }
            self.fill(content, there + self.bytes.len() as u64, length)?;
            if self.bytes.len() <= looked_at {
                return Ok(looked_at);
            }
        }
    }

    /// The entries, in order: where each lies in the bytes.
    pub fn entries<'b>(&'b self, format: &'b Format) -> impl Iterator<Item = Range<usize>> + 'b {
        let mut at = self.first;
        std::iter::from_fn(move || {
            if at >= self.nominal || at >= self.end {
                return None;
            }
            let line_end =
                memchr(b'\n', &self.bytes[at..self.end]).map_or(self.end, |end| at + end + 1);
            let next = if line_end < self.nominal {
                self.next_start(format, line_end, self.nominal)
            } else {
                None
            };
            let next = next.unwrap_or(self.end);
            let entry = at..next;
            at = next;
            Some(entry)
        })
    }

    /// Bytes of an entry, without what ends its last line.
    pub fn entry(&self, range: &Range<usize>) -> &[u8] {
        let bytes = self.bytes.get(range.clone()).unwrap_or_default();
        let end = bytes
            .iter()
            .rposition(|byte| !matches!(byte, b'\n' | b'\r'));
        &bytes[..end.map_or(0, |end| end + 1)]
    }

    /// All bytes of its entries.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.first..self.end).unwrap_or_default()
    }

    /// Whether it takes no more memory than most.
    pub fn is_usual(&self) -> bool {
        self.bytes.capacity() <= to_usize(2 * BLOCK)
    }

    /// Where its entries begin, in its own bytes.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Where something in the bytes lies in the file.
    pub fn offset(&self, at: usize) -> u64 {
        self.base + at as u64
    }

    /// Where its last entry ends in the file.
    pub fn end(&self) -> u64 {
        self.base + self.end as u64
    }
}

/// Whether a line begins between two places.
pub(super) fn has_line_start(content: &Content, from: u64, to: u64) -> io::Result<bool> {
    let base = from.saturating_sub(JUST_BEFORE);
    let mut bytes = vec![0; to_usize(to - base)];
    let filled = content.read(&mut bytes, base)?;
    // A line begins behind the end of another.
    let before = to_usize(from.saturating_sub(1) - base);
    let behind = bytes.get(before..filled).unwrap_or_default();
    let end = memchr(b'\n', behind);
    Ok(end.is_some_and(|at| before + at + 1 < bytes.len()))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn content(bytes: &[u8]) -> Content {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        Content::File(file)
    }

    /// Where all entries begin and end, block by block.
    fn ranges(bytes: &[u8], format: &Format) -> Vec<(u64, u64)> {
        let content = content(bytes);
        let mut all = Vec::new();
        for number in 0..count(bytes.len() as u64) {
            let mut block = Block::default();
            block
                .read(&content, format, number, bytes.len() as u64)
                .expect("read");
            let entries = block.entries(format);
            all.extend(entries.map(|range| (block.offset(range.start), block.offset(range.end))));
        }
        all
    }

    fn is_seamless(bytes: &[u8], format: &Format) {
        let mut at = 0;
        for (from, to) in ranges(bytes, format) {
            assert_eq!(from, at, "nothing lies between entries");
            assert!(to > from);
            at = to;
        }
        assert_eq!(at, bytes.len() as u64, "nothing is lost at the end");
    }

    fn formats() -> Vec<Format> {
        ["json", "text", "plain", "container", "json-pretty"]
            .iter()
            .map(|name| Format::called(name, &[]).expect("a format"))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever a file holds, its entries are all of it, and each byte belongs to one.
        #[test]
        fn entries_are_all_of_a_file(
            pieces in prop::collection::vec((
                prop::sample::select(vec![
                    "{\"msg\":\"a\"}\n", "2026-03-14 09:00:00 x\n", "  at y\n", "\n", "}\n", "{\n",
                    "2026-03-14T09:00:00Z stdout P part\n", "2026-03-14T09:00:00Z stdout F whole\n", "word", "\u{fffd}\0",
                ]),
                prop_oneof![9 => 1..40_usize, 1 => 10_000..60_000_usize],
            ), 0..12),
        ) {
            let text: String = pieces.iter().map(|(piece, times)| piece.repeat(*times)).collect();
            for format in formats() {
                is_seamless(text.as_bytes(), &format);
            }
        }
    }

    #[test]
    fn long_lines_are_cut_every_16_mib_and_no_sooner() {
        let json = Format::called("json", &[]).expect("a format");
        let line = |length: usize| [vec![b'x'; length], vec![b'\n']].concat();
        let block = to_usize(BLOCK);
        for before in [0, 5, block - 1, block, 3 * block + 7] {
            let text = [
                line(before),
                line(15 * 4 * block),
                line(40 * 4 * block),
                line(3),
            ]
            .concat();
            let found = ranges(&text, &json);
            is_seamless(&text, &json);
            assert!((4..=7).contains(&found.len()), "{found:?}");
            let longest = found.iter().map(|(from, to)| to - from).max();
            assert!(longest.is_some_and(|longest| longest <= (2 * LONGEST_LINE + 2) * BLOCK));
        }
        for around in [2 * block - 2, 2 * block - 1, 2 * block, 2 * block + 1] {
            let text = [line(62 * block), line(around), line(9)].concat();
            is_seamless(&text, &json);
            assert_eq!(
                ranges(&text, &json).len(),
                3,
                "lines of less than 16 MiB are whole"
            );
        }
    }
}
