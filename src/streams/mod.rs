//! Live streams of lines: opened, pushed, tailed, closed; kept as a blob once they are.
//!
//! ```text
//! push --Lines--> the place: a log on disk with a ring in memory before it (or Redis) --Tail--> whoever reads
//!                    |
//!                    +--close, or silence--> the blob of the same key --Tail--> whoever reads later
//! ```
//!
//! Invariants: every accepted line has a number, without gaps, and the lines of a push stay together; what was answered
//! survives `kill -9`. Whoever reads holds a number and is never waited for: what is no longer in memory is read from the
//! disk, and what is no longer there is told as a gap. A stream is there or its blob is, never neither. Knows nothing of
//! HTTP.

mod archive;
mod batch;
mod disk;
mod error;
mod follow;
mod keeper;
mod line;
mod logging;
mod options;
#[cfg(feature = "redis")]
mod redis;
mod ring;
mod state;
mod tail;

pub use archive::Overwrite;
pub use batch::{Batch, Part};
pub use error::Error;
pub use line::{Line, LineError, Lines};
pub use options::{Options, RedisOptions};
pub use state::{End, Opening, Pushed, Reason, StreamState};
pub use tail::{From, Piece, Tail, TailRequest};

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::base::Time;
use crate::blobs::{Blobs, Key, Prefix};
use crate::store::Store;
use archive::Archived;
use disk::Disk;
use state::Start;

/// Live streams. Clones share them.
#[derive(Clone, Debug)]
pub struct Streams(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: Options,
    blobs: Blobs,
    place: Place,
    /// The embedded log, where lines enter it too.
    log: OnceLock<Store>,
    lines: AtomicU64,
    readers: Arc<AtomicU64>,
}

/// What is done, and was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lines that were taken.
    pub lines: u64,
    /// Who reads.
    pub readers: u64,
    /// Streams that are open here; of those in Redis it is not known.
    pub open: Option<u64>,
}

/// Where streams are until they are closed.
#[derive(Debug)]
enum Place {
    Disk(Disk),
    #[cfg(feature = "redis")]
    Redis(Box<redis::Redis>),
}

impl Streams {
    /// The streams of a directory, or of a Redis if the options name one. Those that were there are there again.
    ///
    /// # Errors
    /// The directory cannot be read, or Redis cannot be reached.
    pub fn open(options: Options, dir: &Path, blobs: Blobs) -> Result<Self, Error> {
        if options.to_log && options.redis.is_some() {
            let reason = "to_log needs the streams of the local disk, not those of a Redis";
            return Err(Error::Place(reason.to_owned()));
        }
        let place = match &options.redis {
            None => Place::Disk(Disk::open(dir, &options)?),
            #[cfg(feature = "redis")]
            Some(redis) => Place::Redis(Box::new(redis::Redis::open(redis, &options)?)),
            #[cfg(not(feature = "redis"))]
            Some(_) => {
                let reason = "this tailwater was built without Redis";
                return Err(Error::Place(reason.to_owned()));
            }
        };
        Ok(Self(Arc::new(Shared {
            options,
            blobs,
            place,
            log: OnceLock::new(),
            lines: AtomicU64::new(0),
            readers: Arc::default(),
        })))
    }

    /// Opens a stream. One that is open stays as it is; one that was closed begins anew only if that is asked for, and
    /// goes on with its numbers.
    ///
    /// # Errors
    /// It is closed, or the place refuses.
    pub async fn begin(&self, key: &Key, opening: Opening) -> Result<StreamState, Error> {
        if let Some(state) = self.live(key).await? {
            if state.end.is_none() {
                return Ok(state);
            }
            // Its blob has to be whole before another stream can take its name.
            self.archive(key, Overwrite::Always).await?;
        }
        let found = self.0.blobs.find(key).await?;
        let replaces = found.as_ref().map(|found| found.blob.stamp());
        let first = match found.and_then(Archived::of) {
            Some(_) if !opening.again => return Err(Error::Closed(key.clone())),
            Some(archived) => archived.end.last + 1,
            None => 1,
        };
        let start = Start {
            first,
            ttl: opening.ttl.unwrap_or(self.0.options.ttl),
            replaces,
        };
        match &self.0.place {
            Place::Disk(disk) => disk.begin(key, start),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis::again(|| redis.begin(key, &start)).await,
        }
    }

    /// Appends lines to an open stream. A push of a known batch is not taken again: it is answered as it was.
    ///
    /// # Errors
    /// The stream is not open, or the place refuses: nothing of it is there.
    pub async fn push(
        &self,
        key: &Key,
        lines: Lines,
        batch: Option<&str>,
    ) -> Result<Pushed, Error> {
        let pushed = match &self.0.place {
            Place::Disk(disk) => disk.push(key, lines, batch),
            #[cfg(feature = "redis")]
            // Without a name it could be taken twice: whoever sent it decides.
            Place::Redis(redis) if batch.is_none() => redis.push(key, &lines, batch).await,
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis::again(|| redis.push(key, &lines, batch)).await,
        };
        match pushed {
            Err(Error::NotOpen(_)) => {
                let archived = Archived::find(&self.0.blobs, key).await?;
                Err(match archived {
                    Some(_) => Error::Closed(key.clone()),
                    None => Error::NotOpen(key.clone()),
                })
            }
            Ok(pushed) => {
                if !pushed.is_repeated {
                    let lines = (pushed.last + 1).saturating_sub(pushed.first);
                    self.0.lines.fetch_add(lines, Ordering::Relaxed);
                }
                Ok(pushed)
            }
            other => other,
        }
    }

    /// What is done, and was done since the start.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            lines: self.0.lines.load(Ordering::Relaxed),
            readers: self.0.readers.load(Ordering::Relaxed),
            open: match &self.0.place {
                Place::Disk(disk) => Some(disk.open_count()),
                #[cfg(feature = "redis")]
                Place::Redis(_) => None,
            },
        }
    }

    /// Reads a stream, as long as it is open, or its blob.
    ///
    /// # Errors
    /// There is no such stream, or the place does not answer.
    pub async fn tail(&self, key: &Key, request: TailRequest) -> Result<Tail, Error> {
        Tail::begin(self, key, request).await
    }

    /// Closes a stream: returns when its blob is durable and readable. Waits for nobody who reads it.
    ///
    /// # Errors
    /// It is not open, or the place or the blobs refuse: then it is closed, and its lines are kept until they are a blob.
    pub async fn close(&self, key: &Key, overwrite: Overwrite) -> Result<StreamState, Error> {
        self.end(key, Reason::Closed).await?;
        let state = self.live(key).await?;
        self.archive(key, overwrite).await?;
        match state {
            Some(state) => Ok(state),
            None => self.state(key).await,
        }
    }

    /// How a stream stands, the closed too.
    ///
    /// # Errors
    /// There is none, or the place does not answer.
    pub async fn state(&self, key: &Key) -> Result<StreamState, Error> {
        if let Some(state) = self.live(key).await? {
            return Ok(state);
        }
        let archived = Archived::find(&self.0.blobs, key).await?;
        let archived = archived.ok_or_else(|| Error::NotOpen(key.clone()))?;
        Ok(archived.state(key))
    }

    /// The streams that are open, in the order of their names: those below a prefix, after a name, at most `limit`.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<StreamState>, Error> {
        match &self.0.place {
            Place::Disk(disk) => Ok(disk.list(prefix, after, limit)),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis::again(|| redis.list(prefix, after, limit)).await,
        }
    }

    /// Whether the place answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.0.place {
            Place::Disk(disk) => disk.ping(),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis.ping().await,
        }
    }

    /// What streams are kept with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// How a stream stands that is not a blob yet.
    async fn live(&self, key: &Key) -> Result<Option<StreamState>, Error> {
        match &self.0.place {
            Place::Disk(disk) => Ok(disk.state(key)),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis::again(|| redis.state(key)).await,
        }
    }

    /// Takes no more lines; durable when it returns.
    async fn end(&self, key: &Key, reason: Reason) -> Result<(), Error> {
        let now = Time::now();
        match &self.0.place {
            Place::Disk(disk) => disk.end(key, reason, now),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis::again(|| redis.end(key, reason, now)).await,
        }
    }
}

#[cfg(test)]
mod tests;
