//! Live streams and blobs beside an embedded log.

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::backend::Kept;
use crate::base::Time;
use crate::blobs::{self, Blobs};
use crate::config::Settings;
use crate::events::{self, Events};
use crate::store::Store;
use crate::streams::Streams;

/// How often it is looked which blobs are to be dropped.
const SWEEP: Duration = Duration::from_mins(10);
/// A file of the working directory that stands in for the environment, as with the Harness log service.
const ENVIRONMENT: &str = ".env";

/// What there is beside a log that is kept.
pub(super) struct Beside<'s> {
    pub settings: &'s Settings,
    pub kept: Kept,
    /// Whether what listeners ask for is done: an explorer leaves it to the next service.
    pub is_service: bool,
}

/// The streams and blobs of a data directory.
pub(super) fn keep(settings: &Settings, dir: &Path) -> Result<Kept, Error> {
    let blobs = Blobs::open(blob_options(settings), &dir.join("blobs"))?;
    let options = settings.streams.options();
    let streams = Streams::open(options, &dir.join("streams"), blobs.clone())?;
    Ok(Kept { streams, blobs })
}

/// The events of a data directory; and, in a service, who does what their listeners ask for, and who turns entries of the log
/// into events. In an explorer both wait for the next service.
pub(super) fn attend(
    settings: &Settings,
    dir: &Path,
    store: &Store,
    is_service: bool,
    stopping: &CancellationToken,
) -> Result<(Events, Vec<JoinHandle<()>>), Error> {
    let options = event_options(settings)?;
    let rules = options.rules.clone();
    let (events, firings) = Events::open(options, &dir.join("events"), stopping.clone())?;
    let mut attending = Vec::new();
    if is_service {
        let (store, stopping) = (store.clone(), stopping.clone());
        let acting = events::act(events.clone(), store.clone(), firings, stopping.clone());
        attending.push(tokio::spawn(acting));
        let watching = events::watch(events.clone(), store, rules, stopping);
        attending.push(tokio::spawn(watching));
    }
    Ok((events, attending))
}

/// How events are kept, as the configuration says; what could never be is told with its place.
pub(super) fn event_options(settings: &Settings) -> Result<events::Options, Error> {
    settings.events.options().map_err(|(key, reason)| {
        let place = settings.place(&key);
        // What stands in a table of its own may have no place.
        let place = if place.is_empty() {
            format!("{key}: ")
        } else {
            place
        };
        Error::Said(format!("{place}{reason}"))
    })
}

/// How blobs are kept: as the configuration says, or else the environment.
pub(super) fn blob_options(settings: &Settings) -> blobs::Options {
    let file = environment(Path::new(ENVIRONMENT));
    settings.blobs.options(|name| {
        let own = std::env::var(name).ok();
        own.or_else(|| Some(file.iter().find(|(known, _)| known == name)?.1.clone()))
    })
}

/// The variables of a file; many programs have one there, so what is not understood is left out.
fn environment(path: &Path) -> Vec<(String, String)> {
    let lines = dotenvy::from_path_iter(path).ok().into_iter().flatten();
    let known = |line: Result<_, dotenvy::Error>| match line {
        Ok(pair) => Some(pair),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a line is left out");
            None
        }
    };
    lines.filter_map(known).collect()
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
    tokio::join!(
        kept.streams.log_into(store, stopping.clone()),
        kept.streams.keep(stopping.clone()),
        stopping.run_until_cancelled(sweeping),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stands_in_for_the_environment() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(ENVIRONMENT);
        assert_eq!(environment(&path), []);
        let text = "# of CI\nexport LOG_SERVICE_MINIO_BUCKET='logs'\nAWS_REGION=eu-1 # near\n";
        std::fs::write(&path, text).expect("written");
        let expected = [("LOG_SERVICE_MINIO_BUCKET", "logs"), ("AWS_REGION", "eu-1")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(environment(&path), expected);
    }
}
