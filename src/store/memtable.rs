//! What the WAL holds, in memory, ready for queries and followers.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::entry::{Entry, Key, Position};
use crate::query::Direction;

/// Entries by arrival and by key. Filled by the writer thread alone; read by anyone.
#[derive(Debug, Default)]
pub(super) struct Memtable {
    rows: RwLock<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    by_position: Vec<Arc<Entry>>,
    by_key: BTreeMap<Key, Arc<Entry>>,
    weight: usize,
    /// The WAL files whose entries are here; removed when the memtable is sealed.
    wals: Vec<PathBuf>,
}

impl Memtable {
    /// Adds entries, whose positions rise and are above all that are here.
    pub fn extend(&self, entries: impl IntoIterator<Item = Arc<Entry>>) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            // Two pointers, a key and their share of the tree's nodes.
            rows.weight += entry.weight() + 64;
            rows.by_key.insert(entry.key(), Arc::clone(&entry));
            rows.by_position.push(entry);
        }
    }

    /// Remembers a WAL file to remove after sealing.
    pub fn add_wal(&self, path: PathBuf) {
        self.rows
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .wals
            .push(path);
    }

    pub fn wals(&self) -> Vec<PathBuf> {
        self.read().wals.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn weight(&self) -> usize {
        self.read().weight
    }

    pub fn len(&self) -> usize {
        self.read().by_position.len()
    }

    /// First and last position, if there are any.
    pub fn positions(&self) -> Option<(Position, Position)> {
        let rows = self.read();
        Some((
            rows.by_position.first()?.position,
            rows.by_position.last()?.position,
        ))
    }

    /// First and last key, if there are any.
    pub fn keys(&self) -> Option<(Key, Key)> {
        let rows = self.read();
        Some((
            *rows.by_key.first_key_value()?.0,
            *rows.by_key.last_key_value()?.0,
        ))
    }

    /// All entries by key.
    pub fn sorted(&self) -> Vec<Arc<Entry>> {
        self.read().by_key.values().cloned().collect()
    }

    /// Visits every entry, in order of arrival.
    pub fn each(&self, visit: impl FnMut(&Arc<Entry>)) {
        // Copied out so that the lock is not held while they are visited.
        let rows: Vec<Arc<Entry>> = self.read().by_position.clone();
        rows.iter().for_each(visit);
    }

    /// At most `limit` entries beyond `key`, in the direction's order.
    pub fn beyond(&self, key: Key, direction: Direction, limit: usize) -> Vec<Arc<Entry>> {
        let rows = self.read();
        match direction {
            Direction::Older => rows
                .by_key
                .range(..key)
                .rev()
                .take(limit)
                .map(|(_, entry)| Arc::clone(entry))
                .collect(),
            Direction::Newer => {
                let range = (Bound::Excluded(key), Bound::Unbounded);
                rows.by_key
                    .range(range)
                    .take(limit)
                    .map(|(_, entry)| Arc::clone(entry))
                    .collect()
            }
        }
    }

    /// At most `limit` entries that arrived after `position`, in order of arrival.
    pub fn after(&self, position: Position, limit: usize) -> Vec<Arc<Entry>> {
        let rows = self.read();
        let from = rows
            .by_position
            .partition_point(|entry| entry.position <= position);
        rows.by_position
            .iter()
            .skip(from)
            .take(limit)
            .cloned()
            .collect()
    }

    /// The entry of this position.
    pub fn get(&self, position: Position) -> Option<Arc<Entry>> {
        let rows = self.read();
        let at = rows
            .by_position
            .binary_search_by_key(&position, |entry| entry.position)
            .ok()?;
        rows.by_position.get(at).cloned()
    }
}
