//! Stored bytes instead of entries, to be sent elsewhere and taken apart there: section 14 of the format's description.

use std::collections::VecDeque;
use std::ops::Range;

use super::block::{Decoder, SEPARATOR};
use super::edge::{lower_edge, upper_edge};
use super::entry::LogEntry;
use super::reader::LogReader;
use super::scan::CHUNK_BYTES;
use super::session::{Session, bounds, checked};
use super::vfs::Vfs;
use super::{Defect, Error, MAX_BLOCK_BYTES};
use crate::query::Direction;

/// Bytes in front of a piece of a reversed stream: its length, these not counted.
const PREFIX_BYTES: usize = 4;

impl<V: Vfs> LogReader<V> {
    /// The blocks that hold the entries from `min` to `max`, as they are stored, in pieces of 32,768 bytes of which the last
    /// is shorter. No entry of the range is missing; there may be others.
    ///
    /// # Errors
    /// As [`LogReader::range`].
    pub fn bulk_range(&mut self, min: i64, max: i64) -> Result<Bulk<'_, V>, Error> {
        Bulk::begin(self, min, max, Direction::Newer)
    }

    /// The same bytes in pieces from their end, each behind its length as four bytes; in a piece they are in their order.
    ///
    /// # Errors
    /// As [`LogReader::range`].
    pub fn bulk_range_reversed(&mut self, min: i64, max: i64) -> Result<Bulk<'_, V>, Error> {
        Bulk::begin(self, min, max, Direction::Older)
    }

    /// The blocks that hold the entries from `min` on, and the bytes that are written later; it may stand inside a block.
    ///
    /// # Errors
    /// As [`LogReader::range`].
    pub fn bulk_tail(&mut self, min: i64) -> Result<BulkTail<'_, V>, Error> {
        let min = checked(min)?;
        let slack = self.slack;
        let mut session = Session::open(&mut self.blocks)?;
        let at = lower_edge(&mut session, min, slack)?.at;
        Ok(BulkTail {
            session,
            at,
            inside: false,
        })
    }
}

/// Pieces of the stored bytes of a range.
pub struct Bulk<'r, V: Vfs> {
    session: Session<'r, V>,
    direction: Direction,
    /// What is still to come, in the order of the source.
    spans: VecDeque<Range<u64>>,
}

impl<'r, V: Vfs> Bulk<'r, V> {
    fn begin(
        reader: &'r mut LogReader<V>,
        min: i64,
        max: i64,
        direction: Direction,
    ) -> Result<Self, Error> {
        let bounds = bounds(min, max)?;
        let slack = reader.slack;
        let mut session = Session::open(&mut reader.blocks)?;
        let end = upper_edge(&mut session, *bounds.end(), slack)?.at;
        let start = lower_edge(&mut session, *bounds.start(), slack)?.at;
        let spans = session.whole_blocks(start..end.max(start))?.into();
        Ok(Self {
            session,
            direction,
            spans,
        })
    }

    fn piece(&mut self) -> Result<Vec<u8>, Error> {
        let mut parts = VecDeque::new();
        let mut room = CHUNK_BYTES as u64;
        while room > 0
            && let Some(span) = match self.direction {
                Direction::Newer => self.spans.pop_front(),
                Direction::Older => self.spans.pop_back(),
            }
        {
            let length = room.min(span.end - span.start);
            room -= length;
            match self.direction {
                Direction::Newer => {
                    let middle = span.start + length;
                    parts.push_back(self.session.bytes(span.start..middle)?);
                    if middle < span.end {
                        self.spans.push_front(middle..span.end);
                    }
                }
                Direction::Older => {
                    let middle = span.end - length;
                    parts.push_front(self.session.bytes(middle..span.end)?);
                    if span.start < middle {
                        self.spans.push_back(span.start..middle);
                    }
                }
            }
        }
        let mut piece = Vec::with_capacity(PREFIX_BYTES + CHUNK_BYTES);
        if self.direction == Direction::Older {
            let length: usize = parts.iter().map(Vec::len).sum();
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            piece.extend_from_slice(&length.to_be_bytes());
        }
        for part in &parts {
            piece.extend_from_slice(part);
        }
        Ok(piece)
    }
}

impl<V: Vfs> Iterator for Bulk<'_, V> {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.spans.is_empty() {
            return None;
        }
        let piece = self.piece();
        if piece.is_err() {
            self.spans.clear();
        }
        Some(piece)
    }
}

/// Stored bytes as they are written.
pub struct BulkTail<'r, V: Vfs> {
    session: Session<'r, V>,
    at: u64,
    /// What was sent last ended inside a block.
    inside: bool,
}

impl<V: Vfs> BulkTail<'_, V> {
    /// The next bytes, 32,768 at the most; `None` when there are none for now.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn poll(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.at >= self.session.size() {
            self.session.grow()?;
        }
        let at = self.at;
        let (end, _) = self.session.end_of_part(at);
        let end = end.min(at + CHUNK_BYTES as u64);
        if at >= end {
            return Ok(None);
        }
        let mut bytes = self.session.bytes(at..end)?;
        self.at = end;
        // Of a file that ended inside a block, what was sent must not be taken for the beginning of the next file.
        let begins = self.session.paged.part(at).start == at;
        if begins && std::mem::replace(&mut self.inside, false) {
            bytes.insert(0, SEPARATOR);
        }
        self.inside = bytes.last() != Some(&SEPARATOR);
        Ok(Some(bytes))
    }
}

/// Takes bulk streams apart.
#[derive(Clone, Copy, Debug)]
pub struct BulkParser;

impl BulkParser {
    /// The blocks of a stream, however it was cut on its way, each with its separator. A block that the stream ends inside
    /// is left out.
    pub fn read<B: AsRef<[u8]>, E>(
        stream: impl IntoIterator<Item = Result<B, E>>,
    ) -> impl Iterator<Item = Result<Vec<u8>, E>> {
        let mut stream = stream.into_iter();
        let mut rest: Vec<u8> = Vec::new();
        let mut blocks: VecDeque<Vec<u8>> = VecDeque::new();
        // Inside a block larger than any that is read.
        let mut skipping = false;
        std::iter::from_fn(move || {
            loop {
                if let Some(block) = blocks.pop_front() {
                    return Some(Ok(block));
                }
                let piece = match stream.next()? {
                    Ok(piece) => piece,
                    Err(error) => return Some(Err(error)),
                };
                for part in piece.as_ref().split_inclusive(|byte| *byte == SEPARATOR) {
                    let is_end = part.last() == Some(&SEPARATOR);
                    skipping |= rest.len() + part.len() > MAX_BLOCK_BYTES;
                    if skipping {
                        rest.clear();
                    } else {
                        rest.extend_from_slice(part);
                    }
                    if is_end && !std::mem::take(&mut skipping) {
                        let block = std::mem::take(&mut rest);
                        // There is nothing in an empty one.
                        blocks.extend(Some(block).filter(|block| block.len() > 1));
                    }
                }
            }
        })
    }

    /// The blocks of a reversed stream, however it was cut on its way, newest first. What the newest data has behind its
    /// last separator is left out.
    ///
    /// # Errors
    /// In its place in the iteration: what the stream fails with, or [`Error::Bulk`] of bytes that are no such stream.
    pub fn read_reversed<B: AsRef<[u8]>, E: From<Error>>(
        stream: impl IntoIterator<Item = Result<B, E>>,
    ) -> impl Iterator<Item = Result<Vec<u8>, E>> {
        let mut stream = Some(stream.into_iter());
        let mut frames = Frames::default();
        let mut open = OpenBlock::default();
        let mut blocks: VecDeque<Vec<u8>> = VecDeque::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(block) = blocks.pop_front() {
                    return Some(Ok(block));
                }
                match frames.next() {
                    Ok(Some(frame)) => {
                        open.take(&frame, &mut blocks);
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        stream = None;
                        frames = Frames::default();
                        open = OpenBlock::default();
                        return Some(Err(error.into()));
                    }
                }
                match stream.as_mut()?.next() {
                    Some(Ok(piece)) => frames.bytes.extend_from_slice(piece.as_ref()),
                    Some(Err(error)) => return Some(Err(error)),
                    None => {
                        stream = None;
                        return open.finish().map(Ok);
                    }
                }
            }
        })
    }

    /// The entries of a block with its separator, in the order they are stored.
    ///
    /// # Errors
    /// The block is damaged, or there is not even a separator.
    pub fn parse(block: &[u8]) -> Result<std::vec::IntoIter<LogEntry>, Defect> {
        let (_, block) = block.split_last().ok_or(Defect::Empty)?;
        let mut entries = Vec::new();
        Decoder::default().decode(block, &mut entries)?;
        Ok(entries.into_iter())
    }
}

/// Undoes the lengths in front of pieces.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some((prefix, rest)) = self.bytes.split_first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > MAX_BLOCK_BYTES {
            return Err(Error::Bulk("a piece longer than any block"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(PREFIX_BYTES + length);
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        frame.drain(..PREFIX_BYTES);
        Ok(Some(frame))
    }
}

/// The block whose end is known and whose beginning is not.
#[derive(Default)]
struct OpenBlock {
    /// Its pieces, the last one first; none before the first separator was met.
    pieces: Vec<Vec<u8>>,
    length: usize,
}

impl OpenBlock {
    /// Takes the piece that stands before all others.
    fn take(&mut self, piece: &[u8], blocks: &mut VecDeque<Vec<u8>>) {
        let mut end = piece.len();
        while let Some(separator) = memchr::memrchr(SEPARATOR, &piece[..end]) {
            self.put(&piece[separator + 1..end]);
            blocks.extend(self.finish());
            self.pieces.push(vec![SEPARATOR]);
            self.length = 1;
            end = separator;
        }
        self.put(&piece[..end]);
    }

    fn put(&mut self, piece: &[u8]) {
        // Behind the last separator of the newest data nothing counts; nor does a block larger than any that is read.
        self.length += piece.len();
        if self.length <= MAX_BLOCK_BYTES && !self.pieces.is_empty() && !piece.is_empty() {
            self.pieces.push(piece.to_vec());
        }
    }

    fn finish(&mut self) -> Option<Vec<u8>> {
        let pieces = std::mem::take(&mut self.pieces);
        let length = std::mem::take(&mut self.length);
        let block: Vec<u8> = pieces.into_iter().rev().flatten().collect();
        (block.len() > 1 && length <= MAX_BLOCK_BYTES).then_some(block)
    }
}
