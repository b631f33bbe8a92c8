//! One file of a log: its bytes, its format, what is known of its blocks. A log that is rotated has several, one behind the
//! other.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::block::{BLOCK, Block, count};
use super::content::{Content, Opened};
use super::far::FarHits;
use super::index::{Index, Summary};
use super::options::Options;
use super::packed::Packed;
use super::selection::Bytes;
use super::tail::Tail;
use crate::base::Time;
use crate::entry::decode::{Defaults, Format};

/// Bytes at the beginning that the format is told by.
const SAMPLE: u64 = 64 << 10;
/// How long is waited for unpacking before it is asked whether anyone still waits.
const UNPACKED_WITHIN: Duration = Duration::from_millis(50);
/// When untimed lines came, so many times at the most.
const ARRIVALS: usize = 4_096;

/// A file of a log.
#[derive(Debug)]
pub(super) struct Part {
    /// Its number among all files, by which positions tell it.
    pub slot: u16,
    format: OnceLock<Format>,
    /// The format of the file before, for lines that tell none.
    before: Option<Format>,
    content: RwLock<Content>,
    state: Mutex<State>,
    index: RwLock<Index>,
    /// What the blocks hold that may still change.
    pub tail: Mutex<Option<Arc<Tail>>>,
    /// What is being unpacked and has not shown what is in it yet.
    opening: Mutex<Option<Packed>>,
    /// Words that a host looked for, as far as the file was shown then, and the blocks it found them in.
    found: FarHits,
    /// The line that was last cut into pieces.
    pub long_line: Mutex<Option<LongLine>>,
    /// Bytes read, all in all.
    read: AtomicU64,
    kept: AtomicU64,
    /// Somebody looks into it, and has not come to its end.
    is_opening: AtomicBool,
    /// Nothing up to here is new, whenever somebody looks into it.
    old: AtomicU64,
    defaults: Defaults,
}

/// A line that is cut into pieces.
#[derive(Debug)]
pub(super) struct LongLine {
    /// The blocks it goes on through, from the one it begins in.
    pub blocks: Range<u64>,
    /// The time of its entry, which its pieces inherit.
    pub time: Time,
}

#[derive(Debug)]
struct State {
    path: PathBuf,
    /// Bytes of which the entries are shown: they are whole.
    settled: u64,
    /// Nothing more is appended: it was rotated away, or cut.
    is_final: bool,
    /// From which byte on lines came at which time, where they do not say it themselves.
    arrivals: Vec<(u64, Time)>,
}

impl Part {
    /// A file; its arrival stands for the times that its lines do not tell.
    pub fn new(
        slot: u16,
        path: PathBuf,
        content: Content,
        format: Option<Format>,
        defaults: Defaults,
    ) -> Self {
        let is_closed = matches!(content, Content::Closed(_));
        Self {
            slot,
            format: format.map(OnceLock::from).unwrap_or_default(),
            is_opening: AtomicBool::new(false),
            old: AtomicU64::new(if is_closed { u64::MAX } else { 0 }),
            before: None,
            content: RwLock::new(content),
            state: Mutex::new(State {
                path,
                settled: 0,
                is_final: false,
                arrivals: vec![(0, defaults.arrival)],
            }),
            index: RwLock::default(),
            tail: Mutex::default(),
            found: FarHits::default(),
            long_line: Mutex::default(),
            opening: Mutex::default(),
            read: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            defaults,
        }
    }

    /// The same file, of a log whose file before had a format: it may begin within a stack trace, or with a banner.
    pub fn after(mut self, before: Option<&Format>) -> Self {
        self.before = before.cloned();
        self
    }

    /// The same file with its lines taken for a format, as if it were another.
    pub fn read_as(&self, slot: u16, format: &Format) -> Self {
        let content = self.with_content(Content::again);
        let format = Some(format.clone());
        let part = Self::new(slot, self.path(), content, format, self.defaults.clone());
        {
            let (mut state, own) = (part.state(), self.state());
            (state.settled, state.is_final) = (own.settled, own.is_final);
            state.arrivals.clone_from(&own.arrivals);
        }
        part
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The format of its lines, as far as that is known: of a file that is not unpacked yet, nothing is.
    pub fn format(&self) -> &Format {
        static UNKNOWN: LazyLock<Format> = LazyLock::new(Format::untimed);
        self.format.get().unwrap_or(&UNKNOWN)
    }

    /// Whether nobody has looked into it yet, or its bytes are not all there yet: they are compressed, perhaps.
    pub fn is_closed(&self) -> bool {
        self.is_opening.load(Ordering::Acquire)
            || self.with_content(|content| matches!(content, Content::Closed(..)))
    }

    /// Whether it lies on another host.
    pub fn is_far(&self) -> bool {
        self.with_content(|content| matches!(content, Content::Far(_)))
    }

    /// Unpacks it to its end, if it is packed; everything of it is shown then.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn unpack(&self, options: &Options, stop: &dyn Fn() -> bool) -> io::Result<()> {
        if !self.is_closed() || !self.open(options, stop)? {
            return Ok(());
        }
        while let Some(unpacked) = self.with_content(Content::unpacking) {
            if stop() {
                return Ok(());
            }
            unpacked.wait(u64::MAX, UNPACKED_WITHIN);
        }
        self.tell_format(&options.formats)?;
        let length = self.length()?;
        let mut state = self.state();
        state.settled = length;
        state.is_final = true;
        drop(state);
        self.is_opening.store(false, Ordering::Release);
        Ok(())
    }

    /// Looks into it, unless somebody has; whether it is known by then what is in it. What cannot be opened is gone.
    ///
    /// # Errors
    /// Its host cannot be asked.
    fn open(&self, options: &Options, stop: &dyn Fn() -> bool) -> io::Result<bool> {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(closed) = self.with_content(Content::closed) else {
            return Ok(true);
        };
        let opened = match opening.take() {
            Some(packed) => Ok(Opened::Packed(packed)),
            None => closed.open(options.spool.as_deref()),
        };
        self.is_opening.store(true, Ordering::Release);
        let opened = opened.and_then(|opened| match opened {
            Opened::Packed(packed) => {
                while !packed.wait(1, UNPACKED_WITHIN) {
                    if stop() {
                        // Whoever asks next goes on.
                        *opening = Some(packed);
                        return Ok(None);
                    }
                }
                let member = packed.members().into_iter().next();
                let member = member.ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
                Ok(Some(Content::Unpacked(member)))
            }
            Opened::Plain(content) => Ok(Some(content)),
        });
        match opened {
            Ok(Some(content)) => self.move_to(content),
            Ok(None) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotConnected => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "{closed} cannot be opened");
                self.move_to(Content::Gone);
            }
        }
        Ok(true)
    }

    /// Nothing is known of it until somebody needs it: it was compressed where it lies.
    pub fn close(&self, content: Content) {
        self.move_to(content);
        let mut state = self.state();
        self.old.fetch_max(state.settled, Ordering::Relaxed);
        state.settled = 0;
        state.is_final = false;
    }

    /// Nothing up to here is new.
    pub fn take_as_old(&self, bytes: u64) {
        self.old.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Up to here nothing is new, though nobody was told of it.
    pub fn old(&self) -> u64 {
        self.old.load(Ordering::Relaxed)
    }

    /// Tells the format by what can be read.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn tell_format(&self, own: &[Format]) -> io::Result<()> {
        if self.format.get().is_none() {
            let told = self.with_content(|content| format_of(content, own))?;
            let before = self.before.as_ref().filter(|_| !told.is_timed());
            let _ = self.format.set(before.cloned().unwrap_or(told));
        }
        Ok(())
    }

    pub fn path(&self) -> PathBuf {
        self.state().path.clone()
    }

    pub fn set_path(&self, path: PathBuf) {
        self.state().path = path;
    }

    /// When the line that begins at a byte came, where lines do not say it themselves.
    pub fn arrived(&self, offset: u64) -> Time {
        let state = self.state();
        let before = state.arrivals.partition_point(|(from, _)| *from <= offset);
        state.arrivals[before.saturating_sub(1)].1
    }

    /// Bytes of which the entries are shown.
    pub fn settled(&self) -> u64 {
        self.state().settled
    }

    /// What was appended is whole up to here.
    pub fn settle(&self, settled: u64, now: Time) {
        let mut state = self.state();
        if settled > state.settled {
            if state.settled > 0 && !self.format().is_timed() && state.arrivals.len() < ARRIVALS {
                let from = state.settled;
                state.arrivals.push((from, now));
            }
            state.settled = settled;
        }
    }

    pub fn is_final(&self) -> bool {
        self.state().is_final
    }

    /// Nothing more is appended.
    pub fn finish(&self) {
        self.state().is_final = true;
    }

    /// Its bytes are elsewhere now: in the copy that was made before it was cut; or nowhere.
    pub fn move_to(&self, content: Content) {
        if let Ok(mut own) = self.content.write() {
            *own = content;
        }
    }

    /// Looks at its bytes.
    pub fn with_content<T>(&self, look: impl FnOnce(&Content) -> T) -> T {
        let content = self.content.read();
        look(&content.unwrap_or_else(PoisonError::into_inner))
    }

    /// The blocks in which a host found words, of a file that lies there; nothing of any other, or where it cannot look.
    pub fn found_afar(&self, bytes: &Bytes, settled: u64) -> Option<Arc<Vec<u64>>> {
        let far = self.with_content(Content::far)?;
        self.found.blocks(&far, bytes.words(), settled, BLOCK)
    }

    /// Bytes there are by now.
    pub fn length(&self) -> io::Result<u64> {
        self.with_content(Content::length)
    }

    /// Bytes that were read of it since it was opened.
    pub fn read_bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Reads a block, as far as its entries are shown.
    pub fn block(&self, number: u64, settled: u64, into: &mut Block) -> io::Result<()> {
        // Whoever moves it elsewhere does not wait for a host.
        let read = match self.with_content(Content::far) {
            Some(far) => into.read(&Content::Far(far), self.format(), number, settled),
            None => self.with_content(|content| into.read(content, self.format(), number, settled)),
        };
        self.read.fetch_add(into.read, Ordering::Relaxed);
        read
    }

    /// The index, to be read.
    pub fn index(&self) -> std::sync::RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index, to be added to.
    pub fn index_mut(&self) -> std::sync::RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a block.
    pub fn summary(&self, block: u64) -> Option<Summary> {
        self.index().get(block)
    }

    /// The defaults that entries of it are decoded with.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// Blocks of which nothing changes any more.
    pub fn whole_blocks(&self, settled: u64) -> u64 {
        if self.is_final() {
            self.blocks(settled)
        } else {
            (settled / BLOCK).saturating_sub(1)
        }
    }

    /// Blocks of the index that are kept in the cache directory.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    pub fn set_kept(&self, blocks: u64) {
        self.kept.store(blocks, Ordering::Relaxed);
    }

    /// Blocks that make up what is shown.
    pub fn blocks(&self, settled: u64) -> u64 {
        count(settled)
    }
}

/// The format that a file is in, told by how it begins.
pub(super) fn format_of(content: &Content, own: &[Format]) -> io::Result<Format> {
    let length = content.length()?;
    let mut sample = vec![0; usize::try_from(length.min(SAMPLE)).unwrap_or(0)];
    let filled = content.read(&mut sample, 0)?;
    sample.truncate(filled);
    // A line that is cut tells nothing, unless it is all there is.
    if (filled as u64) < length
        && let Some(end) = memchr::memrchr(b'\n', &sample)
    {
        sample.truncate(end + 1);
    }
    Ok(Format::detect(&sample, own))
}

/// A part that several hold.
pub(super) type SharedPart = Arc<Part>;
