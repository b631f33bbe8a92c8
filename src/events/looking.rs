//! Looking at what there is: nothing is changed by it.

use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use super::{DeadLetter, Error, Events, Firing, Listener, Received};

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that were ever taken.
    pub taken: u64,
    /// Events of the history.
    pub history: u64,
    /// Events that are not due yet.
    pub delayed: u64,
    /// What waits for events.
    pub listeners: u64,
    /// Firings since the start.
    pub fired: u64,
    /// Firings whose actions are not done.
    pub pending: u64,
    /// Dead letters.
    pub dead: u64,
}

impl Events {
    /// How many there are.
    ///
    /// # Errors
    /// The database refuses.
    pub fn figures(&self) -> Result<Figures, Error> {
        let counts = tokio::task::block_in_place(|| self.0.book.counts())?;
        let [history, delayed, pending, dead] = counts;
        Ok(Figures {
            taken: *self.0.newest.borrow(),
            history,
            delayed,
            listeners: self.registry().all().count() as u64,
            fired: *self.0.recent.newest().borrow(),
            pending,
            dead,
        })
    }

    /// The number of the newest firing since the start, as it grows.
    #[must_use]
    pub fn newest_firing(&self) -> watch::Receiver<u64> {
        self.0.recent.newest()
    }

    /// Firings since the start after a number, oldest first, and the number of the last; only the last few hundred are
    /// remembered.
    #[must_use]
    pub fn firings_after(&self, number: u64) -> (Vec<Arc<Firing>>, u64) {
        self.0.recent.after(number)
    }

    /// The newest event with an id.
    ///
    /// # Errors
    /// There is none, or the database refuses.
    pub fn event(&self, namespace: &str, id: &str) -> Result<Received, Error> {
        let found = tokio::task::block_in_place(|| self.0.book.event(namespace, id))?;
        found.ok_or_else(|| Error::NoEvent(id.to_owned()))
    }

    /// Events before a number, newest first, as long as `look` wants more; of one namespace or all.
    ///
    /// # Errors
    /// The database refuses.
    pub fn history(
        &self,
        namespace: Option<&str>,
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

    /// A listener of a namespace.
    ///
    /// # Errors
    /// There is none.
    pub fn listener(&self, namespace: &str, id: Uuid) -> Result<Listener, Error> {
        self.registry().get(namespace, id).cloned()
    }

    /// The listeners of one namespace or all, oldest first.
    #[must_use]
    pub fn listeners(&self, namespace: Option<&str>) -> Vec<Listener> {
        let registry = self.registry();
        let is_asked_for =
            |of: &&Listener| namespace.is_none_or(|namespace| of.namespace == namespace);
        let own = registry.all().filter(is_asked_for);
        let mut own: Vec<Listener> = own.cloned().collect();
        own.sort_by_key(|listener| (listener.created, listener.id));
        own
    }

    /// Firings whose actions failed for good.
    ///
    /// # Errors
    /// The database refuses.
    pub fn dead(&self, namespace: &str) -> Result<Vec<DeadLetter>, Error> {
        tokio::task::block_in_place(|| self.0.book.dead(namespace))
    }
}
