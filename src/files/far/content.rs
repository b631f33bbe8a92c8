//! Bytes of a file on another host, which are asked for as they are needed.

use std::fmt;
use std::io::{self, ErrorKind};
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

/// First bytes by which a format is told, and last ones in which it is looked how far a file is whole.
const ENDS: (u64, u64) = (64 << 10, 256 << 10);

/// Bytes before what was appended by which a file is known again.
const BEFORE: u64 = 64;

/// A file on another host, read at any place. What was read is kept, 8 MiB at the most.
pub struct FarContent {
    host: Host,
    /// The path of the log it belongs to: beside it lies what was rotated away.
    origin: String,
    file: Mutex<FarFile>,
    /// Some of the last bytes of so many, by which it is known again.
    end: Mutex<(u64, Vec<u8>)>,
    pieces: Mutex<LruCache<u64, Arc<[u8]>>>,
    /// Whoever else needs bytes waits, and may find them kept then.
    asking: Mutex<()>,
}

impl FarContent {
    /// A file as it was listed, and the path of the log it belongs to. Nothing is asked yet.
    #[must_use]
    pub fn new(host: Host, file: FarFile, origin: String) -> Self {
        Self {
            host,
            origin,
            file: Mutex::new(file),
            end: Mutex::default(),
            pieces: Mutex::new(LruCache::new(KEPT)),
            asking: Mutex::default(),
        }
    }

    /// The path of the log it belongs to.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its bytes are in another file from now on: it was renamed, or is read in its copy.
    pub fn move_to(&self, to: FarFile) {
        *self.known() = to;
    }

    /// Its bytes are in a copy from now on: what was read since it was cut is forgotten.
    pub fn move_to_copy(&self, to: FarFile) {
        self.pieces().clear();
        self.move_to(to);
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

    /// Takes in how the file that has its name is now, and reads what was appended; whether it is still what it was. Else
    /// another has the name, or it was cut.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn look(&self, now: &FarFile) -> io::Result<bool> {
        let before = self.file();
        if now.number != before.number || now.length < before.length {
            return Ok(false);
        }
        let own = self.end_of(before.length);
        let appended = now.length - before.length;
        let most = usize::try_from(own.len() as u64 + APPENDED.min(appended)).unwrap_or(0);
        if most > 0 && (appended > 0 || now.modified != before.modified) {
            let from = before.length - own.len() as u64;
            let read = match self.host.read(now, from, most) {
                Err(error) if error.kind() == ErrorKind::StaleNetworkFileHandle => {
                    return Ok(false);
                }
                read => read?,
            };
            if read.len() < most || !read.starts_with(&own) {
                return Ok(false);
            }
            self.keep(from, &read);
        }
        *self.known() = now.clone();
        self.remember_end();
        if appended > APPENDED {
            self.warm(now.length.saturating_sub(ENDS.1), ENDS.1)?;
        }
        Ok(true)
    }

    /// Reads its first and its last bytes, unless they are kept: whoever needs them first waits for no host.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub fn warm_ends(&self) -> io::Result<()> {
        self.warm(0, ENDS.0)?;
        self.warm(self.len().saturating_sub(ENDS.1), ENDS.1)
    }

    fn warm(&self, from: u64, length: u64) -> io::Result<()> {
        let (mut at, end) = (from, (from + length).min(self.len()));
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(0)];
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(0);
            match self.read_at(&mut buffer[..most], at)? {
                0 => break,
                count => at += count as u64,
            }
        }
        Ok(())
    }

    /// Bytes from an offset on; they are not kept.
    ///
    /// # Errors
    /// As [`Host::read`].
    pub(super) fn ask(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.where_it_lies(|file| self.host.read(file, offset, length))
    }

    /// Where the lines begin that hold one of the words: [`Host::hits`].
    ///
    /// # Errors
    /// As [`Host::hits`].
    pub fn hits(&self, words: &[String], from: u64, most: usize) -> io::Result<Vec<u64>> {
        self.where_it_lies(|file| self.host.hits(file, words, from, most))
    }

    /// Some of the last bytes, if it is known what they were.
    pub(super) fn end_of(&self, length: u64) -> Vec<u8> {
        let end = self.end();
        let known = (end.0 == length).then(|| end.1.clone());
        known.unwrap_or_default()
    }

    /// Remembers the last bytes, if they are kept.
    fn remember_end(&self) {
        let length = self.len();
        let kept = self.kept_end(length);
        if !kept.is_empty() {
            *self.end() = (length, kept);
        }
    }

    /// Some of the last bytes, if they are kept.
    fn kept_end(&self, length: u64) -> Vec<u8> {
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
        self.fetch(offset, wanted.min(AT_ONCE))?;
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
    fn fetch(&self, offset: u64, length: usize) -> io::Result<()> {
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
        let bytes = self.ask(from, most)?;
        self.keep(from, &bytes);
        self.remember_end();
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

    fn end(&self) -> MutexGuard<'_, (u64, Vec<u8>)> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
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
        FarContent::new(fake.host(), found(fake, name), fake.path(name))
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
            let is_same = content.look(&found(&fake, "a.log"));
            assert!(is_same.expect("looked at"));
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
        assert!(!look(), "it is shorter");
        fs::write(&path, "another one").expect("write");
        assert!(!look(), "it holds something else");
        let is_held = |name| content.is_held_by(&found(&fake, name)).expect("compared");
        assert_eq!(is_held("a.log.1"), Some(true));
        fs::write(fake.path("b.log"), "no copy at all").expect("write");
        assert_eq!(is_held("b.log"), Some(false));
        fs::rename(fake.path("b.log"), &path).expect("renamed");
        assert!(!look(), "another has its name");
    }

    #[test]
    fn a_file_is_read_on_under_the_name_it_has() {
        let fake = Fake::new();
        let path = fake.path("a.log");
        fs::write(&path, vec![b'x'; 3 * PIECE]).expect("write");
        let content = content(&fake, "a.log");
        fs::rename(&path, fake.path("a.log.1")).expect("renamed");
        assert_eq!(read(&content, 0, 2), b"xx", "nothing has its name");
        fs::write(&path, vec![b'y'; 3 * PIECE]).expect("write");
        let offset = 2 * PIECE as u64;
        assert_eq!(read(&content, offset, 2), b"xx", "another has its name");
        let hits = content.hits(&["x".to_owned()], 0, 9);
        assert_eq!(hits.expect("searched"), [0]);
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
