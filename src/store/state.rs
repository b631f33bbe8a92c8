//! The store itself: what is where, shared by its writer, its keeper and its readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use std::time::Instant;

use tokio::sync::watch;

use super::cache::Cache;
use super::disk::{Disk, Os};
use super::figures::Counters;
use super::keeper::{Bell, Keeper};
use super::memtable::Memtable;
use super::recovery::{self, Access};
use super::segment::Segment;
use super::{Appender, Error, Options, Recovery, appender, compaction};
use crate::entry::{Entry, Position};
use crate::query::NamespaceCount;

/// The embedded log. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    appender: Appender,
    keeper: Arc<Mutex<Option<Keeper>>>,
}

/// Whether the store takes entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It does.
    #[default]
    Good,
    /// The disk is full; it will as soon as there is room.
    Full,
    /// A write failed for this reason; only reading goes on.
    Failed(String),
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Where the log's files are.
    pub dir: PathBuf,
    pub disk: Arc<dyn Disk>,
    pub options: Options,
    pub cache: Arc<Cache>,
    pub head: watch::Sender<Position>,
    pub health: RwLock<Health>,
    pub counters: Counters,
    /// Wakes the keeper, and ends it.
    pub bell: Bell,
    /// Held by whoever writes a memtable as a segment: the writer's thread or the keeper.
    pub sealing: Mutex<()>,
    /// Held by whoever merges or drops segments.
    pub keeping: Mutex<()>,
    opened: Instant,
    /// When entries came last, in milliseconds since the opening.
    appended: AtomicU64,
    tables: RwLock<Tables>,
    namespaces: RwLock<BTreeMap<String, NamespaceCount>>,
}

/// Where entries are. Replaced piece by piece, so that a reader's copy stays whole.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// Filled now.
    pub active: Arc<Memtable>,
    /// Full, being sealed; by position.
    pub frozen: Vec<Arc<Memtable>>,
    /// Sealed, by position.
    pub segments: Vec<Arc<Segment>>,
}

impl Tables {
    /// What is in memory, by position.
    pub fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        self.frozen.iter().chain([&self.active])
    }
}

impl Store {
    /// Opens the log of a data directory, creating it if need be, and takes back what its write-ahead logs hold. The
    /// caller holds the directory's [`super::Lock`].
    ///
    /// # Errors
    /// The disk refuses, or the directory has a format this version does not know. Damage is no error: it is reported
    /// in the [`Recovery`].
    pub fn open(data: &Path, options: Options) -> Result<(Self, Recovery), Error> {
        recovery::check_format(data)?;
        Self::open_on(Arc::new(Os), &data.join("log"), options)
    }

    /// Opens a data directory, or a folder of segments copied from one, without changing anything in it: nobody needs to
    /// hold its lock, and it may be in use. What arrives after the opening is not seen.
    ///
    /// # Errors
    /// The disk refuses, or the directory has a format this version does not know.
    pub fn open_read_only(dir: &Path, options: Options) -> Result<(Self, Recovery), Error> {
        recovery::check_known_format(dir)?;
        let log = Some(dir.join("log")).filter(|log| log.is_dir());
        let (shared, recovery) = Shared::open(
            Arc::new(Os),
            log.as_deref().unwrap_or(dir),
            options,
            Access::ReadOnly,
        )?;
        let store = Self {
            shared,
            appender: Appender::closed(),
            keeper: Arc::default(),
        };
        Ok((store, recovery))
    }

    /// The same over any file system: what the crash tests open.
    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
    ) -> Result<(Self, Recovery), Error> {
        let (shared, recovery) = Shared::open(disk, dir, options, Access::Owner)?;
        let appender = appender::spawn(Arc::clone(&shared))?;
        let keeper = Keeper::spawn(Arc::clone(&shared))?;
        let store = Self {
            shared,
            appender,
            keeper: Arc::new(Mutex::new(Some(keeper))),
        };
        Ok((store, recovery))
    }

    /// The one door for new entries.
    #[must_use]
    pub fn appender(&self) -> Appender {
        self.appender.clone()
    }

    /// The newest position, watched.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    /// Whether the store takes entries.
    #[must_use]
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// What each namespace holds, by name.
    #[must_use]
    pub fn namespaces(&self) -> Vec<NamespaceCount> {
        self.shared.namespaces().values().cloned().collect()
    }

    /// Whether any entry of this namespace was ever accepted.
    #[must_use]
    pub fn has_namespace(&self, name: &str) -> bool {
        self.shared.namespaces().contains_key(name)
    }

    /// Entries there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shared
            .namespaces()
            .values()
            .map(NamespaceCount::total)
            .sum()
    }

    /// Seals what is in memory, however little.
    pub fn seal(&self) {
        self.appender.seal();
    }

    /// Seals what is in memory and merges what can be merged, now and at most as fast as the budget of compaction allows.
    ///
    /// # Errors
    /// The disk refuses, or a segment is damaged: what is whole stays as it is.
    pub fn compact(&self) -> Result<(), Error> {
        self.seal();
        let _one_at_a_time = self
            .shared
            .keeping
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        compaction::merge_all(&self.shared)
    }

    /// Seals what is in memory, unless it is little, and stops accepting. What was answered is safe without it: this
    /// makes the next opening fast.
    pub fn close(&self) {
        self.appender.close();
        let keeper = self
            .keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(keeper) = keeper {
            keeper.end(&self.shared);
        }
    }
}

impl Shared {
    fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
        access: Access,
    ) -> Result<(Arc<Self>, Recovery), Error> {
        let cache = Arc::new(Cache::new(options.cache_bytes));
        let found = recovery::open(&disk, dir, &cache, access)?;
        let mut namespaces = BTreeMap::new();
        for segment in &found.segments {
            add_counts(&mut namespaces, &segment.namespaces);
        }
        let shared = Arc::new(Self {
            dir: dir.to_owned(),
            disk,
            options,
            cache,
            head: watch::Sender::new(found.last),
            health: RwLock::default(),
            counters: Counters::default(),
            bell: Bell::default(),
            sealing: Mutex::default(),
            keeping: Mutex::default(),
            opened: Instant::now(),
            appended: AtomicU64::new(0),
            namespaces: RwLock::new(namespaces),
            tables: RwLock::new(Tables {
                active: Arc::new(found.memtable),
                frozen: Vec::new(),
                segments: found.segments,
            }),
        });
        shared
            .tables()
            .active
            .each(|entry| shared.count(std::slice::from_ref(entry)));
        Ok((shared, found.recovery))
    }

    fn namespaces(&self) -> RwLockReadGuard<'_, BTreeMap<String, NamespaceCount>> {
        self.namespaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where entries are, now.
    pub fn tables(&self) -> Tables {
        self.tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn tables_mut(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one segment in the place of others, or of none.
    pub fn replace(&self, old: &[Arc<Segment>], new: Option<Arc<Segment>>) {
        {
            let mut tables = self.tables_mut();
            tables
                .segments
                .retain(|segment| !old.iter().any(|old| Arc::ptr_eq(old, segment)));
            tables.segments.extend(new.clone());
            tables.segments.sort_by_key(|segment| segment.positions);
        }
        for segment in old {
            self.cache.forget(segment);
        }
        let before = old.iter().map(|segment| segment.rows()).sum();
        let after = new.as_ref().map(|segment| segment.rows());
        self.counters.replaced(before, after);
        let mut namespaces = self
            .namespaces
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for gone in old.iter().flat_map(|segment| &segment.namespaces) {
            if let Some(count) = namespaces.get_mut(&gone.name) {
                for (level, less) in count.levels.iter_mut().zip(gone.levels) {
                    *level = level.saturating_sub(less);
                }
            }
        }
        if let Some(segment) = new {
            add_counts(&mut namespaces, &segment.namespaces);
        }
    }

    /// Notes that entries came just now.
    pub fn appended(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.appended.store(now, Ordering::Relaxed);
    }

    /// Whether entries came within the last moment: merging waits for a quieter one.
    pub fn is_busy(&self) -> bool {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since = now.saturating_sub(self.appended.load(Ordering::Relaxed));
        since < 250
    }

    pub fn health(&self) -> Health {
        self.health
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn set_health(&self, health: Health) {
        *self.health.write().unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// Counts entries that were just accepted.
    pub fn count(&self, entries: &[Arc<Entry>]) {
        let mut namespaces = self
            .namespaces
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            // Looked up first: nearly always there, and then nothing is allocated.
            let name = &entry.scope.namespace;
            if !namespaces.contains_key(name) {
                namespaces.insert(name.clone(), NamespaceCount::of(name));
            }
            if let Some(count) = namespaces.get_mut(name) {
                count.levels[entry.level as usize] += 1;
                count.newest = count.newest.max(entry.time.0);
            }
        }
    }
}

fn add_counts(into: &mut BTreeMap<String, NamespaceCount>, counts: &[NamespaceCount]) {
    for count in counts {
        let sum = into
            .entry(count.name.clone())
            .or_insert_with(|| NamespaceCount::of(&count.name));
        sum.absorb(count);
    }
}
