//! The store itself: what is where, shared by its writer and its readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use super::memtable::Memtable;
use super::run::{Run, count_namespaces};
use super::{Appender, Error, Options, Recovery, appender, recovery};
use crate::entry::{Entry, Position};
use crate::query::NamespaceCount;

/// The embedded log. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) shared: Arc<Shared>,
    appender: Appender,
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
    pub options: Options,
    pub head: watch::Sender<Position>,
    pub health: RwLock<Health>,
    tables: RwLock<Tables>,
    namespaces: RwLock<BTreeMap<String, NamespaceCount>>,
}

/// Where entries are. Replaced piece by piece, so that a reader's copy stays whole.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// Filled now.
    pub active: Arc<Memtable>,
    /// Full, being sealed.
    pub frozen: Vec<Arc<Memtable>>,
    /// Sealed, by position.
    pub runs: Vec<Arc<Run>>,
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
        let dir = data.join("log");
        let found = recovery::open(&dir)?;
        let mut namespaces = BTreeMap::new();
        for run in &found.runs {
            add_counts(&mut namespaces, &run.namespaces);
        }
        add_counts(&mut namespaces, &count_namespaces(&found.memtable.sorted()));
        let tables = Tables {
            active: Arc::new(found.memtable),
            frozen: Vec::new(),
            runs: found.runs,
        };
        let shared = Arc::new(Shared {
            dir,
            options,
            head: watch::Sender::new(found.last),
            health: RwLock::default(),
            tables: RwLock::new(tables),
            namespaces: RwLock::new(namespaces),
        });
        let appender = appender::spawn(Arc::clone(&shared))?;
        Ok((Self { shared, appender }, found.recovery))
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
        self.shared
            .health
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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

    /// Seals what is in memory, unless it is little, and stops accepting. What was answered is safe without it: this
    /// makes the next opening fast.
    pub fn close(&self) {
        self.appender.close();
    }
}

impl Shared {
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

    pub fn set_health(&self, health: Health) {
        *self.health.write().unwrap_or_else(PoisonError::into_inner) = health;
    }

    /// Counts entries that were just accepted.
    pub fn count(&self, entries: &[Entry]) {
        let mut namespaces = self
            .namespaces
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            // Looked up first: nearly always there, and then nothing is allocated.
            let name = &entry.scope.namespace;
            if !namespaces.contains_key(name) {
                namespaces.insert(
                    name.clone(),
                    NamespaceCount {
                        name: name.clone(),
                        levels: [0; 6],
                        newest: i64::MIN,
                    },
                );
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
            .or_insert_with(|| NamespaceCount {
                name: count.name.clone(),
                levels: [0; 6],
                newest: i64::MIN,
            });
        for (sum, more) in sum.levels.iter_mut().zip(count.levels) {
            *sum += more;
        }
        sum.newest = sum.newest.max(count.newest);
    }
}
