//! Streams in a Redis, shared by several services.
//!
//! ```text
//! PREFIX open            sorted set: keys by when they expire, milliseconds since 1970
//! PREFIX names           sorted set: keys, all of one score, to be listed in order
//! PREFIX ended           set: keys whose lines are not a blob yet
//! PREFIX about:KEY       hash: opened, written, ttl, last, bytes, replaces, and reason and at once it ended
//! PREFIX lines:KEY       Redis stream: an item for each push, its id the number of its last line;
//!                        f: number of its first line, l: lines as JSON, one a line; or e: it ended
//! PREFIX pushes:KEY      hash: what pushes were answered by their names; PREFIX order:KEY: the names, oldest first
//! PREFIX lock:KEY        who makes it a blob
//! ```
//! What has to happen at once is a script. Whoever reads along is woken by one blocking read for each stream and service.

mod archive;
mod follower;
mod hub;
mod scripts;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client};

use super::follow::Follow;
use super::state::Start;
use super::{End, Error, Lines, Options, Pushed, Reason, RedisOptions, StreamState};
use crate::base::Time;
use crate::blobs::{Key, Prefix, Stamp};
pub(super) use follower::Follower;
use hub::Hub;
use scripts::Scripts;

/// Redis answers within milliseconds; longer than this it is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long is waited before Redis is asked once more.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Names looked at together.
const PAGE: isize = 200;

/// Streams in a Redis.
#[derive(Debug)]
pub(super) struct Redis {
    shared: Arc<Shared>,
    scripts: Scripts,
    hubs: Mutex<HashMap<Key, Weak<Hub>>>,
}

/// What followers need too.
pub(super) struct Shared {
    client: Client,
    connection: ConnectionManager,
    prefix: String,
    history: u64,
    ring: usize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn name(&self, kind: &str, key: &Key) -> String {
        format!("{}{kind}:{key}", self.prefix)
    }

    fn set(&self, kind: &str) -> String {
        format!("{}{kind}", self.prefix)
    }
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        Self::Place(format!("Redis: {error}"))
    }
}

impl Redis {
    pub fn open(options: &RedisOptions, all: &Options) -> Result<Self, Error> {
        let client = Client::open(options.url.as_str())?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                connection,
                prefix: options.prefix.clone(),
                history: options.history_lines,
                ring: all.ring,
            }),
            scripts: Scripts::new(),
            hubs: Mutex::default(),
        })
    }

    fn connection(&self) -> ConnectionManager {
        self.shared.connection.clone()
    }

    pub async fn begin(&self, key: &Key, start: &Start) -> Result<StreamState, Error> {
        let now = milliseconds(Time::now());
        self.scripts
            .begin
            .key(self.shared.name("about", key))
            .key(self.shared.name("lines", key))
            .key(self.shared.set("open"))
            .key(self.shared.set("names"))
            .key(self.shared.name("pushes", key))
            .key(self.shared.name("order", key))
            .arg(key.as_str())
            .arg(now)
            .arg(u64::try_from(start.ttl.as_millis()).unwrap_or(u64::MAX))
            .arg(start.first)
            .arg(start.replaces.as_ref().map_or("", |stamp| &stamp.0))
            .invoke_async::<()>(&mut self.connection())
            .await?;
        let state = self.state(key).await?;
        state.ok_or_else(|| Error::NotOpen(key.clone()))
    }

    pub async fn push(
        &self,
        key: &Key,
        lines: &Lines,
        batch: Option<&str>,
    ) -> Result<Pushed, Error> {
        let mut text = Vec::with_capacity(lines.bytes());
        for line in lines.payloads() {
            text.extend_from_slice(&line[1..]);
            text.push(b'\n');
        }
        let (verdict, first, last): (String, u64, u64) = self
            .scripts
            .push
            .key(self.shared.name("about", key))
            .key(self.shared.name("lines", key))
            .key(self.shared.set("open"))
            .key(self.shared.name("pushes", key))
            .key(self.shared.name("order", key))
            .arg(key.as_str())
            .arg(milliseconds(Time::now()))
            .arg(batch.unwrap_or_default())
            .arg(lines.count())
            .arg(self.shared.history)
            .arg(text)
            .invoke_async(&mut self.connection())
            .await?;
        match verdict.as_str() {
            "none" => Err(Error::NotOpen(key.clone())),
            "closed" => Err(Error::Closed(key.clone())),
            verdict => Ok(Pushed {
                first,
                last,
                is_repeated: verdict == "again",
            }),
        }
    }

    pub async fn state(&self, key: &Key) -> Result<Option<StreamState>, Error> {
        let about: HashMap<String, String> = self
            .connection()
            .hgetall(self.shared.name("about", key))
            .await?;
        if about.is_empty() {
            return Ok(None);
        }
        let number = |name: &str| about.get(name).and_then(|text| text.parse::<u64>().ok());
        let time = |name: &str| number(name).map(of_milliseconds).unwrap_or_default();
        let last = number("last").unwrap_or(0);
        let reason = about.get("reason").map(|word| match word.as_str() {
            "expired" => Reason::Expired,
            _ => Reason::Closed,
        });
        let first = self.shared.oldest(key).await?.unwrap_or(last + 1);
        let hub = self.hub_of(key);
        Ok(Some(StreamState {
            key: key.clone(),
            opened: time("opened"),
            first,
            last,
            bytes: number("bytes").unwrap_or(0),
            rate: 0.0,
            subscribers: hub.map_or(0, |hub| Arc::strong_count(&hub) as u64 - 1),
            written: time("written"),
            ttl: Duration::from_millis(number("ttl").unwrap_or(0)),
            end: reason.map(|reason| End {
                reason,
                last,
                at: time("at"),
            }),
            replaces: about
                .get("replaces")
                .filter(|stamp| !stamp.is_empty())
                .map(|stamp| Stamp(stamp.clone())),
        }))
    }

    pub async fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<StreamState>, Error> {
        let names = self.shared.set("names");
        let mut from = match (after, prefix.key()) {
            (Some(after), _) => format!("({after}"),
            (None, Some(prefix)) => format!("[{prefix}"),
            (None, None) => "-".to_owned(),
        };
        let mut states = Vec::new();
        loop {
            let page: Vec<String> = self
                .connection()
                .zrangebylex_limit(&names, &from, "+", 0, PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(states);
            };
            from = format!("({last}");
            for name in &page {
                let Ok(key) = Key::parse(name) else { continue };
                // Names with the same first bytes lie together; behind them is nothing of the prefix.
                let is_beyond = prefix
                    .key()
                    .is_some_and(|prefix| !name.starts_with(prefix.as_str()));
                if states.len() >= limit || is_beyond {
                    return Ok(states);
                }
                if prefix.holds(&key)
                    && let Some(state) = self.state(&key).await?
                    && state.end.is_none()
                {
                    states.push(state);
                }
            }
        }
    }

    pub async fn end(&self, key: &Key, reason: Reason, now: Time) -> Result<(), Error> {
        let ended: bool = self
            .scripts
            .end
            .key(self.shared.name("about", key))
            .key(self.shared.name("lines", key))
            .key(self.shared.set("open"))
            .key(self.shared.set("ended"))
            .arg(key.as_str())
            .arg(milliseconds(now))
            .arg(reason.word())
            .invoke_async(&mut self.connection())
            .await?;
        ended
            .then_some(())
            .ok_or_else(|| Error::NotOpen(key.clone()))
    }

    /// A reader of a stream that is here.
    pub async fn follow(&self, key: &Key) -> Result<Option<Follow>, Error> {
        let Some(state) = self.state(key).await? else {
            return Ok(None);
        };
        let hub = self.hub(key, &state);
        let follower = Follower::new(Arc::clone(&self.shared), hub, key.clone(), &state);
        Ok(Some(Follow::Redis(Box::new(follower))))
    }

    fn hub_of(&self, key: &Key) -> Option<Arc<Hub>> {
        let hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.get(key).and_then(Weak::upgrade)
    }

    /// Who reads a stream for all of this service.
    fn hub(&self, key: &Key, state: &StreamState) -> Arc<Hub> {
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has seen the end of an earlier stream of the name is of no use to this one.
        let known = hubs.get(key).and_then(Weak::upgrade);
        if let Some(hub) = known.filter(|hub| hub.is_of(state)) {
            return hub;
        }
        hubs.retain(|_, hub| hub.strong_count() > 0);
        let hub = Hub::begin(Arc::clone(&self.shared), key.clone(), state);
        hubs.insert(key.clone(), Arc::downgrade(&hub));
        hub
    }

    pub async fn ping(&self) -> Result<(), Error> {
        redis::cmd("PING")
            .query_async::<()>(&mut self.connection())
            .await?;
        Ok(())
    }
}

/// Asks once more what may be asked twice: the first question after Redis was away finds a connection that is gone.
pub(super) async fn again<T, F: Future<Output = Result<T, Error>>>(
    ask: impl Fn() -> F,
) -> Result<T, Error> {
    match ask().await {
        Err(Error::Place(reason)) => {
            tracing::debug!(reason, "Redis is asked again");
            tokio::time::sleep(RETRY_AFTER).await;
            ask().await
        }
        other => other,
    }
}

fn milliseconds(time: Time) -> u64 {
    u64::try_from(time.0 / 1_000_000).unwrap_or(0)
}

fn of_milliseconds(number: u64) -> Time {
    Time(i64::try_from(number.saturating_mul(1_000_000)).unwrap_or(i64::MAX))
}
