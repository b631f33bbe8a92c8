//! From rows that a scan found to the entries that are shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Error;
use super::segment::Segment;
use crate::base::Workers;
use crate::entry::{Entry, Key};

/// A matching entry, or where it lies: what is not shown is never built.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Built(Arc<Entry>),
    Stored {
        key: Key,
        segment: Arc<Segment>,
        group: usize,
        row: u32,
    },
}

impl Row {
    pub fn key(&self) -> Key {
        match self {
            Self::Built(entry) => entry.key(),
            Self::Stored { key, .. } => *key,
        }
    }
}

/// Whether entries that were built will be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    ForNextTime,
    No,
}

/// Builds the entries of rows, in their order. Row groups that cannot be read are left out and noted.
pub(super) fn build(
    rows: Vec<Row>,
    threads: usize,
    keep: Keep,
    damage: &mut Vec<String>,
) -> Result<Vec<Entry>, Error> {
    let mut wanted: BTreeMap<(usize, usize), Wanted> = BTreeMap::new();
    let mut built: Vec<Option<Entry>> = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        match row {
            Row::Built(entry) => built.push(Some(Arc::unwrap_or_clone(entry))),
            Row::Stored {
                segment,
                group,
                row,
                ..
            } => {
                built.push(None);
                let of = (Arc::as_ptr(&segment) as usize, group);
                let rows = Vec::new();
                wanted
                    .entry(of)
                    .or_insert(Wanted {
                        segment,
                        group,
                        rows,
                    })
                    .rows
                    .push((row, at));
            }
        }
    }
    let mut wanted: Vec<Wanted> = wanted.into_values().collect();
    for wanted in &mut wanted {
        wanted.rows.sort_unstable();
    }
    let read = Workers::new(threads).map(&wanted, |wanted| -> Result<Vec<Entry>, Error> {
        let numbers: Vec<u32> = wanted.rows.iter().map(|(row, _)| *row).collect();
        match keep {
            Keep::ForNextTime => {
                let entries = wanted.segment.kept_entries(wanted.group, &numbers)?;
                Ok(entries.into_iter().map(Arc::unwrap_or_clone).collect())
            }
            Keep::No => wanted.segment.entries(wanted.group, &numbers),
        }
    });
    for (wanted, entries) in wanted.into_iter().zip(read) {
        match entries {
            Ok(entries) => {
                for (entry, (_, at)) in entries.into_iter().zip(wanted.rows) {
                    built[at] = Some(entry);
                }
            }
            Err(error @ Error::Damaged { .. }) => damage.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(built.into_iter().flatten().collect())
}

/// Rows of one row group, and their places in the answer.
struct Wanted {
    segment: Arc<Segment>,
    group: usize,
    rows: Vec<(u32, usize)>,
}
