//! What can go wrong with a store, by what the caller can do about it.

use std::io;
use std::path::PathBuf;

/// A store's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk refused; the message says where.
    #[error("cannot {action} {path}")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The disk is full. Nothing of the batch was kept; try again when there is room.
    #[error("the disk that holds the log is full; nothing of the batch was kept")]
    Full,
    /// The batch is larger than any that is taken: send it in parts.
    #[error("the batch is larger than 64 MiB; nothing of it was kept")]
    TooLarge,
    /// An earlier write failed; reading goes on, nothing more is accepted until the store is opened anew.
    #[error("the log accepts nothing since a write failed: {reason}")]
    Failed {
        /// What failed.
        reason: String,
    },
    /// The store is closed.
    #[error("the log is closed")]
    Closed,
    /// A file is not what it should be.
    #[error("{path} is damaged at byte {offset}: expected {expected}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What should stand there.
        expected: &'static str,
    },
    /// The directory was written by a version this one does not know.
    #[error("{path} has format {found:?}, this program reads {known:?}")]
    Format {
        /// The format file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is known.
        known: &'static str,
    },
}

impl Error {
    /// Wraps a system error with what was tried.
    pub(super) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk {
            action,
            path,
            source,
        }
    }
}
