//! `CloudEvents`: what happened elsewhere, and what waits for it.
//!
//! ```text
//! events --check--> known? --> history --> listeners of their namespace and type --> firings --> actions
//! ```
//! A **listener** fires for each event, for any of several types, or when one event of each type has come; one that
//! *starts* something stays, one that *waits* ends. What it fires with is a **firing** with an id of its own.
//!
//! Invariants: a batch is taken whole or not at all; an event is in the history once, by namespace, id and source; events,
//! the listeners they changed and the firings they caused are safe together, before the sender is answered; what is done
//! about a firing may be done twice after a crash, always under the same id. Of a type the oldest event is held. One
//! engine changes anything, in groups: listeners need no locks of their own. Knows nothing of HTTP.

mod actions;
mod book;
mod engine;
mod error;
mod event;
mod filter;
mod firing;
mod listener;
mod options;
mod registry;
mod wait;

pub use actions::act;
pub use book::{DeadLetter, Received};
pub use error::Error;
pub use event::{CloudEvent, EventError};
pub use filter::ContextFilter;
pub use firing::{Action, Firing};
pub use listener::{Held, Listener, ListenerError, NewListener, Trigger};
pub use options::Options;
pub use wait::Wait;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::base::Time;
use book::Book;
use engine::{Engine, Waiting, Work};
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
    newest: watch::Receiver<u64>,
    waiting: Waiting,
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
        std::fs::create_dir_all(dir).map_err(|error| Error::Database(error.to_string()))?;
        let book = Arc::new(Book::open(&dir.join("events.redb"))?);
        let mut registry = Registry::default();
        for listener in book.listeners()? {
            registry.put(listener);
        }
        registry.settle();
        let registry = Arc::new(Mutex::new(registry));
        let (firings, fired) = mpsc::unbounded_channel();
        for firing in book.outbox()? {
            let _ = firings.send(firing);
        }
        let (work, todo) = mpsc::channel(QUEUE);
        let (newest, head) = watch::channel(book.newest()?);
        let waiting = Waiting::default();
        let engine = Engine {
            book: Arc::clone(&book),
            registry: Arc::clone(&registry),
            options,
            newest,
            waiting: Arc::clone(&waiting),
            firings,
            pruned: 0,
        };
        tokio::spawn(engine.run(todo, stopping));
        let shared = Shared {
            book,
            registry,
            work,
            newest: head,
            waiting,
        };
        Ok((Self(Arc::new(shared)), fired))
    }

    async fn ask<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.work.send(work(answer)).await;
        sent.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
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

    /// The newest event with an id.
    ///
    /// # Errors
    /// There is none, or the database refuses.
    pub fn event(&self, namespace: &str, id: &str) -> Result<Received, Error> {
        let found = tokio::task::block_in_place(|| self.0.book.event(namespace, id))?;
        found.ok_or_else(|| Error::NoEvent(id.to_owned()))
    }

    /// Events of a namespace before a number, newest first, as long as `look` wants more.
    ///
    /// # Errors
    /// The database refuses.
    pub fn history(
        &self,
        namespace: &str,
        before: u64,
        look: impl FnMut(Received) -> bool,
    ) -> Result<(), Error> {
        tokio::task::block_in_place(|| self.0.book.older(namespace, before, look))
    }

    /// Events of a namespace after a number, oldest first, and the number up to which was looked.
    ///
    /// # Errors
    /// The database refuses.
    pub fn newer(
        &self,
        namespace: &str,
        after: u64,
        rows: usize,
    ) -> Result<(Vec<Received>, u64), Error> {
        tokio::task::block_in_place(|| self.0.book.newer(namespace, after, rows))
    }

    /// The number of the newest event, as it grows.
    #[must_use]
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.0.newest.clone()
    }

    /// Makes a listener.
    ///
    /// # Errors
    /// It could never fire, or the database refuses.
    pub async fn listen(&self, new: NewListener) -> Result<Listener, Error> {
        let listener = Listener::new(new, Time::now())?;
        let made = Box::new(listener.clone());
        self.ask(|answer| Work::Put {
            listener: made,
            answer,
        })
        .await?;
        Ok(listener)
    }

    /// Changes a listener; what it holds of types that it still waits for stays.
    ///
    /// # Errors
    /// There is none in the namespace, it could never fire, or the database refuses.
    pub async fn change(&self, id: Uuid, new: NewListener) -> Result<Listener, Error> {
        let before = self.listener(&new.namespace, id)?;
        let mut listener = Listener::new(new, Time::now())?;
        listener.id = id;
        listener.created = before.created;
        listener.fired = before.fired;
        if listener.trigger.collects() {
            let is_wanted =
                |held: &Held| listener.types.iter().any(|kind| kind == held.event.kind());
            listener.held = before.held.into_iter().filter(is_wanted).collect();
        }
        let made = Box::new(listener.clone());
        self.ask(|answer| Work::Put {
            listener: made,
            answer,
        })
        .await?;
        Ok(listener)
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

    /// A listener of a namespace.
    ///
    /// # Errors
    /// There is none.
    pub fn listener(&self, namespace: &str, id: Uuid) -> Result<Listener, Error> {
        let registry = self.registry();
        let found = registry.get(&id);
        let found = found.filter(|listener| listener.namespace == namespace);
        found.cloned().ok_or(Error::NoListener(id))
    }

    /// The listeners of a namespace, oldest first.
    #[must_use]
    pub fn listeners(&self, namespace: &str) -> Vec<Listener> {
        let registry = self.registry();
        let own = registry
            .all()
            .filter(|listener| listener.namespace == namespace);
        let mut own: Vec<Listener> = own.cloned().collect();
        own.sort_by_key(|listener| (listener.created, listener.id));
        own
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

    /// Firings whose actions failed for good.
    ///
    /// # Errors
    /// The database refuses.
    pub fn dead(&self, namespace: &str) -> Result<Vec<DeadLetter>, Error> {
        tokio::task::block_in_place(|| self.0.book.dead(namespace))
    }

    /// Tries the action of a dead letter again.
    ///
    /// # Errors
    /// There is none, or the database refuses.
    pub async fn revive(&self, firing: &str) -> Result<(), Error> {
        let firing = firing.to_owned();
        self.ask(|answer| Work::Revive { firing, answer }).await
    }
}

#[cfg(test)]
mod tests;
