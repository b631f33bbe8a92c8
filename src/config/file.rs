//! The file's own forms. Every key is documented in `config.example.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::tree::Mistake;
use super::{BlobsFile, EventsFile, FilesFile, LogFile, ServeFile, StreamsFile};
use crate::explorer::SavedQuery;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file, a variable or a flag says something that is not understood.
    #[error("the configuration is not understood{}", path.as_ref().map(|path| format!(": {}", path.display())).unwrap_or_default())]
    Invalid {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// Where, which key, what was expected and found.
        source: Box<Mistake>,
    },
    /// The user has no home directory and no data directory was named.
    #[error("no home directory is known; name a data directory with --data DIR or TAILWATER_DATA")]
    NoHome,
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The directory of the embedded log.
    pub data: Option<PathBuf>,
    /// What of the program's own log is kept.
    pub log_level: Option<String>,
    /// The service to talk to.
    pub url: Option<String>,
    /// Sent to the service.
    pub token: Option<String>,
    /// Only this namespace.
    pub namespace: Option<String>,
    /// `tailwater serve`.
    pub serve: ServeFile,
    /// The embedded log.
    pub log: LogFile,
    /// Live streams.
    pub streams: StreamsFile,
    /// Blobs.
    pub blobs: BlobsFile,
    /// Events, and what comes of them.
    pub events: EventsFile,
    /// The explorer.
    pub explorer: ExplorerFile,
    /// Plain log files.
    pub files: FilesFile,
    /// Keys by action.
    pub keys: KeysFile,
}

/// The section `[explorer]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own, as the user writes it"
)]
pub struct ExplorerFile {
    /// Which colours to use.
    pub colors: Colors,
    /// Which theme: dark, light, high-contrast, colour-blind, or a file of one.
    pub theme: String,
    /// The zone beside UTC in which times can be shown: of the IANA database, or system.
    pub zone: String,
    /// Whether the mouse is asked for.
    pub mouse: bool,
    /// Whether nothing may be written and no other program started.
    pub read_only: bool,
    /// Whether to tell in lines, one after the other, what is on the screen: for screen readers.
    pub plain: bool,
    /// Whether to begin where one was.
    pub restore: bool,
    /// Columns, from the left, by the name of what is explored; * stands for any part of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Vec<String>>,
    /// Saved queries, by name; watched, if there is a threshold.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub queries: BTreeMap<String, SavedQuery>,
}

impl Default for ExplorerFile {
    fn default() -> Self {
        Self {
            colors: Colors::Auto,
            theme: "dark".into(),
            zone: "system".into(),
            mouse: true,
            read_only: false,
            plain: false,
            restore: true,
            columns: BTreeMap::new(),
            queries: BTreeMap::new(),
        }
    }
}

/// Which colours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Colors {
    /// By `NO_COLOR`, `COLORTERM` and `TERM`; 16 palette colours unless told more.
    #[default]
    Auto,
    /// None.
    None,
    /// The terminal's own 16.
    #[serde(rename = "16")]
    #[value(name = "16")]
    Sixteen,
    /// The palette of 256.
    #[serde(rename = "256")]
    #[value(name = "256")]
    Indexed,
    /// 24-bit.
    Truecolor,
}

/// The section `[keys]`: keys by the name of their action; they replace the built-in ones.
pub type KeysFile = BTreeMap<String, Vec<String>>;

pub(super) fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })
}
