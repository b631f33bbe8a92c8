//! `tailwater ingest`

use std::io::{IsTerminal, Read};
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::api::Rejection;
use crate::backend::Backend;
use crate::base::units::grouped;
use crate::base::{Backoff, Time};
use crate::cli::args::{Ingest as Args, Kind};
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::client::{Client, Ingest};
use crate::config::{LogFormat, Settings};
use crate::entry::decode::Defaults;
use crate::entry::{Entry, json};
use crate::files::read_stream;

/// Entries sent together.
const BATCH: usize = 2_000;
/// Estimated bytes sent together: long lines make small batches.
const BATCH_BYTES: usize = 8 << 20;
/// Tries of a batch before giving up: about a minute.
const TRIES: u32 = 12;

pub(in crate::cli) async fn run(settings: &Settings, args: &Args) -> Result<Verdict, Error> {
    own_log::to_stderr(settings, LogFormat::Text);
    let opened = Opened::from(settings, &[], &Kind::default()).await?;
    let namespace = settings.namespace.as_deref().unwrap_or("default");
    let stdin = [std::path::PathBuf::from("-")];
    let files = if args.files.is_empty() {
        stdin.as_slice()
    } else {
        &args.files
    };
    let progress = bar(files);
    let mut accepted = 0;
    let mut outcome = Ok(());
    for path in files {
        let (sender, mut batches) = mpsc::channel(4);
        read(path, namespace, sender, &progress)?;
        while let Some(batch) = batches.recv().await {
            match deliver(&opened.backend, batch).await {
                Ok(count) => accepted += count,
                Err(error) => outcome = Err(error),
            }
            progress.set_message(format!("{} entries", grouped(accepted)));
            if outcome.is_err() {
                break;
            }
        }
    }
    progress.finish_and_clear();
    opened.close().await;
    eprintln!("{} entries accepted", grouped(accepted));
    outcome?;
    Ok(if accepted > 0 {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

/// Reads one file, or standard input, on a thread of its own.
fn read(
    path: &Path,
    namespace: &str,
    sender: mpsc::Sender<Vec<Entry>>,
    progress: &ProgressBar,
) -> Result<(), Error> {
    let name = path.display().to_string();
    let stream: Box<dyn Read + Send> = if name == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?)
    };
    let source = Some(if name == "-" {
        "stdin".to_owned()
    } else {
        name
    });
    let defaults = Defaults {
        namespace: namespace.to_owned(),
        source,
        ..Defaults::at(Time::now())
    };
    let stream = progress.wrap_read(stream);
    std::thread::spawn(move || {
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        read_stream(stream, &defaults, |batch| {
            let paused = batch.is_empty();
            for entry in batch {
                bytes += entry.weight();
                waiting.push(entry);
                if waiting.len() >= BATCH || bytes >= BATCH_BYTES {
                    send(&sender, &mut waiting, &mut bytes)?;
                }
            }
            if paused && !waiting.is_empty() {
                send(&sender, &mut waiting, &mut bytes)?;
            }
            ControlFlow::Continue(())
        });
        if !waiting.is_empty() {
            let _ = sender.blocking_send(waiting);
        }
    });
    Ok(())
}

fn send(
    sender: &mpsc::Sender<Vec<Entry>>,
    waiting: &mut Vec<Entry>,
    bytes: &mut usize,
) -> ControlFlow<()> {
    *bytes = 0;
    match sender.blocking_send(std::mem::take(waiting)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Gives a batch to the log; how many entries were accepted.
async fn deliver(backend: &Backend, batch: Vec<Entry>) -> Result<u64, Error> {
    match backend {
        Backend::Store(store) => {
            let range = store.appender().append(batch).await?;
            Ok(range.end - range.start)
        }
        Backend::Remote(client) => push(client, &batch).await,
        Backend::Merged(_) => Err(Error::Said(
            "several logs take nothing together: name the one that entries go to".to_owned(),
        )),
        Backend::Copied(_) => Err(Error::Said(
            "lines are pushed into a stream with tailwater stream push".to_owned(),
        )),
        Backend::Files(_) => Err(Error::Said(
            "plain files are only read: name a service, or a data directory".to_owned(),
        )),
        Backend::Directory(_) => Err(Error::Said(
            "a directory of binary logs takes nothing but from its own loggers".to_owned(),
        )),
        Backend::Mirror(_) => Err(Error::Said(
            "a Direktiv takes lines from its own containers only".to_owned(),
        )),
    }
}

/// Pushes a batch, patiently: a service that is away or behind is asked again.
async fn push(client: &Client, batch: &[Entry]) -> Result<u64, Error> {
    let mut backoff = Backoff::new(
        std::time::Duration::from_millis(250),
        std::time::Duration::from_secs(8),
    );
    let lines: Vec<String> = batch
        .iter()
        .map(|entry| json::to_line(entry) + "\n")
        .collect();
    let (mut tries, mut done) = (0, 0);
    // Lines are accepted in their order: after a part of them the rest is sent.
    while let Some(rest) = lines.get(done..).filter(|rest| !rest.is_empty()) {
        tries += 1;
        let body = Ingest::Ndjson(rest.concat().into_bytes());
        let error = match client.ingest(None, body).await {
            Ok(answer) => {
                let is_line = |rejection: &&Rejection| rejection.line > 0;
                let rejected: Vec<_> = answer.rejected.iter().filter(is_line).collect();
                for rejection in rejected.iter().take(3) {
                    tracing::warn!("rejected: {}", rejection.reason);
                }
                let accepted = usize::try_from(answer.accepted).unwrap_or(usize::MAX);
                if accepted.saturating_add(rejected.len()) >= rest.len() || !rejected.is_empty() {
                    return Ok((done as u64).saturating_add(answer.accepted));
                }
                done += accepted;
                let reason = answer.rejected.first().map(|first| first.reason.clone());
                reason.unwrap_or_else(|| "only a part was accepted".to_owned())
            }
            Err(error) if error.is_passing() => {
                if tries >= TRIES {
                    return Err(error.into());
                }
                error.to_string()
            }
            Err(error) => return Err(error.into()),
        };
        if tries >= TRIES {
            return Err(Error::Said(format!(
                "{} of {} lines: {error}",
                done,
                lines.len()
            )));
        }
        let wait = backoff.delay();
        tracing::warn!("{error}; trying again in {:.1} s", wait.as_secs_f32());
        tokio::time::sleep(wait).await;
    }
    Ok(done as u64)
}

fn bar(files: &[std::path::PathBuf]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let total: u64 = files
        .iter()
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum();
    let progress = if total > 0 {
        ProgressBar::new(total)
    } else {
        ProgressBar::new_spinner()
    };
    let template = if total > 0 {
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}  {msg}  {eta} left"
    } else {
        "{spinner} {bytes}  {msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
    progress
}
