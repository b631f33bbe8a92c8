//! From Redis to blobs: one service at a time does it, and another goes on if that one dies.

use std::time::Duration;

use redis::AsyncCommands;

use super::{Redis, milliseconds};
use crate::base::Time;
use crate::blobs::Key;
use crate::streams::{Error, Overwrite, Reason, Streams};

/// How long the lines of a stream that is a blob are kept for who still reads them here.
const LINGER: Duration = Duration::from_mins(10);
/// For how long who makes a stream a blob is believed to be alive.
const LOCK: Duration = Duration::from_secs(30);
/// How often it is looked whether another has made it a blob.
const LOOK: Duration = Duration::from_millis(50);

impl Redis {
    /// Makes a closed stream a blob, or waits until another service has.
    pub async fn archive(
        &self,
        streams: &Streams,
        key: &Key,
        overwrite: Overwrite,
    ) -> Result<(), Error> {
        loop {
            match self.state(key).await? {
                Some(state) if state.end.is_some() => {}
                _ => return Ok(()),
            }
            let Some(lock) = self.lock(key).await? else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            let stored = tokio::select! {
                stored = streams.store(key, overwrite) => stored,
                never = self.renew(key, &lock) => match never {},
            };
            if stored.is_ok() {
                self.forget(key).await?;
            }
            let unlocked = self
                .scripts
                .unlock
                .key(self.shared.name("lock", key))
                .arg(&lock)
                .invoke_async::<()>(&mut self.connection())
                .await;
            stored?;
            return Ok(unlocked?);
        }
    }

    /// The lock of a stream, if it was free.
    async fn lock(&self, key: &Key) -> Result<Option<String>, Error> {
        let name = uuid::Uuid::new_v4().to_string();
        let taken: Option<String> = redis::cmd("SET")
            .arg(self.shared.name("lock", key))
            .arg(&name)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(LOCK.as_millis()).unwrap_or(u64::MAX))
            .query_async(&mut self.connection())
            .await?;
        Ok(taken.map(|_| name))
    }

    /// Keeps a lock as long as it is waited for.
    async fn renew(&self, key: &Key, lock: &str) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(LOCK / 3).await;
            let renewed = self
                .scripts
                .renew
                .key(self.shared.name("lock", key))
                .arg(lock)
                .arg(u64::try_from(LOCK.as_millis()).unwrap_or(u64::MAX))
                .invoke_async::<()>(&mut self.connection())
                .await;
            if let Err(error) = renewed {
                tracing::warn!(%key, %error, "the lock of a stream may be lost");
            }
        }
    }

    async fn forget(&self, key: &Key) -> Result<(), Error> {
        let linger = i64::try_from(LINGER.as_secs()).unwrap_or(i64::MAX);
        redis::pipe()
            .atomic()
            .del(self.shared.name("about", key))
            .del(self.shared.name("pushes", key))
            .del(self.shared.name("order", key))
            .zrem(self.shared.set("open"), key.as_str())
            .zrem(self.shared.set("names"), key.as_str())
            .srem(self.shared.set("ended"), key.as_str())
            .expire(self.shared.name("lines", key), linger)
            .query_async::<()>(&mut self.connection())
            .await?;
        Ok(())
    }

    /// Closes the silent, and makes what is closed a blob.
    pub async fn round(&self, streams: &Streams, now: Time) -> Result<(), Error> {
        let mut connection = self.connection();
        let silent: Vec<String> = connection
            .zrangebyscore(self.shared.set("open"), "-inf", milliseconds(now))
            .await?;
        for key in silent.iter().filter_map(|name| Key::parse(name).ok()) {
            match self.end(&key, Reason::Expired, now).await {
                // Another service may have done it.
                Ok(()) | Err(Error::NotOpen(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let ended: Vec<String> = connection.smembers(self.shared.set("ended")).await?;
        for key in ended.iter().filter_map(|name| Key::parse(name).ok()) {
            if let Err(error) = self.archive(streams, &key, Overwrite::Older).await {
                tracing::warn!(stream = %key, %error, "the stream is kept as it is, and tried again");
            }
        }
        Ok(())
    }
}
