//! What is done with streams when nobody asks: syncing, closing the silent, finishing what was interrupted.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::disk::{Disk, Live};
use super::{Error, Overwrite, Place, Reason, Streams};
use crate::base::Time;

/// How often it is looked what there is to do. What was answered survives a power cut after so long.
const ROUND: Duration = Duration::from_secs(1);
/// After so long without a line a stream holds no file open.
const IDLE: Duration = Duration::from_mins(1);

impl Streams {
    /// Keeps streams until it is stopped.
    pub async fn keep(&self, stopping: CancellationToken) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                _ = rounds.tick() => {}
            }
            self.round(Time::now()).await;
        }
        match &self.0.place {
            Place::Disk(disk) => tokio::task::block_in_place(|| sync(disk)),
            #[cfg(feature = "redis")]
            Place::Redis(_) => {}
        }
    }

    /// Does once what there is to do.
    pub(super) async fn round(&self, now: Time) {
        match &self.0.place {
            Place::Disk(disk) => {
                tokio::task::block_in_place(|| sync(disk));
                for live in disk.all() {
                    live.rest(IDLE, now);
                    if let Err(error) = self.attend(&live, now).await {
                        tracing::warn!(stream = %live.key, %error, "the stream is kept as it is, and tried again");
                    }
                }
            }
            #[cfg(feature = "redis")]
            Place::Redis(redis) => {
                if let Err(error) = redis.round(self, now).await {
                    tracing::warn!(%error, "live streams are looked after later");
                }
            }
        }
    }

    /// Closes a silent stream, and makes one that is closed a blob.
    async fn attend(&self, live: &Arc<Live>, now: Time) -> Result<(), Error> {
        let state = live.state();
        if state.end.is_none() && now.since(state.written) >= state.ttl {
            tokio::task::block_in_place(|| live.end(Reason::Expired, now))?;
            tracing::info!(stream = %live.key, "closed, for it was silent for too long");
        } else if state.end.is_none() || live.archiving.try_lock().is_err() {
            return Ok(());
        }
        self.archive(&live.key, Overwrite::Older).await
    }
}

fn sync(disk: &Disk) {
    for live in disk.all() {
        if let Err(error) = live.sync() {
            tracing::error!(stream = %live.key, %error, "lines may not survive a power cut");
        }
    }
}
