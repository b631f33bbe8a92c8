//! Which file is which, whatever it is called now.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

/// Bytes at the beginning of a file that tell it from others that get its number later.
const HEAD_BYTES: usize = 256;
/// Bytes before the place where reading goes on, by which it is seen that the file is still the same.
const TAIL_BYTES: usize = 128;

/// Device and number of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
        }
    }

    /// Under which its place is remembered.
    pub fn key(self) -> String {
        format!("{}:{}", self.device, self.number)
    }

    /// What [`FileId::key`] printed.
    pub fn from_key(key: &str) -> Option<Self> {
        let (device, number) = key.split_once(':')?;
        Some(Self {
            device: device.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

/// How a file begins: the checksum of its first bytes, up to 256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    length: usize,
    sum: u32,
}

impl Head {
    /// How this file begins now.
    pub fn of(file: &File) -> Self {
        let bytes = first_bytes(file, HEAD_BYTES);
        Self {
            length: bytes.len(),
            sum: crc32c::crc32c(&bytes),
        }
    }

    /// Whether a file begins like this. What was empty says nothing.
    pub fn begins(&self, file: &File) -> bool {
        let bytes = first_bytes(file, self.length);
        bytes.len() == self.length && crc32c::crc32c(&bytes) == self.sum
    }

    /// Bytes were read from an offset on: those that belong to the head are added. What the file holds by now may be
    /// another's.
    pub fn follow(&mut self, offset: u64, bytes: &[u8]) {
        let known = self.length as u64;
        let Some(from) = known
            .checked_sub(offset)
            .filter(|_| self.length < HEAD_BYTES)
        else {
            return;
        };
        let Some(more) = usize::try_from(from)
            .ok()
            .and_then(|from| bytes.get(from..))
        else {
            return;
        };
        let more = &more[..more.len().min(HEAD_BYTES - self.length)];
        self.sum = crc32c::crc32c_append(self.sum, more);
        self.length += more.len();
    }

    /// Whether it reaches beyond an offset.
    pub fn reaches_beyond(&self, offset: u64) -> bool {
        self.length as u64 > offset
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

fn first_bytes(file: &File, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    let mut length = 0;
    while length < most {
        match file.read_at(&mut bytes[length..], length as u64) {
            Ok(read) if read > 0 => length += read,
            _ => break,
        }
    }
    bytes.truncate(length);
    bytes
}

/// The last bytes that were read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail(Vec<u8>);

impl Tail {
    /// Of what was read in the end.
    pub fn follow(&mut self, bytes: &[u8]) {
        if bytes.len() >= TAIL_BYTES {
            self.0 = bytes[bytes.len() - TAIL_BYTES..].to_vec();
        } else {
            self.0.extend_from_slice(bytes);
            let extra = self.0.len().saturating_sub(TAIL_BYTES);
            self.0.drain(..extra);
        }
    }

    /// Whether these bytes stand before an offset in a file.
    pub fn stands_before(&self, offset: u64, file: &File) -> bool {
        let Some(from) = offset.checked_sub(self.0.len() as u64) else {
            return false;
        };
        let mut bytes = vec![0; self.0.len()];
        file.read_exact_at(&mut bytes, from).is_ok() && bytes == self.0
    }

    /// What stands before an offset in a file.
    pub fn before(offset: u64, file: &File) -> Self {
        let length = usize::try_from(offset).map_or(TAIL_BYTES, |offset| offset.min(TAIL_BYTES));
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, offset - length as u64) {
            Ok(()) => Self(bytes),
            Err(_) => Self::default(),
        }
    }
}
