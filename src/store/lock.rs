//! Who owns a data directory.
//!
//! The owner holds an advisory lock on `DIR/lock`, which the kernel frees when the process ends, however it ends. The
//! addresses it serves stand in `DIR/address`, one a line, and are believed only while the lock is held.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::Error;

/// Ownership of a data directory, given up when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    dir: PathBuf,
}

impl Lock {
    /// Takes the directory, creating it if need be; `None` when another process has it.
    ///
    /// # Errors
    /// The directory or its lock file cannot be created or opened.
    pub fn acquire(dir: &Path) -> Result<Option<Self>, Error> {
        std::fs::create_dir_all(dir).map_err(Error::disk("create", dir))?;
        let path = dir.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::disk("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                _file: file,
                dir: dir.to_owned(),
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::disk("lock", &path)(error)),
        }
    }

    /// Whether another process owns the directory. Nothing in it is changed.
    #[must_use]
    pub fn is_held(dir: &Path) -> bool {
        let taken = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(dir.join("lock")).is_ok_and(taken)
    }

    /// Publishes where the owner can be reached.
    ///
    /// # Errors
    /// The address file cannot be written.
    pub fn publish(&self, addresses: &[String]) -> Result<(), Error> {
        let path = self.dir.join("address");
        std::fs::write(&path, addresses.join("\n") + "\n").map_err(Error::disk("write", &path))
    }

    /// Where the owner of a directory, which is another process, can be reached.
    #[must_use]
    pub fn addresses(dir: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(dir.join("address")).unwrap_or_default();
        text.lines()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file is a courtesy; without the lock nobody believes it.
        let _ = std::fs::remove_file(self.dir.join("address"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Lock::acquire(dir.path()).expect("no error").expect("free");
        first
            .publish(&["unix:/x".into(), "http://127.0.0.1:1".into()])
            .expect("written");
        assert!(Lock::is_held(dir.path()));
        assert!(Lock::acquire(dir.path()).expect("no error").is_none());
        assert_eq!(
            Lock::addresses(dir.path()),
            ["unix:/x", "http://127.0.0.1:1"]
        );
        drop(first);
        assert!(!Lock::is_held(dir.path()));
        assert!(Lock::acquire(dir.path()).expect("no error").is_some());
        assert!(Lock::addresses(dir.path()).is_empty());
    }
}
