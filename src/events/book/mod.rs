//! What has to survive: listeners, history, firings that are not done, events that are not due; one database.
//!
//! ```text
//! listeners  id (16 bytes)                    -> listener, JSON
//! history    number, from 1 without gaps      -> namespace length u16 | namespace | received i64 | event, JSON
//! seen       namespace \0 id \0 source        -> number; 0 as long as it is not due
//! staged     due (ns since 1970), order       -> as in history
//! outbox     firing                           -> firing, JSON
//! dead       firing                           -> why, and the firing, JSON
//! marks      what is followed                 -> up to which position it was looked at
//! ```

mod changes;

pub(super) use changes::Changes;

use std::fmt;
use std::fs::File;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::{CloudEvent, Error, Firing, Listener};
use crate::base::Time;

const LISTENERS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("listeners");
const HISTORY: TableDefinition<u64, &[u8]> = TableDefinition::new("history");
const SEEN: TableDefinition<&str, u64> = TableDefinition::new("seen");
const STAGED: TableDefinition<(i64, u64), &[u8]> = TableDefinition::new("staged");
const OUTBOX: TableDefinition<&str, &[u8]> = TableDefinition::new("outbox");
const DEAD: TableDefinition<&str, &[u8]> = TableDefinition::new("dead");
const MARKS: TableDefinition<&str, u64> = TableDefinition::new("marks");

/// The mark of the embedded log.
const LOG: &str = "log";

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

/// How the database is opened: anew after it has failed, too.
type Open = Box<dyn Fn() -> Result<Database, Error> + Send + Sync>;

/// The database. One that has failed to write refuses everything until it is opened again.
pub(super) struct Book {
    database: RwLock<Option<Database>>,
    open: Open,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

impl Book {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        if !path.exists() {
            // Half of a new database is none: the file has its name when it is whole.
            let new = path.with_extension("new");
            let _ = std::fs::remove_file(&new);
            let made = new.clone();
            drop(Self::with(Box::new(move || database(&made)))?);
            std::fs::rename(&new, &path)?;
            if let Some(dir) = path.parent() {
                File::open(dir)?.sync_all()?;
            }
        }
        Self::with(Box::new(move || database(&path)))
    }

    pub fn with(open: Open) -> Result<Self, Error> {
        let database = RwLock::new(Some(open()?));
        let book = Self { database, open };
        let transaction = book.begin()?;
        drop(Changes::of(&transaction)?);
        transaction.commit()?;
        Ok(book)
    }

    /// Opens the database again, after it has failed.
    pub fn open_again(&self) -> Result<(), Error> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Two at the same time would lock each other out.
        *database = None;
        *database = Some((self.open)()?);
        Ok(())
    }

    fn ask<T, E: Into<Error>>(
        &self,
        ask: impl FnOnce(&Database) -> Result<T, E>,
    ) -> Result<T, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || Error::Database("the database could not be opened again yet".to_owned());
        ask(database.as_ref().ok_or_else(closed)?).map_err(Into::into)
    }

    /// Begins changes, which become safe when the transaction is committed.
    pub fn begin(&self) -> Result<WriteTransaction, Error> {
        self.ask(Database::begin_write)
    }

    fn read(&self) -> Result<ReadTransaction, Error> {
        self.ask(Database::begin_read)
    }

    pub fn listeners(&self) -> Result<Vec<Listener>, Error> {
        let table = self.read()?.open_table(LISTENERS)?;
        let mut listeners = Vec::new();
        for row in table.iter()? {
            listeners.push(serde_json::from_slice(row?.1.value())?);
        }
        Ok(listeners)
    }

    /// The number of the newest event.
    pub fn newest(&self) -> Result<u64, Error> {
        let table = self.read()?.open_table(HISTORY)?;
        Ok(table.last()?.map_or(0, |(number, _)| number.value()))
    }

    /// Events before a number, newest first, as long as `look` wants more; of one namespace or all.
    pub fn older(
        &self,
        namespace: Option<&str>,
        before: u64,
        mut look: impl FnMut(Received) -> bool,
    ) -> Result<(), Error> {
        let table = self.read()?.open_table(HISTORY)?;
        for row in table.range(..before)?.rev() {
            let (number, value) = row?;
            if let Some(received) = read(number.value(), value.value(), namespace)?
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
        let table = self.read()?.open_table(HISTORY)?;
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
        let reading = self.read()?;
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
        let table = self.read()?.open_table(OUTBOX)?;
        let mut firings = Vec::new();
        for row in table.iter()? {
            firings.push(serde_json::from_slice(row?.1.value())?);
        }
        Ok(firings)
    }

    pub fn firing(&self, id: &str) -> Result<Option<Firing>, Error> {
        let table = self.read()?.open_table(OUTBOX)?;
        let row = table.get(id)?;
        Ok(match row {
            Some(value) => Some(serde_json::from_slice(value.value())?),
            None => None,
        })
    }

    pub fn dead(&self, namespace: &str) -> Result<Vec<DeadLetter>, Error> {
        let table = self.read()?.open_table(DEAD)?;
        let mut letters = Vec::new();
        for row in table.iter()? {
            let letter: DeadLetter = serde_json::from_slice(row?.1.value())?;
            if letter.firing.namespace == namespace {
                letters.push(letter);
            }
        }
        Ok(letters)
    }

    /// Up to which position the log became events; nothing before the first time.
    pub fn mark(&self) -> Result<Option<u64>, Error> {
        let table = self.read()?.open_table(MARKS)?;
        Ok(table.get(LOG)?.map(|position| position.value()))
    }

    /// When the oldest event of the history came.
    pub fn oldest(&self) -> Result<Option<Time>, Error> {
        let table = self.read()?.open_table(HISTORY)?;
        let oldest = table.first()?;
        let oldest = oldest.map(|(number, value)| read(number.value(), value.value(), None));
        Ok(oldest.transpose()?.flatten().map(|received| received.at))
    }

    /// Rows of history, staged events, firings that are not done, and dead letters.
    pub fn counts(&self) -> Result<[u64; 4], Error> {
        let reading = self.read()?;
        Ok([
            reading.open_table(HISTORY)?.len()?,
            reading.open_table(STAGED)?.len()?,
            reading.open_table(OUTBOX)?.len()?,
            reading.open_table(DEAD)?.len()?,
        ])
    }

    /// When the next staged event is due.
    pub fn next_due(&self) -> Result<Option<Time>, Error> {
        let table = self.read()?.open_table(STAGED)?;
        Ok(table.first()?.map(|(due, _)| Time(due.value().0)))
    }
}

fn database(path: &Path) -> Result<Database, Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    Ok(builder.create(path)?)
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
