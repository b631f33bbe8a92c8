//! Live streams and blobs beside an embedded log.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Error;
use crate::base::Time;
use crate::blobs::Blobs;
use crate::config::Settings;
use crate::service::Kept;
use crate::store::Store;
use crate::streams::Streams;

/// How often it is looked which blobs are to be dropped.
const SWEEP: Duration = Duration::from_mins(10);

/// The streams and blobs of a data directory.
pub(super) async fn keep(settings: &Settings, dir: &Path) -> Result<Kept, Error> {
    let options = settings.blobs.options(|name| std::env::var(name).ok());
    let blobs = Blobs::open(options, &dir.join("blobs")).await?;
    let options = settings.streams.options();
    let streams = Streams::open(options, &dir.join("streams"), blobs.clone())?;
    Ok(Kept { streams, blobs })
}

/// Does what is to be done with streams and blobs when nobody asks.
pub(super) async fn look_after(kept: Kept, store: Store, stopping: CancellationToken) {
    let sweeping = async {
        let mut rounds = tokio::time::interval(SWEEP);
        loop {
            rounds.tick().await;
            match kept.blobs.sweep(Time::now()).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "blobs were dropped by the retention"),
                Err(error) => tracing::warn!(%error, "the retention of blobs is tried again"),
            }
        }
    };
    tokio::select! {
        ((), ()) = async {
            tokio::join!(
                kept.streams.log_into(store, stopping.clone()),
                kept.streams.keep(stopping),
            )
        } => {}
        () = sweeping => {}
    }
}
