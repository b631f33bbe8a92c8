//! Every entry of a segment in order, some thousand in memory at a time: what merging reads.

use std::sync::Arc;
use std::vec::IntoIter;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::rows::Columns;
use super::{Error, Segment};
use crate::entry::{Entry, Key};

/// Entries built at once.
const BATCH: usize = 4_096;

/// The entries of a segment, by key. Passes the cache by.
pub(in crate::store) struct Rows {
    segment: Arc<Segment>,
    /// The next row group to open.
    group: usize,
    batches: Option<ParquetRecordBatchReader>,
    entries: IntoIter<Entry>,
    last: Key,
}

impl Segment {
    /// Every entry, by key.
    pub fn all_rows(self: &Arc<Self>) -> Rows {
        Rows {
            segment: Arc::clone(self),
            group: 0,
            batches: None,
            entries: Vec::new().into_iter(),
            last: Key::MIN,
        }
    }

    fn batches(&self, group: usize) -> Result<ParquetRecordBatchReader, Error> {
        let metadata = self.metadata()?.clone();
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), metadata)
            .with_row_groups(vec![group])
            .with_projection(ProjectionMask::all())
            .with_batch_size(BATCH)
            .build()
            .map_err(|error| self.unreadable(group, error))
    }
}

impl Rows {
    /// A key that none of the entries to come is below, without reading anything; `None` at the end.
    pub fn bound(&self) -> Option<Key> {
        if let Some(entry) = self.entries.as_slice().first() {
            return Some(entry.key());
        }
        if self.batches.is_some() {
            return Some(self.last);
        }
        self.segment
            .groups
            .get(self.group)
            .map(|group| group.oldest)
    }

    /// The key of the next entry.
    pub fn peek(&mut self) -> Result<Option<Key>, Error> {
        loop {
            if let Some(entry) = self.entries.as_slice().first() {
                return Ok(Some(entry.key()));
            }
            let Some(batches) = &mut self.batches else {
                if self.group >= self.segment.groups.len() {
                    return Ok(None);
                }
                self.batches = Some(self.segment.batches(self.group)?);
                self.group += 1;
                continue;
            };
            let group = self.group - 1;
            match batches.next() {
                // What was read through keeps its memory until it is replaced.
                None => (self.batches, self.entries) = (None, Vec::new().into_iter()),
                Some(batch) => {
                    let batch = batch.map_err(|error| self.segment.undecodable(group, error))?;
                    let names = self.segment.names.iter().cloned();
                    let columns = Columns {
                        rows: batch.num_rows(),
                        arrays: names.zip(batch.columns().iter().cloned()).collect(),
                    };
                    let entries = columns
                        .entries()
                        .ok_or_else(|| self.segment.damaged(group, "the columns of a log"))?;
                    self.entries = entries.into_iter();
                }
            }
        }
    }

    /// The next entry.
    pub fn next(&mut self) -> Result<Option<Entry>, Error> {
        self.peek()?;
        let entry = self.entries.next();
        self.last = entry.as_ref().map_or(self.last, Entry::key);
        Ok(entry)
    }
}
