//! Indexes of files, kept for the next time.
//!
//! A file `<device>-<number>.index` in the cache directory: the line `tailwater index 2`, a line of JSON that says which file
//! it is of (length that is known, checksums of the first and of the last block known, format, zone, namespaces), then the records
//! of blocks, 64 bytes each (times, levels, namespaces; little-endian), compressed with zstd.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::block::BLOCK;
use super::content::Content;
use super::index::{Index, Summary};
use super::part::Part;
use crate::base::{NewFile, Time};
use crate::query::NamespaceCount;

const MAGIC: &[u8] = b"tailwater index 2\n";
/// Bytes of a record: three times, six counts, namespaces, and 8 that are free.
const RECORD: usize = 64;
/// An index is written again when so much of it is new: an eighth, but no less than
const WORTH_IT: u64 = 8;
/// so many blocks; smaller files are learned sooner than an index is read.
const LEAST_BLOCKS: u64 = 16;

/// What an index is of.
#[derive(Debug, Deserialize, Serialize)]
struct Header {
    blocks: u64,
    first: u32,
    last: u32,
    format: String,
    zone: String,
    namespace: String,
    modified: i64,
    namespaces: Vec<NamespaceCount>,
}

fn path_of(dir: &Path, content: &Content) -> Option<PathBuf> {
    let metadata = content.file()?.metadata().ok()?;
    Some(dir.join(format!("{:x}-{:x}.index", metadata.dev(), metadata.ino())))
}

/// The checksum of a block.
fn sum(content: &Content, block: u64) -> io::Result<u32> {
    let mut bytes = vec![0; usize::try_from(BLOCK).unwrap_or(0)];
    let filled = content.read(&mut bytes, block * BLOCK)?;
    Ok(crc32c::crc32c(&bytes[..filled]))
}

/// Writes the index of a file down, if there is enough that is not kept.
///
/// # Errors
/// The disk refuses.
pub(super) fn keep(dir: &Path, part: &Part, settled: u64) -> io::Result<()> {
    let whole = part.whole_blocks(settled);
    let known = part.index().known();
    let kept = part.kept();
    if known < whole || known < kept + (kept / WORTH_IT).max(LEAST_BLOCKS) {
        return Ok(());
    }
    let (path, first, last) = part.with_content(|content| {
        let sums = sum(content, 0).and_then(|first| Ok((first, sum(content, whole - 1)?)));
        sums.map(|(first, last)| (path_of(dir, content), first, last))
    })?;
    let Some(path) = path else { return Ok(()) };
    std::fs::create_dir_all(dir)?;
    let mut file = NewFile::replacing(&path)?;
    {
        let index = part.index();
        let (blocks, namespaces) = index.parts();
        let header = Header {
            blocks: whole,
            first,
            last,
            format: part.format().name().to_owned(),
            zone: part.defaults().zone.id(),
            namespace: part.defaults().namespace.clone(),
            modified: part.defaults().arrival.0,
            namespaces: namespaces.to_vec(),
        };
        file.write_all(MAGIC)?;
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        let mut packed = zstd::Encoder::new(&mut file, 3)?;
        let count = usize::try_from(whole).unwrap_or(usize::MAX);
        for summary in blocks.iter().take(count) {
            packed.write_all(&record(&summary.unwrap_or(Summary::EMPTY)))?;
        }
        packed.finish()?;
    }
    file.finish()?;
    part.set_kept(known);
    Ok(())
}

/// The index of a file, if one is kept that is of what the file holds now.
pub(super) fn read(dir: &Path, part: &Part) -> Option<Index> {
    let header_of = |content: &Content| {
        let bytes = std::fs::read(path_of(dir, content)?).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let end = memchr::memchr(b'\n', rest)?;
        let header: Header = serde_json::from_slice(&rest[..end]).ok()?;
        let is_of_it = header.blocks > 0
            && header.blocks * BLOCK <= content.length().ok()?
            && header.format == part.format().name()
            && header.zone == part.defaults().zone.id()
            && header.namespace == part.defaults().namespace
            && sum(content, 0).ok()? == header.first
            && sum(content, header.blocks - 1).ok()? == header.last;
        is_of_it.then(|| (header, rest[end + 1..].to_vec()))
    };
    let (header, packed) = part.with_content(header_of)?;
    let mut records = Vec::new();
    let most = header.blocks.checked_mul(RECORD as u64)?;
    let decoder = zstd::Decoder::new(packed.as_slice()).ok()?;
    decoder.take(most + 1).read_to_end(&mut records).ok()?;
    if records.len() as u64 != most {
        return None;
    }
    let blocks = records.chunks_exact(RECORD).map(summary).collect();
    let index = Index::of_parts(blocks, header.namespaces);
    part.set_kept(index.known());
    Some(index)
}

fn record(summary: &Summary) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let times = [summary.oldest, summary.newest, summary.last];
    let words = times.iter().map(|time| time.0.to_le_bytes());
    for (into, word) in record.chunks_exact_mut(8).zip(words) {
        into.copy_from_slice(&word);
    }
    let counts = record[24..48].chunks_exact_mut(4).zip(summary.levels);
    for (into, count) in counts {
        into.copy_from_slice(&count.to_le_bytes());
    }
    record[48..56].copy_from_slice(&summary.namespaces.to_le_bytes());
    record
}

fn summary(record: &[u8]) -> Option<Summary> {
    let long = |at: usize| Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?));
    let time = |at: usize| long(at).map(|time| Time(time.cast_signed()));
    let mut levels = [0; 6];
    for (into, count) in levels.iter_mut().zip(record.get(24..48)?.chunks_exact(4)) {
        *into = u32::from_le_bytes(count.try_into().ok()?);
    }
    Some(Summary {
        oldest: time(0)?,
        newest: time(8)?,
        last: time(16)?,
        levels,
        namespaces: long(48)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back() {
        let known = Summary {
            oldest: Time(-5),
            newest: Time(i64::MAX),
            last: Time(7),
            levels: [1, 2, 3, 4, 5, u32::MAX],
            namespaces: u64::MAX,
        };
        for summary in [known, Summary::EMPTY] {
            assert_eq!(super::summary(&record(&summary)), Some(summary));
        }
    }
}
