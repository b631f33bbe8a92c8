//! Directories of binary logs: where they lie, and whether somebody writes to them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Error;
use crate::backend::{Backend, WebFolder};
use crate::client::{self, Client};
use crate::config::Settings;
use crate::logdir::{LogDirectory, LogDirectorySource, is_quiet};

/// How often a directory on this machine is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// And one on another host.
const WEB_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A directory of binary logs, explored where it lies; and what is to be said of it.
pub(super) fn explored(settings: &Settings, dir: &str) -> Result<(Backend, Vec<String>), Error> {
    // Processes that live write once a minute at the least. Where none does, nothing is being rotated to.
    let quiet = !is_address(dir) && is_quiet(Path::new(dir));
    let source = log_directory(settings, dir)?.poll_interval(poll_interval(dir))?;
    let log = tokio::task::block_in_place(|| LogDirectory::open(source, quiet))?;
    let hidden = log.hidden().into_iter();
    let notes = hidden
        .map(|name| format!("{name} is not shown yet: not every worker has begun to write to it"));
    let notes = notes.collect();
    Ok((Backend::Directory(log), notes))
}

/// The files of a directory of binary logs, here or behind a web server.
pub(super) fn log_directory(settings: &Settings, dir: &str) -> Result<LogDirectorySource, Error> {
    if is_address(dir) {
        let options = client::Options {
            token: settings.token.clone(),
            ..client::Options::default()
        };
        let folder = WebFolder::new(Client::new(dir, &options)?, Handle::current());
        return Ok(LogDirectorySource::of(Arc::new(folder)));
    }
    let path = Path::new(dir);
    if !path.is_dir() {
        return Err(Error::Said(format!(
            "{dir} is no directory: expected one of files such as 01714521600000.log"
        )));
    }
    Ok(LogDirectorySource::new(path))
}

/// Whether a source is named by where it answers.
pub(super) fn is_address(source: &str) -> bool {
    source.contains("://") || source.starts_with("unix:")
}

/// Whether a directory holds our log: a data directory, or segments that were copied from one.
pub(super) fn is_log(dir: &Path) -> bool {
    let is_segment = |name: &str| name.starts_with("segment-") && name.ends_with(".parquet");
    let segments = || {
        let mut items = std::fs::read_dir(dir).ok()?.flatten();
        items.find(|item| item.file_name().to_str().is_some_and(is_segment))
    };
    dir.is_dir() && (dir.join("format").is_file() || segments().is_some())
}

/// How often a directory is looked at.
pub(super) fn poll_interval(dir: &str) -> Duration {
    if is_address(dir) {
        WEB_POLL_INTERVAL
    } else {
        POLL_INTERVAL
    }
}
