//! The logger of a cluster's worker process.

use std::ops::Deref;
use std::path::Path;

use super::LoggerOptions;
use super::logger::{Logger, Process};
use super::request::RequestLogger;
use crate::logdir::{Error, Lifecycle};

/// Logs for a worker. What was taken and cannot be written is tried again in time; what is written at once, and
/// [`Logger::flush`], fail where it cannot be.
#[derive(Debug)]
pub struct WorkerLogger(Logger);

impl WorkerLogger {
    /// A logger that appends to a file; without one, nothing is written anywhere.
    ///
    /// # Errors
    /// The file cannot be opened, an option is out of its bounds, or the id is 0.
    pub fn new(path: Option<&Path>, worker_id: u32, options: LoggerOptions) -> Result<Self, Error> {
        super::check_worker_id(worker_id)?;
        Logger::new(path, Process::Worker(worker_id), options).map(Self)
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
        self.0.shared.with(|state, now| state.event(event, now))
    }

    /// A logger for one request, with an id of its own.
    #[must_use]
    pub fn new_request(&self) -> RequestLogger {
        RequestLogger::new(self.0.shared.clone())
    }
}

impl Deref for WorkerLogger {
    type Target = Logger;

    fn deref(&self) -> &Logger {
        &self.0
    }
}
