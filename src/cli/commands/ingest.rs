//! `tailwater ingest`

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::api::Rejection;
use crate::backend::{self, Backend};
use crate::base::Backoff;
use crate::base::shutdown::Wishes;
use crate::base::units::{grouped, print_size};
use crate::cli::args::{Ingest as Args, Kind, LineArgs};
use crate::cli::lying::{line_options, not_shown};
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::client::{Client, Ingest};
use crate::config::{LogFormat, Settings};
use crate::entry::{Entry, json};
use crate::files::{self, Drain, LogFiles, Mark, read_stream};

/// Entries sent together.
const BATCH: usize = 2_000;
/// Estimated bytes sent together: long lines make small batches.
const BATCH_BYTES: usize = 8 << 20;
/// How often it is written down how far it came: what was ingested since is ingested twice when the program is killed.
const KEPT: Duration = Duration::from_millis(20);
/// Tries of a batch before giving up: about a minute.
const TRIES: u32 = 12;

pub(in crate::cli) async fn run(settings: &Settings, args: &Args) -> Result<Verdict, Error> {
    own_log::to_stderr(settings, LogFormat::Text);
    let opened = Opened::from(settings, &[], &Kind::default()).await?;
    let progress = bar();
    let stdin = Path::new("-");
    let has_stdin = args.files.is_empty() || args.files.iter().any(|file| file == stdin);
    let files: Vec<PathBuf> = args
        .files
        .iter()
        .filter(|file| *file != stdin)
        .cloned()
        .collect();
    let mut accepted = 0;
    let mut outcome = Ok(None);
    if !files.is_empty() {
        outcome = ingest_files(
            settings,
            &opened,
            files,
            &args.lines,
            &progress,
            &mut accepted,
        )
        .await;
    }
    let (mut outcome, left_out) = match outcome {
        Ok(left_out) => (Ok(()), left_out),
        Err(error) => (Err(error), None),
    };
    if has_stdin && outcome.is_ok() {
        let options = line_options(settings, &args.lines)?;
        outcome = ingest_stdin(&opened, options, &progress, &mut accepted).await;
    }
    progress.finish_and_clear();
    opened.close().await;
    eprintln!("{} entries accepted", grouped(accepted));
    outcome?;
    if let Some(note) = left_out {
        return Err(Error::Said(note));
    }
    Ok(if accepted > 0 {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

/// Reads files with the decoders that explore them; what is left out, if anything is. Where it stops early, or something was
/// left out, the next time goes on.
async fn ingest_files(
    settings: &Settings,
    opened: &Opened,
    files: Vec<PathBuf>,
    lines: &LineArgs,
    progress: &ProgressBar,
    accepted: &mut u64,
) -> Result<Option<String>, Error> {
    let checkpoint = Checkpoint::of(settings, &files);
    let marks = checkpoint.read();
    let options = files::Options {
        cache: None,
        generations: false,
        index: false,
        ..line_options(settings, lines)?
    };
    let files = tokio::task::block_in_place(|| LogFiles::open(&files, options))?;
    let left_out = not_shown(&files.standing());
    let mut drain = files.drain(&marks);
    let (done, _) = drain.progress();
    if done > 0 {
        eprintln!(
            "going on after {} that were ingested before",
            print_size(done)
        );
    }
    progress.set_position(done);
    let (mut taken, mut kept) = (marks, Instant::now());
    let is_ending = ending()?;
    let next = |drain: &mut Drain| tokio::task::block_in_place(|| drain.next_batch());
    while let Some(entries) = next(&mut drain).map_err(backend::Error::from)? {
        let delivered = deliver(&opened.backend, entries).await;
        if delivered.is_ok() {
            taken = drain.marks();
        }
        let is_over = delivered.is_err() || is_ending.load(Ordering::Relaxed);
        if is_over || kept.elapsed() >= KEPT {
            checkpoint.write(&taken);
            kept = Instant::now();
        }
        *accepted += delivered?;
        if is_over {
            eprintln!("stopped; the same command goes on from here");
            return Ok(left_out);
        }
        let (read, of) = drain.progress();
        progress.set_length(of);
        progress.set_position(read);
        progress.set_message(format!("{} entries", grouped(*accepted)));
    }
    if left_out.is_some() {
        checkpoint.write(&taken);
    } else {
        checkpoint.remove();
    }
    Ok(left_out)
}

/// Becomes true when the user wants it to end: at the next batch, so that nothing is ingested twice.
fn ending() -> Result<Arc<AtomicBool>, Error> {
    let is_ending = Arc::new(AtomicBool::new(false));
    let mut wishes = Wishes::listen().map_err(Error::io("wait for signals"))?;
    let told = Arc::clone(&is_ending);
    tokio::spawn(async move {
        wishes.ended().await;
        told.store(true, Ordering::Relaxed);
    });
    Ok(is_ending)
}

async fn ingest_stdin(
    opened: &Opened,
    options: files::Options,
    progress: &ProgressBar,
    accepted: &mut u64,
) -> Result<(), Error> {
    let (sender, mut batches) = mpsc::channel(4);
    read_stdin(options, sender, progress);
    while let Some(batch) = batches.recv().await {
        *accepted += deliver(&opened.backend, batch).await?;
        progress.set_message(format!("{} entries", grouped(*accepted)));
    }
    Ok(())
}

/// How far files were ingested, in the state directory: there while it is not done.
struct Checkpoint(Option<PathBuf>);

impl Checkpoint {
    /// Of these files into the log of the settings.
    fn of(settings: &Settings, files: &[PathBuf]) -> Self {
        let into = settings
            .url
            .clone()
            .unwrap_or_else(|| settings.data.display().to_string());
        let absolute = files
            .iter()
            .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        let names: Vec<String> = absolute.map(|file| file.display().to_string()).collect();
        let sum = crc32c::crc32c(format!("{into}\0{}", names.join("\0")).as_bytes());
        let state = settings.state.as_ref();
        Self(state.map(|state| state.join(format!("ingest-{sum:08x}.json"))))
    }

    fn read(&self) -> Vec<Mark> {
        let text = self.0.as_ref().and_then(|path| std::fs::read(path).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// A place that cannot be kept is no reason to stop.
    fn write(&self, marks: &[Mark]) {
        let Some(path) = &self.0 else { return };
        let written = || -> std::io::Result<()> {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            // A power cut may cost it; syncing it many times a second would cost more.
            let beside = path.with_extension("new");
            std::fs::write(&beside, serde_json::to_vec(marks)?)?;
            std::fs::rename(beside, path)
        };
        if let Err(error) = written() {
            tracing::debug!(%error, "how far it came cannot be kept");
        }
    }

    fn remove(&self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Reads standard input on a thread of its own.
fn read_stdin(options: files::Options, sender: mpsc::Sender<Vec<Entry>>, progress: &ProgressBar) {
    let stream = std::io::stdin();
    let stream = progress.wrap_read(stream);
    std::thread::spawn(move || {
        let (mut waiting, mut bytes) = (Vec::new(), 0);
        read_stream(stream, "stdin", &options, |batch| {
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
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(8));
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

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let progress = ProgressBar::new_spinner();
    let template = "{spinner} {bytes}/{total_bytes} {bytes_per_sec}  {msg}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
    progress
}
