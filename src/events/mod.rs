//! `CloudEvents`: what happened elsewhere, and what waits for it.
//!
//! ```text
//! events --check--> known? --> history --> listeners of their namespace and type --> firings --> actions
//!    ^                                                                                  \--> whoever looks on
//!    +-- rules -- entries of the embedded log, as they arrive
//! ```
//! A **listener** fires for each event, for any of several types, or when one event of each type has come; one that
//! *starts* something stays, one that *waits* ends. What it fires with is a **firing** with an id of its own.
//!
//! Invariants: a batch is taken whole or not at all; an event is in the history once, by namespace, id and source; events,
//! the listeners they changed and the firings they caused are safe together, before the sender is answered; what is done
//! about a firing may be done twice after a crash, always under the same id. Of a type the oldest event is held. One
//! engine changes anything, in groups: listeners need no locks of their own. What is served over HTTP it
//! does not know; webhooks go through the client.

mod actions;
mod book;
mod engine;
mod error;
mod event;
mod filter;
mod firing;
mod group;
mod listener;
mod looking;
mod options;
mod recent;
mod registry;
mod rule;
mod wait;
mod watch;

pub use actions::act;
pub use book::{DeadLetter, Received};
pub use error::Error;
pub use event::{CloudEvent, EventError};
pub use filter::ContextFilter;
pub use firing::{Action, Firing};
pub use listener::{Held, Listener, ListenerError, NewListener, Trigger};
pub use looking::Figures;
pub use options::{Options, Program};
pub use rule::{Rule, RuleError, RuleOptions};
pub use wait::Wait;
pub use watch::watch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::base::Time;
use book::Book;
use engine::{Engine, Pruned, Waiting, Work};
use recent::Recent;
use registry::Registry;

/// Work that may wait to be done; more waits with who sent it.
const QUEUE: usize = 1_024;

/// Events and listeners. Clones share them.
#[derive(Clone, Debug)]
pub struct Events(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    book: Arc<Book>,
    registry: Arc<Mutex<Registry>>,
    work: mpsc::Sender<Work>,
    newest: tokio::sync::watch::Receiver<u64>,
    waiting: Waiting,
    recent: Recent,
    commands: BTreeMap<String, Program>,
}

impl Events {
    /// The events of a directory, as they were left; and the firings whose actions are not done, then as they come.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn open(
        options: Options,
        dir: &Path,
        stopping: CancellationToken,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Firing>), Error> {
        std::fs::create_dir_all(dir)?;
        let book = Arc::new(Book::open(&dir.join("events.redb"))?);
        let registry = Registry::of(book.listeners()?);
        let registry = Arc::new(Mutex::new(registry));
        let (firings, fired) = mpsc::unbounded_channel();
        for firing in book.outbox()? {
            let _ = firings.send(firing);
        }
        let (work, todo) = mpsc::channel(QUEUE);
        let (newest, head) = tokio::sync::watch::channel(book.newest()?);
        let waiting = Waiting::default();
        let recent = Recent::default();
        let commands = options.commands.clone();
        let engine = Engine {
            book: Arc::clone(&book),
            registry: Arc::clone(&registry),
            options,
            newest,
            waiting: Arc::clone(&waiting),
            firings,
            recent: recent.clone(),
            pruned: Pruned::default(),
        };
        tokio::spawn(engine.run(todo, stopping));
        let shared = Shared {
            book,
            registry,
            work,
            newest: head,
            waiting,
            recent,
            commands,
        };
        let events = Self(Arc::new(shared));
        events.lease_again();
        Ok((events, fired))
    }

    /// What listeners may run, by name.
    #[must_use]
    pub fn commands(&self) -> &BTreeMap<String, Program> {
        &self.0.commands
    }

    async fn ask<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.work.send(work(answer)).await;
        sent.map_err(|_| Error::Closed)?;
        let ended = || {
            if self.0.work.is_closed() {
                return Error::Closed;
            }
            Error::Database("it could not be written; nothing was changed".to_owned())
        };
        answered.await.map_err(|_| ended())?
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0
            .registry
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch of events, all of them or none; they are safe, and how many listeners fired, when it returns. Those
    /// that are not due before a time are offered then.
    ///
    /// # Errors
    /// One of them was taken before, or the database refuses: nothing was taken.
    pub async fn broadcast(
        &self,
        namespace: &str,
        events: Vec<CloudEvent>,
        due: Option<Time>,
    ) -> Result<u64, Error> {
        if events.is_empty() {
            return Ok(0);
        }
        let (namespace, events) = (
            namespace.to_owned(),
            events.into_iter().map(Arc::new).collect(),
        );
        self.ask(|answer| Work::Broadcast {
            namespace,
            events,
            due,
            answer,
        })
        .await
    }

    /// Offers an event of the history once more; it is in the history once all the same.
    ///
    /// # Errors
    /// There is none, or the database refuses.
    pub async fn replay(&self, namespace: &str, id: &str) -> Result<u64, Error> {
        let found = self.event(namespace, id)?;
        let namespace = namespace.to_owned();
        self.ask(|answer| Work::Replay {
            namespace,
            event: found.event,
            answer,
        })
        .await
    }

    /// Makes a listener.
    ///
    /// # Errors
    /// It could never fire, or the database refuses.
    pub async fn listen(&self, new: NewListener) -> Result<Listener, Error> {
        let listener = self.possible(new)?;
        self.put(&listener).await?;
        Ok(listener)
    }

    /// The listener, if what it does could ever be done.
    fn possible(&self, new: NewListener) -> Result<Listener, Error> {
        if let Some(action) = &new.action {
            action.check(self.commands())?;
        }
        Ok(Listener::new(new, Time::now())?)
    }

    async fn put(&self, listener: &Listener) -> Result<(), Error> {
        let listener = Box::new(listener.clone());
        self.ask(|answer| Work::Put { listener, answer }).await
    }

    /// Changes a listener; what it holds of types that it still waits for stays.
    ///
    /// # Errors
    /// There is none in the namespace, it could never fire, or the database refuses.
    pub async fn change(&self, id: Uuid, new: NewListener) -> Result<Listener, Error> {
        let into = Box::new(self.possible(new)?);
        self.ask(|answer| Work::Change { id, into, answer }).await
    }

    /// Takes a listener away.
    ///
    /// # Errors
    /// There is none in the namespace, or the database refuses.
    pub async fn remove(&self, namespace: &str, id: Uuid) -> Result<(), Error> {
        let namespace = namespace.to_owned();
        self.ask(|answer| Work::Remove {
            namespace,
            id,
            answer,
        })
        .await
    }

    /// What was to be done about a firing is done, or has failed for good.
    ///
    /// # Errors
    /// The database refuses: it is done again after a restart.
    pub async fn done(&self, firing: &str, failure: Option<String>) -> Result<(), Error> {
        let firing = firing.to_owned();
        self.ask(|answer| Work::Done {
            firing,
            failure,
            answer,
        })
        .await
    }

    /// Takes a dead letter away: its action is tried again, or it is forgotten.
    ///
    /// # Errors
    /// There is none in the namespace, or the database refuses.
    pub async fn bury(&self, namespace: &str, firing: &str, again: bool) -> Result<(), Error> {
        let (namespace, firing) = (namespace.to_owned(), firing.to_owned());
        self.ask(|answer| Work::Bury {
            namespace,
            firing,
            again,
            answer,
        })
        .await
    }

    /// Up to which position the log became events; nothing before the first time.
    fn watched(&self) -> Result<Option<u64>, Error> {
        tokio::task::block_in_place(|| self.0.book.mark())
    }

    /// Entries of the log became events; up to which position it was looked at.
    async fn note(
        &self,
        events: Vec<(String, Arc<CloudEvent>)>,
        at: Option<u64>,
    ) -> Result<(), Error> {
        self.ask(|answer| Work::Note { events, at, answer }).await
    }
}

#[cfg(test)]
mod tests;
