//! Writing what a question finds into a file of its own.

use std::path::Path;
use std::sync::Arc;

use super::build::{Keep, Row, build};
use super::disk::Os;
use super::scan::{Scan, Step};
use super::segment::{Shape, Writer};
use super::{Error, Store};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::query::{Direction, Matcher, Query};

/// Entries built at once.
const BATCH: usize = 4_096;

impl Store {
    /// Visits every matching entry, oldest first, until a visit fails; how many were visited.
    ///
    /// # Errors
    /// The disk refuses, or the visit does. Damaged row groups are passed over and logged.
    pub fn each<E: From<Error>>(
        &self,
        query: &Query,
        now: Time,
        mut visit: impl FnMut(&Entry) -> Result<(), E>,
    ) -> Result<u64, E> {
        let matcher = Matcher::compile(query, now);
        let tables = self.shared.tables();
        let threads = self.shared.options.threads;
        let mut scan = Scan::new(&tables, &matcher, Key::MIN, Direction::Newer, threads);
        let mut rows: Vec<Row> = Vec::with_capacity(BATCH);
        let (mut visited, mut damage) = (0, Vec::new());
        loop {
            let step = scan.step()?;
            let ended = matches!(step, Step::End);
            if let Step::Row(row) = step {
                rows.push(row);
            }
            if ended || rows.len() >= BATCH {
                for entry in build(std::mem::take(&mut rows), threads, Keep::No, &mut damage)? {
                    visit(&entry)?;
                    visited += 1;
                }
            }
            if ended {
                damage.append(&mut scan.damage);
                for damage in &damage {
                    tracing::warn!("{damage}");
                }
                return Ok(visited);
            }
        }
    }

    /// Writes every matching entry into one Parquet file with the columns of a segment, replacing what has its name; how
    /// many there were.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn export_parquet(&self, query: &Query, now: Time, path: &Path) -> Result<u64, Error> {
        let tables = self.shared.tables();
        let shapes: Vec<Shape> = tables
            .memtables()
            .map(|table| {
                let entries = table.sorted();
                Shape::of(&entries.iter().map(Arc::as_ref))
            })
            .collect();
        let shape = Shape::merged(
            tables
                .segments
                .iter()
                .map(|segment| &segment.shape)
                .chain(&shapes),
        );
        let dir = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let head = *self.shared.head.borrow();
        let mut writer = Writer::create(&Os, dir, head, shape, self.shared.options.group_rows)?;
        match self.each(query, now, |entry| writer.push(entry)) {
            Ok(count) => {
                writer.finish(&Os, (Position(1), head), path)?;
                Ok(count)
            }
            Err(error) => {
                writer.abandon(&Os);
                Err(error)
            }
        }
    }
}
