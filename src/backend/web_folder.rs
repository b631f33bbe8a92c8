//! A directory of binary logs on another host, with only a web server in front of it.

use std::io;
use std::sync::{Arc, LazyLock};

use regex::Regex;
use tokio::runtime::Handle;

use crate::client::{Client, Error};
use crate::logdir::{LogFile, LogFiles, is_log_name};

/// Paths that may be of log files, wherever they stand: servers list folders in their own forms.
static PATHS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\w.~%:/-]*[0-9]{14}\.log[\w.~%-]*").expect("a pattern"));

/// The log files of a folder behind a web server, which must list it and give ranges of bytes.
///
/// To be used on threads that may block.
#[derive(Clone, Debug)]
pub struct WebFolder {
    client: Client,
    runtime: Handle,
}

impl WebFolder {
    /// A folder at the client's address; the runtime does the requests.
    #[must_use]
    pub fn new(client: Client, runtime: Handle) -> Self {
        Self { client, runtime }
    }
}

impl WebFolder {
    /// The name of a path, if it is of a log file in this folder and not below it.
    fn name_in(&self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_here = matches!(folder, "" | ".") || self.client.name().ends_with(folder);
        (is_here && is_log_name(name)).then(|| name.to_owned())
    }
}

#[derive(Debug)]
struct WebFile {
    folder: WebFolder,
    name: String,
}

impl LogFiles for WebFolder {
    fn place(&self) -> String {
        self.client.name().to_owned()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let listing = self.runtime.block_on(self.client.listing());
        let listing = listing.map_err(refused)?;
        let mut names: Vec<String> = PATHS
            .find_iter(&listing)
            .filter_map(|path| self.name_in(path.as_str()))
            .collect();
        // Most listings say a name twice, in a link and as its text.
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        Ok(Arc::new(WebFile {
            folder: self.clone(),
            name: name.to_owned(),
        }))
    }
}

impl LogFile for WebFile {
    fn size(&self) -> io::Result<u64> {
        let WebFolder { client, runtime } = &self.folder;
        runtime
            .block_on(client.size_of(&self.name))
            .map_err(refused)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let WebFolder { client, runtime } = &self.folder;
        let read = client.bytes_of(&self.name, offset, length as u64);
        runtime.block_on(read).map_err(refused)
    }
}

fn refused(error: Error) -> io::Error {
    let kind = match &error {
        Error::Refused {
            status: 404 | 410, ..
        } => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
