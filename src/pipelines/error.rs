//! Why a pipeline does not run.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::tls::TlsError;
use crate::client;
use crate::spool::SpoolError;

/// Why a pipeline does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is said of it is not understood, or does not fit together.
    #[error("{0}")]
    Said(String),
    /// A filter is not understood.
    #[error("filter {}: {reason}", at + 1)]
    Filter {
        /// Which, from 0.
        at: usize,
        /// What was expected and found.
        reason: String,
    },
    /// A part is not understood, or cannot begin.
    #[error("{part} {}", at + 1)]
    Part {
        /// `source` or `sink`.
        part: &'static str,
        /// Which, from 0.
        at: usize,
        /// Why.
        source: Box<Error>,
    },
    /// A port is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Checkpoints cannot be read.
    #[error("cannot read the checkpoints {path}")]
    Checkpoints {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A buffer on disk cannot be opened.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address of a service is none.
    #[error(transparent)]
    Client(#[from] client::Error),
}
