//! Bytes of a file on another host, which are asked for as they are needed.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::host::{FarFile, Host};

/// Bytes of a piece; pieces begin at multiples of it.
const PIECE: usize = 32 * 1024;

/// Pieces that are kept: 8 MiB.
const KEPT: NonZeroUsize = NonZeroUsize::new(256).expect("more than none");

/// Bytes that are asked for at once, at the most.
const AT_ONCE: usize = 1 << 20;

/// Of what was appended since it was looked at, so much is read at once.
const APPENDED: u64 = 1 << 20;

/// Bytes before what was appended by which a file is known again.
const BEFORE: u64 = 64;

/// A file on another host, read at any place. What was read is kept, 8 MiB at the most.
pub struct FarContent {
    host: Host,
    /// The path it had at first: beside it lies what was rotated away.
    origin: String,
    file: Mutex<FarFile>,
    pieces: Mutex<LruCache<u64, Arc<[u8]>>>,
    /// Whoever else needs bytes waits, and may find them kept then.
    asking: Mutex<()>,
}

/// What became of a file since it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is as it was, or grew.
    None,
    /// Another has its name.
    Replaced,
    /// It does not hold what it held.
    Cut,
}

impl FarContent {
    /// A file as it was listed. Nothing is asked yet.
    #[must_use]
    pub fn new(host: Host, file: FarFile) -> Self {
        Self {
            host,
            origin: file.path.clone(),
            file: Mutex::new(file),
            pieces: Mutex::new(LruCache::new(KEPT)),
            asking: Mutex::default(),
        }
    }

    /// The path it had at first.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its bytes are in another file from now on: it was renamed, or is read in its copy.
    pub fn move_to(&self, to: FarFile) {
        *self.known() = to;
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The file as it was when it was looked at.
    #[must_use]
    pub fn file(&self) -> FarFile {
        self.known().clone()
    }

    /// Bytes it had when it was looked at.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.known().length
    }

    /// Takes in how a file of its name is now, and reads what was appended.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn look(&self, now: &FarFile) -> io::Result<Change> {
        let before = self.file();
        if now.number != before.number {
            return Ok(Change::Replaced);
        }
        if now.length < before.length {
            return Ok(Change::Cut);
        }
        if now.length > before.length || now.modified != before.modified {
            let own = self.end_of(before.length);
            let from = before.length - own.len() as u64;
            let most = own.len() as u64 + APPENDED.min(now.length - before.length);
            let most = usize::try_from(most).unwrap_or(0);
            let read = self.host.read(&now.path, from, most)?;
            if !read.starts_with(&own) {
                return Ok(Change::Cut);
            }
            self.keep(from, &read);
        }
        *self.known() = now.clone();
        Ok(Change::None)
    }

    /// Whether a file holds what this one holds before its end: it is a copy of it, or itself.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn is_copied_in(&self, other: &FarFile) -> io::Result<bool> {
        let length = self.len();
        if other.length < length {
            return Ok(false);
        }
        let own = self.end_of(length);
        let from = length - own.len() as u64;
        Ok(self.host.read(&other.path, from, own.len())? == own)
    }

    /// Some of the last bytes, if they are kept.
    fn end_of(&self, length: u64) -> Vec<u8> {
        let from = length.saturating_sub(BEFORE);
        let mut pieces = self.pieces();
        let mut end = Vec::new();
        let mut at = from;
        while at < length {
            let Some((piece, within)) = kept(&mut pieces, at) else {
                return Vec::new();
            };
            let rest = &piece[within..];
            let count = rest.len().min(usize::try_from(length - at).unwrap_or(0));
            end.extend_from_slice(&rest[..count]);
            at += count as u64;
        }
        end
    }

    /// Reads from an offset on, as much as is kept or is asked for at once; how many bytes, 0 at the end.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let buffer = &mut buffer[..wanted];
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.copy(buffer, offset);
        if count > 0 {
            return Ok(count);
        }
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.copy(buffer, offset);
        if count > 0 {
            return Ok(count);
        }
        self.ask(offset, wanted.min(AT_ONCE))?;
        Ok(self.copy(buffer, offset))
    }

    /// Copies what is kept from an offset on, up to what is not.
    fn copy(&self, buffer: &mut [u8], offset: u64) -> usize {
        let mut pieces = self.pieces();
        let mut filled = 0;
        while filled < buffer.len() {
            let Some((piece, within)) = kept(&mut pieces, offset + filled as u64) else {
                break;
            };
            let rest = &piece[within..];
            let count = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
        }
        filled
    }

    /// Asks for the pieces that hold bytes, up to the first that is kept; of one that grew, for what is missing.
    fn ask(&self, offset: u64, length: usize) -> io::Result<()> {
        let (from, to) = {
            let mut pieces = self.pieces();
            let first = offset / PIECE as u64;
            let have = pieces.get(&first).map_or(0, |piece| piece.len());
            let last = (offset + length as u64 - 1) / PIECE as u64;
            let missing = (first + 1..=last).take_while(|number| !pieces.contains(number));
            let end = missing.last().unwrap_or(first) + 1;
            (first * PIECE as u64 + have as u64, end * PIECE as u64)
        };
        let most = usize::try_from(to.min(self.len()).saturating_sub(from)).unwrap_or(0);
        let path = self.known().path.clone();
        let bytes = self.host.read(&path, from, most)?;
        self.keep(from, &bytes);
        Ok(())
    }

    /// Keeps bytes that lie at an offset: whole pieces, and the one at either end as far as it is known from its beginning on.
    fn keep(&self, offset: u64, bytes: &[u8]) {
        let mut pieces = self.pieces();
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (number, within) = place(at);
            let (own, more) = rest.split_at(rest.len().min(PIECE - within));
            let before = pieces.get(&number).cloned().unwrap_or_default();
            if before.len() >= within && before.len() < within + own.len() {
                let whole = [&before[..within], own].concat();
                pieces.put(number, whole.into());
            }
            at += own.len() as u64;
            rest = more;
        }
    }

    fn known(&self) -> MutexGuard<'_, FarFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pieces(&self) -> MutexGuard<'_, LruCache<u64, Arc<[u8]>>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The piece that an offset lies in, and where.
fn place(offset: u64) -> (u64, usize) {
    let within = usize::try_from(offset % PIECE as u64).unwrap_or(0);
    (offset / PIECE as u64, within)
}

/// The piece that holds an offset, if that much of it is kept, and where in it.
fn kept(pieces: &mut LruCache<u64, Arc<[u8]>>, offset: u64) -> Option<(Arc<[u8]>, usize)> {
    let (number, within) = place(offset);
    let piece = pieces.get(&number)?;
    (piece.len() > within).then(|| (Arc::clone(piece), within))
}

impl fmt::Debug for FarContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarContent")
            .field("host", &self.host)
            .field("file", &self.file())
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

    fn found(fake: &Fake, name: &str) -> FarFile {
        let found = fake.host().look(&[fake.path(name)]);
        found.expect("an answer").pop().expect("a file")
    }

    fn content(fake: &Fake, name: &str) -> FarContent {
        FarContent::new(fake.host(), found(fake, name))
    }

    #[test]
    fn bytes_are_those_of_the_file_across_pieces_and_as_it_grows() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        let mut bytes: Vec<u8> = (0..PIECE * 2 + 100)
            .map(|at| u8::try_from(at % 251).unwrap_or_default())
            .collect();
        fs::write(&path, &bytes).expect("write");
        let content = content(&fake, "a.log");
        assert_eq!(content.len(), bytes.len() as u64);
        let around = PIECE - 7;
        assert!(read(&content, around as u64, 50) == bytes[around..around + 50]);
        assert!(read(&content, 0, bytes.len() + 9) == bytes);
        assert_eq!(read(&content, bytes.len() as u64, 9), b"");

        for appended in [
            b"appended".to_vec(),
            vec![7; 3 * PIECE],
            vec![9; 1300 * 1024],
        ] {
            let before = bytes.len();
            bytes.extend_from_slice(&appended);
            fs::write(&path, &bytes).expect("write");
            assert_eq!(content.len(), before as u64, "it was not looked at");
            let change = content.look(&found(&fake, "a.log")).expect("looked at");
            assert_eq!(change, Change::None);
            assert!(read(&content, before as u64 - 8, appended.len() + 99) == bytes[before - 8..]);
        }
        assert!(read(&content, 0, bytes.len()) == bytes);
    }

    #[test]
    fn what_became_of_a_file_is_told() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        fs::write(&path, "long ago").expect("write");
        let content = content(&fake, "a.log");
        assert_eq!(read(&content, 0, 99), b"long ago");
        fs::copy(&path, fake.path("a.log.1")).expect("copied");
        let look = || content.look(&found(&fake, "a.log")).expect("looked at");
        fs::write(&path, "new").expect("write");
        assert_eq!(look(), Change::Cut, "it is shorter");
        fs::write(&path, "another one").expect("write");
        assert_eq!(look(), Change::Cut, "it holds something else");
        assert_eq!(
            content.is_copied_in(&found(&fake, "a.log.1")).ok(),
            Some(true)
        );
        fs::write(fake.path("b.log"), "no copy at all").expect("write");
        assert_eq!(
            content.is_copied_in(&found(&fake, "b.log")).ok(),
            Some(false)
        );
        fs::rename(fake.path("b.log"), &path).expect("renamed");
        assert_eq!(look(), Change::Replaced);
    }

    #[test]
    fn a_file_that_is_gone_is_told() {
        let fake = Fake::new();
        fs::write(fake.path("gone"), "text").expect("write");
        let content = content(&fake, "gone");
        fs::remove_file(fake.path("gone")).expect("removed");
        let error = content.read_at(&mut [0; 9], 0).expect_err("gone");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
