//! One immutable file of the store: a Parquet file that any reader of Parquet can open, and that we can open faster.
//!
//! ```text
//! entries by key --Writer--> row groups (columns, Bloom filters) + words, triples, tally of each --> index, footer
//! Segment::open: the index;  select(group, matcher): columns, cheapest first --> rows;  entries(group, rows)
//! ```
//!
//! Invariants: what is read was checked; a damaged row group costs itself; rows are sorted by (time, position) in the
//! whole file; names of the files tell which positions they hold.

mod count;
mod file;
mod filter;
mod index;
mod read;
mod rows;
mod schema;
mod select;
mod tally;
mod write;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use arrow_array::{ArrayRef, UInt32Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

pub(super) use file::Counters;
pub(super) use index::Group;
pub(super) use read::Rows;
pub(super) use schema::Shape;
pub(super) use tally::Tally;
pub(super) use write::Writer;

use super::Error;
use super::cache::{Cache, Cached, Part};
use super::disk::Disk;
use crate::entry::{Entry, Position};
use crate::query::words::Gram;
use crate::query::{Field, Filter, Matcher, NamespaceCount, Verdict};
use file::{Checked, TailReader};
use rows::Columns;

/// Places among the optional texts of trace, span and instance: the columns with Bloom filters.
const BLOOMED: [usize; 3] = [0, 1, 2];
/// A column is decoded whole, and kept, when a question needs more than one in so many of its rows.
const WORTH_KEEPING: usize = 16;

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

    /// Parquet's own metadata, read when it is first needed.
    fn metadata(&self) -> Result<&ArrowReaderMetadata, Error> {
        if let Some(metadata) = self.metadata.get() {
            return Ok(metadata);
        }
        let tail = self.file.tail(self.tail_start)?;
        let wrong = |_: ParquetError| Error::Damaged {
            path: self.path.clone(),
            offset: self.tail_start,
            expected: "the footer of a Parquet file with our columns",
        };
        let metadata = ParquetMetaDataReader::new()
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Required)
            .parse_and_finish(&TailReader(&tail))
            .map_err(wrong)?;
        let options = ArrowReaderOptions::new().with_schema(self.shape.read());
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), options).map_err(wrong)?;
        Ok(self.metadata.get_or_init(|| metadata))
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// A whole column of a row group, from the cache if it is there; `None` when the segment has no such column.
    fn column(&self, group: usize, name: &str) -> Result<Option<ArrayRef>, Error> {
        let Some(column) = self.place_of(name) else {
            return Ok(None);
        };
        let array = self
            .cache
            .get_or_load((self.number, group, Part::Column(column)), || {
                let chunk = self
                    .metadata()?
                    .metadata()
                    .row_groups()
                    .get(group)
                    .and_then(|group| group.columns().get(column));
                let (start, length) = chunk
                    .map(parquet::file::metadata::ColumnChunkMetaData::byte_range)
                    .ok_or_else(|| self.damaged(group, "a row group"))?;
                let length = usize::try_from(length)
                    .map_err(|_| self.damaged(group, "a column of some size"))?;
                let window = Window {
                    start,
                    bytes: self.file.read(start, length)?,
                    file: self.file.clone(),
                };
                let arrays = self.decode(window, group, &[column], None)?;
                let array = arrays
                    .into_iter()
                    .next()
                    .ok_or_else(|| self.damaged(group, "a column"))?;
                Ok(Cached::Column(array))
            })?;
        match array {
            Cached::Column(array) => Ok(Some(array)),
            _ => Ok(None),
        }
    }

    fn decode<R: ChunkReader + 'static>(
        &self,
        reader: R,
        group: usize,
        columns: &[usize],
        rows: Option<RowSelection>,
    ) -> Result<Vec<ArrayRef>, Error> {
        let metadata = self.metadata()?.clone();
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), columns.iter().copied());
        let count = rows.as_ref().map_or_else(
            || self.groups.get(group).map_or(0, |group| group.rows),
            RowSelection::row_count,
        );
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(reader, metadata)
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(count.max(1));
        if let Some(rows) = rows {
            builder = builder.with_row_selection(rows);
        }
        let mut batches = builder
            .build()
            .map_err(|error| self.unreadable(group, error))?;
        let batch = batches
            .next()
            .ok_or_else(|| self.damaged(group, "rows"))?
            .map_err(|error| self.undecodable(group, error))?;
        if batch.num_rows() != count {
            return Err(self.damaged(group, "as many rows as the index says"));
        }
        self.cache.counters.groups.fetch_add(1, Ordering::Relaxed);
        Ok(batch.columns().to_vec())
    }

    fn undecodable(&self, group: usize, error: ArrowError) -> Error {
        match error {
            ArrowError::ExternalError(source) => match source.downcast::<ParquetError>() {
                Ok(error) => self.unreadable(group, *error),
                Err(_) => self.damaged(group, "columns that can be decoded"),
            },
            _ => self.damaged(group, "columns that can be decoded"),
        }
    }

    fn unreadable(&self, group: usize, error: ParquetError) -> Error {
        match error {
            ParquetError::External(source) => match source.downcast::<Error>() {
                Ok(error) => *error,
                Err(_) => self.damaged(group, "columns that can be decoded"),
            },
            _ => self.damaged(group, "columns that can be decoded"),
        }
    }

    /// Times of a row group's rows, nanoseconds.
    pub fn times(&self, group: usize) -> Result<ScalarBuffer<i64>, Error> {
        let array = self.required(group, schema::TIME)?;
        let times = array.as_primitive_opt::<TimestampNanosecondType>();
        Ok(times
            .ok_or_else(|| self.damaged(group, "times"))?
            .values()
            .clone())
    }

    /// Positions of a row group's rows.
    pub fn row_positions(&self, group: usize) -> Result<ScalarBuffer<u64>, Error> {
        let array = self.required(group, schema::POSITION)?;
        let positions = array.as_primitive_opt::<UInt64Type>();
        Ok(positions
            .ok_or_else(|| self.damaged(group, "positions"))?
            .values()
            .clone())
    }

    fn required(&self, group: usize, name: &str) -> Result<ArrayRef, Error> {
        self.column(group, name)?
            .ok_or_else(|| self.damaged(group, "a column that every segment has"))
    }

    /// The entries of some rows of a row group, which rise; they are kept for the next time.
    pub fn kept_entries(&self, group: usize, rows: &[u32]) -> Result<Vec<Entry>, Error> {
        let key = |row: u32| (self.number, group, Part::Row(row));
        let kept = |row: &u32| match self.cache.get(&key(*row)) {
            Some(Cached::Row(entry)) => Some((*entry).clone()),
            _ => None,
        };
        let mut entries: Vec<Option<Entry>> = rows.iter().map(kept).collect();
        let missing: Vec<u32> = rows
            .iter()
            .zip(&entries)
            .filter(|(_, entry)| entry.is_none())
            .map(|(row, _)| *row)
            .collect();
        let mut read = self.entries(group, &missing)?.into_iter();
        for (entry, row) in entries
            .iter_mut()
            .zip(rows)
            .filter(|(entry, _)| entry.is_none())
        {
            *entry = read.next();
            if let Some(entry) = entry {
                self.cache
                    .keep(key(*row), Cached::Row(Arc::new(entry.clone())));
            }
        }
        Ok(entries.into_iter().flatten().collect())
    }

    /// The entries of some rows of a row group, which rise.
    pub fn entries(&self, group: usize, rows: &[u32]) -> Result<Vec<Entry>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.groups.get(group).map_or(0, |group| group.rows);
        let whole = rows.len() * WORTH_KEEPING >= all || spread(rows) * WORTH_KEEPING >= all * 4;
        let taken = UInt32Array::from(rows.to_vec());
        let mut arrays: Vec<Option<ArrayRef>> = Vec::with_capacity(self.names.len());
        for (column, name) in self.names.iter().enumerate() {
            let array = if whole {
                self.column(group, name)?
            } else {
                match self.cache.get(&(self.number, group, Part::Column(column))) {
                    Some(Cached::Column(array)) => Some(array),
                    _ => None,
                }
            };
            let picked = array.map(|array| arrow_select::take::take(array.as_ref(), &taken, None));
            arrays.push(
                picked
                    .transpose()
                    .map_err(|_| self.damaged(group, "columns of one length"))?,
            );
        }
        let missing: Vec<usize> = arrays
            .iter()
            .enumerate()
            .filter(|(_, array)| array.is_none())
            .map(|(at, _)| at)
            .collect();
        if !missing.is_empty() {
            let read = self.decode(
                self.file.clone(),
                group,
                &missing,
                Some(selection(rows, all)),
            )?;
            for (at, array) in missing.into_iter().zip(read) {
                arrays[at] = Some(array);
            }
        }
        let columns = Columns {
            rows: rows.len(),
            arrays: self
                .names
                .iter()
                .cloned()
                .zip(arrays.into_iter().flatten())
                .collect(),
        };
        self.cache
            .counters
            .rows
            .fetch_add(rows.len() as u64, Ordering::Relaxed);
        columns
            .entries()
            .ok_or_else(|| self.damaged(group, "the columns of a log"))
    }

    /// How many entries of a row group can match: its summary is asked first, then its filters.
    pub fn verdict(&self, group: usize, matcher: &Matcher) -> Result<Verdict, Error> {
        let Some(known) = self.groups.get(group) else {
            return Ok(Verdict::None);
        };
        let verdict = matcher.verdict(&known.summary);
        if verdict != Verdict::Some {
            return Ok(verdict);
        }
        let filter = GroupFilter {
            segment: self,
            group,
            known,
            failure: std::cell::RefCell::new(None),
        };
        let verdict = matcher.verdict_with(&known.summary, &filter);
        match filter.failure.into_inner() {
            // A damaged filter says nothing; a disk that refuses does.
            Some(error @ Error::Disk { .. }) => Err(error),
            _ => Ok(verdict),
        }
    }

    /// The counts of a row group.
    pub fn tally(&self, group: usize) -> Result<Arc<Tally>, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Tally), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.tally)
                    .unwrap_or_default();
                let bytes = self.file.read(at, length as usize)?;
                let tally = zstd::decode_all(&*bytes)
                    .ok()
                    .and_then(|json| serde_json::from_slice(&json).ok());
                tally
                    .map(|tally| Cached::Tally(Arc::new(tally)))
                    .ok_or_else(|| self.damaged(group, "counts"))
            })?;
        match cached {
            Cached::Tally(tally) => Ok(tally),
            _ => Err(self.damaged(group, "counts")),
        }
    }

    fn triples(&self, group: usize) -> Result<Bytes, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Triples), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.triples)
                    .unwrap_or_default();
                let bytes = zstd::decode_all(&*self.file.read(at, length as usize)?);
                bytes
                    .map(|bytes| Cached::Triples(bytes.into()))
                    .map_err(|_| self.damaged(group, "triples of words"))
            })?;
        match cached {
            Cached::Triples(triples) => Ok(triples),
            _ => Err(self.damaged(group, "triples of words")),
        }
    }

    fn words(&self, group: usize) -> Result<Arc<Sbbf>, Error> {
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Words), || {
                let (at, length) = self
                    .groups
                    .get(group)
                    .map(|group| group.index.words)
                    .unwrap_or_default();
                Ok(Cached::Bloom(Arc::new(Sbbf::new(
                    &self.file.read(at, length as usize)?,
                ))))
            })?;
        match cached {
            Cached::Bloom(words) => Ok(words),
            _ => Err(self.damaged(group, "a filter of words")),
        }
    }

    /// The Bloom filter of a column; `None` when there is none.
    fn bloom(&self, group: usize, column: usize) -> Result<Option<Arc<Sbbf>>, Error> {
        let chunk = self
            .metadata()?
            .metadata()
            .row_groups()
            .get(group)
            .and_then(|group| group.columns().get(column));
        let Some(chunk) = chunk.filter(|chunk| chunk.bloom_filter_offset().is_some()) else {
            return Ok(None);
        };
        let cached = self
            .cache
            .get_or_load((self.number, group, Part::Bloom(column)), || {
                let bloom = Sbbf::read_from_column_chunk(chunk, &self.file)
                    .map_err(|error| self.unreadable(group, error))?;
                bloom
                    .map(|bloom| Cached::Bloom(Arc::new(bloom)))
                    .ok_or_else(|| self.damaged(group, "a Bloom filter"))
            })?;
        match cached {
            Cached::Bloom(bloom) => Ok(Some(bloom)),
            _ => Ok(None),
        }
    }

    /// Reads every byte and decodes every row; what is wrong, one sentence each.
    pub fn verify(&self) -> Vec<String> {
        let mut wrong: Vec<String> = self.damage.iter().cloned().collect();
        match self.file.tails_agree(self.tail_start) {
            Ok(true) => {}
            Ok(false) => wrong.push(format!(
                "{}: one of the two copies of its index and footer is damaged",
                self.path.display()
            )),
            Err(error) => wrong.push(error.to_string()),
        }
        for (at, group) in self.groups.iter().enumerate() {
            let (from, to) = group.index.bytes;
            if let Err(error) = self.check_group(at, from, to) {
                wrong.push(format!(
                    "{error}; its row group holds {} entries",
                    group.rows
                ));
            }
        }
        wrong
    }

    fn check_group(&self, group: usize, from: u64, to: u64) -> Result<(), Error> {
        let step = 1 << 20;
        for start in (from..to).step_by(step) {
            self.file
                .read(start, step.min(usize::try_from(to - start).unwrap_or(step)))?;
        }
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        let mut last = None;
        for from in (0..rows).step_by(4_096) {
            let rows: Vec<u32> = (from..rows.min(from + 4_096))
                .filter_map(|row| u32::try_from(row).ok())
                .collect();
            for entry in self.entries(group, &rows)? {
                if last.is_some_and(|last| last >= entry.key()) {
                    return Err(self.damaged(group, "entries in order"));
                }
                last = Some(entry.key());
            }
        }
        Ok(())
    }
}

/// Pages touched, roughly: rows that do not follow the one before closely.
fn spread(rows: &[u32]) -> usize {
    rows.windows(2)
        .filter(|pair| pair[1] - pair[0] > 64)
        .count()
        * 64
}

fn selection(rows: &[u32], all: usize) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    for run in rows.chunk_by(|a, b| a + 1 == *b) {
        let start = run.first().map_or(at, |row| *row as usize);
        if start > at {
            selectors.push(RowSelector::skip(start - at));
        }
        selectors.push(RowSelector::select(run.len()));
        at = start + run.len();
    }
    if at < all {
        selectors.push(RowSelector::skip(all - at));
    }
    selectors.into()
}

/// A column chunk that was read at once; what lies beyond comes from the file.
struct Window {
    start: u64,
    bytes: Bytes,
    file: Checked,
}

impl Length for Window {
    fn len(&self) -> u64 {
        Length::len(&self.file)
    }
}

impl ChunkReader for Window {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match start
            .checked_sub(self.start)
            .and_then(|from| usize::try_from(from).ok())
            .filter(|from| *from < self.bytes.len())
        {
            Some(from) => Ok(std::io::Cursor::new(self.bytes.slice(from..))),
            None => self.file.get_read(start),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let from = start
            .checked_sub(self.start)
            .and_then(|from| usize::try_from(from).ok());
        match from.filter(|from| from + length <= self.bytes.len()) {
            Some(from) => Ok(self.bytes.slice(from..from + length)),
            None => self.file.get_bytes(start, length),
        }
    }
}

/// The filters of a row group as the query asks them. What cannot be read is thought possible.
struct GroupFilter<'s> {
    segment: &'s Segment,
    group: usize,
    known: &'s Group,
    failure: std::cell::RefCell<Option<Error>>,
}

impl GroupFilter<'_> {
    fn or_possible(&self, answer: Result<bool, Error>) -> bool {
        answer.unwrap_or_else(|error| {
            self.failure.replace(Some(error));
            true
        })
    }
}

impl Filter for GroupFilter<'_> {
    fn may_hold(&self, gram: &Gram) -> bool {
        self.or_possible(match gram {
            Gram::Triple(_) => self
                .segment
                .triples(self.group)
                .map(|triples| filter::in_triples(&triples, gram)),
            Gram::Word(_) => self
                .segment
                .words(self.group)
                .map(|words| filter::in_words(&words, gram)),
        })
    }

    fn may_equal(&self, field: &Field, value: &str) -> bool {
        let name = field.name();
        if !schema::OPTIONAL.contains(&name) {
            return true;
        }
        let Some(column) = self.segment.place_of(name) else {
            return false;
        };
        let bloomed = BLOOMED.iter().position(|at| schema::OPTIONAL[*at] == name);
        let folded = bloomed.and_then(|at| self.known.index.cases[at].fold(value));
        let Some(folded) = folded else {
            return true;
        };
        let bloom = self.segment.bloom(self.group, column);
        self.or_possible(bloom.map(|bloom| bloom.is_none_or(|bloom| bloom.check(folded.as_str()))))
    }

    fn may_have(&self, name: &str) -> bool {
        self.known
            .index
            .names
            .as_ref()
            .is_none_or(|names| names.iter().any(|other| other == name))
    }
}
