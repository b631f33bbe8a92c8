//! Opening a folder: which runs are there, what the WALs still hold, what is damaged.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::memtable::Memtable;
use super::run::Run;
use super::{Error, run, wal};
use crate::entry::Position;

const FORMAT: &str = "tailwater-log-1";

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
    pub runs: Vec<Arc<Run>>,
    pub memtable: Memtable,
    pub last: Position,
    pub recovery: Recovery,
}

/// Reads the folder of log files, creating it if need be, and finishes what a crash interrupted.
pub(super) fn open(dir: &Path) -> Result<Found, Error> {
    std::fs::create_dir_all(dir).map_err(Error::disk("create", dir))?;
    let mut names: Vec<String> = Vec::new();
    for item in std::fs::read_dir(dir).map_err(Error::disk("list", dir))? {
        let name = item.map_err(Error::disk("list", dir))?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort_unstable();
    let mut recovery = Recovery::default();
    let runs = open_runs(dir, &names, &mut recovery)?;
    let sealed = |position: Position| {
        runs.iter()
            .any(|run| run.first <= position && position <= run.last)
    };
    let memtable = Memtable::default();
    // A run that could not be opened still owns its positions: none is ever given twice.
    let mut last = names
        .iter()
        .filter_map(|name| run::positions_of(name))
        .map(|(_, last)| last)
        .max()
        .unwrap_or_default();
    for path in files(dir, &names, "wal") {
        let contents = wal::read(&path)?;
        recovery.torn += usize::from(contents.torn_at.is_some());
        for range in &contents.damaged {
            recovery.damage.push(format!(
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
        recovery.replayed += entries.len();
        if entries.is_empty() && contents.damaged.is_empty() {
            remove(&path)?;
        } else {
            memtable.extend(entries);
            memtable.add_wal(path);
        }
    }
    Ok(Found {
        runs,
        memtable,
        last,
        recovery,
    })
}

fn open_runs(
    dir: &Path,
    names: &[String],
    recovery: &mut Recovery,
) -> Result<Vec<Arc<Run>>, Error> {
    for unfinished in files(dir, names, "tmp") {
        remove(&unfinished)?;
    }
    let mut runs = Vec::new();
    for path in files(dir, names, "run") {
        match Run::open(&path) {
            Ok(run) => runs.push(Arc::new(run)),
            Err(error @ Error::Damaged { .. }) => recovery.damage.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}

fn files(dir: &Path, names: &[String], extension: &str) -> Vec<PathBuf> {
    let of_extension =
        |name: &&String| Path::new(name.as_str()).extension() == Some(OsStr::new(extension));
    names
        .iter()
        .filter(of_extension)
        .map(|name| dir.join(name))
        .collect()
}

fn remove(path: &Path) -> Result<(), Error> {
    std::fs::remove_file(path).map_err(Error::disk("remove", path))
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
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::write(&path, format!("{FORMAT}\n")).map_err(Error::disk("write", &path))
        }
        Err(error) => Err(Error::disk("read", &path)(error)),
    }
}
