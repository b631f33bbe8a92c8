//! The logs as they are now: their files, how far each is whole, and what becomes of them when they are rotated.
//!
//! - A file that was renamed stays open and is read to its end; the file that took its name is the log's next.
//! - Files that came and went between two looks are found under the names they were rotated to.
//! - Of one that was cut (`copytruncate`), what was there is read in the copy; what is written from then on is the log's next
//!   file, though it is the same on disk.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::archives::Archives;
use super::content::{Closed, Content};
use super::generations::Directories;
use super::identity::{FileId, Head, Tail};
use super::options::Options;
use super::packed::Packed;
use super::part::{Part, SharedPart};
use super::tracked::Tracked;
use crate::base::Time;
use crate::entry::decode::Format;

/// Names of rotated files move on for a while.
const ROTATING: Duration = Duration::from_secs(5);

/// Everything that is explored.
#[derive(Debug)]
pub(super) struct Watched {
    pub logs: Vec<Log>,
    pub archives: Archives,
    slots: u16,
    /// Files of this machine that are open: none of them becomes a part a second time, whatever it is called. As long as they
    /// are open, no other file gets the number of one.
    pub open: HashSet<FileId>,
    /// Directories, as they are at this look.
    directories: Directories,
    /// What was named and is not shown, and why.
    pub left_out: Vec<(PathBuf, String)>,
    pub options: Arc<Options>,
}

/// A log: a file, and those that were rotated away from it, the oldest first.
#[derive(Debug)]
pub(super) struct Log {
    pub name: Arc<str>,
    /// Where its newest file lies; none of what is within an archive.
    path: Option<PathBuf>,
    /// The format that somebody chose for it.
    format: Option<Format>,
    pub tracked: Vec<Tracked>,
    /// The file at its path, where it is open as another's.
    anothers: Option<FileId>,
    /// When it was last seen to be rotated.
    rotated: Option<Instant>,
}

impl Watched {
    pub fn new(options: Arc<Options>) -> Self {
        Self {
            logs: Vec::new(),
            archives: Archives::default(),
            slots: 0,
            open: HashSet::new(),
            directories: Directories::default(),
            left_out: Vec::new(),
            options,
        }
    }

    pub fn logs(&self) -> impl Iterator<Item = (&Arc<str>, impl Iterator<Item = &SharedPart>)> {
        self.logs
            .iter()
            .map(|log| (&log.name, log.tracked.iter().map(|tracked| &tracked.part)))
    }

    /// Packed files that cannot be unpacked at all, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&Path, String)> {
        self.archives.failed()
    }

    /// Takes the lines of a log for a format: its files are read as if they were others.
    ///
    /// # Errors
    /// There is no such log.
    pub fn set_format(&mut self, name: &str, format: &Format) -> Result<(), String> {
        let mut logs = std::mem::take(&mut self.logs);
        let found = logs.iter_mut().find(|log| &*log.name == name);
        let is_found = found.is_some();
        if let Some(log) = found {
            log.format = Some(format.clone());
            for tracked in &mut log.tracked {
                self.slots = self.slots.saturating_add(1);
                tracked.part = Arc::new(tracked.part.read_as(self.slots - 1, format));
            }
        }
        self.logs = logs;
        if is_found {
            Ok(())
        } else {
            Err(format!(
                "expected the name of a log that is explored, found {name:?}"
            ))
        }
    }

    /// Takes everything there is for whole: what is asked is answered once, by what is there.
    pub fn take_whole(&mut self) {
        self.look();
        for tracked in self.logs.iter_mut().flat_map(|log| &mut log.tracked) {
            tracked.take_whole();
        }
    }

    /// What is still being unpacked.
    pub fn unpacking(&self) -> Option<Packed> {
        self.archives.unpacking()
    }

    /// Whether all that is packed was unpacked.
    pub fn is_unpacked(&self) -> bool {
        self.archives.unpacking().is_none()
    }

    /// Makes a part of a file.
    pub fn take(&mut self, log: &mut Log, file: File, path: &Path) -> io::Result<()> {
        if self.slots == u16::MAX {
            let most = "expected at the most 65,535 files, rotated ones included";
            return Err(io::Error::other(most));
        }
        let metadata = file.metadata()?;
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let (head, id) = (Head::of(&file), FileId::of(&metadata));
        let content = match super::discover::packing_of(&file)? {
            Some(packing) => Content::Closed(Closed::Packed(path.to_owned(), packing)),
            None => Content::File(file),
        };
        let is_open = matches!(content, Content::File(_));
        let age = modified.elapsed().unwrap_or_default();
        let part = self.part(log, path, content, time_of(modified));
        let mut tracked = Tracked {
            part,
            id: Some(id),
            head,
            tail: Tail::default(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            grown: Instant::now().checked_sub(age).unwrap_or_else(Instant::now),
            left: None,
        };
        tracked.settle(&self.options)?;
        log.tracked.push(tracked);
        if is_open {
            self.open.insert(id);
        }
        Ok(())
    }

    pub fn part(&mut self, log: &Log, path: &Path, content: Content, modified: Time) -> SharedPart {
        let slot = self.slots;
        self.slots = self.slots.saturating_add(1);
        let defaults = self.options.defaults(log.name.to_string(), modified);
        let format = log.format.clone().or_else(|| self.options.format.clone());
        let part = Part::new(slot, path.to_owned(), content, format, defaults);
        let newest = log.tracked.last();
        Arc::new(part.after(newest.map(|newest| newest.part.format())))
    }

    /// Looks at what became of the files.
    pub fn look(&mut self) {
        self.directories = Directories::default();
        for within in self.archives.news() {
            let content = Content::Unpacked(within.unpacked);
            let mut log = Log::new(within.name);
            let part = self.part(&log, &within.path, content, within.modified);
            log.tracked.push(Tracked::begun(part, 0));
            self.logs.push(log);
        }
        let mut logs = std::mem::take(&mut self.logs);
        for log in &mut logs {
            if let Err(error) = self.look_at(log) {
                tracing::debug!(%error, "{} cannot be looked at", log.name);
            }
        }
        self.logs = logs;
    }

    fn look_at(&mut self, log: &mut Log) -> io::Result<()> {
        let followed = match log.path.clone() {
            Some(path) => self.follow_moves(log, &path),
            None => Ok(()),
        };
        // A file that cannot be read keeps none of the others from growing.
        let grown = log.tracked.iter_mut().map(|of| of.grow(&self.options));
        grown.fold(followed, Result::and)
    }

    fn follow_moves(&mut self, log: &mut Log, path: &Path) -> io::Result<()> {
        if log.is_cut()? {
            self.follow_cut(log, path)?;
        }
        self.follow_renamed(log, path)
    }

    /// The newest file was cut: what was there is read in its copy, if one was made.
    fn follow_cut(&mut self, log: &mut Log, path: &Path) -> io::Result<()> {
        let Some(newest) = log.tracked.last_mut() else {
            return Ok(());
        };
        let mut copies = self.directories.generations(path).into_iter().rev();
        let copy = copies.find_map(|copy| {
            let file = File::open(&copy).ok()?;
            let metadata = file.metadata().ok()?;
            let id = FileId::of(&metadata);
            let is_copy = !self.open.contains(&id) && newest.is_copied_in(&file);
            is_copy.then_some((copy, file, id))
        });
        let now = Time::now();
        if let Some((copy, file, id)) = copy {
            let length = file.metadata()?.len();
            newest.part.move_to(Content::File(file));
            newest.part.set_path(copy);
            newest.part.settle(length, now);
            newest.length = length;
            self.open.insert(id);
        } else {
            tracing::warn!("{} was cut, and no copy of it is found", log.name);
            newest.part.move_to(Content::Gone);
        }
        newest.id = None;
        newest.part.finish();
        self.take(log, File::open(path)?, path)
    }

    /// The newest file may have been renamed, and others may have come since.
    fn follow_renamed(&mut self, log: &mut Log, path: &Path) -> io::Result<()> {
        if let Ok(id) = std::fs::metadata(path).map(|metadata| FileId::of(&metadata))
            && log.tracked.last().and_then(|newest| newest.id) != Some(id)
            && log.anothers != Some(id)
            && let Ok(file) = File::open(path)
        {
            if let Some(newest) = log.tracked.last_mut() {
                newest.left = Some(Instant::now());
            }
            log.rotated = Some(Instant::now());
            // Those that passed are older than it, and have the lower numbers. Names may be moved on at this moment: what was
            // opened is what counts.
            self.take_passed(log, path, log.tracked.len())?;
            let id = FileId::of(&file.metadata()?);
            if self.open.contains(&id) {
                log.anothers = Some(id);
            } else {
                self.take(log, file, path)?;
            }
        } else if log
            .rotated
            .is_some_and(|rotated| rotated.elapsed() < ROTATING)
        {
            self.take_passed(log, path, log.tracked.len().saturating_sub(1))?;
        }
        Ok(())
    }

    /// Takes those that came and went between two looks; they are not compressed yet. Names move on while they are looked
    /// at, so it is looked for them for a while. They go to a place among the others.
    fn take_passed(&mut self, log: &mut Log, path: &Path, mut place: usize) -> io::Result<()> {
        for passed in self.directories.generations(path) {
            let Ok(file) = File::open(&passed) else {
                continue;
            };
            let id = FileId::of(&file.metadata()?);
            // A copy that is being made waits for its original to be cut.
            let newest = log.tracked.last();
            let waits = newest.is_some_and(|newest| newest.is_copied_in(&file));
            if waits || self.open.contains(&id) || super::discover::packing_of(&file)?.is_some() {
                continue;
            }
            self.take(log, file, &passed)?;
            if let Some(mut taken) = log.tracked.pop() {
                taken.left = Some(Instant::now());
                log.tracked.insert(place.min(log.tracked.len()), taken);
                place += 1;
            }
        }
        Ok(())
    }
}

impl Log {
    /// A log whose newest file lies at a path of this machine.
    pub fn at(path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..Self::new(path.display().to_string().into())
        }
    }

    /// A log that is not rotated; it has no file yet.
    pub fn new(name: Arc<str>) -> Self {
        Self {
            name,
            path: None,
            format: None,
            tracked: Vec::new(),
            anothers: None,
            rotated: None,
        }
    }

    /// Whether the newest file was cut since it was looked at.
    fn is_cut(&self) -> io::Result<bool> {
        let Some(newest) = self.tracked.last() else {
            return Ok(false);
        };
        newest.part.with_content(|content| {
            let Some(file) = content.file() else {
                return Ok(false);
            };
            let metadata = file.metadata()?;
            let (length, settled) = (metadata.len(), newest.part.settled());
            let is_touched = length != newest.length || metadata.modified().ok() != newest.modified;
            let is_same = || newest.tail.stands_before(settled, file) && newest.head.begins(file);
            // What was not written to is looked at no closer: there may be many.
            Ok(length < settled || (is_touched && !is_same()))
        })
    }
}

pub(super) fn time_of(time: SystemTime) -> Time {
    let nanoseconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    Time(nanoseconds)
}
