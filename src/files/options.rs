//! What is to be said of files.

use std::path::PathBuf;

use crate::base::{Time, Zone};
use crate::entry::decode::{Defaults, Format};

/// How files are explored.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace of entries that name none.
    pub namespace: String,
    /// Formats besides the built-in ones, and before them.
    pub formats: Vec<Format>,
    /// The format of every file, where it is not to be told by its lines.
    pub format: Option<Format>,
    /// The zone of times that name none; without one that of the host where the files lie.
    pub zone: Option<Zone>,
    /// Directory where the indexes of files are kept; none are kept without one.
    pub cache: Option<PathBuf>,
    /// Directory of the temporary files that compressed files are unpacked into; the system's without one.
    pub spool: Option<PathBuf>,
    /// Logs at the most: each holds a file open, or several.
    pub most_logs: usize,
    /// Whether directories below those that are named are looked into.
    pub recursive: bool,
    /// Whether what was rotated away from a file is read behind it.
    pub generations: bool,
    /// Whether blocks are looked at in the background, for counts and for order.
    pub index: bool,
    /// Threads that a question or the index may use at once.
    pub threads: usize,
}

impl Options {
    /// Makes the directory for temporary files; without it nothing packed can be read, which is told then.
    pub(super) fn make_spool(&self) {
        if let Some(spool) = &self.spool
            && let Err(error) = std::fs::create_dir_all(spool)
        {
            tracing::warn!(%error, "{} cannot be made", spool.display());
        }
    }

    /// What entries of a source get where their lines say nothing.
    #[must_use]
    pub fn defaults(&self, source: String, arrival: Time) -> Defaults {
        Defaults {
            arrival,
            zone: self.zone.clone().unwrap_or_else(Zone::system),
            namespace: self.namespace.clone(),
            source: Some(source),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: "default".to_owned(),
            formats: Vec::new(),
            format: None,
            zone: None,
            cache: None,
            spool: None,
            most_logs: 10_000,
            recursive: false,
            generations: true,
            index: true,
            threads: std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(8),
        }
    }
}
