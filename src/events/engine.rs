//! The one that changes anything: takes work in groups, and answers when a group is safe.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::book::{Book, Changes};
use super::group::{Group, Told};
use super::recent::Recent;
use super::registry::Registry;
use super::{CloudEvent, Error, Firing, Listener, Options};
use crate::base::Time;

/// Work that becomes safe together at the most.
const GROUP: usize = 256;
/// How often it is looked whether staged events are due, if nothing says when.
const ROUND: Duration = Duration::from_mins(1);
/// After which delayed events that could not be kept are tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How often the history is pruned, in events.
const PRUNE: u64 = 1_000;
/// How often it is looked whether something is too old, when no events come.
const LOOK_BACK: Duration = Duration::from_mins(10);

/// How a piece of work ended.
pub(super) type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// Something to be done.
pub(super) enum Work {
    Broadcast {
        namespace: String,
        events: Vec<Arc<CloudEvent>>,
        /// Not before this.
        due: Option<Time>,
        answer: Answer<u64>,
    },
    /// An event of the history is offered once more.
    Replay {
        namespace: String,
        event: Arc<CloudEvent>,
        answer: Answer<u64>,
    },
    Put {
        listener: Box<Listener>,
        answer: Answer<()>,
    },
    /// A listener becomes another, under its name.
    Change {
        id: Uuid,
        into: Box<Listener>,
        answer: Answer<Listener>,
    },
    Remove {
        namespace: String,
        id: Uuid,
        answer: Answer<()>,
    },
    Done {
        firing: String,
        failure: Option<String>,
        answer: Answer<()>,
    },
    /// A dead letter is tried again, or forgotten.
    Bury {
        namespace: String,
        firing: String,
        again: bool,
        answer: Answer<()>,
    },
    /// Entries of the log became events; up to which position it was looked at.
    Note {
        events: Vec<(String, Arc<CloudEvent>)>,
        at: Option<u64>,
        answer: Answer<()>,
    },
}

/// Who waits for the firing of a listener.
pub(super) type Waiting = Arc<Mutex<HashMap<Uuid, oneshot::Sender<Firing>>>>;

/// The one that changes anything.
pub(super) struct Engine {
    pub book: Arc<Book>,
    pub registry: Arc<Mutex<Registry>>,
    pub options: Options,
    pub newest: watch::Sender<u64>,
    pub waiting: Waiting,
    pub firings: mpsc::UnboundedSender<Firing>,
    pub recent: Recent,
    pub pruned: Pruned,
}

/// When the history was last pruned.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// At which event.
    number: u64,
    at: Time,
}

impl Engine {
    /// Works until it is stopped, or nobody has work any more.
    pub async fn run(mut self, mut work: mpsc::Receiver<Work>, stopping: CancellationToken) {
        let mut is_well = true;
        loop {
            let due = tokio::task::block_in_place(|| self.book.next_due());
            let has_due = matches!(due, Ok(Some(_)));
            let wait = match due {
                Ok(Some(due)) if is_well => due.since(Time::now()).min(ROUND),
                // What could not be kept is tried again, and not at once.
                Ok(Some(_)) => RETRY,
                Ok(None) => ROUND,
                Err(error) => {
                    tracing::warn!(%error, "delayed events are looked for again");
                    ROUND
                }
            };
            let first = tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(wait) => None,
                first = work.recv() => match first {
                    Some(first) => Some(first),
                    None => return,
                },
            };
            let mut group: Vec<Work> = first.into_iter().collect();
            while group.len() < GROUP
                && let Ok(more) = work.try_recv()
            {
                group.push(more);
            }
            if !group.is_empty() || has_due || self.is_old(Time::now()) {
                is_well = tokio::task::block_in_place(|| self.group(group, Time::now()));
            }
        }
    }

    /// Whether something is to be forgotten though no events come.
    fn is_old(&self, now: Time) -> bool {
        if now.since(self.pruned.at) < LOOK_BACK {
            return false;
        }
        let oldest = tokio::task::block_in_place(|| self.book.oldest());
        let kept_from = now.earlier(self.options.history_age);
        matches!(oldest, Ok(Some(oldest)) if oldest < kept_from)
    }

    /// Does a group of work, all of it or nothing; whether it did.
    pub fn group(&mut self, works: Vec<Work>, now: Time) -> bool {
        let registry = Arc::clone(&self.registry);
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Told::default();
        let done = self.change(&mut registry, &mut told, works, now);
        match &done {
            Ok(_) => registry.settle(),
            Err(error) => {
                tracing::error!(%error, "events are not taken");
                registry.undo();
                self.recover(&mut registry);
            }
        }
        drop(registry);
        told.answer_all(done.as_ref().err());
        let Ok(newest) = done else {
            return false;
        };
        self.newest
            .send_if_modified(|known| std::mem::replace(known, newest) != newest);
        self.recent.tell(&told.firings);
        for firing in told.firings {
            self.hand_on(firing);
        }
        true
    }

    /// Opens the database again, which refuses everything after it has failed to write, and begins with what it says: where it
    /// failed while it made a group safe, that may be safe all the same. If it cannot be opened yet, the next work tries again.
    fn recover(&self, registry: &mut Registry) {
        let opened = self
            .book
            .open_again()
            .and_then(|()| Ok((self.book.listeners()?, self.book.newest()?)));
        match opened {
            Ok((listeners, newest)) => {
                *registry = Registry::of(listeners);
                self.newest
                    .send_if_modified(|known| std::mem::replace(known, newest) != newest);
            }
            Err(error) => tracing::error!(%error, "the events cannot be opened again yet"),
        }
    }

    /// To who waits for it, or to who does what it asks for.
    fn hand_on(&self, firing: Firing) {
        let waiting = if firing.action.is_none() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.remove(&firing.listener)
        } else {
            None
        };
        match waiting {
            Some(waiting) => drop(waiting.send(firing)),
            None => drop(self.firings.send(firing)),
        }
    }

    /// Does the work and makes it safe; the number of the newest event then.
    fn change(
        &mut self,
        registry: &mut Registry,
        told: &mut Told,
        works: Vec<Work>,
        now: Time,
    ) -> Result<u64, Error> {
        let transaction = self.book.begin()?;
        let mut group = Group {
            changes: Changes::of(&transaction)?,
            registry,
            newest: *self.newest.borrow(),
            told,
            now,
        };
        group.take_what_is_due()?;
        for work in works {
            group.work(work)?;
        }
        let newest = group.newest;
        let is_time = now.since(self.pruned.at) >= LOOK_BACK;
        if is_time || newest >= self.pruned.number + PRUNE {
            let oldest = now.earlier(self.options.history_age);
            group.changes.forget(self.options.history, oldest)?;
            self.pruned.number = newest;
            if is_time {
                group.changes.forget_firings(oldest)?;
                self.pruned.at = now;
            }
        }
        group.finish()?;
        transaction.commit()?;
        Ok(newest)
    }
}
