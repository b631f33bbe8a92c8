//! Doing what is to be done about firings: until it is done, or has failed so often that it is given up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Action, Events, Firing};
use crate::base::{Backoff, Time};
use crate::client::Shipper;
use crate::entry::{Entry, Level};
use crate::store::Store;

/// Actions under way at the same time.
const AT_ONCE: usize = 16;
/// How often an action is tried.
const ATTEMPTS: usize = 8;
/// First and longest wait before it is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The type of a batch of events.
const BATCH: &str = "application/cloudevents-batch+json";
/// Where a receiver finds what it is called, so that it can tell what it has had, and the signature of the body: `sha256=`
/// and the HMAC-SHA-256 in hexadecimal.
const ID: &str = "x-tailwater-firing";
const SIGNATURE: &str = "x-tailwater-signature";

/// Does what firings ask for until it is stopped. What is not done then is done after the next start.
pub async fn act(
    events: Events,
    store: Store,
    mut firings: mpsc::UnboundedReceiver<Firing>,
    stopping: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let firing = tokio::select! {
            () = stopping.cancelled() => return,
            firing = firings.recv() => firing,
        };
        let Some(firing) = firing else { return };
        // Whoever waits asks for it.
        let Some(action) = firing.action.clone() else {
            continue;
        };
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        let (events, store, until) = (events.clone(), store.clone(), stopping.clone());
        tokio::spawn(async move {
            let _seat = seat;
            let doing = insist(&store, &action, &firing);
            let Some(done) = until.run_until_cancelled(doing).await else {
                return;
            };
            if let Err(reason) = &done {
                tracing::warn!(firing = %firing.id, reason, "an action is given up");
            }
            if let Err(error) = events.done(&firing.id, done.err()).await {
                tracing::warn!(firing = %firing.id, %error, "an action may be done again");
            }
        });
    }
}

/// Tries until it is done; why it is given up.
async fn insist(store: &Store, action: &Action, firing: &Firing) -> Result<(), String> {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        match once(store, action, firing).await {
            Ok(()) => return Ok(()),
            Err((why, is_passing)) => {
                reason = why;
                if !is_passing {
                    break;
                }
            }
        }
        tokio::time::sleep(backoff.delay()).await;
    }
    Err(reason)
}

/// Tries once; why it failed, and whether that may pass.
async fn once(store: &Store, action: &Action, firing: &Firing) -> Result<(), (String, bool)> {
    match action {
        Action::Log { text } => {
            let appender = store.appender();
            let appended = appender.append(vec![entry(firing, text.as_deref())]).await;
            let appended = appended.map(|_| ());
            appended.map_err(|error| (error.to_string(), true))
        }
        Action::Webhook { url, secret } => {
            let body =
                serde_json::to_vec(&firing.events).map_err(|error| (error.to_string(), false))?;
            let mut headers = BTreeMap::from([(ID.to_owned(), firing.id.clone())]);
            if let Some(secret) = secret {
                headers.insert(SIGNATURE.to_owned(), signature(secret, &body));
            }
            let shipper = Shipper::new(url, "/", None, &headers, PATIENCE)
                .map_err(|error| (error.to_string(), false))?;
            let sent = shipper.ship(body, BATCH, None).await.map(|_| ());
            sent.map_err(|error| (error.to_string(), error.is_passing()))
        }
    }
}

/// A firing as an entry: which events, and their attributes as fields.
fn entry(firing: &Firing, text: Option<&str>) -> Entry {
    let kinds: Vec<&str> = firing.events.iter().map(|event| event.kind()).collect();
    let events = serde_json::to_value(&firing.events).unwrap_or_default();
    let mut entry = Entry {
        time: Time(firing.at),
        level: Level::Warn,
        text: text.map_or_else(|| format!("events: {}", kinds.join(", ")), str::to_owned),
        source: Some("events".to_owned()),
        ..Entry::default()
    };
    entry.scope.namespace.clone_from(&firing.namespace);
    let fields = [
        ("firing", firing.id.as_str().into()),
        ("listener", firing.listener.to_string().into()),
        ("events", events),
    ];
    for (name, value) in fields {
        entry.fields.insert(name.to_owned(), value);
    }
    entry
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes());
    let mut mac = mac.unwrap_or_else(|_| unreachable!("keys are of any length"));
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}
