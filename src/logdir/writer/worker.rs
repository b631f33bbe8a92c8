//! The logger of a cluster's worker process.

use std::path::Path;

use serde::Serialize;

use super::logger::{Process, Shared, json};
use super::request::RequestLogger;
use super::{Failure, LoggerOptions};
use crate::logdir::entry::Body;
use crate::logdir::{Error, Lifecycle, LogLevel};

/// Logs for a worker. What was taken and cannot be written is tried again in time; what is written at once, and
/// [`Self::flush`], fail where it cannot be.
#[derive(Debug)]
pub struct WorkerLogger(Shared);

impl WorkerLogger {
    /// A logger that appends to a file; without one, nothing is written anywhere.
    ///
    /// # Errors
    /// The file cannot be opened, an option is out of its bounds, or the id is 0.
    pub fn new(path: Option<&Path>, worker_id: u32, options: LoggerOptions) -> Result<Self, Error> {
        super::check_worker_id(worker_id)?;
        Shared::new(path, Process::Worker(worker_id), options).map(Self)
    }

    /// Logs one of the first six events of a worker's life; written at once.
    ///
    /// # Errors
    /// [`Error::Option`] of an event that a worker does not log itself.
    pub fn event(&self, event: Lifecycle) -> Result<(), Error> {
        if event >= Lifecycle::WorkerPing {
            return Err(Error::Option {
                option: "an event of a worker",
                expected: "from WORKER_STARTED to WORKER_DONE",
                found: event.to_string(),
            });
        }
        self.0.with(|state, now| state.event(event, now))
    }

    /// The worker failed; what was kept with [`Self::debug`] goes along.
    pub fn uncaught_exception(&self, failure: &Failure) -> Result<(), Error> {
        self.0.with(|state, now| state.exception(failure, now))
    }

    /// Logs at a level, outside any request.
    pub fn log(&self, level: LogLevel, data: &impl Serialize) -> Result<(), Error> {
        let data = json(data)?;
        let request_id = None;
        self.0
            .with(|state, now| state.log(level, Body::Log { request_id, data }, now))
    }

    /// Keeps something for the case that an exception follows.
    pub fn debug(&self, data: &impl Serialize) -> Result<(), Error> {
        self.0.with(|state, _| state.debug(data))
    }

    /// A logger for one request, with an id of its own.
    #[must_use]
    pub fn new_request(&self) -> RequestLogger {
        RequestLogger::new(self.0.clone())
    }

    /// Writes what waits.
    pub fn flush(&self) -> Result<(), Error> {
        self.0.with(|state, _| state.flush())
    }

    /// Goes on in another file.
    pub fn rotate(&self, path: &Path) -> Result<(), Error> {
        self.0.with(|state, now| state.rotate(path, now))
    }

    /// Writes what waits and ends, for its requests too. What is logged later is not written.
    pub fn close(&self) -> Result<(), Error> {
        self.0.with(|state, _| state.close())
    }

    /// Whether it writes nothing any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.with(|state, _| state.is_closed())
    }
}

impl Drop for WorkerLogger {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the last log entries were not written");
        }
    }
}
