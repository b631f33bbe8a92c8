//! The write-ahead log: frames of entries, each whole or not there.
//!
//! ```text
//! file  = "TWWAL001" frame*
//! frame = magic u32 | length u32 | CRC32C of (length, payload) u32 | payload: entries one after the other
//! ```
//! All numbers little endian. The magic lets reading find the next frame behind a damaged one.

use std::io;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::disk::{self, Disk, Writing};
use super::{Error, codec};
use crate::entry::{Entry, Position};

const HEADER: &[u8; 8] = b"TWWAL001";
const MAGIC: [u8; 4] = [0xB7, 0x57, 0x41, 0x4C];
const FRAME_HEAD: usize = 12;
/// No frame is larger: a length beyond it is damage. Group commit writes at most this much at once.
pub(super) const MAX_FRAME_BYTES: usize = 64 << 20;

/// The file that a memtable's entries are in until it is sealed.
#[derive(Debug)]
pub(super) struct Wal {
    file: Box<dyn Writing>,
    path: PathBuf,
    /// Bytes known to be good: a failed write is cut back to here.
    length: u64,
    /// Bytes known to be on the disk.
    synced: u64,
}

/// What a WAL file held.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub entries: Vec<Entry>,
    /// Byte ranges that were skipped because they are no whole frame, though frames follow.
    pub damaged: Vec<std::ops::Range<u64>>,
    /// Where the file ends in something that is no frame: torn by a crash, to be ignored.
    pub torn_at: Option<u64>,
}

/// `wal-<first position>.wal`
pub(super) fn path(dir: &Path, first: Position) -> PathBuf {
    dir.join(format!("wal-{:020}.wal", first.0))
}

/// The first position that a file's name promises, if it is a write-ahead log's name.
pub(super) fn first_of(name: &str) -> Option<Position> {
    Some(Position(
        name.strip_prefix("wal-")?
            .strip_suffix(".wal")?
            .parse()
            .ok()?,
    ))
}

impl Wal {
    /// Starts the WAL whose first entry will have this position; the folder is synced so that the file outlives a crash.
    pub fn create(disk: &dyn Disk, dir: &Path, first: Position) -> Result<Self, Error> {
        let path = path(dir, first);
        let mut file = disk.create(&path).map_err(Error::disk("create", &path))?;
        file.append(HEADER).map_err(Error::disk("write", &path))?;
        disk.sync_dir(dir).map_err(Error::disk("sync", dir))?;
        Ok(Self {
            file,
            path,
            length: HEADER.len() as u64,
            synced: HEADER.len() as u64,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one frame; on failure the file is cut back to what was good before.
    pub fn append(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let mut frame = Vec::with_capacity(FRAME_HEAD + payload.len());
        frame.extend_from_slice(&MAGIC);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&checksum(length, payload).to_le_bytes());
        frame.extend_from_slice(payload);
        if let Err(error) = self.file.append(&frame) {
            self.file.cut(self.length)?;
            return Err(error);
        }
        self.length += frame.len() as u64;
        Ok(())
    }

    /// Returns when all that was appended is on the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.synced < self.length {
            if let Err(error) = self.file.sync() {
                // Nobody knows what is on the disk; what was not answered shall at least not come back.
                let _ = self.file.cut(self.synced);
                return Err(error);
            }
            self.synced = self.length;
        }
        Ok(())
    }
}

fn checksum(length: u32, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), payload)
}

/// Reads a WAL file: what is whole, what was skipped, where it is torn.
pub(super) fn read(disk: &dyn Disk, path: &Path) -> Result<Contents, Error> {
    let bytes = disk::read(disk, path).map_err(Error::disk("read", path))?;
    let mut contents = Contents::default();
    let mut at = if bytes.starts_with(HEADER) {
        HEADER.len()
    } else {
        0
    };
    while at < bytes.len() {
        if let Some((payload, end)) = frame(&bytes, at) {
            decode_all(payload, &mut contents.entries);
            at = end;
            continue;
        }
        if let Some(next) = next_frame(&bytes, at + 1) {
            contents.damaged.push(at as u64..next as u64);
            at = next;
        } else {
            contents.torn_at = Some(at as u64);
            break;
        }
    }
    Ok(contents)
}

/// The payload of the whole frame at `at`, and where it ends.
fn frame(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let head = bytes.get(at..at + FRAME_HEAD)?;
    let number = |from: usize| {
        head.get(from..from + 4)?
            .try_into()
            .ok()
            .map(u32::from_le_bytes)
    };
    let (length, sum) = (number(4)?, number(8)?);
    let end = at
        + FRAME_HEAD
        + usize::try_from(length)
            .ok()
            .filter(|length| *length <= MAX_FRAME_BYTES)?;
    let payload = bytes.get(at + FRAME_HEAD..end)?;
    (head.starts_with(&MAGIC) && checksum(length, payload) == sum).then_some((payload, end))
}

fn next_frame(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memmem::find_iter(rest, &MAGIC)
        .map(|found| from + found)
        .find(|at| frame(bytes, *at).is_some())
}

fn decode_all(mut payload: &[u8], entries: &mut Vec<Entry>) {
    while !payload.is_empty() {
        match codec::decode(&mut payload) {
            Some(entry) => entries.push(entry),
            // Cannot be after a checksum that holds, unless another version wrote it.
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::Os;
    use super::*;

    fn written(dir: &Path, frames: u64) -> PathBuf {
        let mut wal = Wal::create(&Os, dir, Position(1)).expect("a WAL");
        for position in 1..=frames {
            let mut payload = Vec::new();
            codec::encode(
                &Entry {
                    position: Position(position),
                    text: "words".into(),
                    ..Entry::default()
                },
                &mut payload,
            );
            wal.append(&payload).expect("appended");
        }
        wal.path().to_owned()
    }

    fn positions(contents: &Contents) -> Vec<u64> {
        contents
            .entries
            .iter()
            .map(|entry| entry.position.0)
            .collect()
    }

    #[test]
    fn every_cut_leaves_the_whole_frames() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = written(dir.path(), 3);
        let bytes = std::fs::read(&path).expect("bytes");
        let frame_length = (bytes.len() - HEADER.len()) / 3;
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("written");
            let contents = read(&Os, &path).expect("read");
            let whole = cut.saturating_sub(HEADER.len()) / frame_length;
            assert_eq!(
                positions(&contents),
                (1..=whole as u64).collect::<Vec<_>>(),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_bad_frame_costs_itself_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = written(dir.path(), 3);
        let good = std::fs::read(&path).expect("bytes");
        let frame_length = (good.len() - HEADER.len()) / 3;
        for flipped in HEADER.len() + frame_length..HEADER.len() + 2 * frame_length {
            let mut bytes = good.clone();
            bytes[flipped] ^= 0x40;
            std::fs::write(&path, &bytes).expect("written");
            let contents = read(&Os, &path).expect("read");
            assert_eq!(positions(&contents), [1, 3], "flipped {flipped}");
            assert_eq!(contents.damaged.len(), 1);
            assert_eq!(contents.torn_at, None);
        }
    }
}
