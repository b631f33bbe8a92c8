//! The thread that unpacks: packed bytes to content, content to blocks, log after log.

use std::io::{self, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use zstd::bulk::Compressor;

use super::blocks::{BLOCK, Blocks};
use super::decode::decoder;
use super::failure::Stop;
use super::magic::{compression, is_tar};
use super::reading::{Bounded, Counted, Peeked, fill, unwanted};
use super::{Failure, Packing};

/// How hard blocks are compressed: faster than any decoder here, and a log becomes a tenth all the same.
const LEVEL: i32 = 1;

/// Unpacks a file to its end, until it fails, or until nobody holds its blocks any more.
pub(super) fn run(packed: impl Read, packing: Packing, name: &str, blocks: &Weak<Blocks>) {
    let mut form = format!("{} data", packing.name());
    let work = AssertUnwindSafe(|| unpack(packed, packing, name, blocks, &mut form));
    // Whoever waits for the end must not wait for ever, whatever a decoder does with bytes it did not expect.
    let done = catch_unwind(work).unwrap_or_else(|_| {
        let gave_up = io::Error::other("the decoder gave up");
        Err(Stop::Packed(gave_up))
    });
    if let Some(blocks) = blocks.upgrade() {
        let failure = done.err().map(|stop| Failure::of(stop, &form, &blocks));
        blocks.finish(failure);
    }
}

/// Bytes between two files of an archive, at the most: no name is that long.
const MAX_HEADER: u64 = 1 << 20;

/// Unpacks a file; `form` is what is being read, in words.
fn unpack(
    packed: impl Read,
    packing: Packing,
    name: &str,
    blocks: &Weak<Blocks>,
    form: &mut String,
) -> Result<(), Stop> {
    let mut writer = Writer {
        blocks,
        compressor: Compressor::new(LEVEL).map_err(Stop::Kept)?,
        content: vec![0; BLOCK],
    };
    let packed = Counted::new(packed, Weak::clone(blocks));
    let mut content = Peeked::new(decoder(packing, packed).map_err(Stop::Packed)?);
    if is_tar(content.head()) {
        *form = match packing {
            Packing::Tar => "tar archive".to_owned(),
            _ => format!("tar archive in {}", packing.name()),
        };
        return members(content, &mut writer);
    }
    writer.begin(name)?;
    writer.write(&mut content)?;
    writer.end(None)
}

/// Unpacks each regular file in an archive.
fn members(archive: impl Read, writer: &mut Writer<'_>) -> Result<(), Stop> {
    let bounded = Bounded::new(archive);
    let left = Rc::clone(&bounded.left);
    let mut archive = tar::Archive::new(bounded);
    let mut entries = archive.entries().map_err(Stop::Packed)?;
    loop {
        // What stands between two files is held in memory: long names, attributes.
        left.set(MAX_HEADER);
        let Some(entry) = entries.next() else {
            return Ok(());
        };
        let mut entry = entry.map_err(Stop::Packed)?;
        left.set(u64::MAX);
        let kind = entry.header().entry_type();
        // A sparse file is one too: a log that is emptied while it is written becomes sparse.
        if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            member(&mut entry, writer)?;
        }
        io::copy(&mut entry, &mut io::sink()).map_err(Stop::Packed)?;
    }
}

/// Unpacks a file in an archive, and what it is compressed with itself. Damage within is this log's, not the archive's.
fn member(entry: &mut tar::Entry<'_, impl Read>, writer: &mut Writer<'_>) -> Result<(), Stop> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let name = path.strip_prefix("./").unwrap_or(&path);
    let size = entry.size();
    writer.begin(name)?;
    let mut content = Peeked::new(entry);
    let Some(packing) = compression(content.head()) else {
        // An archive that is cut off ends its members without a word.
        if writer.write(&mut content)? < size {
            return Err(Stop::Packed(io::ErrorKind::UnexpectedEof.into()));
        }
        return writer.end(None);
    };
    let written = decoder(packing, BufReader::new(content))
        .map_err(Stop::Packed)
        .and_then(|mut content| writer.write(&mut content));
    match written {
        Ok(_) => writer.end(None),
        Err(stop @ Stop::Packed(_)) => {
            let form = format!("{} data of {name}", packing.name());
            let failure = Failure::of(stop, &form, &*writer.blocks()?);
            writer.end(Some(failure))
        }
        Err(stop) => Err(stop),
    }
}

/// Content on its way into blocks.
struct Writer<'a> {
    blocks: &'a Weak<Blocks>,
    compressor: Compressor<'static>,
    /// A block's content.
    content: Vec<u8>,
}

impl Writer<'_> {
    /// The blocks, as long as somebody else holds them too.
    fn blocks(&self) -> Result<Arc<Blocks>, Stop> {
        let held = self.blocks.upgrade();
        held.ok_or_else(|| Stop::Packed(unwanted()))
    }

    fn begin(&self, name: &str) -> Result<(), Stop> {
        if self.blocks()?.begin(name) {
            Ok(())
        } else {
            Err(Stop::TooMany)
        }
    }

    /// Writes a log's content to its end, or what comes before it fails; how many bytes there were.
    fn write(&mut self, stream: &mut dyn Read) -> Result<u64, Stop> {
        let mut written = 0;
        loop {
            let (count, error) = fill(stream, &mut self.content);
            if count > 0 {
                let content = &self.content[..count];
                let compressed = self.compressor.compress(content).map_err(Stop::Kept)?;
                let blocks = self.blocks()?;
                blocks.add(count, &compressed).map_err(Stop::Kept)?;
                written += count as u64;
            }
            if let Some(error) = error {
                return Err(Stop::Packed(error));
            }
            if count < self.content.len() {
                return Ok(written);
            }
        }
    }

    fn end(&self, failure: Option<Failure>) -> Result<(), Stop> {
        self.blocks()?.end(failure);
        Ok(())
    }
}
