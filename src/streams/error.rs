//! Why a stream does not take or give lines.

use std::io;
use std::path::PathBuf;

use super::LineError;
use crate::blobs::{self, Key};
use crate::spool::SpoolError;

/// Why a stream does not take or give lines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody opened it.
    #[error("there is no open stream {0}")]
    NotOpen(Key),
    /// It was closed, or was silent for too long.
    #[error("the stream {0} is closed")]
    Closed(Key),
    /// What was pushed is no line.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The place does not answer.
    #[error("the live streams cannot be reached: {0}")]
    Place(String),
    /// The disk refuses lines.
    #[error("the stream cannot be kept on disk")]
    Spool(#[from] SpoolError),
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
    /// The blob of the stream cannot be stored or read.
    #[error("the blob of the stream: {0}")]
    Blob(#[from] blobs::Error),
}

impl Error {
    /// Whether the same may succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Place(_) | Self::Blob(blobs::Error::Place(_)) | Self::Disk { .. }
        )
    }

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
