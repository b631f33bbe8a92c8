//! Log files that are explored: what is open, and what questions see of it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::block::Block;
use super::discover::DiscoverError;
use super::far::{FarContent, Host};
use super::fate::Rotated;
use super::lane::Lane;
use super::options::Options;
use super::roots::Roots;
use super::watched::Watched;
use super::{afar, cache, here, learn};
use crate::base::{Gauge, Tokens};
use crate::entry::Position;
use crate::entry::decode::Format;

/// Files are looked at for what was appended this often at the most.
const LOOK: Duration = Duration::from_millis(50);

/// Places that heads tell, all in all.
const HEADS: usize = 1 << 20;

/// Blocks that are kept to be read into, at the most.
const SPARE: usize = 16;

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("a log file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// Where the files lie nothing answers.
    #[error("{0}")]
    Silent(String),
}

/// How far each file is read, by its number.
pub(super) type Places = BTreeMap<u16, u64>;

/// Log files that are explored. Copies share what is open.
#[derive(Clone)]
pub struct LogFiles(pub(super) Arc<Shared>);

pub(super) struct Shared {
    watched: Mutex<(Watched, Instant)>,
    options: Arc<Options>,
    /// Where the files lie, if not here.
    pub host: Option<Host>,
    /// Heads that pages told.
    heads: Tokens<Places>,
    /// Questions that are being answered.
    pub asking: AtomicUsize,
    /// How far the index has come.
    pub gauge: Arc<Gauge>,
    /// Blocks that are not used at the moment: their memory is.
    spare: Mutex<Vec<Block>>,
}

/// The logs at one moment.
pub(super) struct Picture {
    pub lanes: Vec<Lane>,
    /// Whoever follows after it misses nothing.
    pub head: Position,
}

impl LogFiles {
    /// Opens files on another host: those that a pattern of its shell gives. They are not indexed: all of them would have to
    /// come here for that.
    ///
    /// # Errors
    /// The host does not answer, or has no such files.
    pub fn open_far(host: &Host, pattern: &str, options: Options) -> std::io::Result<Self> {
        let found = host.list(pattern)?;
        if found.is_empty() {
            let told = format!("{}: expected files at {pattern}, found none", host.name());
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, told));
        }
        options.make_spool();
        let zone = options.zone.clone().map_or_else(|| host.zone(), Ok)?;
        let options = Arc::new(Options {
            index: false,
            zone: Some(zone),
            ..options
        });
        let mut watched = Watched::new(Arc::clone(&options));
        watched.add_far(host, &found)?;
        let files = Self::of(watched, options, Some(host.clone()));
        afar::begin(&files)?;
        Ok(files)
    }

    /// Opens what is named: files, directories of them, and patterns of paths where nothing lies at a path. What comes there
    /// later is taken in too. What cannot be shown keeps nobody from the rest: [`LogFiles::standing`] tells it.
    ///
    /// # Errors
    /// There is nothing that can be shown.
    pub fn open(paths: &[PathBuf], options: Options) -> Result<Self, DiscoverError> {
        options.make_spool();
        let options = Arc::new(options);
        let mut watched = Watched::new(Arc::clone(&options));
        let mut roots = Roots::new(paths, &options)?;
        watched.take_named(&mut roots)?;
        let files = Self::of(watched, options, None);
        here::begin(&files, roots);
        Ok(files)
    }

    fn of(mut watched: Watched, options: Arc<Options>, host: Option<Host>) -> Self {
        watched.look();
        let count = watched
            .logs()
            .map(|(_, parts)| parts.count())
            .sum::<usize>();
        let files = Self(Arc::new(Shared {
            watched: Mutex::new((watched, Instant::now())),
            options,
            host,
            heads: Tokens::bounded(HEADS / count.max(1)),
            asking: AtomicUsize::new(0),
            gauge: Arc::default(),
            spare: Mutex::default(),
        }));
        files.read_indexes();
        let (bytes, known) = files.measure();
        files.0.gauge.expect(bytes);
        files.0.gauge.advance(known);
        if !files.options().index {
            files.0.gauge.finish();
        } else if let Err(error) = learn::begin(&files) {
            tracing::warn!(%error, "files are not indexed");
        }
        files
    }

    /// How far the index has come, in bytes; finished when it knows everything there was at the beginning.
    #[must_use]
    pub fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.0.gauge)
    }

    /// Takes the lines of a log for a format; its entries have other positions from then on.
    ///
    /// # Errors
    /// There is no such format, or no such log; what is said tells which there are.
    pub fn set_format(&self, log: &str, format: &str) -> Result<(), String> {
        let own = &self.options().formats;
        let format = Format::called(format, own)?;
        self.watched().0.set_format(log, &format)
    }

    /// Takes everything there is for whole, also a line without an end and an entry that may be continued: for who asks once.
    pub fn take_whole(&self) {
        self.watched().0.take_whole();
    }

    /// Files on other hosts that may change, and those that nobody has looked into.
    pub(super) fn far_contents(&self) -> (Vec<Arc<FarContent>>, Vec<Arc<FarContent>>) {
        self.watched().0.far_contents()
    }

    /// A file on another host became another.
    pub(super) fn take_rotated(&self, rotated: &Rotated) {
        if let Err(error) = self.watched().0.take_rotated(rotated) {
            tracing::debug!(%error, "a file on another host cannot be read");
        }
    }

    /// Why what is shown may be old: where it lies nothing answers.
    #[must_use]
    pub fn silence(&self) -> Option<String> {
        self.0.host.as_ref().and_then(Host::trouble)
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    /// A block to be read into.
    pub(super) fn spare_block(&self) -> SpareBlock<'_> {
        let block = self.spare().pop().unwrap_or_default();
        SpareBlock { files: self, block }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Block>> {
        self.0.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watched(&self) -> MutexGuard<'_, (Watched, Instant)> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a question is being answered: the index waits meanwhile.
    pub(super) fn asking(&self) -> Asking<'_> {
        self.0.asking.fetch_add(1, Ordering::Relaxed);
        Asking(&self.0.asking)
    }

    /// The logs as they are, or were a moment ago.
    pub(super) fn picture(&self) -> Picture {
        self.picture_within(LOOK)
    }

    /// The logs as they are.
    pub(super) fn picture_now(&self) -> Picture {
        self.picture_within(Duration::ZERO)
    }

    fn picture_within(&self, age: Duration) -> Picture {
        let (watched, looked) = &mut *self.watched();
        if looked.elapsed() >= age {
            watched.look();
            *looked = Instant::now();
        }
        let lanes: Vec<Lane> = watched.logs().map(|(_, parts)| Lane::new(parts)).collect();
        let parts = lanes.iter().flat_map(Lane::parts);
        let places = parts.map(|(part, settled)| (part.slot, settled)).collect();
        Picture {
            head: Position(self.0.heads.keep(places)),
            lanes,
        }
    }

    /// Where a head is.
    pub(super) fn places_of(&self, head: Position) -> Places {
        if head == Position(0) {
            return Places::new();
        }
        let now = || self.0.heads.place(self.picture().head.0);
        self.0.heads.place(head.0).or_else(now).unwrap_or_default()
    }

    /// A head that moves on with a feed.
    pub(super) fn begin(&self, places: Places) -> Position {
        Position(self.0.heads.begin(places))
    }

    pub(super) fn go_on(&self, token: Position, places: &Places) {
        self.0.heads.go_on(token.0, places.clone());
    }

    /// Waits a moment for more of what is packed.
    pub(super) fn wait_for_unpacking(&self) {
        let packed = self.watched().0.unpacking();
        if let Some(packed) = packed {
            packed.wait(usize::MAX, LOOK);
        }
    }

    /// Whether everything that is packed and named is unpacked.
    #[must_use]
    pub fn is_unpacked(&self) -> bool {
        self.watched().0.is_unpacked()
    }

    /// Takes over the indexes that are kept.
    fn read_indexes(&self) {
        let Some(dir) = &self.options().cache else {
            return;
        };
        for lane in self.picture().lanes {
            for (part, _) in lane.parts() {
                if let Some(index) = cache::read(dir, part) {
                    *part.index_mut() = index;
                }
            }
        }
    }

    /// All bytes that are shown, and those of them that the index knows.
    fn measure(&self) -> (u64, u64) {
        let standing = self.standing();
        let bytes = standing.iter().map(|file| file.bytes).sum();
        (bytes, standing.iter().filter_map(|file| file.indexed).sum())
    }
}

impl fmt::Debug for LogFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogFiles")
    }
}

/// A block that is given back when it is no longer used.
pub(super) struct SpareBlock<'f> {
    files: &'f LogFiles,
    block: Block,
}

impl Deref for SpareBlock<'_> {
    type Target = Block;

    fn deref(&self) -> &Block {
        &self.block
    }
}

impl DerefMut for SpareBlock<'_> {
    fn deref_mut(&mut self) -> &mut Block {
        &mut self.block
    }
}

impl Drop for SpareBlock<'_> {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.block);
        let mut spare = self.files.spare();
        // What grew for a long line is not held on to.
        if block.is_usual() && spare.len() < SPARE {
            spare.push(block);
        }
    }
}

/// A question that is being answered.
pub(super) struct Asking<'s>(&'s AtomicUsize);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
