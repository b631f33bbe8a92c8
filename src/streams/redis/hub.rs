//! One blocking read of a stream for all who follow it in this service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{PATIENCE, Shared, of_milliseconds};
use crate::base::Backoff;
use crate::blobs::Key;
use crate::streams::ring::Ring;
use crate::streams::{Batch, End, Error, Part, Reason, StreamState};

/// How long Redis holds a read on which nothing comes; a connection that is gone is noticed after it.
const BLOCK: Duration = Duration::from_secs(5);
/// How long is waited before Redis is asked again.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const MOST_DELAY: Duration = Duration::from_secs(2);
/// Pushes read together.
const PUSHES: usize = 256;

/// How far a stream has come, as this service knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::streams) struct Head {
    pub last: u64,
    pub end: Option<End>,
    /// Redis knows it no longer.
    pub is_gone: bool,
}

/// Who reads a stream for all of this service.
#[derive(Debug)]
pub(in crate::streams) struct Hub {
    head: watch::Sender<Head>,
    ring: Mutex<Ring>,
    most: usize,
    opened: crate::base::Time,
    reading: Mutex<Option<JoinHandle<()>>>,
}

/// A push, or the end.
pub(super) enum Item {
    Lines(Batch),
    End(End),
}

/// What Redis answers for an item: its id and its fields.
pub(super) type Raw = (String, HashMap<String, Vec<u8>>);

impl Item {
    /// An item as Redis gives it; nothing where it is not ours.
    pub fn parse((id, fields): &Raw) -> Option<Self> {
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
        let last = id.split('-').next()?.parse().ok()?;
        if let Some(reason) = fields.get("e") {
            let reason = match reason.as_slice() {
                b"expired" => Reason::Expired,
                _ => Reason::Closed,
            };
            let at = fields.get("a").and_then(|at| number(at));
            let at = at.map(of_milliseconds).unwrap_or_default();
            return Some(Self::End(End { reason, last, at }));
        }
        let first = number(fields.get("f")?)?;
        let lines = fields.get("l")?;
        let lines = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        Some(Self::Lines(Batch::of(first, lines)))
    }
}

impl Hub {
    pub fn begin(shared: Arc<Shared>, key: Key, state: &StreamState) -> Arc<Self> {
        let hub = Arc::new(Self {
            head: watch::Sender::new(Head {
                last: state.last,
                end: state.end,
                is_gone: false,
            }),
            ring: Mutex::default(),
            most: shared.ring,
            opened: state.opened,
            reading: Mutex::new(None),
        });
        if state.end.is_none() {
            // It ends with the last who holds the hub.
            let weak = Arc::downgrade(&hub);
            let after = state.last;
            let reading = tokio::spawn(async move {
                let mut reading = Reading {
                    shared,
                    key,
                    after,
                    connection: None,
                };
                let mut backoff = Backoff::new(FIRST_DELAY, MOST_DELAY);
                loop {
                    let read = reading.read().await;
                    let Some(hub) = weak.upgrade() else { return };
                    match read {
                        Ok(items) => {
                            backoff.reset();
                            if hub.take(items) {
                                return;
                            }
                        }
                        Err(error) => {
                            tracing::debug!(key = %reading.key, %error, "the stream is read again");
                            reading.connection = None;
                            drop(hub);
                            tokio::time::sleep(backoff.delay()).await;
                        }
                    }
                }
            });
            *hub.reading.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
        hub
    }

    pub fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Whether it reads this stream, not an earlier one of the name.
    pub fn is_of(&self, state: &StreamState) -> bool {
        let head = *self.head.borrow();
        self.opened == state.opened && !head.is_gone && head.end.is_some() == state.end.is_some()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was read; whether it is over.
    fn take(&self, items: Option<Vec<Item>>) -> bool {
        let Some(items) = items else {
            self.head.send_modify(|head| head.is_gone = true);
            return true;
        };
        let mut head = *self.head.borrow();
        for item in items {
            match item {
                Item::Lines(batch) => {
                    head.last = batch.last();
                    self.ring().push(batch, self.most);
                }
                Item::End(end) => head.end = Some(end),
            }
        }
        self.head
            .send_if_modified(|known| std::mem::replace(known, head) != head);
        head.end.is_some()
    }

    /// The lines after a number that are in memory.
    pub fn recent(&self, after: u64, most: usize) -> Vec<Part> {
        self.ring().after(after, most)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let reading = self
            .reading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(reading) = reading {
            reading.abort();
        }
    }
}

/// The blocking read, on a connection of its own.
struct Reading {
    shared: Arc<Shared>,
    key: Key,
    after: u64,
    connection: Option<MultiplexedConnection>,
}

impl Reading {
    /// What comes next; nothing when Redis does not know the stream.
    async fn read(&mut self) -> Result<Option<Vec<Item>>, Error> {
        if self.connection.is_none() {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(BLOCK + PATIENCE));
            let client = &self.shared.client;
            let connection = client.get_multiplexed_async_connection_with_config(&config);
            self.connection = Some(connection.await?);
        }
        let Some(connection) = &mut self.connection else {
            return Ok(Some(Vec::new()));
        };
        let lines = self.shared.name("lines", &self.key);
        let read: Option<Vec<(String, Vec<Raw>)>> = redis::cmd("XREAD")
            .arg("COUNT")
            .arg(PUSHES)
            .arg("BLOCK")
            .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(u64::MAX))
            .arg("STREAMS")
            .arg(&lines)
            .arg(format!("{}-0", self.after))
            .query_async(connection)
            .await?;
        let Some(read) = read else {
            // Silence; or Redis has lost it.
            let about = self.shared.name("about", &self.key);
            let is_there: bool = redis::cmd("EXISTS")
                .arg(about)
                .query_async(connection)
                .await?;
            return Ok(is_there.then(Vec::new));
        };
        let items = read.iter().flat_map(|(_, items)| items);
        let items: Vec<Item> = items.filter_map(Item::parse).collect();
        for item in &items {
            if let Item::Lines(batch) = item {
                self.after = batch.last();
            }
        }
        Ok(Some(items))
    }
}
