//! Decoding columns of a row group, whole or a few rows of them, and building entries.

use std::sync::Arc;
use std::sync::atomic::Ordering;

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
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::file::{Checked, TailReader};
use super::rows::Columns;
use super::{Cached, Error, Part, Segment, schema};
use crate::entry::Entry;

/// A column is decoded whole, and kept, when a question needs more than one in so many of its rows.
const WORTH_KEEPING: usize = 16;

impl Segment {
    /// Parquet's own metadata, read when it is first needed.
    pub(super) fn metadata(&self) -> Result<&ArrowReaderMetadata, Error> {
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

    /// A whole column of a row group, from the cache if it is there; `None` when the segment has no such column.
    pub(super) fn column(&self, group: usize, name: &str) -> Result<Option<ArrayRef>, Error> {
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
        self.cache
            .counters
            .columns
            .fetch_add(batch.num_columns() as u64, Ordering::Relaxed);
        Ok(batch.columns().to_vec())
    }

    pub(super) fn undecodable(&self, group: usize, error: ArrowError) -> Error {
        match error {
            ArrowError::ExternalError(source) => match source.downcast::<ParquetError>() {
                Ok(error) => self.unreadable(group, *error),
                Err(_) => self.damaged(group, "columns that can be decoded"),
            },
            _ => self.damaged(group, "columns that can be decoded"),
        }
    }

    pub(super) fn unreadable(&self, group: usize, error: ParquetError) -> Error {
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
    pub fn kept_entries(&self, group: usize, rows: &[u32]) -> Result<Vec<Arc<Entry>>, Error> {
        let key = |row: u32| (self.number, group, Part::Row(row));
        let kept = |row: &u32| match self.cache.get(&key(*row)) {
            Some(Cached::Row(entry)) => Some(entry),
            _ => None,
        };
        let mut entries: Vec<Option<Arc<Entry>>> = rows.iter().map(kept).collect();
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
            *entry = read.next().map(Arc::new);
            if let Some(entry) = entry {
                self.cache.keep(key(*row), Cached::Row(Arc::clone(entry)));
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
