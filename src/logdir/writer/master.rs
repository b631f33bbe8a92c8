//! The logger of a cluster's primary process.

use std::ops::Deref;
use std::path::Path;

use super::LoggerOptions;
use super::logger::{Logger, Process};
use crate::logdir::entry::Body;
use crate::logdir::{Error, Lifecycle, LogLevel};

/// Logs for the master. What was taken and cannot be written is tried again in time; what is written at once, and
/// [`Logger::flush`], fail where it cannot be.
#[derive(Debug)]
pub struct MasterLogger(Logger);

impl MasterLogger {
    /// A logger that appends to a file; without one, nothing is written anywhere.
    ///
    /// # Errors
    /// The file cannot be opened, or an option is out of its bounds.
    pub fn new(path: Option<&Path>, options: LoggerOptions) -> Result<Self, Error> {
        Logger::new(path, Process::Master(Vec::new()), options).map(Self)
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
        self.0.shared.with(|state, now| state.event(event, now))
    }

    /// A worker was begun; ids count from 1.
    pub fn worker_spawned(&self, worker_id: u32) -> Result<(), Error> {
        super::check_worker_id(worker_id)?;
        self.0.shared.with(|state, now| {
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
        self.0.shared.with(|state, now| {
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
}

impl Deref for MasterLogger {
    type Target = Logger;

    fn deref(&self) -> &Logger {
        &self.0
    }
}
