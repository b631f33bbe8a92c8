//! Events at their limits: `cargo bench --bench events [match|rate]`.
//!
//! - `match`: an event among 10,000 listeners, alone, from its sender to the answer, without a disk behind: the database lies in
//!   memory (`/dev/shm`), so that it is matching and bookkeeping that is measured.
//! - `rate`: events a second over HTTP with 10,000 listeners, in batches and one by one, each safe on the disk before its sender
//!   is answered.
//!
//! By hand, on an otherwise idle machine: the service and whoever asks it share the processors.

#[path = "support/service.rs"]
mod service;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use service::Service;
use tailwater::events::{Action, CloudEvent, ContextFilter, Events, NewListener, Options, Trigger};
use tokio_util::sync::CancellationToken;

const LISTENERS: usize = 10_000;
/// Events that are timed alone.
const EVENTS: usize = 20_000;
/// How long a rate is measured.
const SPAN: Duration = Duration::from_secs(10);
/// Events of a batch.
const BATCH: u64 = 100;

/// The n-th listener of many: a tenth of them wait for one of each of two types.
fn trigger(n: usize) -> &'static str {
    match n % 10 {
        0 => "StartAnd",
        1 => "StartOR",
        _ => "StartSimple",
    }
}

fn types(n: usize, kinds: usize) -> Vec<String> {
    let of = |n: usize| format!("type.{}", n % kinds);
    match n % 10 {
        0 | 1 => vec![of(n), of(n + 1)],
        _ => vec![of(n)],
    }
}

/// Each listener looks at one host of a thousand, as traps do: most events fire nothing.
fn host_of(n: usize, kinds: usize) -> String {
    format!("host-{}", n / kinds % 1_000)
}

fn event(n: usize, kinds: usize) -> Value {
    json!({"specversion": "1.0", "id": n.to_string(), "source": "/bench", "type": format!("type.{}", n % kinds),
        "host": format!("host-{}", n / kinds % 1_000), "data": {"words": "something happened", "n": n}})
}

/// So many of a thousand were no longer than this.
fn permille(sorted: &[Duration], part: usize) -> Duration {
    sorted[(sorted.len() * part / 1_000).min(sorted.len() - 1)]
}

/// Of so many types of events; each listener is for one host in a thousand.
async fn matching(kinds: usize) {
    let dir = tempfile::tempdir_in(Path::new("/dev/shm")).expect("memory");
    let stopping = CancellationToken::new();
    let options = Options::default();
    let (events, mut firings) =
        Events::open(options, dir.path(), stopping.clone()).expect("events");
    for n in 0..LISTENERS {
        let types = types(n, kinds);
        let filters = types.iter().map(|kind| ContextFilter {
            kind: kind.clone(),
            context: [("host".to_owned(), host_of(n, kinds))].into(),
        });
        let new = NewListener {
            namespace: "bench".to_owned(),
            trigger: serde_json::from_value::<Trigger>(trigger(n).into()).expect("a trigger"),
            filters: filters.collect(),
            types,
            lifespan: None,
            action: Some(Action::Log { text: None }),
        };
        events.listen(new).await.expect("a listener");
    }
    let mut times = Vec::with_capacity(EVENTS);
    for n in 0..EVENTS {
        let event = CloudEvent::of_json(event(n, kinds)).expect("an event");
        let began = Instant::now();
        events
            .broadcast("bench", vec![event], None)
            .await
            .expect("taken");
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let mut fired = 0;
    while firings.try_recv().is_ok() {
        fired += 1;
    }
    println!(
        "match, {LISTENERS} listeners of {kinds} types: p50 {:?}, p99 {:?}, p99.9 {:?}, {fired} firings of {EVENTS} events",
        permille(&times, 500),
        permille(&times, 990),
        permille(&times, 999),
    );
    stopping.cancel();
}

fn rate() {
    let service = Service::start();
    let mut connection = service.connect();
    let path = "/api/v2/namespaces/bench/events/listeners";
    for n in 0..LISTENERS {
        let types = types(n, 1_000);
        let filters: Vec<Value> = types
            .iter()
            .map(|kind| json!({"type": kind, "context": {"host": host_of(n, 1_000)}}))
            .collect();
        // Nobody does anything: it is the engine that is measured.
        let form = json!({"triggerType": trigger(n), "listeningForEventTypes": types,
            "eventContextFilters": filters, "action": {"type": "view"}});
        assert_eq!(
            connection.ask("POST", path, form.to_string().as_bytes()),
            201
        );
    }
    for (what, batch, connections) in [("batches of 100", BATCH, 4), ("one by one", 1, 64)] {
        let taken = Arc::new(AtomicU64::new(0));
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let sending: Vec<_> = (0..connections)
            .map(|_| {
                let mut connection = service.connect();
                let (taken, next) = (Arc::clone(&taken), Arc::clone(&next));
                std::thread::spawn(move || {
                    let path = "/api/v2/namespaces/bench/events/broadcast";
                    let kind = "application/cloudevents-batch+json";
                    while began.elapsed() < SPAN {
                        let first = next.fetch_add(batch, Ordering::Relaxed);
                        let events = (first..first + batch).map(|n| {
                            let mut one = event(usize::try_from(n).expect("small"), 1_000);
                            one["source"] = what.into();
                            one
                        });
                        let body = json!(events.collect::<Vec<_>>()).to_string();
                        assert_eq!(connection.ask_as("POST", path, kind, body.as_bytes()), 200);
                        taken.fetch_add(batch, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for one in sending {
            one.join().expect("sent");
        }
        let rate = taken.load(Ordering::Relaxed) / began.elapsed().as_secs().max(1);
        let (now, peak) = service.memory();
        println!("rate, {what}: {rate} events/s, {now} MiB resident, {peak} at the peak");
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| !one.starts_with('-'))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    if is_wanted("match") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        for kinds in [1_000, 10] {
            runtime.block_on(async { tokio::spawn(matching(kinds)).await.expect("measured") });
        }
    }
    if is_wanted("rate") {
        rate();
    }
}
