//! Writing a segment: entries sorted by key, one row group after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use foldhash::{HashMap, HashMapExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{
    BloomFilterPosition, BloomFilterProperties, EnabledStatistics, WriterProperties, WriterVersion,
};
use parquet::schema::types::ColumnPath;

use super::super::Error;
use super::super::disk::Disk;
use super::BLOOMED;
use super::file::Sink;
use super::filter::Gathering;
use super::index::{GroupIndex, Index, MAX_NAMES, Place};
use super::rows::{Filling, TextColumn};
use super::schema::{BRANCH, FIELDS, Kind, OPTIONAL, OWN, POSITION, Shape, TEXT, TIME};
use super::tally::{Counting, few_values};
use crate::entry::{Entry, Position};
use crate::query::NamespaceCount;

/// Bytes of texts at which a row group ends earlier: what a writer or a reader holds of one.
const GROUP_BYTES: usize = 32 << 20;
/// Rows of a page: what is decoded for a single row.
const PAGE_ROWS: usize = 1_024;
/// Decoding is as fast at every level; this one costs sealing little more than the fastest.
const ZSTD_LEVEL: i32 = 3;
/// Share of absent values that the Bloom filters of trace and instance, and of span, think possible. Spans hardly
/// repeat, so their filters are the largest.
const MISTAKEN: [f64; 3] = [0.001, 0.01, 0.001];

/// A segment being written.
pub(in crate::store) struct Writer {
    dir: PathBuf,
    temporary: PathBuf,
    arrow: ArrowWriter<Sink>,
    filling: Filling,
    gathering: Gathering,
    counting: Counting,
    group: GroupIndex,
    /// Entries of the row group by namespace and level.
    group_counts: Vec<[u64; 6]>,
    index: Index,
    names: HashMap<String, usize>,
    group_start: u64,
    group_rows: usize,
}

impl Writer {
    /// Starts a file that nobody takes for a segment until it is finished, with so many rows in a row group.
    pub fn create(
        disk: &dyn Disk,
        dir: &Path,
        label: Position,
        shape: Shape,
        group_rows: usize,
    ) -> Result<Self, Error> {
        let temporary = dir.join(format!("segment-{:020}.tmp", label.0));
        let file = disk
            .create(&temporary)
            .map_err(Error::disk("create", &temporary))?;
        let options = ArrowWriterOptions::new()
            .with_properties(properties(&shape, group_rows))
            .with_skip_arrow_metadata(true);
        let mut arrow =
            ArrowWriter::try_new_with_options(Sink::new(file), shape.written(), options)
                .map_err(refused(&temporary))?;
        arrow
            .write_all(&Sink::header_room())
            .map_err(Error::disk("write", &temporary))?;
        arrow.sync().map_err(Error::disk("write", &temporary))?;
        // The header is written last, and checks itself.
        arrow.inner_mut().end_part();
        Ok(Self {
            dir: dir.to_owned(),
            group_start: arrow.bytes_written() as u64,
            temporary,
            arrow,
            filling: Filling::new(shape.clone()),
            gathering: Gathering::default(),
            counting: Counting::default(),
            group: fresh_group(),
            group_counts: Vec::new(),
            index: Index {
                first: u64::MAX,
                shape,
                ..Index::default()
            },
            names: HashMap::new(),
            group_rows,
        })
    }

    /// Adds the entry with the next key.
    pub fn push(&mut self, entry: &Entry) -> Result<(), Error> {
        if self.filling.rows() >= self.group_rows || self.filling.bytes() >= GROUP_BYTES {
            self.end_group()?;
        }
        self.describe(entry);
        self.filling.push(entry);
        Ok(())
    }

    /// Bytes of the file so far.
    pub fn bytes(&self) -> u64 {
        self.arrow.bytes_written() as u64
    }

    fn describe(&mut self, entry: &Entry) {
        let group = &mut self.group;
        let key = (entry.time.0, entry.position.0);
        if group.rows == 0 {
            group.keys[0] = key;
        }
        group.keys[1] = key;
        group.rows += 1;
        group.positions = (
            group.positions.0.min(entry.position.0),
            group.positions.1.max(entry.position.0),
        );
        group.levels[entry.level as usize] += 1;
        let namespace = if let Some(at) = self.names.get(&entry.scope.namespace) {
            *at
        } else {
            let at = self.index.namespaces.len();
            self.names.insert(entry.scope.namespace.clone(), at);
            self.index
                .namespaces
                .push(NamespaceCount::of(&entry.scope.namespace));
            self.index.weights.push(0);
            at
        };
        self.counting.add(entry, namespace);
        if self.group_counts.len() <= namespace {
            self.group_counts.resize(namespace + 1, [0; 6]);
        }
        self.group_counts[namespace][entry.level as usize] += 1;
        self.index.weights[namespace] += entry.text.len() as u64 + 64;
        let count = &mut self.index.namespaces[namespace];
        count.levels[entry.level as usize] += 1;
        count.newest = count.newest.max(entry.time.0);
        for (case, value) in group.cases.iter_mut().zip(&entry.optional_texts()[..3]) {
            if let Some(value) = value {
                case.note(value);
            }
        }
        self.gathering.add(&entry.text);
        if let Some(error) = &entry.error {
            self.gathering.add(error);
        }
        for (name, value) in &entry.fields {
            self.gathering.add_value(value);
            if let Some(names) = group.names.as_mut().filter(|names| !names.contains(name)) {
                names.push(name.clone());
            }
        }
        if group
            .names
            .as_ref()
            .is_some_and(|names| names.len() > MAX_NAMES)
        {
            group.names = None;
        }
    }

    fn end_group(&mut self) -> Result<(), Error> {
        if self.filling.rows() == 0 {
            return Ok(());
        }
        let wrong = refused(&self.temporary);
        let batch = self.filling.finish().map_err(|error| wrong(error.into()))?;
        let values = few_values_of(&batch);
        self.arrow
            .write(&batch)
            .and_then(|()| self.arrow.flush())
            .map_err(refused(&self.temporary))?;
        let tally = serde_json::to_vec(&self.counting.finish(values)).unwrap_or_default();
        let (triples, words) = self.gathering.finish();
        let mut group = std::mem::replace(&mut self.group, fresh_group());
        group.triples = self.append(&compressed(&triples, &self.temporary)?)?;
        group.words = self.append(&words)?;
        group.tally = self.append(&compressed(&tally, &self.temporary)?)?;
        group.bytes = (self.group_start, self.bytes());
        self.group_start = group.bytes.1;
        self.arrow
            .sync()
            .map_err(Error::disk("write", &self.temporary))?;
        group.checksums = self.arrow.inner_mut().end_part();
        let counts = std::mem::take(&mut self.group_counts)
            .into_iter()
            .enumerate();
        group.namespaces = counts
            .filter(|(_, levels)| levels.iter().any(|count| *count > 0))
            .collect();
        self.index.first = self.index.first.min(group.positions.0);
        self.index.last = self.index.last.max(group.positions.1);
        self.index.groups.push(group);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<Place, Error> {
        let at = self.bytes();
        self.arrow
            .write_all(bytes)
            .map_err(Error::disk("write", &self.temporary))?;
        Ok((at, u32::try_from(bytes.len()).unwrap_or(u32::MAX)))
    }

    /// Makes the segment of these positions durable under its name, replacing one of that name.
    pub fn finish(
        mut self,
        disk: &dyn Disk,
        positions: (Position, Position),
        path: &Path,
    ) -> Result<(), Error> {
        self.end_group()?;
        let wrong = refused(&self.temporary);
        (self.index.first, self.index.last) = (positions.0.0, positions.1.0);
        self.arrow.inner_mut().begin_tail();
        let index = serde_json::to_vec(&self.index).unwrap_or_default();
        let index = compressed(&index, &self.temporary)?;
        self.arrow
            .write_all(&u32::try_from(index.len()).unwrap_or(u32::MAX).to_le_bytes())
            .and_then(|()| self.arrow.write_all(&index))
            .map_err(Error::disk("write", &self.temporary))?;
        let sink = self.arrow.into_inner().map_err(wrong)?;
        sink.finish()
            .map_err(Error::disk("write", &self.temporary))?;
        disk.rename(&self.temporary, path)
            .map_err(Error::disk("rename", &self.temporary))?;
        disk.sync_dir(&self.dir)
            .map_err(Error::disk("sync", &self.dir))?;
        Ok(())
    }

    /// Gives the unfinished file up.
    pub fn abandon(self, disk: &dyn Disk) {
        // What stays is removed when the store is opened next.
        let _ = disk.remove(&self.temporary);
    }
}

fn fresh_group() -> GroupIndex {
    GroupIndex {
        positions: (u64::MAX, 0),
        names: Some(Vec::new()),
        ..GroupIndex::default()
    }
}

fn compressed(bytes: &[u8], path: &Path) -> Result<Vec<u8>, Error> {
    zstd::bulk::compress(bytes, ZSTD_LEVEL).map_err(Error::disk("compress a part of", path))
}

fn few_values_of(batch: &RecordBatch) -> BTreeMap<String, Vec<(String, u64)>> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let texts = columns.filter(|(field, _)| field.name() != TEXT && field.name() != FIELDS);
    texts
        .filter_map(|(field, array)| {
            let column = TextColumn::of(array.as_ref())?;
            let values = few_values((0..batch.num_rows()).map(|row| column.get(row)))?;
            Some((field.name().clone(), values))
        })
        .collect()
}

fn properties(shape: &Shape, group_rows: usize) -> WriterProperties {
    let column = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let sorted = |column_idx| SortingColumn {
        column_idx,
        descending: false,
        nulls_first: false,
    };
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(concat!("tailwater ", env!("CARGO_PKG_VERSION")).into())
        .set_compression(Compression::ZSTD(
            ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default(),
        ))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(32))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_dictionary_page_size_limit(GROUP_BYTES)
        .set_bloom_filter_position(BloomFilterPosition::AfterRowGroup)
        .set_sorting_columns(Some(vec![sorted(0), sorted(1)]));
    for name in [TIME, POSITION] {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(column(name), EnabledStatistics::Page);
    }
    let integers = shape
        .own
        .iter()
        .filter(|own| own.kind == Kind::Integer)
        .map(|own| format!("{OWN}{}", own.name));
    for name in integers.chain([BRANCH.to_owned()]) {
        properties = properties.set_column_encoding(column(&name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in &shape.plain {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    }
    for (at, mistaken) in BLOOMED.into_iter().zip(MISTAKEN) {
        let bloom = BloomFilterProperties::builder()
            .with_fpp(mistaken)
            .with_max_ndv(group_rows as u64)
            .build();
        properties = properties.set_column_bloom_filter_properties(column(OPTIONAL[at]), bloom);
    }
    properties
        .set_column_statistics_enabled(column(POSITION), EnabledStatistics::Page)
        .build()
}

/// What the disk refused comes out as such; the rest would be a mistake of ours.
fn refused(path: &Path) -> impl Fn(ParquetError) -> Error + use<> {
    let path = Arc::new(path.to_owned());
    move |error| match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => Error::disk("write", &*path)(*source),
            Err(source) => Error::disk("write", &*path)(std::io::Error::other(source)),
        },
        other => Error::disk("write", &*path)(std::io::Error::other(other)),
    }
}
