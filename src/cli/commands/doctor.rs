//! `tailwater doctor`: what would keep the service from working, before it does.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use crate::base::Time;
use crate::base::tls::Tls;
use crate::base::units::grouped;
use crate::blobs::Blobs;
use crate::cli::args::{Doctor, Listing, Serve};
use crate::cli::keeping::blob_options;
use crate::cli::{Error, Verdict};
use crate::client::{self, Client};
use crate::config::{Auth, ServeFile, Settings};
use crate::entry::visible;
use crate::query::{Direction, PageRequest, Query, Start, Ties};
use crate::service::{Listener, Tokens};
use crate::store::{Lock, Store};
use crate::streams::Streams;

/// Less room than this is soon used up.
const LITTLE_ROOM: u64 = 1 << 30;
/// Files the program has open beside its connections.
const OTHER_FILES: u64 = 256;
/// No clock that is right shows an earlier time: 2026-01-01.
const EARLIEST: Time = Time(1_767_225_600_000_000_000);
/// Entries further in the future than this were written by a wrong clock, or are read by one.
const FUTURE: std::time::Duration = std::time::Duration::from_mins(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    /// It works, and may not for long, or not as it should.
    Doubtful,
    Bad,
}

#[derive(Debug)]
struct Finding {
    about: &'static str,
    mark: Mark,
    says: String,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "look",
            Self::Bad => "bad",
        }
    }
}

fn finding(about: &'static str, mark: Mark, says: impl Into<String>) -> Finding {
    let says = says.into();
    Finding { about, mark, says }
}

pub(in crate::cli) async fn run(settings: &Settings, args: &Doctor) -> Result<Verdict, Error> {
    let serve = Serve::default().over(&settings.serve);
    let mut findings = vec![config(settings)];
    findings.extend(data(settings).await);
    findings.push(clock());
    findings.extend(tls(&serve));
    findings.push(access(settings, &serve));
    findings.extend(ports(settings, &serve));
    findings.push(files(&serve));
    findings.extend(kept(settings).await);
    if let Some(url) = &settings.url {
        findings.push(service(settings, url).await);
    }
    print(&findings, args.output).map_err(Error::io("write"))?;
    let is_bad = findings.iter().any(|finding| finding.mark == Mark::Bad);
    Ok(if is_bad {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn print(findings: &[Finding], output: Listing) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    match output {
        Listing::Text => {
            for Finding { about, mark, says } in findings {
                let says = visible(says).text;
                writeln!(out, "{:<5}{about:<15}{says}", mark.word())?;
            }
            Ok(())
        }
        Listing::Json => {
            let rows: Vec<_> = findings
                .iter()
                .map(|of| json!({"about": of.about, "mark": of.mark.word(), "says": of.says}))
                .collect();
            writeln!(out, "{}", json!({"data": rows}))
        }
    }
}

fn config(settings: &Settings) -> Finding {
    // A file that is not understood ended the program before.
    let says = match &settings.file {
        Some(path) => format!("{} is understood", path.display()),
        None => "there is no file: the defaults hold".to_owned(),
    };
    finding("configuration", Mark::Good, says)
}

/// The data directory: whether it can be written, what it holds, and how much room is left.
async fn data(settings: &Settings) -> Vec<Finding> {
    let dir = &settings.data;
    let name = dir.display();
    if !dir.exists() {
        let parent = dir
            .ancestors()
            .find(|dir| dir.exists())
            .unwrap_or(Path::new("/"));
        let says = format!("{name} does not exist yet; it is made at the first start");
        return vec![
            finding("data", Mark::Good, says),
            writable(parent),
            room(parent),
        ];
    }
    let opened = {
        let (dir, options) = (dir.clone(), settings.log.options());
        tokio::task::spawn_blocking(move || Store::open_read_only(&dir, options)).await
    };
    let mut findings = Vec::new();
    match opened {
        Ok(Ok((store, recovery))) => {
            let held = if Lock::is_held(dir) { "in use" } else { "free" };
            let says = format!(
                "{name} is {held} and holds {} entries",
                grouped(store.count())
            );
            findings.push(finding("data", Mark::Good, says));
            for damage in recovery.damage {
                findings.push(finding("data", Mark::Doubtful, damage));
            }
            findings.extend(future(&store));
        }
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let says = format!("{error}{}", cause.unwrap_or_default());
            findings.push(finding("data", Mark::Bad, says));
        }
        Err(_) => findings.push(finding("data", Mark::Bad, "reading it was interrupted")),
    }
    findings.push(writable(dir));
    findings.push(room(dir));
    findings
}

fn future(store: &Store) -> Option<Finding> {
    let now = Time::now();
    let newest = PageRequest {
        query: Query::default(),
        now,
        start: Start::End,
        direction: Direction::Older,
        limit: 1,
        ties: Ties::Split,
    };
    let newest = store.page(&newest).ok()?.entries.pop()?;
    (newest.time > now.later(FUTURE)).then(|| {
        let says = format!("the newest entry is of {}, and now is {now}", newest.time);
        finding("time", Mark::Doubtful, says)
    })
}

fn writable(dir: &Path) -> Finding {
    match tempfile::tempfile_in(dir) {
        Ok(_) => finding(
            "writing",
            Mark::Good,
            format!("{} can be written", dir.display()),
        ),
        Err(error) => {
            let says = format!("{} cannot be written: {error}", dir.display());
            finding("writing", Mark::Bad, says)
        }
    }
}

fn room(dir: &Path) -> Finding {
    match rustix::fs::statvfs(dir) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let mark = if free < LITTLE_ROOM {
                Mark::Doubtful
            } else {
                Mark::Good
            };
            finding(
                "room",
                mark,
                format!("{} MiB are free", grouped(free >> 20)),
            )
        }
        Err(error) => finding(
            "room",
            Mark::Doubtful,
            format!("cannot be asked for: {error}"),
        ),
    }
}

fn clock() -> Finding {
    let now = Time::now();
    if now < EARLIEST {
        return finding("clock", Mark::Bad, format!("{now} is long ago"));
    }
    finding("clock", Mark::Good, now.to_string())
}

fn tls(serve: &ServeFile) -> Option<Finding> {
    let files = match serve.tls() {
        Ok(files) => files?,
        Err(reason) => return Some(finding("TLS", Mark::Bad, reason)),
    };
    Some(match Tls::load(files) {
        Ok(_) => finding("TLS", Mark::Good, "certificate and key fit together"),
        Err(error) => finding("TLS", Mark::Bad, error.to_string()),
    })
}

fn access(settings: &Settings, serve: &ServeFile) -> Finding {
    let beyond = serve.reaches_beyond();
    let guarded = serve.auth == Auth::Always || (serve.auth == Auth::Auto && beyond);
    let tokens = match Tokens::open(&settings.data).and_then(|tokens| tokens.all()) {
        Ok(tokens) => tokens,
        Err(error) => return finding("access", Mark::Bad, error.to_string()),
    };
    let now = Time::now();
    let valid = tokens.iter().filter(|token| !token.is_expired(now)).count();
    match (guarded, valid, beyond) {
        (true, 0, _) => {
            let says = "a token is asked for, and there is none: `tailwater token create`";
            finding("access", Mark::Bad, says)
        }
        (true, ..) => finding(
            "access",
            Mark::Good,
            format!("a token is asked for; {valid} are valid"),
        ),
        (false, _, true) => finding(
            "access",
            Mark::Doubtful,
            "open to everybody who reaches this machine",
        ),
        (false, ..) => finding("access", Mark::Good, "open, to this machine only"),
    }
}

/// Whether the ports are free, or ours.
fn ports(settings: &Settings, serve: &ServeFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for address in std::iter::once(serve.listen).chain(serve.otlp_grpc) {
        let ours = Lock::addresses(&settings.data);
        // Only the first address is published; the other is as likely ours while we run.
        let is_ours = ours.iter().any(|url| url.ends_with(&address.to_string()))
            || serve.otlp_grpc == Some(address);
        findings.push(match Listener::tcp(address) {
            Ok(_) => finding("port", Mark::Good, format!("{address} is free")),
            Err(_) if is_ours && Lock::is_held(&settings.data) => finding(
                "port",
                Mark::Good,
                format!("{address} is served by a running tailwater"),
            ),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                let says = format!("{error}: {}", cause.unwrap_or_default());
                finding("port", Mark::Bad, says)
            }
        });
    }
    findings
}

/// Whether the system allows as many open files as there may be connections.
fn files(serve: &ServeFile) -> Finding {
    let wanted = serve.connections as u64 + OTHER_FILES;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < wanted => {
            let says = format!(
                "{limit} may be open; {} connections want {wanted}",
                serve.connections
            );
            finding("open files", Mark::Doubtful, says)
        }
        _ => finding("open files", Mark::Good, "enough for all connections"),
    }
}

/// Whether the service of the settings answers.
/// The bucket and the Redis that are named: whether they answer. What is kept in the data directory was looked at.
async fn kept(settings: &Settings) -> Vec<Finding> {
    let (blobs, streams) = (blob_options(settings), settings.streams.options());
    let bucket = blobs.s3.as_ref().map(|s3| s3.bucket.clone());
    let redis = streams.redis.is_some();
    let opened = || {
        // Nothing is written there: it stands for a data directory that may not be there yet.
        let spare = tempfile::tempdir().map_err(|error| error.to_string())?;
        let blobs = Blobs::open(blobs, spare.path()).map_err(|error| error.to_string())?;
        let streams = Streams::open(streams, spare.path(), blobs.clone());
        let streams = streams.map_err(|error| error.to_string())?;
        Ok::<_, String>((blobs, streams))
    };
    if bucket.is_none() && !redis {
        return Vec::new();
    }
    let (blobs, streams) = match opened() {
        Ok(opened) => opened,
        Err(reason) => return vec![finding("streams, blobs", Mark::Bad, reason)],
    };
    let mut findings = Vec::new();
    let mut told = |about, name: String, answer: Result<(), String>| {
        findings.push(match answer {
            Ok(()) => finding(about, Mark::Good, format!("{name} answers")),
            Err(reason) => finding(about, Mark::Bad, format!("{name}: {reason}")),
        });
    };
    if let Some(bucket) = bucket {
        let answer = blobs.ping().await.map_err(|error| error.to_string());
        told("blobs", format!("the bucket {bucket}"), answer);
    }
    if redis {
        let answer = streams.ping().await.map_err(|error| error.to_string());
        told("streams", "Redis".to_owned(), answer);
    }
    findings
}

async fn service(settings: &Settings, url: &str) -> Finding {
    let options = client::Options {
        token: settings.token.clone(),
        ..client::Options::default()
    };
    let asked = match Client::new(url, &options) {
        Ok(client) => client.status().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(status) if status.health == "good" || status.health.is_empty() => finding(
            "service",
            Mark::Good,
            format!("{url} answers, version {}", status.version),
        ),
        Ok(status) => finding(
            "service",
            Mark::Bad,
            format!("{url} says {}", status.health),
        ),
        // It may be the very service that is about to start.
        Err(error) => finding("service", Mark::Doubtful, error.to_string()),
    }
}
