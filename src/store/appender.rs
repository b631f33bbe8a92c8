//! The one door: batches in, positions out.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::oneshot;

use super::Error;
use super::state::Shared;
use super::writer::Writer;
use crate::entry::Entry;

/// Batches that may wait; a sender beyond them waits itself.
const QUEUE: usize = 16;

/// Gives entries to the log. Clones lead to the same log.
#[derive(Clone, Debug)]
pub struct Appender {
    sender: SyncSender<Command>,
}

/// An append on its way.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Answer>);

/// What became of an append.
pub(super) type Answer = Result<Range<u64>, NotTaken>;

/// Entries that were not taken, given back.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotTaken {
    /// Why.
    pub error: Error,
    /// The entries as they were handed over; none where they are lost with the log that is gone.
    pub entries: Vec<Arc<Entry>>,
}

impl From<NotTaken> for Error {
    fn from(not_taken: NotTaken) -> Self {
        not_taken.error
    }
}

pub(super) enum Command {
    Append(Vec<Arc<Entry>>, oneshot::Sender<Answer>),
    Seal(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Append(..) => "Append",
            Self::Seal(_) => "Seal",
            Self::Close(_) => "Close",
        })
    }
}

impl Appender {
    /// Hands a batch over, waiting while the queue is full; blocks the thread. Batches are accepted in the order in
    /// which they are handed over.
    #[must_use]
    pub fn submit(&self, entries: Vec<Entry>) -> Pending {
        self.submit_shared(entries.into_iter().map(Arc::new).collect())
    }

    fn submit_shared(&self, entries: Vec<Arc<Entry>>) -> Pending {
        let (answer, pending) = oneshot::channel();
        // A log that is gone drops the sender, which the pending append reports.
        let _ = self.sender.send(Command::Append(entries, answer));
        Pending(pending)
    }

    /// Appends a batch and returns its positions when it is durable.
    ///
    /// # Errors
    /// The disk is full, a write failed now or earlier, or the log is closed: nothing of the batch is kept.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Range<u64>, Error> {
        Ok(self
            .append_shared(entries.into_iter().map(Arc::new).collect())
            .await?)
    }

    /// The same of entries that others may hold, too; what is not taken is given back.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub async fn append_shared(&self, entries: Vec<Arc<Entry>>) -> Answer {
        let appender = self.clone();
        let submitting = tokio::task::spawn_blocking(move || appender.submit_shared(entries));
        let pending = submitting.await.map_err(|_| lost())?;
        pending.0.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Leads to no log: of a store that is only read.
    pub(super) fn closed() -> Self {
        Self {
            sender: sync_channel(0).0,
        }
    }

    /// Seals what is in memory, however little; returns when it is done.
    pub(super) fn seal(&self) {
        let (answer, done) = oneshot::channel();
        if self.sender.send(Command::Seal(answer)).is_ok() {
            let _ = done.blocking_recv();
        }
    }

    pub(super) fn close(&self) {
        let (answer, done) = oneshot::channel();
        if self.sender.send(Command::Close(answer)).is_ok() {
            let _ = done.blocking_recv();
        }
    }
}

impl Pending {
    /// Waits until the batch is durable.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub async fn done(self) -> Result<Range<u64>, Error> {
        Ok(self.0.await.unwrap_or_else(|_| Err(lost()))?)
    }

    /// The same, blocking the thread.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub fn wait(self) -> Result<Range<u64>, Error> {
        Ok(self.0.blocking_recv().unwrap_or_else(|_| Err(lost()))?)
    }
}

/// The log is gone, with what it was given.
fn lost() -> NotTaken {
    NotTaken {
        error: Error::Closed,
        entries: Vec::new(),
    }
}

/// Starts the thread that the appender leads to.
pub(super) fn spawn(shared: Arc<Shared>) -> Result<Appender, Error> {
    let (sender, receiver) = sync_channel(QUEUE);
    let dir = shared.dir.clone();
    let mut writer = Writer::new(shared);
    std::thread::Builder::new()
        .name("log-writer".into())
        .spawn(move || writer.run(&receiver))
        .map_err(Error::disk("start the writer of", dir))?;
    Ok(Appender { sender })
}
