//! The temporary file and its table: content in blocks, each compressed by itself; the last that were read stay unpacked.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use lru::LruCache;

use super::Failure;

/// Bytes of content in a block: large enough to compress well, small enough to be unpacked in less than a millisecond.
pub(super) const BLOCK: usize = 256 << 10;
/// Blocks that are kept unpacked: 16, which is 4 MiB, as much as is read at once from a file.
const KEPT_BLOCKS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
/// Members of an archive at the most: each takes memory, and nobody looks through more.
pub(super) const MAX_MEMBERS: usize = 10_000;

/// The last blocks that were read, by member and number.
type Kept = LruCache<(usize, usize), Arc<[u8]>>;

/// What is unpacked of a file so far. One thread adds, any read.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The packed file and the temporary file's directory, for people.
    pub packed: String,
    pub dir: String,
    file: File,
    state: Mutex<State>,
    /// Something was added, or nothing more will be.
    changed: Condvar,
    /// By member and number of the block.
    kept: Mutex<Kept>,
    /// Bytes of the packed file that the decoder took, of all.
    taken: AtomicU64,
    bytes: u64,
    /// The decoder asked for more than the packed file has.
    starved: AtomicBool,
    /// What the system said when the packed file could not be read.
    unreadable: OnceLock<String>,
}

/// What is known of a file's content.
#[derive(Debug, Default)]
pub(super) struct State {
    pub members: Vec<Member>,
    pub ended: bool,
    pub failure: Option<Arc<Failure>>,
    /// Bytes written to the temporary file.
    written: u64,
}

/// A log, and where its blocks are.
#[derive(Debug)]
pub(super) struct Member {
    pub name: Arc<str>,
    pub failure: Option<Arc<Failure>>,
    ended: bool,
    /// Bytes of content.
    length: u64,
    /// Where its first block begins in the temporary file, and where each ends.
    start: u64,
    ends: Vec<u64>,
}

impl Blocks {
    /// Nothing yet, of a packed file of so many bytes.
    pub fn new(file: File, packed: String, bytes: u64, dir: String) -> Self {
        Self {
            packed,
            dir,
            file,
            state: Mutex::default(),
            changed: Condvar::new(),
            kept: Mutex::new(LruCache::new(KEPT_BLOCKS)),
            taken: AtomicU64::new(0),
            bytes,
            starved: AtomicBool::new(false),
            unreadable: OnceLock::new(),
        }
    }

    /// What is known now.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a log, to which the blocks that follow belong; false where there are too many.
    pub fn begin(&self, name: &str) -> bool {
        let mut state = self.state();
        if state.members.len() >= MAX_MEMBERS {
            return false;
        }
        let start = state.written;
        state.members.push(Member {
            name: name.into(),
            failure: None,
            ended: false,
            length: 0,
            start,
            ends: Vec::new(),
        });
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Adds a block of so many bytes of content, compressed, to the last log.
    ///
    /// # Errors
    /// It cannot be written; then nothing is added.
    pub fn add(&self, content: usize, compressed: &[u8]) -> io::Result<()> {
        // Nobody else adds: the place is free until this returns.
        let start = self.state().written;
        self.file.write_all_at(compressed, start)?;
        let end = start + compressed.len() as u64;
        let mut state = self.state();
        state.written = end;
        if let Some(member) = state.members.last_mut() {
            member.ends.push(end);
            member.length += content as u64;
        }
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The last log is whole, or failed.
    pub fn end(&self, failure: Option<Failure>) {
        if let Some(member) = self.state().members.last_mut() {
            member.end(failure.map(Arc::new));
        }
        self.changed.notify_all();
    }

    /// The file is whole, or failed, and with it the log that has not ended.
    pub fn finish(&self, failure: Option<Failure>) {
        if failure.is_none() {
            // What an archive has after its end is not read.
            self.taken.store(self.bytes, Ordering::Relaxed);
        }
        let failure = failure.map(Arc::new);
        let mut state = self.state();
        if let Some(member) = state.members.last_mut()
            && !member.ended
        {
            member.end(failure.clone());
        }
        state.failure = failure;
        state.ended = true;
        drop(state);
        self.changed.notify_all();
    }

    /// A block's content; `None` where there is none, or not yet.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn block(&self, member: usize, index: usize) -> io::Result<Option<Arc<[u8]>>> {
        let key = (member, index);
        if let Some(content) = self.kept().get(&key) {
            return Ok(Some(Arc::clone(content)));
        }
        let Some((start, end)) = self.state().place(member, index) else {
            return Ok(None);
        };
        let mut compressed = vec![0; usize::try_from(end - start).unwrap_or(0)];
        self.file.read_exact_at(&mut compressed, start)?;
        let content: Arc<[u8]> = zstd::bulk::decompress(&compressed, BLOCK)?.into();
        self.kept().put(key, Arc::clone(&content));
        Ok(Some(content))
    }

    /// Waits until it is so; whether it came about in time.
    pub fn wait(&self, timeout: Duration, is_so: impl Fn(&State) -> bool) -> bool {
        let state = self.state();
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| !is_so(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        is_so(&state)
    }

    /// Bytes of the packed file that the decoder took, of all.
    pub fn progress(&self) -> (u64, u64) {
        (self.taken.load(Ordering::Relaxed), self.bytes)
    }

    /// The decoder took so many bytes more.
    pub fn take(&self, count: usize) {
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// The decoder asked for more than there is.
    pub fn starve(&self) {
        self.starved.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub fn is_starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }

    /// The packed file cannot be read; the first reason stays.
    pub fn refuse(&self, error: &io::Error) {
        let _ = self.unreadable.set(error.to_string());
    }

    /// Why the packed file cannot be read, if it cannot.
    pub fn refusal(&self) -> Option<&str> {
        self.unreadable.get().map(String::as_str)
    }
}

impl State {
    /// Bytes of a log's content that can be read.
    pub fn length(&self, member: usize) -> u64 {
        self.members.get(member).map_or(0, |known| known.length)
    }

    /// Whether nothing more comes of a log.
    pub fn is_whole(&self, member: usize) -> bool {
        self.ended || self.members.get(member).is_some_and(|known| known.ended)
    }

    /// Where a block begins and ends in the temporary file.
    fn place(&self, member: usize, index: usize) -> Option<(u64, u64)> {
        let known = self.members.get(member)?;
        let end = *known.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *known.ends.get(before)?,
            None => known.start,
        };
        Some((start, end))
    }
}

impl Member {
    fn end(&mut self, failure: Option<Arc<Failure>>) {
        self.ended = true;
        self.failure = failure;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_logs_that_follow_one_another_are_found() {
        let file = tempfile::tempfile().expect("a file");
        let blocks = Blocks::new(file, "a.tar".to_owned(), 100, "/tmp".to_owned());
        let mut wanted = Vec::new();
        for member in 0..3_u8 {
            assert!(blocks.begin(&format!("log {member}")));
            for index in 0..2 * KEPT_BLOCKS.get() {
                let content = vec![member; 100 + index];
                let compressed = zstd::bulk::compress(&content, 1).expect("compressed");
                blocks.add(content.len(), &compressed).expect("added");
                wanted.push((usize::from(member), index, content));
            }
            blocks.end(None);
        }
        // More than is kept, twice: from the file and from what is kept.
        for (member, index, content) in wanted.iter().chain(&wanted) {
            let block = blocks.block(*member, *index).expect("read");
            assert_eq!(block.as_deref(), Some(&content[..]));
        }
        assert_eq!(blocks.kept().len(), KEPT_BLOCKS.get());
        assert_eq!(blocks.block(0, 1_000).expect("read"), None);
        assert_eq!(blocks.block(3, 0).expect("read"), None);
    }
}
