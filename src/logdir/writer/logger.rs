//! What the loggers have in common: numbering, buffering in time, pings.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::failure::Debug;
use super::output::Output;
use super::{Clock, Failure};
use crate::logdir::entry::{Body, LogEntry};
use crate::logdir::{Error, Lifecycle, LogLevel, MAX_TIMESTAMP, wire};

/// Timers of JavaScript reach so far.
const MAX_DELAY: Duration = Duration::from_millis(2_147_483_647);
/// What could not be written is tried again after this.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How a logger writes.
#[derive(Clone, Debug)]
pub struct LoggerOptions {
    /// A block is written when this many bytes wait, counted before compression.
    pub high_water_mark: usize,
    /// And when this has passed since the first entry that waits; zero makes every entry a block.
    pub output_delay: Duration,
    /// Whether blocks are compressed that have several entries, or one large one.
    pub compression: bool,
    /// How often a process says that it is alive.
    pub ping_delay: Duration,
    /// So many debug entries are kept for the next exception, the newest.
    pub debug_log_limit: usize,
    /// What time it is.
    pub clock: Clock,
}

impl Default for LoggerOptions {
    fn default() -> Self {
        Self {
            high_water_mark: 32_768,
            output_delay: Duration::from_millis(200),
            compression: true,
            ping_delay: Duration::from_mins(1),
            debug_log_limit: 100,
            clock: Clock::default(),
        }
    }
}

impl LoggerOptions {
    fn check(&self) -> Result<(), Error> {
        let wrong = |option, expected, found: Duration| Error::Option {
            option,
            expected,
            found: format!("{found:?}"),
        };
        if self.output_delay > MAX_DELAY {
            let expected = "of at most 2147483647 ms";
            return Err(wrong("an output delay", expected, self.output_delay));
        }
        if self.ping_delay.is_zero() || self.ping_delay > MAX_DELAY {
            let expected = "from above 0 to 2147483647 ms";
            return Err(wrong("a ping delay", expected, self.ping_delay));
        }
        Ok(())
    }
}

/// Who a logger writes for.
#[derive(Clone, Debug)]
pub(super) enum Process {
    /// The master, and the workers that live, in the order they were spawned.
    Master(Vec<u32>),
    Worker(u32),
}

impl Process {
    pub fn worker_id(&self) -> Option<u32> {
        match self {
            Self::Master(_) => None,
            Self::Worker(id) => Some(*id),
        }
    }
}

/// A logger's state.
#[derive(Debug)]
pub(super) struct State {
    pub process: Process,
    output: Output,
    options: LoggerOptions,
    nonce: u16,
    debug: VecDeque<Debug>,
    /// When the next ping is due.
    ping: Instant,
}

impl State {
    pub fn open(
        path: Option<&Path>,
        process: Process,
        options: LoggerOptions,
        now: Instant,
    ) -> Result<Self, Error> {
        options.check()?;
        Ok(Self {
            process,
            output: Output::open(path, options.clone())?,
            nonce: 0,
            debug: VecDeque::new(),
            ping: now + options.ping_delay,
            options,
        })
    }

    pub fn is_closed(&self) -> bool {
        self.output.is_closed()
    }

    /// Logs an entry of the process itself.
    pub fn log(&mut self, level: LogLevel, body: Body, now: Instant) -> Result<(), Error> {
        self.log_about(self.process.worker_id(), level, body, now)
    }

    /// Logs an entry that carries a worker's id.
    pub fn log_about(
        &mut self,
        worker_id: Option<u32>,
        level: LogLevel,
        body: Body,
        now: Instant,
    ) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        let entry = LogEntry {
            timestamp: self.options.clock.now().min(MAX_TIMESTAMP),
            nonce: self.nonce,
            level,
            worker_id,
            body,
        };
        let bytes = wire::encode(&entry).map_err(Error::Unwritable)?;
        self.nonce = self.nonce.wrapping_add(1);
        if matches!(self.process, Process::Worker(_)) {
            // A worker that writes needs no ping.
            self.ping = now + self.options.ping_delay;
        }
        self.output.log(&bytes, now)
    }

    /// Logs an event and writes it at once.
    pub fn event(&mut self, event: Lifecycle, now: Instant) -> Result<(), Error> {
        if event == Lifecycle::StartingUp {
            self.output.begin_run()?;
            if let Process::Master(workers) = &mut self.process {
                workers.clear();
            }
        }
        self.log(LogLevel::Info, Body::Lifecycle(event), now)?;
        self.output.flush()
    }

    /// Keeps a debug entry for the next exception.
    pub fn debug(&mut self, data: &impl Serialize) -> Result<(), Error> {
        if !self.is_closed() {
            let debug = self.debug_entry(data)?;
            self.debug.push_back(debug);
            while self.debug.len() > self.options.debug_log_limit {
                self.debug.pop_front();
            }
        }
        Ok(())
    }

    pub fn debug_entry(&self, data: &impl Serialize) -> Result<Debug, Error> {
        let value: Value = serde_json::to_value(data).map_err(unserializable)?;
        Ok(Debug(self.options.clock.now(), value))
    }

    pub fn exception(&mut self, failure: &Failure, now: Instant) -> Result<(), Error> {
        let debug: Vec<Debug> = self.debug.drain(..).collect();
        let error = failure.to_json(&debug);
        self.log(LogLevel::Critical, Body::UncaughtException { error }, now)
    }

    /// When something has to be done although nobody logs.
    fn deadline(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        self.output.deadline().into_iter().chain([self.ping]).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) -> Result<(), Error> {
        if self.ping <= now {
            self.ping(now)?;
        }
        if self.output.deadline().is_some_and(|at| at <= now) {
            self.output.flush()?;
        }
        Ok(())
    }

    fn ping(&mut self, now: Instant) -> Result<(), Error> {
        self.ping = now + self.options.ping_delay;
        let body = match &self.process {
            Process::Master(workers) => Body::MasterPing {
                worker_ids: workers.clone(),
            },
            Process::Worker(_) => Body::Lifecycle(Lifecycle::WorkerPing),
        };
        self.log(LogLevel::Internal, body, now)
    }

    pub fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    /// What is buffered goes to the old file; the new one begins with a ping.
    pub fn rotate(&mut self, path: &Path, now: Instant) -> Result<(), Error> {
        self.output.rotate(path)?;
        self.ping(now)?;
        self.output.flush()
    }

    pub fn close(&mut self) -> Result<(), Error> {
        self.output.close()
    }
}

/// The JSON text of what is logged.
pub(super) fn json(data: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(data).map_err(unserializable)
}

fn unserializable(error: serde_json::Error) -> Error {
    Error::io("log", "what has no JSON form")(error.into())
}

/// What the loggers of the master and of workers have in common.
#[derive(Debug)]
pub struct Logger {
    pub(super) shared: Shared,
}

impl Logger {
    pub(super) fn new(
        path: Option<&Path>,
        process: Process,
        options: LoggerOptions,
    ) -> Result<Self, Error> {
        let shared = Shared::new(path, process, options)?;
        Ok(Self { shared })
    }

    /// The process failed; what was kept with [`Self::debug`] goes along.
    pub fn uncaught_exception(&self, failure: &Failure) -> Result<(), Error> {
        self.shared.with(|state, now| state.exception(failure, now))
    }

    /// Logs at a level, outside any request.
    pub fn log(&self, level: LogLevel, data: &impl Serialize) -> Result<(), Error> {
        let data = json(data)?;
        let request_id = None;
        self.shared
            .with(|state, now| state.log(level, Body::Log { request_id, data }, now))
    }

    /// Keeps something for the case that an exception follows.
    pub fn debug(&self, data: &impl Serialize) -> Result<(), Error> {
        self.shared.with(|state, _| state.debug(data))
    }

    /// Writes what waits.
    pub fn flush(&self) -> Result<(), Error> {
        self.shared.with(|state, _| state.flush())
    }

    /// Goes on in another file, which begins with a ping.
    pub fn rotate(&self, path: &Path) -> Result<(), Error> {
        self.shared.with(|state, now| state.rotate(path, now))
    }

    /// Writes what waits and ends, for requests too. What is logged later is not written.
    pub fn close(&self) -> Result<(), Error> {
        self.shared.with(|state, _| state.close())
    }

    /// Whether it writes nothing any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.with(|state, _| state.is_closed())
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the last log entries were not written");
        }
    }
}

/// A logger's state, shared with the thread that writes when nobody logs.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<(Mutex<State>, Condvar)>);

impl Shared {
    pub fn new(
        path: Option<&Path>,
        process: Process,
        options: LoggerOptions,
    ) -> Result<Self, Error> {
        let state = State::open(path, process, options, Instant::now())?;
        let shared = Self(Arc::new((Mutex::new(state), Condvar::new())));
        if path.is_some() {
            let weak = Arc::downgrade(&shared.0);
            let run = move || {
                // Ends when it is closed, or when no logger is left.
                while let Some(shared) = weak.upgrade() {
                    if !Self(shared).wait_and_tick() {
                        break;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("logdir-writer".to_owned());
            thread
                .spawn(run)
                .map_err(Error::io("start", "the thread of a logger"))?;
        }
        Ok(shared)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the state; the thread then looks when it is needed next.
    pub fn with<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        let before = state.deadline();
        let done = act(&mut state, Instant::now());
        // `None` of a logger that was closed comes before any time: the thread ends.
        if state.deadline() < before {
            self.0.1.notify_one();
        }
        done
    }

    /// Waits until something is due, and does it. Whether the logger is still open.
    fn wait_and_tick(&self) -> bool {
        let state = self.lock();
        let Some(deadline) = state.deadline() else {
            return false;
        };
        let now = Instant::now();
        let wait = deadline.saturating_duration_since(now);
        let waited = self.0.1.wait_timeout(state, wait);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.tick(Instant::now()) {
            tracing::warn!(%error, "a log entry is not written yet; trying again");
            drop(state);
            std::thread::sleep(RETRY_DELAY);
        }
        true
    }
}
