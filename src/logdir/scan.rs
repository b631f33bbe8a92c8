//! From bytes to blocks, in both directions, past whatever is damaged.
//!
//! The original glues files together and ends at the first thing that is wrong. Here a block never leaves its file, and a
//! block that cannot be read costs only itself.

use std::ops::Range;

use super::ahead::{Decoded, Stored};
use super::block::{Decoder, SEPARATOR};
use super::damage::DamageLog;
use super::entry::LogEntry;
use super::vfs::{PAGE_BYTES, Paged, Part, Vfs};
use super::{Defect, Error, MAX_BLOCK_BYTES};
use crate::query::Direction;

/// Bytes read at a time.
pub(super) const CHUNK_BYTES: usize = 32 << 10;

/// A block and where it lies.
#[derive(Debug)]
pub(super) struct Block {
    /// From its first byte to behind its separator.
    pub place: Range<u64>,
    /// In the order they are stored.
    pub entries: Vec<LogEntry>,
}

/// The blocks of a source.
pub(super) struct Blocks<V> {
    pub paged: Paged<V>,
    /// How many bytes there are, as known.
    size: u64,
    /// The bytes read last, and where they begin.
    window: (u64, Vec<u8>),
    pub decoder: Decoder,
    damage: DamageLog,
}

impl<V: Vfs> Blocks<V> {
    pub fn new(source: V) -> Self {
        Self {
            paged: Paged::new(source),
            size: 0,
            window: (0, Vec::new()),
            decoder: Decoder::default(),
            damage: DamageLog::default(),
        }
    }

    /// Opens the source.
    pub fn open(&mut self) -> Result<(), Error> {
        self.paged.setup()?;
        self.grow()
    }

    /// Closes it.
    pub fn close(&mut self) {
        if let Err(error) = self.paged.teardown() {
            tracing::debug!(%error, "a log directory was not closed properly");
        }
    }

    /// Asks how many bytes there are now.
    pub fn grow(&mut self) -> Result<(), Error> {
        self.size = self.paged.size()?;
        self.window = (0, Vec::new());
        Ok(())
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// What was passed over so far.
    pub fn damage(&self) -> &DamageLog {
        &self.damage
    }

    /// The next block in a direction from the edge of one, which moves along; `None` where there is no more, or none whole
    /// yet.
    pub fn next(&mut self, edge: &mut u64, direction: Direction) -> Result<Option<Block>, Error> {
        while let Some(stored) = self.next_stored(edge, direction)? {
            let decoded = self.decoder.entries(&stored.bytes);
            if let Some(block) = self.noted(stored.place, decoded) {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// The next block in a direction, as it is stored.
    pub fn next_stored(
        &mut self,
        edge: &mut u64,
        direction: Direction,
    ) -> Result<Option<Stored>, Error> {
        loop {
            let found = match direction {
                Direction::Newer => self.behind(edge)?,
                Direction::Older => self.before(edge)?,
            };
            let Some(place) = found else { return Ok(None) };
            if length(&place) > MAX_BLOCK_BYTES {
                self.pass_over(place, Defect::TooLarge);
                continue;
            }
            let bytes = self.stored(&place)?.to_vec();
            return Ok(Some(Stored { place, bytes }));
        }
    }

    /// A block's entries; nothing of one that is damaged, which is remembered.
    pub fn noted(&mut self, place: Range<u64>, decoded: Decoded) -> Option<Block> {
        match decoded {
            Ok(entries) => Some(Block { place, entries }),
            Err(defect) => {
                self.pass_over(place, defect);
                None
            }
        }
    }

    /// The first entry of a block; `None` where it cannot be read.
    pub fn first_of(&mut self, place: &Range<u64>) -> Result<Option<LogEntry>, Error> {
        if length(place) > MAX_BLOCK_BYTES {
            return Ok(None);
        }
        let bytes = self.stored(place)?.to_vec();
        Ok(self.decoder.first(&bytes).ok())
    }

    /// The bytes of a block without its separator.
    fn stored(&mut self, place: &Range<u64>) -> Result<&[u8], Error> {
        let length = length(place);
        self.fetch(place.start, place.end)?;
        let from = usize::try_from(place.start - self.window.0).unwrap_or(usize::MAX);
        let block = self
            .window
            .1
            .get(from..)
            .and_then(|it| it.get(..length - 1));
        // The source gave less than it said there is.
        block.ok_or_else(|| Error::Shrunk {
            file: self.paged.part(place.start).name.to_owned(),
            expected: place.end,
            found: self.window.0 + self.window.1.len() as u64,
        })
    }

    /// The stretches of a range without what files have behind their last whole block.
    pub fn whole_blocks(&mut self, range: Range<u64>) -> Result<Vec<Range<u64>>, Error> {
        let mut spans = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let end = self.end_of_part(at).0.min(range.end);
            let last = self.separator_before(end, at)?;
            spans.extend(last.map(|separator| at..separator + 1));
            at = end;
        }
        Ok(spans)
    }

    /// The bytes of a range, no more than a chunk of them.
    pub fn bytes(&mut self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.paged.read(range.start, length(&range))
    }

    /// The block that begins at the edge.
    fn behind(&mut self, edge: &mut u64) -> Result<Option<Range<u64>>, Error> {
        while *edge < self.size {
            let (end, is_final) = self.end_of_part(*edge);
            match self.separator_from(*edge, end)? {
                Some(separator) => {
                    let place = *edge..separator + 1;
                    *edge = place.end;
                    return Ok(Some(place));
                }
                None if is_final => {
                    self.pass_over(*edge..end, Defect::Torn);
                    *edge = end;
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// The block that ends at the edge.
    fn before(&mut self, edge: &mut u64) -> Result<Option<Range<u64>>, Error> {
        while *edge > 0 {
            let Part { start, .. } = self.paged.part(*edge - 1);
            let (_, is_final) = self.end_of_part(*edge - 1);
            let last = self.separator_before(*edge, start)?;
            let end = last.map_or(start, |separator| separator + 1);
            if end < *edge {
                // What stands behind the last separator is not whole, or not yet.
                if is_final {
                    self.pass_over(end..*edge, Defect::Torn);
                }
                *edge = end;
                continue;
            }
            let before = self.separator_before(end - 1, start)?;
            let place = before.map_or(start, |separator| separator + 1)..end;
            *edge = place.start;
            return Ok(Some(place));
        }
        Ok(None)
    }

    /// The edge of a block at a place or before it.
    pub fn edge_before(&mut self, at: u64) -> Result<u64, Error> {
        let at = at.min(self.size);
        let start = self.paged.part(at).start;
        let separator = self.separator_before(at, start)?;
        Ok(separator.map_or(start, |separator| separator + 1))
    }

    /// The last block that ends in a page.
    pub fn last_in_page(&mut self, page: u64) -> Result<Option<Range<u64>>, Error> {
        let page_bytes = PAGE_BYTES as u64;
        let (start, end) = (page * page_bytes, ((page + 1) * page_bytes).min(self.size));
        // A probe needs no more than the page itself.
        if !self.covers(start, end) {
            let bytes = self.paged.read(start, length(&(start..end)))?;
            self.window = (start, bytes);
        }
        let Some(separator) = self.separator_before(end, start)? else {
            return Ok(None);
        };
        let part = self.paged.part(separator).start;
        let before = self.separator_before(separator, part)?;
        let first = before.map_or(part, |separator| separator + 1);
        Ok(Some(first..separator + 1))
    }

    /// Where the part that holds a byte ends, as far as is known; and whether it ends there for good.
    pub fn end_of_part(&self, at: u64) -> (u64, bool) {
        match self.paged.part(at).end {
            Some(end) if end <= self.size => (end, true),
            _ => (self.size, false),
        }
    }

    fn separator_from(&mut self, from: u64, end: u64) -> Result<Option<u64>, Error> {
        let mut at = from;
        while at < end {
            let until = end.min(at + CHUNK_BYTES as u64);
            let until = self.fetch_some(at, until, Direction::Newer)?.end.min(end);
            if let Some(found) = memchr::memchr(SEPARATOR, self.window(at, until)) {
                return Ok(Some(at + found as u64));
            }
            if until <= at {
                break;
            }
            at = until;
        }
        Ok(None)
    }

    fn separator_before(&mut self, before: u64, start: u64) -> Result<Option<u64>, Error> {
        let mut at = before;
        while at > start {
            let from = start.max(at.saturating_sub(CHUNK_BYTES as u64));
            let from = self
                .fetch_some(from, at, Direction::Older)?
                .start
                .max(start);
            if let Some(found) = memchr::memrchr(SEPARATOR, self.window(from, at)) {
                return Ok(Some(from + found as u64));
            }
            if from >= at {
                break;
            }
            at = from;
        }
        Ok(None)
    }

    fn covers(&self, from: u64, until: u64) -> bool {
        self.window.0 <= from && until <= self.window.0 + self.window.1.len() as u64
    }

    fn window(&self, from: u64, until: u64) -> &[u8] {
        let index = |at: u64| usize::try_from(at.saturating_sub(self.window.0)).ok();
        index(from)
            .zip(index(until))
            .and_then(|(from, until)| self.window.1.get(from..until.min(self.window.1.len())))
            .unwrap_or_default()
    }

    /// Brings at least the near end of a range into the window, and says what of the source is there.
    fn fetch_some(
        &mut self,
        from: u64,
        until: u64,
        direction: Direction,
    ) -> Result<Range<u64>, Error> {
        let near = match direction {
            Direction::Newer => from..from + 1,
            Direction::Older => until - 1..until,
        };
        if !self.covers(near.start, near.end) {
            self.fetch(from, until)?;
        }
        let (start, bytes) = &self.window;
        Ok(*start..start + bytes.len() as u64)
    }

    /// Brings a range into the window.
    fn fetch(&mut self, from: u64, until: u64) -> Result<(), Error> {
        if self.covers(from, until) {
            return Ok(());
        }
        let page_bytes = PAGE_BYTES as u64;
        let start = from / page_bytes * page_bytes;
        let wanted = (until - start)
            .max(CHUNK_BYTES as u64)
            .min(self.size - start);
        let bytes = self
            .paged
            .read(start, usize::try_from(wanted).unwrap_or(usize::MAX))?;
        self.window = (start, bytes);
        Ok(())
    }

    fn pass_over(&mut self, place: Range<u64>, defect: Defect) {
        self.damage
            .note(&place, defect, self.paged.part(place.start));
    }
}

fn length(place: &Range<u64>) -> usize {
    usize::try_from(place.end - place.start).unwrap_or(usize::MAX)
}
