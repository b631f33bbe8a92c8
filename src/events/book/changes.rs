//! Changes of the book that become safe together.

use std::collections::HashSet;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata, Table, WriteTransaction};
use uuid::Uuid;

use super::{DEAD, DeadLetter, HISTORY, LISTENERS, LOG, MARKS, OUTBOX, Received, SEEN, STAGED};
use super::{name, read, written};
use crate::base::Time;
use crate::events::{CloudEvent, Error, Firing, Listener};

/// Dead letters that are kept; what fails beyond them is told and forgotten.
const MAX_DEAD: u64 = 10_000;

/// Changes that become safe together.
pub struct Changes<'t> {
    listeners: Table<'t, &'static [u8], &'static [u8]>,
    history: Table<'t, u64, &'static [u8]>,
    seen: Table<'t, &'static str, u64>,
    staged: Table<'t, (i64, u64), &'static [u8]>,
    outbox: Table<'t, &'static str, &'static [u8]>,
    dead: Table<'t, &'static str, &'static [u8]>,
    marks: Table<'t, &'static str, u64>,
}

impl<'t> Changes<'t> {
    /// Changes of a transaction, which makes them safe.
    pub fn of(transaction: &'t WriteTransaction) -> Result<Self, Error> {
        Ok(Self {
            listeners: transaction.open_table(LISTENERS)?,
            history: transaction.open_table(HISTORY)?,
            seen: transaction.open_table(SEEN)?,
            staged: transaction.open_table(STAGED)?,
            outbox: transaction.open_table(OUTBOX)?,
            dead: transaction.open_table(DEAD)?,
            marks: transaction.open_table(MARKS)?,
        })
    }

    /// The event of some that was taken before, or that stands among them twice.
    pub fn known<'e>(
        &self,
        namespace: &str,
        events: &'e [Arc<CloudEvent>],
    ) -> Result<Option<&'e CloudEvent>, Error> {
        let mut names = HashSet::new();
        for event in events {
            let name = name(namespace, event);
            if self.seen.get(name.as_str())?.is_some() || !names.insert(name) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Adds an event to the history.
    pub fn append(&mut self, received: &Received) -> Result<(), Error> {
        let seen = &mut self.seen;
        let name = name(&received.namespace, &received.event);
        seen.insert(name.as_str(), received.number)?;
        let history = &mut self.history;
        history.insert(received.number, written(received)?.as_slice())?;
        Ok(())
    }

    /// Drops the oldest events beyond a number of them, and those from before a time; how many.
    pub fn forget(&mut self, most: u64, before: Time) -> Result<u64, Error> {
        let history = &mut self.history;
        let seen = &mut self.seen;
        let newest = history.last()?.map_or(0, |(number, _)| number.value());
        let mut dropped = 0;
        loop {
            let oldest = match history.first()? {
                Some((number, value)) => read(number.value(), value.value(), None)?,
                None => None,
            };
            let Some(received) = oldest else {
                return Ok(dropped);
            };
            let number = received.number;
            // The newest stays: the next number is told from it.
            let is_kept = newest - number < most && received.at >= before;
            if is_kept || number == newest {
                return Ok(dropped);
            }
            history.remove(number)?;
            let name = name(&received.namespace, &received.event);
            let is_its = seen
                .get(name.as_str())?
                .is_some_and(|of| of.value() == number);
            if is_its {
                seen.remove(name.as_str())?;
            }
            dropped += 1;
        }
    }

    /// Keeps an event until it is due; it is known from now on.
    pub fn stage(&mut self, due: Time, received: &Received) -> Result<(), Error> {
        let name = name(&received.namespace, &received.event);
        self.seen.insert(name.as_str(), 0)?;
        let staged = &mut self.staged;
        let mut order = 0;
        while staged.get((due.0, order))?.is_some() {
            order += 1;
        }
        staged.insert((due.0, order), written(received)?.as_slice())?;
        Ok(())
    }

    /// Takes the staged events that are due.
    pub fn due(&mut self, now: Time) -> Result<Vec<Received>, Error> {
        let staged = &mut self.staged;
        let mut due = Vec::new();
        loop {
            match staged.first()? {
                Some((at, value)) if at.value().0 <= now.0 => {
                    due.extend(read(0, value.value(), None)?);
                }
                _ => return Ok(due),
            }
            staged.pop_first()?;
        }
    }

    pub fn listener(&mut self, id: Uuid, listener: Option<&Listener>) -> Result<(), Error> {
        let listeners = &mut self.listeners;
        match listener.filter(|listener| !listener.is_over) {
            Some(listener) => {
                let text = serde_json::to_vec(listener)?;
                listeners.insert(id.as_bytes().as_slice(), text.as_slice())?;
            }
            None => {
                listeners.remove(id.as_bytes().as_slice())?;
            }
        }
        Ok(())
    }

    pub fn fire(&mut self, firing: &Firing) -> Result<(), Error> {
        let outbox = &mut self.outbox;
        let text = serde_json::to_vec(firing)?;
        outbox.insert(firing.id.as_str(), text.as_slice())?;
        Ok(())
    }

    /// A firing is done with, well or not.
    pub fn done(&mut self, id: &str, failure: Option<(String, Time)>) -> Result<(), Error> {
        let outbox = &mut self.outbox;
        let firing = match outbox.remove(id)? {
            Some(value) => serde_json::from_slice(value.value())?,
            None => return Ok(()),
        };
        if let Some((reason, at)) = failure {
            let dead = &mut self.dead;
            if dead.len()? >= MAX_DEAD {
                tracing::error!(firing = id, reason, "no more dead letters are kept");
                return Ok(());
            }
            let letter = DeadLetter {
                firing,
                reason,
                at: at.0,
            };
            dead.insert(id, serde_json::to_vec(&letter)?.as_slice())?;
        }
        Ok(())
    }

    /// Takes a dead letter of a namespace: to be tried again, or to be forgotten.
    pub fn bury(&mut self, namespace: &str, id: &str) -> Result<Option<Firing>, Error> {
        let dead = &mut self.dead;
        let letter: DeadLetter = match dead.get(id)? {
            Some(value) => serde_json::from_slice(value.value())?,
            None => return Ok(None),
        };
        if letter.firing.namespace != namespace {
            return Ok(None);
        }
        dead.remove(id)?;
        Ok(Some(letter.firing))
    }

    /// Remembers up to which position the log became events.
    pub fn mark(&mut self, position: Option<u64>) -> Result<(), Error> {
        let marks = &mut self.marks;
        match position {
            Some(position) => drop(marks.insert(LOG, position)?),
            None => drop(marks.remove(LOG)?),
        }
        Ok(())
    }

    /// Forgets dead letters from before a time, and firings that nobody asked for.
    pub fn forget_firings(&mut self, before: Time) -> Result<(), Error> {
        let is_kept = |at: i64| at >= before.0;
        let dead = &mut self.dead;
        dead.retain(|_, value| {
            let letter = serde_json::from_slice::<DeadLetter>(value);
            letter.is_ok_and(|letter| is_kept(letter.at))
        })?;
        let outbox = &mut self.outbox;
        outbox.retain(|_, value| {
            let firing = serde_json::from_slice::<Firing>(value);
            firing.is_ok_and(|firing| firing.action.is_some() || is_kept(firing.at))
        })?;
        Ok(())
    }
}
