//! Doing what is to be done about firings: until it is done, or has failed so often that it is given up.

use std::collections::{BTreeMap, HashMap};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::firing::PATIENCE;
use super::{Action, Events, Firing, Program};
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
/// The type of a batch of events.
const BATCH: &str = "application/cloudevents-batch+json";
/// Where a receiver finds what it is called, so that it can tell what it has had, and the signature of the body: `sha256=`
/// and the HMAC-SHA-256 in hexadecimal.
const ID: &str = "x-tailwater-firing";
const SIGNATURE: &str = "x-tailwater-signature";
/// The source of entries that listeners write.
pub(super) const SOURCE: &str = "events";
/// Receivers whose connections are kept.
const MAX_RECEIVERS: usize = 64;
/// How long the last words of a command that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Of what a command says about its failure so much is told.
const MAX_SAID: u64 = 2_000;

/// Does what firings ask for until it is stopped. What is not done then is done after the next start.
pub async fn act(
    events: Events,
    store: Store,
    mut firings: mpsc::UnboundedReceiver<Firing>,
    stopping: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let actor = Arc::new(Actor {
        commands: events.commands().clone(),
        store,
        receivers: Mutex::default(),
    });
    loop {
        let firing = tokio::select! {
            () = stopping.cancelled() => return,
            firing = firings.recv() => firing,
        };
        let Some(firing) = firing else { return };
        // Whoever waits asks for it, and whoever looks on was told.
        let Some(action) = firing.action.clone() else {
            continue;
        };
        if matches!(action, Action::View { .. }) {
            continue;
        }
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        let (events, actor, until) = (events.clone(), Arc::clone(&actor), stopping.clone());
        tokio::spawn(async move {
            let doing = actor.insist(&action, &firing);
            let Some(done) = until.run_until_cancelled(doing).await else {
                return;
            };
            // Others may begin while it is written down.
            drop(seat);
            if let Err(reason) = &done {
                tracing::warn!(firing = %firing.id, reason, "an action is given up");
            }
            if let Err(error) = events.done(&firing.id, done.err()).await {
                tracing::warn!(firing = %firing.id, %error, "an action may be done again");
            }
        });
    }
}

/// Why an action failed, and whether that may pass.
struct Failure {
    reason: String,
    is_passing: bool,
}

impl Failure {
    fn passing(reason: &impl ToString) -> Self {
        Self {
            reason: reason.to_string(),
            is_passing: true,
        }
    }

    fn lasting(reason: &impl ToString) -> Self {
        Self {
            reason: reason.to_string(),
            is_passing: false,
        }
    }
}

/// Who does it.
struct Actor {
    commands: BTreeMap<String, Program>,
    store: Store,
    receivers: Mutex<HashMap<String, Shipper>>,
}

impl Actor {
    /// Tries until it is done; why it is given up.
    async fn insist(&self, action: &Action, firing: &Firing) -> Result<(), String> {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        let mut attempt = 1;
        loop {
            match self.once(action, firing).await {
                Ok(()) => return Ok(()),
                Err(failure) if !failure.is_passing || attempt == ATTEMPTS => {
                    return Err(failure.reason);
                }
                Err(_) => tokio::time::sleep(backoff.delay()).await,
            }
            attempt += 1;
        }
    }

    async fn once(&self, action: &Action, firing: &Firing) -> Result<(), Failure> {
        match action {
            Action::Log { text } => {
                let appender = self.store.appender();
                let appended = appender.append(vec![entry(firing, text.as_deref())]).await;
                appended
                    .map(|_| ())
                    .map_err(|error| Failure::passing(&error))
            }
            Action::Webhook { url, secret } => self.post(url, secret.as_deref(), firing).await,
            Action::Command { name } => match self.commands.get(name) {
                Some(program) => program.run(firing).await,
                None => Err(Failure::lasting(&format!(
                    "[events.commands] of the configuration names no {name:?} any more"
                ))),
            },
            // Whoever looks on was told.
            Action::View { .. } => Ok(()),
        }
    }

    async fn post(&self, url: &str, secret: Option<&str>, firing: &Firing) -> Result<(), Failure> {
        let body = batch(firing)?;
        let mut headers = BTreeMap::from([(ID.to_owned(), firing.id.clone())]);
        if let Some(secret) = secret {
            headers.insert(SIGNATURE.to_owned(), signature(secret, &body));
        }
        let receiver = self.receiver(url)?;
        let receiver = receiver
            .with_headers(&headers)
            .map_err(|error| Failure::lasting(&error))?;
        match receiver.ship(body, BATCH, None).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_passing() => Err(Failure::passing(&error)),
            Err(error) => Err(Failure::lasting(&error)),
        }
    }

    /// Whoever is told over HTTP, by a connection that is kept.
    fn receiver(&self, url: &str) -> Result<Shipper, Failure> {
        let mut known = self
            .receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(shipper) = known.get(url) {
            return Ok(shipper.clone());
        }
        let shipper = Shipper::new(url, "/", None, &BTreeMap::new(), PATIENCE);
        let shipper = shipper.map_err(|error| Failure::lasting(&error))?;
        if known.len() >= MAX_RECEIVERS {
            known.clear();
        }
        known.insert(url.to_owned(), shipper.clone());
        Ok(shipper)
    }
}

impl Program {
    /// Runs once with the events on its standard input; it has failed when it says so by its exit code, or takes too long.
    async fn run(&self, firing: &Firing) -> Result<(), Failure> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::lasting(&"there is no program"));
        };
        let body = batch(firing)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("TAILWATER_FIRING", &firing.id)
            .env("TAILWATER_LISTENER", firing.listener.to_string())
            .env("TAILWATER_NAMESPACE", &firing.namespace)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // What it started itself ends with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::passing(&format!("{program} cannot be started: {error}")))?;
        let group = Group(child.id());
        let (input, output) = (child.stdin.take(), child.stderr.take());
        let feeding = async {
            // A program need not read them.
            if let Some(mut input) = input {
                let _ = input.write_all(&body).await;
            }
        };
        let mut said = Vec::new();
        let hearing = async {
            let Some(mut output) = output else { return };
            let _ = (&mut output).take(MAX_SAID).read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
        };
        let living = async {
            let talking = async { tokio::join!(feeding, hearing) };
            tokio::pin!(talking);
            let ended = tokio::select! {
                ended = child.wait() => ended,
                _ = &mut talking => return child.wait().await,
            };
            // What it left running may keep its output open.
            let _ = tokio::time::timeout(LAST_WORDS, talking).await;
            ended
        };
        let ended = tokio::time::timeout(self.timeout, living).await;
        let reason = match ended {
            Ok(Ok(status)) if status.success() => {
                group.leave();
                return Ok(());
            }
            Ok(Ok(status)) => format!("{program} ended: {status}"),
            Ok(Err(error)) => format!("{program} cannot be waited for: {error}"),
            Err(_) => format!("{program} was ended after {:?}", self.timeout),
        };
        let said = String::from_utf8_lossy(&said);
        Err(Failure::passing(&match said.trim() {
            "" => reason,
            said => format!("{reason}: {said}"),
        }))
    }
}

/// A process and what it started: dropped, all of it ends.
struct Group(Option<u32>);

impl Group {
    /// What was started runs on.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let leader = self.0.and_then(|id| i32::try_from(id).ok());
        if let Some(leader) = leader.and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The events of a firing, as they are sent on.
fn batch(firing: &Firing) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(&firing.events).map_err(|error| Failure::lasting(&error))
}

/// A firing as an entry: which events, and their attributes as fields.
fn entry(firing: &Firing, text: Option<&str>) -> Entry {
    let kinds: Vec<&str> = firing.events.iter().map(|event| event.kind()).collect();
    let events = serde_json::to_value(&firing.events).unwrap_or_default();
    let mut entry = Entry {
        time: Time(firing.at),
        level: Level::Warn,
        text: text.map_or_else(|| format!("events: {}", kinds.join(", ")), str::to_owned),
        source: Some(SOURCE.to_owned()),
        ..Entry::default()
    };
    entry.scope.namespace.clone_from(&firing.namespace);
    entry.scope.trace = firing.trace();
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
