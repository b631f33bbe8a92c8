//! The thread that keeps the files in order: seals what could not be sealed, drops what is too old, merges what is small.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::state::Shared;
use super::{Error, Health, compaction, retention, seal};
use crate::base::Time;

/// How long it rests when nobody rings: retention by age is this exact, and a full disk is tried again this often.
const REST: Duration = Duration::from_secs(5);

/// Segments up to which merging waits while entries come in fast: both want the same processors and disk.
const MANY: usize = 160;

/// Wakes the keeper and ends it.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    rung: bool,
    ended: bool,
}

impl Bell {
    /// There may be something to do.
    pub fn ring(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rung = true;
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended = true;
        self.changed.notify_all();
    }

    /// Waits for the bell, at most so long; whether to go on.
    fn wait(&self, most: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |state: &mut Rung| !state.rung && !state.ended;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, most, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.rung = false;
        !state.ended
    }

    /// Rests without being woken by anything but the end; whether to go on.
    fn rest(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        !state.ended
    }
}

/// Keeps what is written in the background within its budget.
#[derive(Debug)]
pub(super) struct Pace<'b> {
    bell: &'b Bell,
    bytes_a_second: u64,
    started: Instant,
    written: u64,
}

impl<'b> Pace<'b> {
    pub fn new(bell: &'b Bell, bytes_a_second: u64) -> Self {
        Self {
            bell,
            bytes_a_second: bytes_a_second.max(1),
            started: Instant::now(),
            written: 0,
        }
    }

    /// Waits until so many bytes since the start are within the budget; whether to go on.
    pub fn written(&mut self, bytes: u64) -> bool {
        self.written = bytes;
        #[expect(clippy::cast_precision_loss, reason = "a budget")]
        let due = Duration::from_secs_f64(self.written as f64 / self.bytes_a_second as f64);
        self.bell.rest(due.saturating_sub(self.started.elapsed()))
    }
}

/// The thread.
#[derive(Debug)]
pub(super) struct Keeper(JoinHandle<()>);

impl Keeper {
    pub fn spawn(shared: Arc<Shared>) -> Result<Self, Error> {
        let dir = shared.dir.clone();
        let thread = std::thread::Builder::new().name("log-keeper".into());
        thread
            .spawn(move || run(&shared))
            .map(Self)
            .map_err(Error::disk("start the keeper of", dir))
    }

    /// Ends it, giving up a merge it is in.
    pub fn end(self, shared: &Shared) {
        shared.bell.end();
        // A panic of the keeper leaves files as they were.
        let _ = self.0.join();
    }
}

fn run(shared: &Shared) {
    // Segments that could not be merged are left alone until the next opening.
    let mut left_alone = HashSet::new();
    while shared.bell.wait(REST) {
        for frozen in shared.tables().frozen {
            match seal::write(shared, &frozen) {
                Ok(()) if shared.health() == Health::Full => shared.set_health(Health::Good),
                Ok(()) => {}
                Err(error) => tracing::warn!(error = %error, "a memtable can still not be sealed"),
            }
        }
        let _one_at_a_time = shared
            .keeping
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = retention::apply(shared, &shared.options.retention, Time::now()) {
            tracing::error!(error = %error, "what is too old could not be dropped");
        }
        while let Some(inputs) = compaction::choose(&shared.tables().segments, &left_alone) {
            if shared.is_busy() && shared.tables().segments.len() < MANY {
                break;
            }
            match compaction::merge(shared, &inputs) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(error = %error, "segments could not be merged; they stay as they are");
                    left_alone.extend(inputs.iter().map(|segment| segment.number()));
                }
            }
        }
    }
}
