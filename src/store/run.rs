//! Sealed runs: a memtable's entries on disk, sorted by key, in compressed blocks with an index.
//!
//! ```text
//! file  = "TWRUN001" block* index (zstd of JSON) | index length u32 | CRC32C of the index u32 | "TWRUNEND"
//! block = zstd of entries one after the other (see `codec`)
//! ```
//! The name says which positions the run holds. A run appears by rename after fsync and never changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Error, codec, wal};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{NamespaceCount, Summary};

const HEADER: &[u8; 8] = b"TWRUN001";
const TRAILER: &[u8; 8] = b"TWRUNEND";
/// Length, checksum and the trailer.
const TAIL_BYTES: u64 = 16;
/// Uncompressed bytes of a block: a page from the middle decodes one or two, some 1,000 entries.
const BLOCK_BYTES: usize = 192 << 10;
/// The fastest level: sealing keeps up with ingest on one core.
const ZSTD_LEVEL: i32 = 1;

/// A sealed run, opened: its index is in memory, its blocks are read when asked for.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    path: PathBuf,
    pub first: Position,
    pub last: Position,
    pub blocks: Vec<Block>,
    pub namespaces: Vec<NamespaceCount>,
}

/// One block, as the index knows it.
#[derive(Debug)]
pub(super) struct Block {
    offset: u64,
    length: u32,
    raw_length: u32,
    checksum: u32,
    pub count: u64,
    pub oldest: Key,
    pub newest: Key,
    pub positions: (Position, Position),
    pub summary: Summary,
}

#[derive(Serialize, Deserialize)]
struct Index {
    first: u64,
    last: u64,
    blocks: Vec<IndexBlock>,
    namespaces: Vec<NamespaceCount>,
}

#[derive(Serialize, Deserialize)]
struct IndexBlock {
    at: (u64, u32, u32, u32),
    keys: [(i64, u64); 2],
    positions: (u64, u64),
    levels: [u64; 6],
    /// Place in the index's list of namespaces, and how many entries.
    namespaces: Vec<(usize, u64)>,
}

/// The positions that a file's name promises, if it is a run's name.
pub(super) fn positions_of(name: &str) -> Option<(Position, Position)> {
    let (first, last) = name
        .strip_prefix("run-")?
        .strip_suffix(".run")?
        .split_once('-')?;
    Some((Position(first.parse().ok()?), Position(last.parse().ok()?)))
}

/// Writes entries sorted by key as a run, durably.
pub(super) fn write(dir: &Path, entries: &[Arc<Entry>]) -> Result<(), Error> {
    let positions = || entries.iter().map(|entry| entry.position);
    let (Some(first), Some(last)) = (positions().min(), positions().max()) else {
        return Ok(());
    };
    let path = dir.join(format!("run-{:020}-{:020}.run", first.0, last.0));
    let temporary = path.with_extension("tmp");
    let wrap = || Error::disk("write", &temporary);
    let mut out = BufWriter::new(File::create(&temporary).map_err(wrap())?);
    out.write_all(HEADER).map_err(wrap())?;
    let mut offset = HEADER.len() as u64;
    let counts = count_namespaces(entries);
    let names: BTreeMap<&str, usize> = counts
        .iter()
        .enumerate()
        .map(|(at, count)| (count.name.as_str(), at))
        .collect();
    let mut index = Index {
        first: first.0,
        last: last.0,
        blocks: Vec::new(),
        namespaces: counts.clone(),
    };
    let mut rest = entries;
    while !rest.is_empty() {
        let (block, raw) = cut_block(rest);
        let compressed = zstd::bulk::compress(&raw, ZSTD_LEVEL).map_err(wrap())?;
        out.write_all(&compressed).map_err(wrap())?;
        index
            .blocks
            .push(describe(block, offset, &raw, &compressed, &names));
        offset += compressed.len() as u64;
        rest = &rest[block.len()..];
    }
    let index = serde_json::to_vec(&index).map_err(|error| wrap()(error.into()))?;
    let index = zstd::bulk::compress(&index, ZSTD_LEVEL).map_err(wrap())?;
    out.write_all(&index).map_err(wrap())?;
    out.write_all(&u32::try_from(index.len()).unwrap_or(u32::MAX).to_le_bytes())
        .map_err(wrap())?;
    out.write_all(&crc32c::crc32c(&index).to_le_bytes())
        .map_err(wrap())?;
    out.write_all(TRAILER).map_err(wrap())?;
    let file = out
        .into_inner()
        .map_err(|error| wrap()(error.into_error()))?;
    file.sync_all().map_err(Error::disk("sync", &temporary))?;
    std::fs::rename(&temporary, &path).map_err(Error::disk("rename", &temporary))?;
    wal::sync_dir(dir)
}

/// The entries that fill the next block, and its bytes.
fn cut_block(entries: &[Arc<Entry>]) -> (&[Arc<Entry>], Vec<u8>) {
    let mut raw = Vec::with_capacity(BLOCK_BYTES + (8 << 10));
    let mut taken = 0;
    for entry in entries {
        codec::encode(entry, &mut raw);
        taken += 1;
        if raw.len() >= BLOCK_BYTES {
            break;
        }
    }
    (entries.split_at(taken).0, raw)
}

fn describe(
    block: &[Arc<Entry>],
    offset: u64,
    raw: &[u8],
    compressed: &[u8],
    names: &BTreeMap<&str, usize>,
) -> IndexBlock {
    let mut levels = [0; 6];
    let mut namespaces: BTreeMap<usize, u64> = BTreeMap::new();
    let mut positions = (u64::MAX, 0);
    for entry in block {
        levels[entry.level as usize] += 1;
        if let Some(at) = names.get(entry.scope.namespace.as_str()) {
            *namespaces.entry(*at).or_default() += 1;
        }
        positions = (
            positions.0.min(entry.position.0),
            positions.1.max(entry.position.0),
        );
    }
    let key = |entry: Option<&Arc<Entry>>| {
        entry
            .map(|entry| (entry.time.0, entry.position.0))
            .unwrap_or_default()
    };
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    IndexBlock {
        at: (
            offset,
            size(compressed),
            size(raw),
            crc32c::crc32c(compressed),
        ),
        keys: [key(block.first()), key(block.last())],
        positions,
        levels,
        namespaces: namespaces.into_iter().collect(),
    }
}

/// What each namespace holds, by name.
pub(super) fn count_namespaces<'e>(
    entries: impl IntoIterator<Item = &'e Arc<Entry>>,
) -> Vec<NamespaceCount> {
    let mut counts: BTreeMap<&str, NamespaceCount> = BTreeMap::new();
    for entry in entries {
        let count = counts
            .entry(&entry.scope.namespace)
            .or_insert_with(|| NamespaceCount {
                name: entry.scope.namespace.clone(),
                levels: [0; 6],
                newest: i64::MIN,
            });
        count.levels[entry.level as usize] += 1;
        count.newest = count.newest.max(entry.time.0);
    }
    counts.into_values().collect()
}

impl Run {
    /// Opens a run by reading its index.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::disk("open", path))?;
        let length = file.metadata().map_err(Error::disk("read", path))?.len();
        let damaged = |offset: u64, expected| Error::Damaged {
            path: path.to_owned(),
            offset,
            expected,
        };
        let tail_at = length
            .checked_sub(TAIL_BYTES)
            .ok_or_else(|| damaged(length, "the end of a run"))?;
        let mut tail = [0; 16];
        file.read_exact_at(&mut tail, tail_at)
            .map_err(Error::disk("read", path))?;
        let number = |from: usize| {
            tail.get(from..from + 4)
                .and_then(|bytes| bytes.try_into().ok())
                .map(u32::from_le_bytes)
        };
        let (Some(index_length), Some(sum), true) = (number(0), number(4), tail.ends_with(TRAILER))
        else {
            return Err(damaged(tail_at, "the end of a run"));
        };
        let index_at = tail_at
            .checked_sub(u64::from(index_length))
            .ok_or_else(|| damaged(tail_at, "a length within the file"))?;
        let mut compressed = vec![0; usize::try_from(index_length).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut compressed, index_at)
            .map_err(Error::disk("read", path))?;
        if crc32c::crc32c(&compressed) != sum {
            return Err(damaged(index_at, "an index whose checksum holds"));
        }
        let json = zstd::decode_all(compressed.as_slice())
            .map_err(|_| damaged(index_at, "a compressed index"))?;
        let index: Index =
            serde_json::from_slice(&json).map_err(|_| damaged(index_at, "an index"))?;
        let blocks = index
            .blocks
            .iter()
            .map(|block| Block::of(block, &index.namespaces))
            .collect();
        let (first, last) = (Position(index.first), Position(index.last));
        Ok(Self {
            file,
            path: path.to_owned(),
            first,
            last,
            blocks,
            namespaces: index.namespaces,
        })
    }

    /// The entries of a block, by key.
    pub fn read(&self, block: &Block) -> Result<Vec<Entry>, Error> {
        let damaged = |expected| Error::Damaged {
            path: self.path.clone(),
            offset: block.offset,
            expected,
        };
        let mut compressed = vec![0; block.length as usize];
        self.file
            .read_exact_at(&mut compressed, block.offset)
            .map_err(Error::disk("read", &self.path))?;
        if crc32c::crc32c(&compressed) != block.checksum {
            return Err(damaged("a block whose checksum holds"));
        }
        let raw = zstd::bulk::decompress(&compressed, block.raw_length as usize)
            .map_err(|_| damaged("a compressed block"))?;
        let mut bytes = raw.as_slice();
        let mut entries = Vec::with_capacity(usize::try_from(block.count).unwrap_or(0));
        while !bytes.is_empty() {
            entries.push(codec::decode(&mut bytes).ok_or_else(|| damaged("an entry"))?);
        }
        Ok(entries)
    }
}

impl Block {
    fn of(block: &IndexBlock, names: &[NamespaceCount]) -> Self {
        let key = |(time, position): (i64, u64)| Key {
            time: Time(time),
            position: Position(position),
        };
        let [oldest, newest] = block.keys.map(key);
        let (offset, length, raw_length, checksum) = block.at;
        let namespaces = block
            .namespaces
            .iter()
            .filter_map(|(at, count)| Some((names.get(*at)?.name.clone(), *count)))
            .collect();
        Self {
            offset,
            length,
            raw_length,
            checksum,
            count: block.levels.iter().sum(),
            oldest,
            newest,
            positions: (Position(block.positions.0), Position(block.positions.1)),
            summary: Summary {
                oldest: oldest.time,
                newest: newest.time,
                levels: block.levels,
                namespaces,
            },
        }
    }
}
