//! What the files of a log are, and whether they are whole.

use super::{Error, Store};
use crate::base::Time;
use crate::entry::Position;

/// What a store has on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The sealed segments, by position.
    pub segments: Vec<SegmentStat>,
    /// Bytes of the write-ahead logs.
    pub wal_bytes: u64,
    /// Entries that only the write-ahead logs hold.
    pub unsealed: u64,
    /// The newest position.
    pub head: Position,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentStat {
    /// Name of its file.
    pub name: String,
    /// Bytes of its file.
    pub bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// Row groups they are in.
    pub row_groups: usize,
    /// Time of its oldest entry; `None` when retention emptied it.
    pub oldest: Option<Time>,
    /// Time of its newest entry.
    pub newest: Option<Time>,
    /// Fields with a column of their own.
    pub columns: Vec<String>,
}

/// What was read since the store was opened: how much work questions cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes read from segments.
    pub bytes: u64,
    /// Row groups put to a question.
    pub groups: u64,
    /// Columns of row groups that were decoded, in part or whole.
    pub columns: u64,
    /// Entries put to a question, or built.
    pub rows: u64,
}

impl Store {
    /// What the store has on disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn stat(&self) -> Result<Stat, Error> {
        let tables = self.shared.tables();
        let mut wal_bytes = 0;
        for path in tables.memtables().flat_map(|table| table.wals()) {
            wal_bytes += self
                .shared
                .disk
                .open(&path)
                .map_err(Error::disk("open", &path))?
                .length();
        }
        let segments = tables.segments.iter().map(|segment| SegmentStat {
            name: segment
                .path()
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            bytes: segment.bytes,
            entries: segment.rows(),
            row_groups: segment.groups.len(),
            oldest: segment.groups.first().map(|group| group.oldest.time),
            newest: segment.groups.last().map(|group| group.newest.time),
            columns: segment.shape.own_names().map(str::to_owned).collect(),
        });
        Ok(Stat {
            segments: segments.collect(),
            wal_bytes,
            unsealed: tables.memtables().map(|table| table.len() as u64).sum(),
            head: *self.shared.head.borrow(),
        })
    }

    /// Reads every byte of every segment and decodes every entry; what is wrong, one sentence each. What opening found,
    /// write-ahead logs included, is in its [`super::Recovery`].
    #[must_use]
    pub fn verify(&self) -> Vec<String> {
        let tables = self.shared.tables();
        tables
            .segments
            .iter()
            .flat_map(|segment| segment.verify())
            .collect()
    }

    /// What was read since the opening.
    #[must_use]
    pub fn work(&self) -> Work {
        self.shared.cache.counters.work()
    }
}
