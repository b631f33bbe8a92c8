//! One immutable file of the store: a Parquet file that any reader of Parquet can open, and that we can open faster.
//!
//! ```text
//! entries by key --Writer--> row groups (columns, Bloom filters) + words, triples, tally of each --> index, footer
//! Segment::open: the index;  select(group, matcher): columns, cheapest first --> rows;  entries(group, rows)
//! ```
//!
//! Invariants: what is read was checked; a damaged row group costs itself; rows are sorted by (time, position) in the
//! whole file; names of the files tell which positions they hold.

mod columns;
mod count;
mod file;
mod filter;
mod index;
mod read;
mod rows;
mod schema;
mod select;
mod select_field;
mod tally;
mod verdict;
mod verify;
mod write;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parquet::arrow::arrow_reader::ArrowReaderMetadata;

pub(super) use file::Counters;
pub(super) use index::Group;
pub(super) use read::Rows;
pub(super) use schema::Shape;
pub(super) use tally::Tally;
pub(super) use write::Writer;

use super::Error;
use super::cache::{Cache, Cached, Part};
use super::disk::Disk;
use crate::entry::Position;
use crate::query::NamespaceCount;
use file::Checked;

/// Places among the optional texts of trace, span and instance: the columns with Bloom filters.
const BLOOMED: [usize; 3] = [0, 1, 2];

/// Numbers for caches: no two opened segments have the same.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A segment, opened.
#[derive(Debug)]
pub(super) struct Segment {
    number: u64,
    path: PathBuf,
    /// Bytes of the file.
    pub bytes: u64,
    /// The positions it stands for; some may have been dropped.
    pub positions: (Position, Position),
    pub groups: Vec<Group>,
    pub namespaces: Vec<NamespaceCount>,
    /// Bytes of texts, by namespace as in `namespaces`.
    pub weights: Vec<u64>,
    pub shape: Shape,
    /// What is wrong with it, though it can be read.
    pub damage: Option<String>,
    file: Checked,
    tail_start: u64,
    metadata: OnceLock<ArrowReaderMetadata>,
    names: Vec<String>,
    cache: Arc<Cache>,
}

/// `segment-<first position>-<last position>.parquet`
pub(super) fn name_of(first: Position, last: Position) -> String {
    format!("segment-{:020}-{:020}.parquet", first.0, last.0)
}

/// The positions that a file's name promises, if it is a segment's name.
pub(super) fn positions_of(name: &str) -> Option<(Position, Position)> {
    let (first, last) = name
        .strip_prefix("segment-")?
        .strip_suffix(".parquet")?
        .split_once('-')?;
    Some((Position(first.parse().ok()?), Position(last.parse().ok()?)))
}

impl Segment {
    /// Opens a segment by reading its index.
    pub fn open(disk: &dyn Disk, path: &Path, cache: &Arc<Cache>) -> Result<Self, Error> {
        let opened = disk.open(path).map_err(Error::disk("open", path))?;
        let bytes = opened.length();
        let tail = file::read_tail(opened.as_ref(), path)?;
        let damaged = || Error::Damaged {
            path: path.to_owned(),
            offset: tail.start,
            expected: "the index of a segment",
        };
        let index = tail.index().ok_or_else(damaged)?;
        let mut index: index::Index = serde_json::from_slice(&index).map_err(|_| damaged())?;
        let parts = index.groups.iter_mut().map(|group| file::Part {
            start: group.bytes.0,
            end: group.bytes.1,
            sums: std::mem::take(&mut group.checksums),
        });
        let parts = parts.collect();
        let groups = index
            .groups
            .into_iter()
            .map(|group| Group::of(group, &index.namespaces))
            .collect();
        let names = index
            .shape
            .read()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        Ok(Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            path: path.to_owned(),
            bytes,
            positions: (Position(index.first), Position(index.last)),
            groups,
            weights: index.weights,
            shape: index.shape,
            damage: tail
                .damage
                .map(|damage| format!("{}: {damage}", path.display())),
            file: Checked::new(opened, path.to_owned(), parts, Arc::clone(&cache.counters)),
            tail_start: tail.start,
            metadata: OnceLock::new(),
            names,
            namespaces: index.namespaces,
            cache: Arc::clone(cache),
        })
    }

    /// A number that no other opened segment has.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries it holds.
    pub fn rows(&self) -> u64 {
        self.groups.iter().map(|group| group.rows as u64).sum()
    }

    /// What its namespaces weigh of its bytes, by name.
    pub fn shares(&self) -> impl Iterator<Item = (&str, u64)> {
        let all: u64 = self.weights.iter().sum::<u64>().max(1);
        let share = move |weight: u64| {
            u64::try_from(u128::from(self.bytes) * u128::from(weight) / u128::from(all))
                .unwrap_or(u64::MAX)
        };
        self.namespaces
            .iter()
            .zip(&self.weights)
            .map(move |(count, weight)| (count.name.as_str(), share(*weight)))
    }

    fn damaged(&self, group: usize, expected: &'static str) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            offset: self
                .groups
                .get(group)
                .map_or(0, |group| group.index.bytes.0),
            expected,
        }
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }
}
