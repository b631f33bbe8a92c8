//! Waiting for the firing of a listener, without a gap between making it and waiting.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Error, Events, Firing, Listener, NewListener};
use crate::base::Time;

/// How long a listener is kept for who may come back to wait for it.
const LEASE: Duration = Duration::from_mins(1);

/// Waits for one listener; dropped, the listener ends after a while unless somebody waits for it again.
#[derive(Debug)]
pub struct Wait {
    events: Events,
    namespace: String,
    /// Which one.
    pub listener: Uuid,
    fired: Option<oneshot::Receiver<Firing>>,
    is_told: bool,
}

impl Events {
    /// Makes a listener and waits for it.
    ///
    /// # Errors
    /// It could never fire, or the database refuses.
    pub async fn wait(&self, new: NewListener) -> Result<Wait, Error> {
        let mut listener = Listener::new(new, Time::now())?;
        listener.is_leased = true;
        let wait = self.waiting(&listener.namespace, listener.id);
        self.put(&listener).await?;
        Ok(wait)
    }

    /// Waits for a listener again, which may have fired meanwhile.
    ///
    /// # Errors
    /// It is not there and has not fired, or the database refuses.
    pub fn wait_again(&self, namespace: &str, id: Uuid) -> Result<Wait, Error> {
        // Only who may wait for it takes the place of who waits for it now.
        let waits = |listener: Listener| listener.trigger.waits();
        let is_there = self.listener(namespace, id).is_ok_and(waits);
        if !is_there && self.left(namespace, id)?.is_none() {
            return Err(Error::NoListener(id));
        }
        let mut wait = self.waiting(namespace, id);
        // What it fired before there was somebody to be told.
        if let Some(firing) = self.left(namespace, id)? {
            let (sender, receiver) = oneshot::channel();
            let _ = sender.send(firing);
            wait.fired = Some(receiver);
        }
        Ok(wait)
    }

    /// The firing of a listener that has ended, if nobody was told of it.
    fn left(&self, namespace: &str, id: Uuid) -> Result<Option<Firing>, Error> {
        let name = format!("{id}-1");
        let fired = tokio::task::block_in_place(|| self.0.book.firing(&name))?;
        let is_its = |firing: &Firing| firing.namespace == namespace && firing.action.is_none();
        Ok(fired.filter(is_its))
    }

    /// Those who waited before a restart have a while to come back.
    pub(super) fn lease_again(&self) {
        let leased: Vec<(String, Uuid)> = self
            .registry()
            .all()
            .filter(|listener| listener.is_leased)
            .map(|listener| (listener.namespace.clone(), listener.id))
            .collect();
        for (namespace, id) in leased {
            drop(self.waiting(&namespace, id));
        }
    }

    fn waiting(&self, namespace: &str, id: Uuid) -> Wait {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.insert(id, sender);
        Wait {
            events: self.clone(),
            namespace: namespace.to_owned(),
            listener: id,
            fired: Some(receiver),
            is_told: false,
        }
    }
}

impl Wait {
    /// What it fired with; nothing if somebody else waits for it now.
    pub async fn fired(&mut self) -> Option<Firing> {
        let fired = self.fired.as_mut()?.await;
        self.fired = None;
        fired.ok()
    }

    /// Who waited was told: the listener and its firing are done with.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn told(&mut self, firing: &Firing) -> Result<(), Error> {
        self.is_told = true;
        self.events.done(&firing.id, None).await
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.is_told {
            return;
        }
        let (events, namespace, id) = (self.events.clone(), self.namespace.clone(), self.listener);
        runtime.spawn(async move {
            tokio::time::sleep(LEASE).await;
            let is_waited_for = {
                let mut waiting = events
                    .0
                    .waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let is_open = waiting.get(&id).is_some_and(|sender| !sender.is_closed());
                if !is_open {
                    waiting.remove(&id);
                }
                is_open
            };
            if !is_waited_for {
                let _ = events.remove(&namespace, id).await;
                let _ = events.done(&format!("{id}-1"), None).await;
            }
        });
    }
}
