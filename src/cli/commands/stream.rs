//! `tailwater stream` and `tailwater cistream`: live streams at a service.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, Stdin};
use tokio::time::Instant;

use crate::api::{KeysParams, OpenParams, StreamAnswer, TailParams};
use crate::base::units::{grouped, print_size};
use crate::blobs::Key;
use crate::cli::args::{Listing, Name, StreamAction, StreamPush, StreamTailArgs};
use crate::cli::{Error, Verdict, remote};
use crate::client::{Client, PushKind, StreamEvent, StreamLine};
use crate::config::Settings;
use crate::entry::bytes::{restore, whole_characters};
use crate::entry::{Level, ink, visible};

/// Lines that are read are pushed after so long at the latest.
const LATEST: Duration = Duration::from_millis(50);
/// Bytes that are pushed together at the most.
const PUSH_BYTES: usize = 1 << 20;
/// Bytes read together.
const READ_BYTES: usize = 64 << 10;
/// Bytes of a line; what is longer is pushed in pieces.
const LINE_BYTES: usize = 512 << 10;

pub(in crate::cli) async fn run<N: Name>(
    settings: &Settings,
    action: &StreamAction<N>,
) -> Result<Verdict, Error> {
    let client = remote::service(settings).await?;
    match action {
        StreamAction::Open { name, ttl, restart } => {
            let params = OpenParams {
                ttl: ttl.clone(),
                restart: restart.then(|| "true".to_owned()),
            };
            let state = client.open_stream(key(name)?.as_str(), &params).await?;
            eprintln!("{} is open, {} lines", state.key, lines(&state));
            Ok(Verdict::Done)
        }
        StreamAction::Push { name, push } => pushing(&client, &key(name)?, push).await,
        StreamAction::Tail { name, tail } => tailing(&client, &key(name)?, tail).await,
        StreamAction::Close { name } => {
            client.close_stream(key(name)?.as_str()).await?;
            Ok(Verdict::Done)
        }
        StreamAction::Info { prefix, output } => info(&client, prefix, *output).await,
    }
}

pub(super) fn key(name: &impl Name) -> Result<Key, Error> {
    name.key().map_err(|error| Error::Said(error.to_string()))
}

fn lines(state: &StreamAnswer) -> u64 {
    (state.last + 1).saturating_sub(state.first)
}

async fn pushing(client: &Client, key: &Key, push: &StreamPush) -> Result<Verdict, Error> {
    if push.open {
        client
            .open_stream(key.as_str(), &OpenParams::default())
            .await?;
    }
    match push.message.as_deref() {
        Some(message) if message != "-" => {
            let body = if push.json {
                message.to_owned()
            } else {
                one(message, push).to_string()
            };
            client
                .push_lines(key.as_str(), body.into(), PushKind::JsonLines)
                .await?;
        }
        _ => from_input(client, key, push).await?,
    }
    if push.close {
        client.close_stream(key.as_str()).await?;
    }
    Ok(Verdict::Done)
}

/// A message as a line; it ends as lines do.
fn one(message: &str, push: &StreamPush) -> serde_json::Value {
    let end = if message.ends_with('\n') { "" } else { "\n" };
    let mut line = json!({"out": format!("{message}{end}")});
    if let Some(number) = push.line {
        line["pos"] = number.into();
    }
    if let Some(time) = &push.timestamp {
        line["time"] = time
            .parse::<i64>()
            .map_or_else(|_| json!(time), |number| json!(number));
    }
    if let Some(level) = &push.level {
        line["level"] = json!(level);
    }
    line
}

/// Pushes what standard input gives, as it comes.
async fn from_input(client: &Client, key: &Key, push: &StreamPush) -> Result<(), Error> {
    let kind = if push.json {
        PushKind::JsonLines
    } else {
        PushKind::Words
    };
    let mut input = Input {
        stdin: tokio::io::stdin(),
        pending: Vec::new(),
        tee: push.tee,
        has_ended: false,
    };
    while let Some(lines) = input
        .lines()
        .await
        .map_err(Error::io("read standard input"))?
    {
        let lines = if push.level.is_some() {
            levelled(&lines, push).into()
        } else {
            lines.into()
        };
        let kind = if push.level.is_some() {
            PushKind::JsonLines
        } else {
            kind
        };
        client.push_lines(key.as_str(), lines, kind).await?;
    }
    Ok(())
}

/// Lines with what was said of all of them.
fn levelled(lines: &[u8], push: &StreamPush) -> Vec<u8> {
    let text = String::from_utf8_lossy(lines);
    let each = text.split_inclusive('\n');
    each.map(|line| format!("{}\n", one(line, push)))
        .collect::<String>()
        .into_bytes()
}

/// Standard input in lines.
struct Input {
    stdin: Stdin,
    pending: Vec<u8>,
    tee: bool,
    has_ended: bool,
}

impl Input {
    /// The next lines: what came within a moment, together.
    async fn lines(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut latest: Option<Instant> = None;
        loop {
            let end = memchr::memrchr(b'\n', &self.pending).map(|end| end + 1);
            let is_late = latest.is_some_and(|latest| Instant::now() >= latest);
            let is_full = self.pending.len() >= PUSH_BYTES;
            if self.has_ended || is_late || is_full {
                let is_long = self.pending.len() >= LINE_BYTES;
                let end = match end {
                    Some(end) if !self.has_ended => end,
                    _ if self.has_ended => self.pending.len(),
                    _ if is_long => whole_characters(&self.pending),
                    _ => 0,
                };
                let rest = self.pending.split_off(end);
                let lines = std::mem::replace(&mut self.pending, rest);
                if !lines.is_empty() {
                    return Ok(Some(lines));
                }
                if self.has_ended {
                    return Ok(None);
                }
                latest = None;
            }
            if latest.is_none() && end.is_some() {
                latest = Some(Instant::now() + LATEST);
            }
            let mut chunk = vec![0; READ_BYTES];
            let read = self.stdin.read(&mut chunk);
            let count = match latest {
                None => read.await?,
                Some(latest) => match tokio::time::timeout_at(latest, read).await {
                    Ok(read) => read?,
                    Err(_) => continue,
                },
            };
            self.has_ended = count == 0;
            self.pending.extend_from_slice(&chunk[..count]);
            if self.tee {
                let mut out = std::io::stdout();
                out.write_all(&chunk[..count])?;
                out.flush()?;
            }
        }
    }
}

async fn tailing(client: &Client, key: &Key, args: &StreamTailArgs) -> Result<Verdict, Error> {
    let params = TailParams {
        from: args.from.map(|from| from.to_string()),
        tail: args.lines.map(|lines| lines.to_string()),
        since: args.since.clone(),
        level: args.level.clone(),
        query: args.query.clone(),
        follow: args.no_follow.then(|| "false".to_owned()),
        ..TailParams::default()
    };
    let is_terminal = std::io::stdout().is_terminal();
    let mut out = std::io::stdout().lock();
    let mut tail = client.tail_stream(key.as_str(), params);
    let (mut found, mut is_lost) = (false, false);
    while let Some(event) = tail.next().await? {
        match event {
            StreamEvent::Line(_, line) => {
                (found, is_lost) = (true, false);
                print(&mut out, &line, is_terminal).map_err(Error::io("print a line"))?;
            }
            StreamEvent::Gap(first, last) => eprintln!("lines {first} to {last} are gone"),
            StreamEvent::End(reason, last) => {
                if reason == "expired" {
                    eprintln!(
                        "the stream was silent for too long and is closed after {last} lines"
                    );
                }
                break;
            }
            StreamEvent::Lost(reason) => {
                if !std::mem::replace(&mut is_lost, true) {
                    eprintln!("{reason}; trying again");
                }
            }
        }
    }
    Ok(if found {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

/// Prints a line: as it was sent to a pipe; with its own colours, or those of its level, to a terminal.
fn print(out: &mut impl Write, line: &StreamLine, is_terminal: bool) -> std::io::Result<()> {
    let words = &line.out;
    if !is_terminal {
        out.write_all(&restore(words))?;
        if !words.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        return out.flush();
    }
    let level = line
        .level
        .as_deref()
        .and_then(|level| level.parse::<Level>().ok());
    let begin = ink::Ink {
        letters: match level {
            Some(Level::Error | Level::Fatal) => Some(ink::Colour::Indexed(1)),
            Some(Level::Warn) => Some(ink::Colour::Indexed(3)),
            Some(Level::Debug | Level::Trace) => Some(ink::Colour::Indexed(8)),
            Some(Level::Info) | None => None,
        },
        ..ink::Ink::default()
    };
    let (runs, _) = ink::runs(words.trim_end_matches(['\n', '\r']), begin);
    for run in runs {
        let sequence = run.ink.sequence();
        let reset = if sequence.is_empty() { "" } else { "\x1b[0m" };
        write!(out, "{sequence}{}{reset}", visible(run.text).text)?;
    }
    writeln!(out)?;
    out.flush()
}

async fn info(client: &Client, prefix: &str, output: Listing) -> Result<Verdict, Error> {
    let mut params = KeysParams {
        prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
        ..KeysParams::default()
    };
    let mut all = Vec::new();
    loop {
        let page = client.streams(&params).await?;
        all.extend(page.streams);
        params.cursor = page.next;
        if params.cursor.is_none() {
            break;
        }
    }
    let text = match output {
        Listing::Json => {
            let json = serde_json::to_string_pretty(&all);
            json.map_err(|error| Error::Said(error.to_string()))? + "\n"
        }
        Listing::Text => all.iter().map(shown).collect(),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(Error::io("write the list"))?;
    Ok(if all.is_empty() {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn shown(state: &StreamAnswer) -> String {
    let (key, lines) = (visible(&state.key).text, grouped(lines(state)));
    let size = print_size(state.bytes);
    format!(
        "{key}  {lines} lines  {size}  {:.1} lines/s  {} readers  since {}\n",
        state.rate, state.subscribers, state.opened
    )
}
