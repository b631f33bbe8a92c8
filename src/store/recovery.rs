//! Opening a folder: which runs are there, what the WALs still hold, what is damaged.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cache::Cache;
use super::disk::Disk;
use super::memtable::Memtable;
use super::segment::{self, Segment};
use super::{Error, wal};
use crate::entry::Position;

const FORMAT: &str = "tailwater-log-2";

/// Whether what a crash left unfinished may be tidied up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Owner,
    ReadOnly,
}

/// What opening found. Damage is data: the store opens with what is whole.
#[derive(Debug, Default)]
pub struct Recovery {
    /// Entries taken back from write-ahead logs.
    pub replayed: usize,
    /// What had to be skipped, one sentence each.
    pub damage: Vec<String>,
    /// Write-ahead logs that ended in a torn frame: the crash interrupted an append that was never answered.
    pub torn: usize,
}

/// What the folder holds.
pub(super) struct Found {
    pub segments: Vec<Arc<Segment>>,
    pub memtable: Memtable,
    pub last: Position,
    pub recovery: Recovery,
}

/// Reads the folder of log files. Its owner creates it if need be, and finishes what a crash interrupted.
pub(super) fn open(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    cache: &Arc<Cache>,
    access: Access,
) -> Result<Found, Error> {
    let disk = disk.as_ref();
    if access == Access::Owner {
        disk.create_dir(dir).map_err(Error::disk("create", dir))?;
    }
    let mut names = disk.list(dir).map_err(Error::disk("list", dir))?;
    names.sort_unstable();
    let mut opening = Opening {
        disk,
        dir,
        access,
        recovery: Recovery::default(),
    };
    let segments = opening.segments(&names, cache)?;
    // A segment that could not be opened still owns its positions: none is ever given twice. Nor are those before a
    // write-ahead log's first.
    let named = names
        .iter()
        .filter_map(|name| segment::positions_of(name))
        .map(|(_, last)| last);
    let begun = names
        .iter()
        .filter_map(|name| wal::first_of(name))
        .map(|first| Position(first.0.saturating_sub(1)));
    let last = named.chain(begun).max().unwrap_or_default();
    let (memtable, last) = opening.replay(&names, &segments, last)?;
    Ok(Found {
        segments,
        memtable,
        last,
        recovery: opening.recovery,
    })
}

struct Opening<'d> {
    disk: &'d dyn Disk,
    dir: &'d Path,
    access: Access,
    recovery: Recovery,
}

impl Opening<'_> {
    fn segments(
        &mut self,
        names: &[String],
        cache: &Arc<Cache>,
    ) -> Result<Vec<Arc<Segment>>, Error> {
        for unfinished in self.files(names, "tmp") {
            self.remove(&unfinished)?;
        }
        let mut opened = Vec::new();
        for path in self.files(names, "parquet") {
            match Segment::open(self.disk, &path, cache) {
                Ok(segment) => opened.push(Arc::new(segment)),
                Err(error @ Error::Damaged { .. }) => self.recovery.damage.push(error.to_string()),
                // Merged or dropped by its owner since the folder was listed.
                Err(Error::Disk { source, .. })
                    if self.access == Access::ReadOnly
                        && source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        // The widest first: what was merged into it has no more to say.
        opened.sort_by_key(|segment| (segment.positions.0, std::cmp::Reverse(segment.positions.1)));
        let mut kept: Vec<Arc<Segment>> = Vec::new();
        for segment in opened {
            if kept
                .last()
                .is_some_and(|last| segment.positions.1 <= last.positions.1)
            {
                self.remove(segment.path())?;
                continue;
            }
            self.recovery.damage.extend(segment.damage.clone());
            kept.push(segment);
        }
        Ok(kept)
    }

    fn replay(
        &mut self,
        names: &[String],
        segments: &[Arc<Segment>],
        mut last: Position,
    ) -> Result<(Memtable, Position), Error> {
        let sealed = |position: Position| {
            segments
                .iter()
                .any(|segment| segment.positions.0 <= position && position <= segment.positions.1)
        };
        let memtable = Memtable::default();
        for path in self.files(names, "wal") {
            let contents = match wal::read(self.disk, &path) {
                Err(Error::Disk { source, .. })
                    if self.access == Access::ReadOnly
                        && source.kind() == io::ErrorKind::NotFound =>
                {
                    continue;
                }
                other => other?,
            };
            self.recovery.torn += usize::from(contents.torn_at.is_some());
            for range in &contents.damaged {
                self.recovery.damage.push(format!(
                    "{}: bytes {} to {} are no whole frame and were skipped",
                    path.display(),
                    range.start,
                    range.end
                ));
            }
            let mut floor = memtable.positions().map_or(Position(0), |(_, last)| last);
            let entries: Vec<_> = contents
                .entries
                .into_iter()
                .filter(|entry| {
                    let fresh = entry.position > floor && !sealed(entry.position);
                    floor = floor.max(entry.position);
                    fresh
                })
                .collect();
            last = last.max(floor);
            self.recovery.replayed += entries.len();
            if entries.is_empty() && contents.damaged.is_empty() {
                self.remove(&path)?;
            } else {
                memtable.extend(entries.into_iter().map(Arc::new));
                memtable.add_wal(path);
            }
        }
        Ok((memtable, last))
    }

    fn files(&self, names: &[String], extension: &str) -> Vec<PathBuf> {
        let of_extension =
            |name: &&String| Path::new(name.as_str()).extension() == Some(OsStr::new(extension));
        let ours = names
            .iter()
            .filter(|name| name.starts_with("segment-") || name.starts_with("wal-"));
        ours.filter(of_extension)
            .map(|name| self.dir.join(name))
            .collect()
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        match self.access {
            Access::Owner => self.disk.remove(path).map_err(Error::disk("remove", path)),
            Access::ReadOnly => Ok(()),
        }
    }
}

/// Checks that a directory, if it says what it is, can be read.
pub(super) fn check_known_format(dir: &Path) -> Result<(), Error> {
    if dir.join("format").exists() {
        check_format(dir)
    } else {
        Ok(())
    }
}

/// Writes the format file into a new data directory, or checks that an old one can be read.
pub(super) fn check_format(dir: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(Error::disk("create", dir))?;
    let path = dir.join("format");
    match std::fs::read_to_string(&path) {
        Ok(found) if found.trim() == FORMAT => Ok(()),
        Ok(found) => Err(Error::Format {
            path,
            found: found.trim().to_owned(),
            known: FORMAT,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::write(&path, format!("{FORMAT}\n")).map_err(Error::disk("write", &path))
        }
        Err(error) => Err(Error::disk("read", &path)(error)),
    }
}
