//! The bytes of a segment file, checked.
//!
//! ```text
//! "PAR1" | header | row groups, each followed by its filters and its tally | tail | the tail again
//! header = "TWSEG001" | start of the tail u64 | length of the tail u64 | CRC32C of the tail u32 | CRC32C of the header u32
//! tail   = length of the index u32 | index, JSON compressed with zstd | Parquet's page index, footer, its length, "PAR1"
//! ```
//! All numbers little endian. What Parquet does not know of, its readers pass over. Each row group is checked in blocks of
//! 16 KiB, from its own first byte, by sums that stand in the index; the tail as a whole by the header. There are two tails
//! because a damaged one would cost every row group.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::super::disk::{Reading, Writing};
use super::super::{Error, Work};

const MAGIC: &[u8; 8] = b"TWSEG001";
/// After Parquet's own four bytes.
const HEADER_AT: u64 = 4;
const HEADER_BYTES: usize = 32;
const BLOCK: u64 = 16 << 10;

/// A file being written: Parquet's bytes on their way, summed up.
#[derive(Debug)]
pub(super) struct Sink {
    file: Box<dyn Writing>,
    sums: Vec<u32>,
    block: u32,
    /// Where the part began that is being written.
    part: u64,
    length: u64,
    tail: Option<Vec<u8>>,
}

impl Sink {
    pub fn new(file: Box<dyn Writing>) -> Self {
        Self {
            file,
            sums: Vec::new(),
            block: 0,
            part: 0,
            length: 0,
            tail: None,
        }
    }

    /// Room for the header, which is written at the end.
    pub fn header_room() -> [u8; HEADER_BYTES] {
        [0; HEADER_BYTES]
    }

    /// Ends a part of the file: the sums of its blocks. The next part's blocks begin where it does.
    pub fn end_part(&mut self) -> Vec<u32> {
        if !(self.length - self.part).is_multiple_of(BLOCK) {
            self.sums.push(std::mem::take(&mut self.block));
        }
        self.part = self.length;
        std::mem::take(&mut self.sums)
    }

    /// What comes now is the tail.
    pub fn begin_tail(&mut self) {
        self.tail = Some(Vec::new());
    }

    /// Writes the tail again and the header, and waits for the disk; the length of the file.
    pub fn finish(mut self) -> io::Result<u64> {
        let tail = self.tail.take().unwrap_or_default();
        self.file.append(&tail)?;
        let start = self.length - tail.len() as u64;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&start.to_le_bytes());
        header.extend_from_slice(&(tail.len() as u64).to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&tail).to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        self.file.write_at(HEADER_AT, &header)?;
        self.file.sync()?;
        Ok(self.length + tail.len() as u64)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.append(bytes)?;
        let written = bytes.len();
        if let Some(tail) = &mut self.tail {
            tail.extend_from_slice(bytes);
            self.length += written as u64;
            return Ok(written);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room =
                usize::try_from(BLOCK - (self.length - self.part) % BLOCK).unwrap_or(usize::MAX);
            let (part, more) = rest.split_at(rest.len().min(room));
            self.block = crc32c::crc32c_append(self.block, part);
            self.length += part.len() as u64;
            if (self.length - self.part).is_multiple_of(BLOCK) {
                self.sums.push(std::mem::take(&mut self.block));
            }
            rest = more;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The tail of a segment file that was found whole.
#[derive(Debug)]
pub(super) struct Tail {
    pub start: u64,
    pub bytes: Bytes,
    /// Something of the file was damaged, but not both tails.
    pub damage: Option<&'static str>,
}

impl Tail {
    /// The index's JSON.
    pub fn index(&self) -> Option<Vec<u8>> {
        let (length, rest) = self.bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        zstd::decode_all(rest.get(..length)?).ok()
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn sum(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// Reads whichever tail is whole.
pub(super) fn read_tail(file: &dyn Reading, path: &Path) -> Result<Tail, Error> {
    let damaged = |offset, expected| Error::Damaged {
        path: path.to_owned(),
        offset,
        expected,
    };
    let refused = || Error::disk("read", path);
    let length = file.length();
    let mut header = [0; HEADER_BYTES];
    if length < HEADER_AT + HEADER_BYTES as u64 {
        return Err(damaged(length, "a whole segment file"));
    }
    file.read_at(HEADER_AT, &mut header).map_err(refused())?;
    if header.starts_with(MAGIC)
        && sum(&header, HEADER_BYTES - 4) == crc32c::crc32c(&header[..HEADER_BYTES - 4])
    {
        let (start, tail_length) = (number(&header, 8), number(&header, 16));
        let wanted = sum(&header, 24);
        for (at, damage) in [
            (length.checked_sub(tail_length), None),
            (
                Some(start),
                Some("the last part of the file is damaged; its copy was taken"),
            ),
        ] {
            let Some(at) =
                at.filter(|at| at.checked_add(tail_length).is_some_and(|end| end <= length))
            else {
                continue;
            };
            let mut bytes = vec![0; usize::try_from(tail_length).unwrap_or(0)];
            file.read_at(at, &mut bytes).map_err(refused())?;
            if crc32c::crc32c(&bytes) == wanted {
                return Ok(Tail {
                    start,
                    bytes: bytes.into(),
                    damage,
                });
            }
        }
        return Err(damaged(start, "an index and a footer whose checksum holds"));
    }
    tail_without_header(file, length)
        .map_err(refused())?
        .ok_or_else(|| damaged(HEADER_AT, "the header of a segment"))
}

/// Without a header the two tails vouch for each other: the file ends with the same bytes twice.
fn tail_without_header(file: &dyn Reading, length: u64) -> io::Result<Option<Tail>> {
    const HEAD: usize = 64;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_at(0, &mut bytes)?;
    // The last bytes of a tail hold the length of the footer and end in "PAR1", so they are hardly found elsewhere.
    let Some(end) = bytes.len().checked_sub(HEAD) else {
        return Ok(None);
    };
    let (before, last) = bytes.split_at(end);
    let Some(found) = memchr::memmem::rfind(before, last) else {
        return Ok(None);
    };
    let tail_length = end - found;
    let Some(start) = (found + HEAD).checked_sub(tail_length) else {
        return Ok(None);
    };
    let (first, second) = (
        &bytes[start..start + tail_length],
        &bytes[start + tail_length..],
    );
    Ok((first == second).then(|| Tail {
        start: start as u64,
        bytes: Bytes::copy_from_slice(first),
        damage: Some("the header is damaged"),
    }))
}

/// What was read from segments since the store was opened.
#[derive(Debug, Default)]
pub(in crate::store) struct Counters {
    /// Bytes read from files.
    pub bytes: AtomicU64,
    /// Row groups put to a question.
    pub groups: AtomicU64,
    /// Columns of row groups decoded, in part or whole.
    pub columns: AtomicU64,
    /// Rows put to a question or built as entries.
    pub rows: AtomicU64,
}

impl Counters {
    /// The counts now.
    pub fn work(&self) -> Work {
        Work {
            bytes: self.bytes.load(Ordering::Relaxed),
            groups: self.groups.load(Ordering::Relaxed),
            columns: self.columns.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
        }
    }
}

/// A part of a file whose blocks have sums: a row group.
#[derive(Debug)]
pub(super) struct Part {
    pub start: u64,
    pub end: u64,
    pub sums: Vec<u32>,
}

/// A segment file being read: every block is checked on its way.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    file: Arc<dyn Reading>,
    path: Arc<PathBuf>,
    parts: Arc<[Part]>,
    counters: Arc<Counters>,
}

impl Checked {
    pub fn new(
        file: Arc<dyn Reading>,
        path: PathBuf,
        parts: Vec<Part>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            file,
            path: Arc::new(path),
            parts: parts.into(),
            counters,
        }
    }

    /// The tail again, whichever copy is whole.
    pub fn tail(&self, start: u64) -> Result<Tail, Error> {
        let tail = read_tail(self.file.as_ref(), &self.path)?;
        debug_assert_eq!(tail.start, start);
        self.counters
            .bytes
            .fetch_add(tail.bytes.len() as u64, Ordering::Relaxed);
        Ok(tail)
    }

    /// Whether the two tails are the same: opening is content with one.
    pub fn tails_agree(&self, start: u64) -> Result<bool, Error> {
        let tail = self.tail(start)?;
        let mut rest = vec![0; usize::try_from(self.file.length() - start).unwrap_or(0)];
        self.file
            .read_at(start, &mut rest)
            .map_err(Error::disk("read", &*self.path))?;
        let (first, second) = rest.split_at(rest.len() / 2);
        Ok(first == second && first == &*tail.bytes)
    }

    /// Reads bytes whose blocks are whole.
    pub fn read(&self, start: u64, length: usize) -> Result<Bytes, Error> {
        let damaged = |offset, expected| Error::Damaged {
            path: (*self.path).clone(),
            offset,
            expected,
        };
        let wanted_end = start.saturating_add(length as u64);
        let part = self
            .parts
            .iter()
            .find(|part| part.start <= start && wanted_end <= part.end);
        let part = part.ok_or_else(|| damaged(start, "a place within a row group"))?;
        let from = part.start + (start - part.start) / BLOCK * BLOCK;
        let to = (part.start + (wanted_end - part.start).next_multiple_of(BLOCK)).min(part.end);
        let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(0)];
        self.file
            .read_at(from, &mut bytes)
            .map_err(Error::disk("read", &*self.path))?;
        self.counters
            .bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let first = usize::try_from((from - part.start) / BLOCK).unwrap_or(usize::MAX);
        for (at, block) in bytes
            .chunks(usize::try_from(BLOCK).unwrap_or(1))
            .enumerate()
        {
            if part.sums.get(first + at) != Some(&crc32c::crc32c(block)) {
                return Err(damaged(
                    from + at as u64 * BLOCK,
                    "a block whose checksum holds",
                ));
            }
        }
        let skip = usize::try_from(start - from).unwrap_or(0);
        Ok(Bytes::from(bytes).slice(skip..skip + length))
    }
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.file.length()
    }
}

impl ChunkReader for Checked {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        // Parquet reads so only where it does not know a length: the head of a dictionary, say.
        let end = self
            .parts
            .iter()
            .find(|part| part.start <= start && start < part.end)
            .map_or(start, |part| part.end);
        let length = usize::try_from(end - start).unwrap_or(0);
        self.get_bytes(start, length.min(64 << 10))
            .map(io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.read(start, length).map_err(external)
    }
}

/// The tail as the end of a file: what Parquet's metadata is read from.
#[derive(Debug)]
pub(super) struct TailReader<'t>(pub &'t Tail);

impl Length for TailReader<'_> {
    fn len(&self) -> u64 {
        self.0.start + self.0.bytes.len() as u64
    }
}

impl ChunkReader for TailReader<'_> {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let length = usize::try_from(self.len().saturating_sub(start)).unwrap_or(0);
        self.get_bytes(start, length).map(io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let from = start
            .checked_sub(self.0.start)
            .and_then(|from| usize::try_from(from).ok());
        from.filter(|from| from + length <= self.0.bytes.len())
            .map(|from| self.0.bytes.slice(from..from + length))
            .ok_or_else(|| ParquetError::EOF("the tail is shorter than its footer says".into()))
    }
}
