//! Why a value cannot be stored or read.

use std::io;
use std::path::PathBuf;

use super::{Digest, Key};

/// Why a value cannot be stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The place does not answer or refuses.
    #[error("the blobs cannot be reached: {0}")]
    Place(String),
    /// The disk refuses.
    #[error("cannot {action} {path}: {source}")]
    Disk {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than it may be.
    #[error("expected at most {most} bytes")]
    TooLarge {
        /// Bytes that it may have.
        most: u64,
    },
    /// The account holds as much as it may.
    #[error("the account {account:?} may hold {quota} bytes, and does")]
    Quota {
        /// The first segment of the key.
        account: String,
        /// Bytes that it may hold.
        quota: u64,
    },
    /// It is not what was promised.
    #[error("expected a body with the SHA-256 {expected}, found {found}")]
    Digest {
        /// What was promised.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// There is one, and there shall not be.
    #[error("there is a blob {0} already")]
    Exists(Key),
    /// What was stored is not what is read.
    #[error("the blob {key} is damaged: {reason}")]
    Damaged {
        /// Its name.
        key: Key,
        /// What does not fit.
        reason: String,
    },
}

impl Error {
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

    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        // Its errors say the most in the innermost.
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            let said = inner.to_string();
            if !reason.contains(&said) {
                reason = format!("{reason}: {said}");
            }
            if let Some(inner) = inner.downcast_ref::<io::Error>()
                && inner.kind() == io::ErrorKind::StorageFull
            {
                return Self::Disk {
                    action: "write to",
                    path: PathBuf::from("the directory of blobs"),
                    source: io::ErrorKind::StorageFull.into(),
                };
            }
            source = inner.source();
        }
        Self::Place(reason)
    }
}
