//! From an address to a service that can be explored: ours, as far as the token allows, or a Direktiv's.

use std::path::Path;
use std::time::Duration;

use super::Error;
use super::open::Opened;
use crate::backend::{Backend, Mirror};
use crate::base::{Backoff, Time};
use crate::client::{self, Client, Direktiv};
use crate::config::Settings;
use crate::query::{Direction, PageRequest, Query, Start, Ties};
use crate::store::Lock;

/// A service says what it is within this time, or is tried again later.
const PROBE: Duration = Duration::from_secs(5);
/// What fails in passing is asked so many times more.
const PROBES: usize = 5;

/// The service that commands speak to: the one that is named, else who owns the data directory.
pub(super) async fn service(settings: &Settings) -> Result<Client, Error> {
    if settings.url.is_none() && !Lock::is_held(&settings.data) {
        let dir = settings.data.display();
        return Err(Error::Said(format!(
            "no service runs over {dir}; name another with --url or --data"
        )));
    }
    match &settings.url {
        Some(url) => Ok(Client::new(url, &as_settings_say(settings))?),
        None => owner(settings, &settings.data).await,
    }
}

fn as_settings_say(settings: &Settings) -> client::Options {
    client::Options {
        token: settings.token.clone(),
        ..client::Options::default()
    }
}

/// The process that owns a data directory.
async fn owner(settings: &Settings, dir: &Path) -> Result<Client, Error> {
    let mut reason = "it has not said where it can be reached".to_owned();
    // The owner writes its address a moment after it took the lock.
    for _ in 0..20 {
        for address in Lock::addresses(dir) {
            let client = Client::new(&address, &as_settings_say(settings))?;
            match client.status().await {
                Ok(_) => return Ok(client),
                Err(error) => reason = error.to_string(),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let dir = dir.display();
    Err(Error::Said(format!(
        "{dir} is in use by another process that cannot be reached: {reason}"
    )))
}

impl Opened {
    /// The log of a data directory, through the process that owns it.
    pub(super) async fn through_owner(
        settings: &Settings,
        dir: &Path,
        name: String,
    ) -> Result<Self, Error> {
        let client = owner(settings, dir).await?;
        Ok(Self::of(Backend::Remote(client), name))
    }

    /// A service: ours, or a Direktiv's.
    pub(super) async fn remote(settings: &Settings, url: &str) -> Result<Self, Error> {
        let options = as_settings_say(settings);
        let client = Client::new(url, &options)?;
        match tokio::time::timeout(PROBE, again(|| client.status())).await {
            Ok(Ok(status)) if status.product.is_empty() => {
                Self::direktiv(settings, url, options).await
            }
            Ok(Ok(status)) if status.requires_auth => {
                let client = allowed(client, settings.namespace.as_deref()).await;
                Ok(Self::of(Backend::Remote(client), url.to_owned()))
            }
            // Who cannot be reached now is tried again by whoever asks.
            _ => Ok(Self::of(Backend::Remote(client), url.to_owned())),
        }
    }

    /// A Direktiv's namespace, mirrored into a temporary log.
    async fn direktiv(
        settings: &Settings,
        url: &str,
        options: client::Options,
    ) -> Result<Self, Error> {
        let silence = client::DIREKTIV_SILENCE;
        let client = Client::new(url, &client::Options { silence, ..options })?;
        let namespace = match &settings.namespace {
            Some(namespace) => namespace.clone(),
            None => only_namespace(&client).await?,
        };
        let direktiv = again(|| Direktiv::probe(client.clone(), &namespace)).await?;
        tracing::info!(generation = ?direktiv.generation(), "a Direktiv");
        let (mut opened, store) = Self::temporary(format!("{url} {namespace}"))?;
        opened.backend = Backend::Mirror(Mirror::new(direktiv, store));
        Ok(opened)
    }
}

/// The service as far as the token allows: a token may be for one namespace only.
async fn allowed(client: Client, namespace: Option<&str>) -> Client {
    let newest = PageRequest {
        query: Query::default(),
        now: Time::now(),
        start: Start::End,
        direction: Direction::Older,
        limit: 1,
        ties: Ties::Split,
    };
    match client.page(&newest).await {
        Err(client::Error::Refused { status: 403, .. }) => {}
        _ => return client,
    }
    let known = client.namespaces().await.unwrap_or_default();
    match (namespace, known.as_slice()) {
        (Some(name), _) => client.within(name),
        (None, [only]) => client.within(&only.name),
        // The refusal is told when the entries are asked for.
        _ => client,
    }
}

/// Asks a few times: a bad network is no answer.
async fn again<T, F: Future<Output = Result<T, client::Error>>>(
    ask: impl Fn() -> F,
) -> Result<T, client::Error> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
    for _ in 0..PROBES {
        match ask().await {
            Err(error) if error.is_passing() => tokio::time::sleep(backoff.delay()).await,
            answer => return answer,
        }
    }
    ask().await
}

/// The namespace of a Direktiv that has just one.
async fn only_namespace(client: &Client) -> Result<String, Error> {
    let names = again(|| Direktiv::namespaces(client))
        .await
        .unwrap_or_default();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        names => Err(Error::Said(format!(
            "Direktiv keeps each namespace for itself: name one with --namespace ({})",
            names.join(", ")
        ))),
    }
}
