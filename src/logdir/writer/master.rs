//! The logger of a cluster's primary process.

use std::path::Path;

use serde::Serialize;

use super::logger::{Process, Shared, json};
use super::{Failure, LoggerOptions};
use crate::logdir::entry::Body;
use crate::logdir::{Error, Lifecycle, LogLevel};

/// Logs for the master. What was taken and cannot be written is tried again in time; what is written at once, and
/// [`Self::flush`], fail where it cannot be.
#[derive(Debug)]
pub struct MasterLogger(Shared);

impl MasterLogger {
    /// A logger that appends to a file; without one, nothing is written anywhere.
    ///
    /// # Errors
    /// The file cannot be opened, or an option is out of its bounds.
    pub fn new(path: Option<&Path>, options: LoggerOptions) -> Result<Self, Error> {
        Shared::new(path, Process::Master(Vec::new()), options).map(Self)
    }

    /// A run begins: always the first entry of one. Written at once, as all that follow up to [`Self::worker_exited`].
    pub fn starting_up(&self) -> Result<(), Error> {
        self.event(Lifecycle::StartingUp)
    }

    /// The workers are up.
    pub fn starting_up_completed(&self) -> Result<(), Error> {
        self.event(Lifecycle::StartingUpCompleted)
    }

    /// The run is about to end.
    pub fn shutting_down(&self) -> Result<(), Error> {
        self.event(Lifecycle::ShuttingDown)
    }

    /// The run ends.
    pub fn shutting_down_completed(&self) -> Result<(), Error> {
        self.event(Lifecycle::ShuttingDownCompleted)
    }

    fn event(&self, event: Lifecycle) -> Result<(), Error> {
        self.0.with(|state, now| state.event(event, now))
    }

    /// A worker was begun; ids count from 1.
    pub fn worker_spawned(&self, worker_id: u32) -> Result<(), Error> {
        super::check_worker_id(worker_id)?;
        self.0.with(|state, now| {
            if let Process::Master(workers) = &mut state.process {
                workers.retain(|id| *id != worker_id);
                workers.push(worker_id);
            }
            let body = Body::Lifecycle(Lifecycle::WorkerSpawned);
            state.log_about(Some(worker_id), LogLevel::Info, body, now)?;
            state.flush()
        })
    }

    /// A worker has ended, by itself with a code or by a signal.
    pub fn worker_exited(
        &self,
        worker_id: u32,
        exit_code: Option<i32>,
        signal: Option<&str>,
    ) -> Result<(), Error> {
        self.0.with(|state, now| {
            if let Process::Master(workers) = &mut state.process {
                workers.retain(|id| *id != worker_id);
            }
            let body = Body::WorkerExited {
                exit_code: exit_code.map(i32::cast_unsigned),
                signal: signal.map(str::to_owned),
            };
            // The level is not stored: readers conclude it.
            state.log_about(Some(worker_id), LogLevel::Info, body, now)?;
            state.flush()
        })
    }

    /// The master failed; what was kept with [`Self::debug`] goes along.
    pub fn uncaught_exception(&self, failure: &Failure) -> Result<(), Error> {
        self.0.with(|state, now| state.exception(failure, now))
    }

    /// Logs at a level.
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

    /// Writes what waits.
    pub fn flush(&self) -> Result<(), Error> {
        self.0.with(|state, _| state.flush())
    }

    /// Goes on in another file.
    pub fn rotate(&self, path: &Path) -> Result<(), Error> {
        self.0.with(|state, now| state.rotate(path, now))
    }

    /// Writes what waits and ends. What is logged later is not written.
    pub fn close(&self) -> Result<(), Error> {
        self.0.with(|state, _| state.close())
    }

    /// Whether it writes nothing any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.with(|state, _| state.is_closed())
    }
}

impl Drop for MasterLogger {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the last log entries were not written");
        }
    }
}
