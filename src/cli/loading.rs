//! Standard input, read into a log on a thread of its own.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::base::Gauge;
use crate::entry::Entry;
use crate::files;
use crate::store::{Pending, Store};

/// Batches handed to a log while the next is read.
const IN_FLIGHT: usize = 8;

/// How often a reader that waits looks whether it is wanted.
const LOOK: Duration = Duration::from_millis(100);

/// Reads standard input into a log until it ends.
pub(super) fn read_stdin(options: &files::Options, mut feeder: Feeder, ended: &Gauge) {
    files::read_stream(std::io::stdin(), "stdin", options, |batch| {
        feeder.take(batch)
    });
    feeder.settle();
    ended.finish();
}

/// Hands batches to a log, a few ahead of the disk.
pub(super) struct Feeder {
    store: Store,
    stopping: CancellationToken,
    pending: VecDeque<Pending>,
}

impl Feeder {
    pub fn new(store: &Store, stopping: CancellationToken) -> Self {
        Self {
            store: store.clone(),
            stopping,
            pending: VecDeque::new(),
        }
    }

    /// Whether nobody wants more.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Waits, but not longer than somebody wants more; whether nobody does.
    pub fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_stopping() && Instant::now() < until {
            std::thread::sleep(LOOK.min(time));
        }
        self.is_stopping()
    }

    pub fn take(&mut self, mut batch: Vec<Entry>) -> ControlFlow<()> {
        if self.stopping.is_cancelled() {
            return ControlFlow::Break(());
        }
        while !batch.is_empty() {
            let rest = batch.split_off(batch.len().min(1_000));
            self.pending.push_back(
                self.store
                    .appender()
                    .submit(std::mem::replace(&mut batch, rest)),
            );
            if self.pending.len() > IN_FLIGHT {
                self.settle_one()?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits until everything taken is in the log.
    pub fn settle(&mut self) {
        while !self.pending.is_empty() && self.settle_one().is_continue() {}
    }

    fn settle_one(&mut self) -> ControlFlow<()> {
        match self.pending.pop_front().map(Pending::wait) {
            Some(Err(error)) => {
                tracing::error!(%error, "what was read cannot be kept; loading ends");
                ControlFlow::Break(())
            }
            Some(Ok(_)) | None => ControlFlow::Continue(()),
        }
    }
}
