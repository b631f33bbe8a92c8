//! What has to survive: listeners, history, firings that are not done, events that are not due; one database.
//!
//! ```text
//! listeners  id (16 bytes)                    -> listener, JSON
//! history    number, from 1 without gaps      -> namespace length u16 | namespace | received i64 | event, JSON
//! seen       namespace \0 id \0 source        -> number; 0 as long as it is not due
//! staged     due (ns since 1970), order       -> as in history
//! outbox     firing                           -> firing, JSON
//! dead       firing                           -> why, and the firing, JSON
//! ```

use std::collections::HashSet;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CloudEvent, Error, Firing, Listener};
use crate::base::Time;

const LISTENERS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("listeners");
const HISTORY: TableDefinition<u64, &[u8]> = TableDefinition::new("history");
const SEEN: TableDefinition<&str, u64> = TableDefinition::new("seen");
const STAGED: TableDefinition<(i64, u64), &[u8]> = TableDefinition::new("staged");
const OUTBOX: TableDefinition<&str, &[u8]> = TableDefinition::new("outbox");
const DEAD: TableDefinition<&str, &[u8]> = TableDefinition::new("dead");

/// Bytes of the database that are kept in memory.
const CACHE_BYTES: usize = 8 << 20;

/// An event that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Its number: later ones have higher ones.
    pub number: u64,
    /// Whose it is.
    pub namespace: String,
    /// When it came.
    pub at: Time,
    /// The event.
    pub event: Arc<CloudEvent>,
}

/// A firing whose action failed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// What failed.
    pub firing: Firing,
    /// Why, the last time.
    pub reason: String,
    /// When it was given up, nanoseconds since 1970.
    pub at: i64,
}

/// The database.
#[derive(Debug)]
pub(super) struct Book(Database);

/// Changes that become safe together.
pub(super) struct Changes {
    transaction: WriteTransaction,
}

impl Book {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let book = Self(builder.create(path)?);
        let transaction = book.0.begin_write()?;
        transaction.open_table(LISTENERS)?;
        transaction.open_table(HISTORY)?;
        transaction.open_table(SEEN)?;
        transaction.open_table(STAGED)?;
        transaction.open_table(OUTBOX)?;
        transaction.open_table(DEAD)?;
        transaction.commit()?;
        Ok(book)
    }

    pub fn begin(&self) -> Result<Changes, Error> {
        let transaction = self.0.begin_write()?;
        Ok(Changes { transaction })
    }

    pub fn listeners(&self) -> Result<Vec<Listener>, Error> {
        let table = self.0.begin_read()?.open_table(LISTENERS)?;
        let mut listeners = Vec::new();
        for row in table.iter()? {
            listeners.push(serde_json::from_slice(row?.1.value())?);
        }
        Ok(listeners)
    }

    /// The number of the newest event.
    pub fn newest(&self) -> Result<u64, Error> {
        let table = self.0.begin_read()?.open_table(HISTORY)?;
        Ok(table.last()?.map_or(0, |(number, _)| number.value()))
    }

    /// Events of a namespace before a number, newest first, as long as they are wanted; `look` says whether one is, and
    /// nothing when it is enough.
    pub fn older(
        &self,
        namespace: &str,
        before: u64,
        mut look: impl FnMut(Received) -> bool,
    ) -> Result<(), Error> {
        let table = self.0.begin_read()?.open_table(HISTORY)?;
        for row in table.range(..before)?.rev() {
            let (number, value) = row?;
            if let Some(received) = read(number.value(), value.value(), Some(namespace))?
                && !look(received)
            {
                break;
            }
        }
        Ok(())
    }

    /// Events of a namespace after a number, oldest first, at most so many rows of history looked at; up to where.
    pub fn newer(
        &self,
        namespace: &str,
        after: u64,
        rows: usize,
    ) -> Result<(Vec<Received>, u64), Error> {
        let table = self.0.begin_read()?.open_table(HISTORY)?;
        let (mut events, mut at) = (Vec::new(), after);
        let range = (Bound::Excluded(after), Bound::Unbounded);
        for row in table.range::<u64>(range)?.take(rows) {
            let (number, value) = row?;
            at = number.value();
            events.extend(read(at, value.value(), Some(namespace))?);
        }
        Ok((events, at))
    }

    /// The newest event of a namespace with an id.
    pub fn event(&self, namespace: &str, id: &str) -> Result<Option<Received>, Error> {
        let reading = self.0.begin_read()?;
        let (seen, history) = (reading.open_table(SEEN)?, reading.open_table(HISTORY)?);
        let from = format!("{namespace}\0{id}\0");
        let mut newest = 0;
        for row in seen.range(from.as_str()..)? {
            let (name, number) = row?;
            if !name.value().starts_with(&from) {
                break;
            }
            newest = newest.max(number.value());
        }
        match history.get(newest)? {
            Some(value) => read(newest, value.value(), Some(namespace)),
            None => Ok(None),
        }
    }

    /// Firings that are not done.
    pub fn outbox(&self) -> Result<Vec<Firing>, Error> {
        let table = self.0.begin_read()?.open_table(OUTBOX)?;
        let mut firings = Vec::new();
        for row in table.iter()? {
            firings.push(serde_json::from_slice(row?.1.value())?);
        }
        Ok(firings)
    }

    pub fn firing(&self, id: &str) -> Result<Option<Firing>, Error> {
        let table = self.0.begin_read()?.open_table(OUTBOX)?;
        let row = table.get(id)?;
        Ok(match row {
            Some(value) => Some(serde_json::from_slice(value.value())?),
            None => None,
        })
    }

    pub fn dead(&self, namespace: &str) -> Result<Vec<DeadLetter>, Error> {
        let table = self.0.begin_read()?.open_table(DEAD)?;
        let mut letters = Vec::new();
        for row in table.iter()? {
            let letter: DeadLetter = serde_json::from_slice(row?.1.value())?;
            if letter.firing.namespace == namespace {
                letters.push(letter);
            }
        }
        Ok(letters)
    }

    /// When the next staged event is due.
    pub fn next_due(&self) -> Result<Option<Time>, Error> {
        let table = self.0.begin_read()?.open_table(STAGED)?;
        Ok(table.first()?.map(|(due, _)| Time(due.value().0)))
    }
}

impl Changes {
    /// Marks events as known, unless one of them is, or stands among them twice: then nothing is marked, and that one is
    /// told.
    pub fn know<'e>(
        &mut self,
        namespace: &str,
        events: &'e [Arc<CloudEvent>],
    ) -> Result<Option<&'e CloudEvent>, Error> {
        let mut seen = self.transaction.open_table(SEEN)?;
        let mut names = HashSet::new();
        for event in events {
            let name = name(namespace, event);
            if seen.get(name.as_str())?.is_some() || !names.insert(name) {
                return Ok(Some(event));
            }
        }
        for name in &names {
            seen.insert(name.as_str(), 0)?;
        }
        Ok(None)
    }

    /// Adds an event that is known to the history.
    pub fn append(&mut self, received: &Received) -> Result<(), Error> {
        let mut seen = self.transaction.open_table(SEEN)?;
        let name = name(&received.namespace, &received.event);
        seen.insert(name.as_str(), received.number)?;
        let mut history = self.transaction.open_table(HISTORY)?;
        history.insert(received.number, written(received)?.as_slice())?;
        Ok(())
    }

    /// Drops the oldest events beyond a number of them, and those from before a time; how many.
    pub fn forget(&mut self, most: u64, before: Time) -> Result<u64, Error> {
        let mut history = self.transaction.open_table(HISTORY)?;
        let mut seen = self.transaction.open_table(SEEN)?;
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
            if newest - number < most && received.at >= before {
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

    pub fn stage(&mut self, due: Time, received: &Received) -> Result<(), Error> {
        let mut staged = self.transaction.open_table(STAGED)?;
        let mut order = 0;
        while staged.get((due.0, order))?.is_some() {
            order += 1;
        }
        staged.insert((due.0, order), written(received)?.as_slice())?;
        Ok(())
    }

    /// Takes the staged events that are due.
    pub fn due(&mut self, now: Time) -> Result<Vec<Received>, Error> {
        let mut staged = self.transaction.open_table(STAGED)?;
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
        let mut listeners = self.transaction.open_table(LISTENERS)?;
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
        let mut outbox = self.transaction.open_table(OUTBOX)?;
        let text = serde_json::to_vec(firing)?;
        outbox.insert(firing.id.as_str(), text.as_slice())?;
        Ok(())
    }

    /// A firing is done with, well or not.
    pub fn done(&mut self, id: &str, failure: Option<(String, Time)>) -> Result<(), Error> {
        let mut outbox = self.transaction.open_table(OUTBOX)?;
        let firing = match outbox.remove(id)? {
            Some(value) => serde_json::from_slice(value.value())?,
            None => return Ok(()),
        };
        if let Some((reason, at)) = failure {
            let mut dead = self.transaction.open_table(DEAD)?;
            let letter = DeadLetter {
                firing,
                reason,
                at: at.0,
            };
            dead.insert(id, serde_json::to_vec(&letter)?.as_slice())?;
        }
        Ok(())
    }

    /// Takes a dead letter, to be tried again.
    pub fn revive(&mut self, id: &str) -> Result<Option<Firing>, Error> {
        let mut dead = self.transaction.open_table(DEAD)?;
        let letter: DeadLetter = match dead.remove(id)? {
            Some(value) => serde_json::from_slice(value.value())?,
            None => return Ok(None),
        };
        drop(dead);
        self.fire(&letter.firing)?;
        Ok(Some(letter.firing))
    }

    /// Makes all of it safe.
    pub fn commit(self) -> Result<(), Error> {
        Ok(self.transaction.commit()?)
    }
}

fn name(namespace: &str, event: &CloudEvent) -> String {
    format!("{namespace}\0{}\0{}", event.id(), event.source())
}

fn written(received: &Received) -> Result<Vec<u8>, Error> {
    let namespace = received.namespace.as_bytes();
    let mut value = Vec::with_capacity(256);
    let length = u16::try_from(namespace.len()).unwrap_or(u16::MAX);
    value.extend_from_slice(&length.to_le_bytes());
    value.extend_from_slice(&namespace[..usize::from(length)]);
    value.extend_from_slice(&received.at.0.to_le_bytes());
    serde_json::to_writer(&mut value, &*received.event)?;
    Ok(value)
}

/// An event as it was written; nothing if it is of another namespace.
fn read(number: u64, value: &[u8], namespace: Option<&str>) -> Result<Option<Received>, Error> {
    let damaged = || Error::Database(format!("the event {number} is damaged"));
    let (length, rest) = value.split_first_chunk::<2>().ok_or_else(damaged)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (own, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
    if namespace.is_some_and(|namespace| namespace.as_bytes() != own) {
        return Ok(None);
    }
    let (at, text) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    Ok(Some(Received {
        number,
        namespace: String::from_utf8_lossy(own).into_owned(),
        at: Time(i64::from_le_bytes(*at)),
        event: Arc::new(serde_json::from_slice(text)?),
    }))
}
