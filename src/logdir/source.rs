//! A log directory as one growing row of bytes: section 10 of the format's description.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::files::{Folder, LogFile, LogFiles, is_log_name};
use super::rotation::Rotation;
use super::vfs::{DEFAULT_CACHE_BYTES, PageCache, Part, Vfs};
use super::{Error, check_poll_interval};

/// The files of a directory, joined in the order of their names.
///
/// Without a poll interval it is a picture of the moment it was opened. A file that some worker has not begun to write to
/// is hidden until all have, so that bytes are only ever added at the end.
#[derive(Clone, Debug)]
pub struct LogDirectorySource {
    files: Arc<dyn LogFiles>,
    cache_size: usize,
    poll_interval: Option<Duration>,
    lazy: bool,
    immutable: bool,
    /// What is shown, oldest first.
    members: Vec<Member>,
    /// What may still be rotated to, oldest first.
    undecided: Vec<Undecided>,
    looked: Option<Instant>,
    /// Stays what it is, whoever opens and closes it.
    frozen: bool,
}

#[derive(Clone, Debug)]
struct Member {
    name: String,
    /// Open, unless it is opened whenever it is read.
    file: Option<Arc<dyn LogFile>>,
    start: u64,
    size: u64,
}

#[derive(Clone, Debug)]
struct Undecided {
    name: String,
    file: Option<Arc<dyn LogFile>>,
    rotation: Rotation,
}

impl LogDirectorySource {
    /// The log files of a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::of(Arc::new(Folder(folder.into())))
    }

    /// Log files wherever they lie.
    #[must_use]
    pub fn of(files: Arc<dyn LogFiles>) -> Self {
        Self {
            files,
            cache_size: DEFAULT_CACHE_BYTES,
            poll_interval: None,
            lazy: false,
            immutable: false,
            members: Vec::new(),
            undecided: Vec::new(),
            looked: None,
            frozen: false,
        }
    }

    /// Memory for pages in bytes; 16 MiB unless it is said, 0 for none.
    #[must_use]
    pub fn cache_size(mut self, bytes: usize) -> Self {
        self.cache_size = bytes;
        self
    }

    /// Looks at the directory again when it is asked and this has passed since it last did.
    ///
    /// # Errors
    /// [`Error::Option`] of none at all or of more than 2,147,483,647 ms.
    pub fn poll_interval(mut self, interval: Duration) -> Result<Self, Error> {
        check_poll_interval(interval)?;
        self.poll_interval = Some(interval);
        Ok(self)
    }

    /// Opens files only while they are read, so that few are open; one that was deleted then fails when it is needed,
    /// unless its pages are in the cache. Otherwise all stay open, and a deleted one is read on.
    #[must_use]
    pub fn lazy(mut self, lazy: bool) -> Self {
        self.lazy = lazy;
        self
    }

    /// Shows every file, also those that are being rotated to: right for directories that nobody writes to.
    #[must_use]
    pub fn immutable(mut self, immutable: bool) -> Self {
        self.immutable = immutable;
        self
    }

    /// The same bytes as they are now, for good.
    pub(super) fn frozen(&self) -> Self {
        Self {
            poll_interval: None,
            frozen: true,
            ..self.clone()
        }
    }

    /// How many bytes are shown.
    pub(super) fn shown_bytes(&self) -> u64 {
        self.members.last().map_or(0, |it| it.start + it.size)
    }

    /// The names and sizes of the files that are shown, oldest first; and the names of those that are not.
    pub(super) fn listing(&self) -> (Vec<(&str, u64)>, Vec<&str>) {
        let shown = self.members.iter().map(|it| (it.name.as_str(), it.size));
        let hidden = self.undecided.iter().map(|it| it.name.as_str());
        (shown.collect(), hidden.collect())
    }

    /// Looks at the directory now.
    ///
    /// # Errors
    /// It cannot be listed, or a file cannot be read or has shrunk.
    pub fn look(&mut self) -> Result<(), Error> {
        self.looked = Some(Instant::now());
        self.discover()?;
        let was_newest = self.members.len().saturating_sub(1);
        self.decide()?;
        // Sizes are taken after the decision: whoever wrote to an older file meanwhile was done before.
        let mut start = self.members.get(was_newest).map_or(0, |it| it.start);
        for member in self.members.iter_mut().skip(was_newest) {
            let size = opened(&self.files, member.file.as_ref(), &member.name)
                .and_then(|file| file.size())
                .map_err(Error::io("ask the size of", &member.name));
            let size = match size {
                // Deleted: what was there is asked for until it is missed.
                Err(error) if error.is_missing() => member.size,
                size => size?,
            };
            if size < member.size {
                return Err(Error::Shrunk {
                    file: member.name.clone(),
                    expected: member.size,
                    found: size,
                });
            }
            (member.start, member.size) = (start, size);
            start += size;
        }
        Ok(())
    }

    /// Adds files that are newer than any known one. An older name that turns up later would move what was read.
    fn discover(&mut self) -> Result<(), Error> {
        let names = self.files.list();
        let mut names = names.map_err(Error::io("list", self.files.place()))?;
        let undecided = self.undecided.last().map(|it| it.name.clone());
        let newest = undecided.or_else(|| self.members.last().map(|it| it.name.clone()));
        names.retain(|name| is_log_name(name) && Some(name) > newest.as_ref());
        names.sort();
        for name in names {
            let file = match self.files.open(&name) {
                Ok(file) => file,
                // Deleted since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("open", name)(error)),
            };
            self.undecided.push(Undecided {
                name,
                file: Some(file).filter(|_| !self.lazy),
                rotation: Rotation::default(),
            });
        }
        Ok(())
    }

    /// The newest file that all processes write to, and every older one, are shown from now on.
    fn decide(&mut self) -> Result<(), Error> {
        let mut decided = if self.immutable {
            self.undecided.len()
        } else {
            0
        };
        for number in (decided..self.undecided.len()).rev() {
            let Undecided {
                name,
                file,
                rotation,
            } = &mut self.undecided[number];
            let over = opened(&self.files, file.as_ref(), name)
                .map_err(Error::io("open", &name))
                .and_then(|file| rotation.is_over(file.as_ref(), name));
            match over {
                Ok(true) => {
                    decided = number + 1;
                    break;
                }
                Ok(false) => {}
                // Deleted since it was listed.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        let decided = self.undecided.drain(..decided);
        self.members.extend(decided.map(|it| Member {
            name: it.name,
            file: it.file,
            start: 0,
            size: 0,
        }));
        Ok(())
    }

    /// Looks if it is time to.
    pub(super) fn refresh(&mut self) -> Result<(), Error> {
        let due = |looked: Instant| Some(looked.elapsed()) >= self.poll_interval;
        match self.looked {
            Some(looked) if self.poll_interval.is_none() || !due(looked) => Ok(()),
            _ => self.look(),
        }
    }
}

fn opened(
    files: &Arc<dyn LogFiles>,
    file: Option<&Arc<dyn LogFile>>,
    name: &str,
) -> io::Result<Arc<dyn LogFile>> {
    match file {
        Some(file) => Ok(Arc::clone(file)),
        None => files.open(name),
    }
}

impl Vfs for LogDirectorySource {
    fn setup(&mut self, _: &mut PageCache) -> Result<(), Error> {
        match self.looked {
            Some(_) => Ok(()),
            None => self.look(),
        }
    }

    /// Closes the files. The next one who opens it sees the directory afresh.
    fn teardown(&mut self) -> Result<(), Error> {
        if self.frozen {
            return Ok(());
        }
        self.members.clear();
        self.undecided.clear();
        self.looked = None;
        Ok(())
    }

    fn size(&mut self, _: &mut PageCache) -> Result<u64, Error> {
        self.refresh()?;
        Ok(self.shown_bytes())
    }

    fn read(&mut self, offset: u64, length: usize, _: &mut PageCache) -> Result<Vec<u8>, Error> {
        self.refresh()?;
        let mut bytes = Vec::with_capacity(length);
        let first = self
            .members
            .partition_point(|member| member.start + member.size <= offset);
        for member in &self.members[first..] {
            let at = (offset + bytes.len() as u64).saturating_sub(member.start);
            let rest = usize::try_from(member.size - at).unwrap_or(usize::MAX);
            let wanted = rest.min(length - bytes.len());
            if wanted == 0 {
                continue;
            }
            let read = opened(&self.files, member.file.as_ref(), &member.name)
                .and_then(|file| file.read_at(at, wanted))
                .map_err(Error::io("read", &member.name))?;
            if read.len() < wanted {
                return Err(Error::Shrunk {
                    file: member.name.clone(),
                    expected: member.size,
                    found: at + read.len() as u64,
                });
            }
            bytes.extend_from_slice(&read);
        }
        Ok(bytes)
    }

    fn cache_size(&self) -> usize {
        self.cache_size
    }

    fn part(&self, offset: u64) -> Part<'_> {
        let after = self.members.partition_point(|it| it.start <= offset);
        let Some(member) = after.checked_sub(1).and_then(|at| self.members.get(at)) else {
            return Part::WHOLE;
        };
        Part {
            name: &member.name,
            start: member.start,
            end: (after < self.members.len()).then_some(member.start + member.size),
        }
    }
}
