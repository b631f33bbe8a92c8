//! Bytes of a file on another host, which are asked for in pieces.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::host::Host;

/// Bytes of a piece; pieces begin at multiples of it.
const PIECE: usize = 256 * 1024;

/// Pieces that are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(8).expect("more than none");

/// A length is taken to be right for so long.
const LOOK: Duration = Duration::from_secs(1);

/// A file on another host, read at any place. What was read is kept, 2 MiB at the most.
pub struct FarContent {
    host: Host,
    path: String,
    /// How long it was, and when.
    length: Mutex<Option<(Instant, u64)>>,
    pieces: Mutex<LruCache<u64, Arc<[u8]>>>,
}

impl FarContent {
    /// The file at an absolute path. Nothing is asked yet.
    #[must_use]
    pub fn new(host: Host, path: String) -> Self {
        Self {
            host,
            path,
            length: Mutex::default(),
            pieces: Mutex::new(LruCache::new(KEPT)),
        }
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its path there.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes it has, or had within the last second.
    ///
    /// # Errors
    /// As [`Host::length`].
    pub fn len(&self) -> io::Result<u64> {
        let mut known = self.length.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, length)) = *known
            && at.elapsed() < LOOK
        {
            return Ok(length);
        }
        let length = self.host.length(&self.path)?;
        if known.is_some_and(|(_, before)| length < before) {
            // It was cut: it holds something else now.
            self.pieces().clear();
        }
        *known = Some((Instant::now(), length));
        Ok(length)
    }

    /// Reads from an offset on, at most to the end of a piece; how many bytes, 0 at the end.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let number = offset / PIECE as u64;
        let within = usize::try_from(offset % PIECE as u64).unwrap_or(PIECE);
        let kept = self.pieces().get(&number).cloned();
        let piece = match kept {
            Some(piece) if piece.len() > within => piece,
            _ if self.len()? <= offset => return Ok(0),
            _ => self.ask(number)?,
        };
        let rest = piece.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn ask(&self, number: u64) -> io::Result<Arc<[u8]>> {
        let from = number * PIECE as u64;
        let piece: Arc<[u8]> = self.host.read(&self.path, from, PIECE)?.into();
        self.pieces().put(number, Arc::clone(&piece));
        Ok(piece)
    }

    fn pieces(&self) -> MutexGuard<'_, LruCache<u64, Arc<[u8]>>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FarContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarContent")
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::super::fake::Fake;
    use super::*;

    fn read(content: &FarContent, offset: u64, length: usize) -> Vec<u8> {
        let (mut bytes, mut filled) = (vec![0; length], 0);
        while filled < length {
            let at = offset + filled as u64;
            match content.read_at(&mut bytes[filled..], at).expect("bytes") {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        bytes
    }

    /// Lets the length be asked for again.
    fn look(content: &FarContent) {
        let mut known = content.length.lock().expect("the length");
        let (at, length) = known.expect("a length");
        let before = at.checked_sub(2 * LOOK).expect("a clock that runs");
        *known = Some((before, length));
    }

    #[test]
    fn bytes_are_those_of_the_file_across_pieces_and_as_it_grows() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        let mut bytes: Vec<u8> = (0..PIECE * 2 + 100)
            .map(|at| u8::try_from(at % 251).unwrap_or_default())
            .collect();
        fs::write(&path, &bytes).expect("write");
        let content = FarContent::new(fake.host(), path.clone());
        assert_eq!(content.len().expect("a length"), bytes.len() as u64);
        assert!(read(&content, 0, bytes.len() + 9) == bytes);
        let around = PIECE - 7;
        assert!(read(&content, around as u64, 50) == bytes[around..around + 50]);
        assert_eq!(read(&content, bytes.len() as u64, 9), b"");

        bytes.extend_from_slice(b"appended");
        fs::write(&path, &bytes).expect("write");
        look(&content);
        assert_eq!(read(&content, bytes.len() as u64 - 8, 99), b"appended");
    }

    #[test]
    fn a_file_that_was_cut_is_read_again() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        fs::write(&path, "long ago").expect("write");
        let content = FarContent::new(fake.host(), path.clone());
        assert_eq!(read(&content, 0, 99), b"long ago");
        fs::write(&path, "new").expect("write");
        assert_eq!(read(&content, 0, 4), b"long", "it is kept");
        look(&content);
        assert_eq!(content.len().expect("a length"), 3);
        assert_eq!(read(&content, 0, 99), b"new");
    }

    #[test]
    fn a_file_that_is_gone_is_told() {
        let fake = Fake::new();
        let content = FarContent::new(fake.host(), fake.path("gone"));
        let error = content.read_at(&mut [0; 9], 0).expect_err("gone");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
