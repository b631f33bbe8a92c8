//! Which file is written, when the next one is begun, and which old ones are deleted: section 2 of the format's description.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Clock;
use crate::logdir::files::{Folder, LogFiles, is_log_name, log_name};
use crate::logdir::{Error, check_poll_interval};

/// How a directory is kept.
#[derive(Clone, Debug)]
pub struct ManagerOptions {
    /// How often [`LogManager::run`] looks.
    pub poll_interval: Duration,
    /// The files take about so many bytes; 1 MiB at the least.
    pub log_size_limit: u64,
    /// They are about so old; a minute at the least.
    pub log_age_limit: Duration,
    /// Into how many files that is cut; 2 at the least, and no file of less than a second.
    pub granularity: u32,
    /// What time it is.
    pub clock: Clock,
}

impl Default for ManagerOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(5),
            log_size_limit: 2 << 30,
            log_age_limit: Duration::from_hours(8760),
            granularity: 20,
            clock: Clock::default(),
        }
    }
}

impl ManagerOptions {
    fn check(&self) -> Result<(), Error> {
        let wrong = |option, expected, found: String| Error::Option {
            option,
            expected,
            found,
        };
        check_poll_interval(self.poll_interval)?;
        if self.log_size_limit < 1 << 20 {
            let found = self.log_size_limit.to_string();
            return Err(wrong("a size limit", "of at least 1048576 bytes", found));
        }
        if self.log_age_limit < Duration::from_mins(1) {
            let found = format!("{:?}", self.log_age_limit);
            return Err(wrong("an age limit", "of at least a minute", found));
        }
        if self.granularity < 2 {
            let found = self.granularity.to_string();
            return Err(wrong("a granularity", "of at least 2", found));
        }
        if self.log_age_limit / self.granularity < Duration::from_secs(1) {
            let found = self.granularity.to_string();
            return Err(wrong("a granularity", "that leaves a file a second", found));
        }
        Ok(())
    }
}

/// Keeps a log directory. Only the master of a cluster has one; two must not keep the same directory.
#[derive(Debug)]
pub struct LogManager {
    dir: Option<PathBuf>,
    /// The name of the file that is written.
    current: String,
    /// Old files are still to be deleted.
    overdue: bool,
    options: ManagerOptions,
}

impl LogManager {
    /// Goes on with the newest file of a directory, which is made (for its owner only) where there is none. Without a
    /// directory it does nothing.
    ///
    /// # Errors
    /// The directory cannot be made or listed, or an option is out of its bounds.
    pub fn new(dir: Option<&Path>, options: ManagerOptions) -> Result<Self, Error> {
        options.check()?;
        let mut current = String::new();
        if let Some(dir) = dir {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
            made.map_err(Error::io("make", dir.display()))?;
            let newest = log_files(dir)?.pop();
            current = newest.unwrap_or_else(|| log_name(options.clock.now()));
        }
        let mut manager = Self {
            dir: dir.map(Path::to_owned),
            current,
            overdue: false,
            options,
        };
        manager.poll()?;
        Ok(manager)
    }

    /// The file that is to be written.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(&self.current))
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// Looks whether the file is too large or too old; then there is a new one to be rotated to, and what is over the
    /// limits was deleted.
    ///
    /// # Errors
    /// The directory cannot be read, or an old file not be deleted: at the next look then, so that nobody misses a new
    /// file for it. The manager can go on.
    pub fn poll(&mut self) -> Result<Option<PathBuf>, Error> {
        let Some(file) = self.file() else {
            return Ok(None);
        };
        let size = match fs::metadata(&file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(Error::io("ask the size of", file.display())(error)),
        };
        let now = self.options.clock.now();
        let parts = self.options.granularity;
        let age = self.age_limit_millis().div_ceil(u64::from(parts));
        let is_large = size >= self.options.log_size_limit.div_ceil(u64::from(parts));
        let is_old = created(&self.current) <= now.saturating_sub(age);
        if !is_large && !is_old {
            if self.overdue {
                self.delete_old(now)?;
            }
            return Ok(None);
        }
        // Names must rise, whatever the clock does.
        self.current = log_name(now.max(created(&self.current) + 1));
        self.overdue = true;
        // What fails is tried again, and told, at the next look.
        let _ = self.delete_old(now);
        Ok(self.file())
    }

    fn age_limit_millis(&self) -> u64 {
        u64::try_from(self.options.log_age_limit.as_millis()).unwrap_or(u64::MAX)
    }

    fn delete_old(&mut self, now: u64) -> Result<(), Error> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let names = log_files(dir)?;
        let oldest = now.saturating_sub(self.age_limit_millis());
        let mut sum = 0;
        let mut kept = names.len();
        for name in names.iter().rev() {
            let path = dir.join(name);
            let metadata = fs::metadata(&path);
            sum += metadata
                .map_err(Error::io("ask the size of", path.display()))?
                .len();
            let too_much = created(name) <= oldest || sum >= self.options.log_size_limit;
            if too_much && *name != self.current {
                break;
            }
            kept -= 1;
        }
        let mut deleted = Ok(());
        for name in &names[..kept] {
            let path = dir.join(name);
            let removed = fs::remove_file(&path).map_err(Error::io("delete", path.display()));
            // One that stays is no reason to keep the others.
            deleted = deleted.and(removed);
        }
        self.overdue = deleted.is_err();
        deleted
    }

    /// Looks every poll interval, on the thread that calls it, until `on_rotate` says that it is over. It is told of a new
    /// file, of trouble, and of nothing (`Ok(None)`) after every look.
    pub fn run(
        mut self,
        mut on_rotate: impl FnMut(Result<Option<PathBuf>, Error>) -> std::ops::ControlFlow<()>,
    ) {
        while on_rotate(self.poll()).is_continue() {
            std::thread::sleep(self.options.poll_interval);
        }
    }
}

/// The log files of a directory, oldest first.
fn log_files(dir: &Path) -> Result<Vec<String>, Error> {
    let names = Folder(dir.to_owned()).list();
    let mut names = names.map_err(Error::io("list", dir.display()))?;
    names.retain(|name| is_log_name(name));
    names.sort();
    Ok(names)
}

/// When a file was made, by its name.
fn created(name: &str) -> u64 {
    name.trim_end_matches(".log").parse().unwrap_or_default()
}
