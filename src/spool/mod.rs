//! A bounded log of payloads on disk: what waits for a pipeline's sink, what its live clients follow, what was pushed to a
//! live stream.
//!
//! ```text
//! DIR/<position of the first payload, 20 digits>.spool
//! file  = "TWSPL001" frame*
//! frame = payload bytes u32 | CRC32C of (first, count, payload) u32 | first position u64 | count u32 | payload
//! payload = (length u32 | bytes)*
//! ```
//! All numbers little endian. Positions run from 1 without gaps, but where damage was skipped.
//!
//! Invariants: what [`Spool::append`] returned is there after `kill -9`, after [`Spool::sync`] also after a power cut; a
//! torn end is cut when it is opened; readers hold a position, not a queue. Knows nothing of what the payloads are.

mod frame;
mod peek;
mod read;
mod segment;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use peek::peek;
pub use read::Reader;
pub use read::Stretch;
use segment::Segment;

/// Bytes after which another file is begun, at the least and at the most: the grain in which space is given back.
const SEGMENT_BYTES: (u64, u64) = (64 << 10, 16 << 20);
/// Files that a spool of its full size has.
const SEGMENTS: u64 = 16;

/// Why a spool does not take or give payloads.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}")]
pub struct SpoolError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl SpoolError {
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }
}

/// A spool. Clones share it.
#[derive(Clone, Debug)]
pub struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    segment_bytes: u64,
    state: Mutex<State>,
    /// The newest position.
    head: watch::Sender<u64>,
    /// Bytes there are; watched by who waits for room.
    bytes: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    /// Oldest first; never empty once something was appended.
    segments: Vec<Segment>,
    /// The position of the next payload.
    next: u64,
}

impl Spool {
    /// Opens the spool of a directory, which is made if need be; it is to hold so many bytes. A torn end is cut.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open(dir: &Path, most: u64) -> Result<Self, SpoolError> {
        Self::open_from(dir, most, 1)
    }

    /// As [`Spool::open`]; where nothing is yet, positions begin with `first`.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open_from(dir: &Path, most: u64, first: u64) -> Result<Self, SpoolError> {
        let segment = (most / SEGMENTS).clamp(SEGMENT_BYTES.0, SEGMENT_BYTES.1);
        // A file that never fills is never given back: a small spool has smaller ones.
        Self::open_with(dir, segment.min(most), first)
    }

    fn open_with(dir: &Path, segment_bytes: u64, first: u64) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(dir).map_err(SpoolError::of("create", dir))?;
        let mut segments = Vec::new();
        for item in std::fs::read_dir(dir).map_err(SpoolError::of("list", dir))? {
            let item = item.map_err(SpoolError::of("list", dir))?;
            let first = item.file_name().to_str().and_then(segment::first_of);
            if let Some(first) = first {
                segments.push(Segment::open(item.path(), first)?);
            }
        }
        segments.sort_by_key(|segment| segment.first);
        let next = match segments.last_mut() {
            Some(last) => last.recover()?,
            None => first,
        };
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        Ok(Self(Arc::new(Shared {
            dir: dir.to_owned(),
            segment_bytes,
            state: Mutex::new(State { segments, next }),
            head: watch::Sender::new(next - 1),
            bytes: watch::Sender::new(bytes),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends payloads; their positions.
    ///
    /// # Errors
    /// The disk refuses: nothing of them is there.
    pub fn append<P: AsRef<[u8]>>(&self, payloads: &[P]) -> Result<Range<u64>, SpoolError> {
        let mut state = self.state();
        let first = state.next;
        if payloads.is_empty() {
            return Ok(first..first);
        }
        let is_full = |segment: &Segment| segment.bytes >= self.0.segment_bytes;
        if state.segments.last().is_none_or(is_full) {
            if let Some(last) = state.segments.last_mut() {
                last.sync()?;
            }
            state.segments.push(Segment::create(&self.0.dir, first)?);
        }
        let frame = frame::encode(first, payloads);
        if let Some(last) = state.segments.last_mut() {
            last.append(&frame)?;
        }
        state.next += payloads.len() as u64;
        let next = state.next;
        self.0.head.send_replace(next - 1);
        self.tell(&state);
        Ok(first..next)
    }

    /// Returns when what was appended would survive a power cut.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn sync(&self) -> Result<(), SpoolError> {
        self.state()
            .segments
            .last_mut()
            .map_or(Ok(()), Segment::sync)
    }

    /// The newest position, watched; 0 when nothing was appended yet.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.0.head.subscribe()
    }

    /// The oldest position that is still there.
    pub fn oldest(&self) -> u64 {
        let state = self.state();
        state
            .segments
            .first()
            .map_or(state.next, |segment| segment.first)
    }

    /// Bytes there are, watched.
    pub fn bytes(&self) -> watch::Receiver<u64> {
        self.0.bytes.subscribe()
    }

    /// Gives back the space of whole files up to a position.
    pub fn release(&self, position: u64) {
        let mut state = self.state();
        while let [oldest, second, ..] = state.segments.as_slice()
            && second.first <= position + 1
        {
            oldest.remove();
            state.segments.remove(0);
        }
        // Everything was delivered: the last file goes too, if it is worth it.
        if state.next == position + 1
            && let [only] = state.segments.as_slice()
            && only.bytes >= self.0.segment_bytes
        {
            only.remove();
            state.segments.clear();
            // The next file's name remembers the position; until there is one, an empty file does.
            match Segment::create(&self.0.dir, position + 1) {
                Ok(segment) => state.segments.push(segment),
                Err(error) => tracing::warn!(error = %error, "a spool lost its place"),
            }
        }
        self.tell(&state);
    }

    /// Drops the oldest files beyond so many bytes; the last one stays.
    pub fn retain(&self, bytes: u64) {
        let mut state = self.state();
        let mut total: u64 = state.segments.iter().map(|segment| segment.bytes).sum();
        while total > bytes && state.segments.len() > 1 {
            let oldest = state.segments.remove(0);
            total -= oldest.bytes;
            oldest.remove();
        }
        self.tell(&state);
    }

    /// Reads what comes after a position.
    pub fn read_after(&self, position: u64) -> Reader {
        Reader::new(self.clone(), position)
    }

    fn tell(&self, state: &State) {
        let bytes = state.segments.iter().map(|segment| segment.bytes).sum();
        self.0.bytes.send_replace(bytes);
    }
}

#[cfg(test)]
mod tests;
