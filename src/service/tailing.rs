//! Sending a live stream to who reads it: as events, as JSON lines, or as text.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::access::Caller;
use super::error::Failure;
use super::question::{selection, time};
use super::{Service, sse};
use crate::api::{ListParams, TailParams};
use crate::base::{Backoff, Time};
use crate::blobs::Key;
use crate::entry::bytes::restore;
use crate::query::{Bound, Expression, Matcher, Query, Term, When};
use crate::streams::{Batch, End, From, Line, Part, Piece, Tail, TailRequest};

/// Pieces that may wait for a slow reader; lines are not held for it.
const QUEUE: usize = 2;
/// Proxies give up on a silent connection after 45 s and more; a third of that is safe.
const SILENCE: Duration = Duration::from_secs(10);
/// Many readers of one stream are not sent every line on its own: this much waiting for each of them, and no more than
/// that in all.
const PAUSE_EACH: Duration = Duration::from_micros(50);
const PAUSE: Duration = Duration::from_millis(50);
/// A pause that is worth a timer.
const LEAST_PAUSE: Duration = Duration::from_millis(1);
/// How long is waited when the place of a stream does not answer.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const MOST_DELAY: Duration = Duration::from_secs(2);
/// When a client comes again, in milliseconds.
const RETRY: u32 = 1_000;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Events, each with its number.
    Events,
    /// Events as clients of the Harness log service know them: after the end there is the one that they wait for.
    HarnessEvents,
    /// A JSON object a line.
    Json,
    /// The words.
    Text,
}

/// Whom lines are for and which of them.
pub(super) struct Reading {
    pub request: TailRequest,
    pub form: Form,
    only: Option<Matcher>,
}

impl Reading {
    /// What the parameters ask for.
    pub fn of(params: &TailParams, headers: &HeaderMap, now: Time) -> Result<Self, Failure> {
        let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let from = match (last_id, &params.from, &params.tail) {
            (Some(id), ..) => From::After(number("Last-Event-ID", id)?),
            (None, Some(from), _) => From::After(number("from", from)?.saturating_sub(1)),
            (None, None, Some(count)) => From::Newest(number("tail", count)?),
            (None, None, None) => From::Oldest,
        };
        let follow = match params.follow.as_deref() {
            None | Some("true" | "1" | "") => true,
            Some("false" | "0") => false,
            Some(other) => return Err(unexpected("follow", "true or false", other)),
        };
        let accepts = headers
            .get(header::ACCEPT)
            .and_then(|kind| kind.to_str().ok());
        let form = match (params.format.as_deref(), accepts.unwrap_or_default()) {
            (Some("sse"), _) => Form::Events,
            (Some("json"), _) => Form::Json,
            (Some("text"), _) => Form::Text,
            (Some(other), _) => return Err(unexpected("format", "sse, json or text", other)),
            (None, kinds) if kinds.contains(sse::EVENTS) => Form::Events,
            (None, kinds) if kinds.contains("json") => Form::Json,
            (None, kinds) if kinds.contains("text/plain") => Form::Text,
            (None, _) => Form::Events,
        };
        Ok(Self {
            request: TailRequest { from, follow },
            form,
            only: only(params, now)?,
        })
    }

    /// All lines, for clients of the Harness log service.
    pub fn harness(headers: &HeaderMap) -> Self {
        let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let last_id = last_id.and_then(|id| id.parse().ok());
        Self {
            request: TailRequest {
                from: last_id.map_or(From::Oldest, From::After),
                follow: true,
            },
            form: Form::HarnessEvents,
            only: None,
        }
    }
}

/// Which lines are asked for; nothing where all are.
fn only(params: &TailParams, now: Time) -> Result<Option<Matcher>, Failure> {
    if params.since.is_none() && params.level.is_none() && params.query.is_none() {
        return Ok(None);
    }
    let asked = ListParams {
        level: params.level.clone(),
        query: params.query.clone(),
        ..ListParams::default()
    };
    let mut parts = vec![selection(&asked, None)?];
    if let Some(since) = &params.since {
        let since = When::At(time("since", since, now)?);
        parts.push(Expression::Term(Term::Time(Bound::Since, since)));
    }
    let query = Query(Expression::all(parts));
    Ok(Some(Matcher::compile(&query, now)))
}

fn number(name: &str, text: &str) -> Result<u64, Failure> {
    let number = text.trim().parse();
    number.map_err(|_| unexpected(name, "a whole number from 0", text))
}

fn unexpected(name: &str, expected: &str, found: &str) -> Failure {
    let found: String = found.chars().take(80).collect();
    Failure::invalid(format!("{name}: expected {expected}, found {found:?}"))
}

/// Sends a stream as it comes.
pub(super) fn answer(
    service: Service,
    caller: Caller,
    key: &Key,
    tail: Tail,
    reading: Reading,
) -> Response {
    let kind = match reading.form {
        Form::Events | Form::HarnessEvents => sse::EVENTS,
        Form::Json => "application/x-ndjson",
        Form::Text => "text/plain; charset=utf-8",
    };
    let (sender, receiver) = mpsc::channel(QUEUE);
    let mut sending = Sending {
        sender,
        tail,
        reading,
        account: key.account().to_owned(),
        stream: key.to_string(),
    };
    tokio::spawn(async move {
        let stopping = service.stopping.clone();
        let gone = sending.sender.clone();
        tokio::select! {
            () = stopping.cancelled() => sending.stopped().await,
            () = gone.closed() => {}
            () = caller.until_unwelcome(&service) => {}
            () = sending.run() => {}
        }
    });
    sse::live(kind, receiver)
}

/// The answer to who reads a stream that there is not, as the Harness log service gives it.
pub(super) fn nothing() -> Response {
    let (sender, receiver) = mpsc::channel(1);
    let frames = format!(": ping\n\n{EOF}");
    // There is room for one.
    let _ = sender.try_send(frames.into());
    sse::live(sse::EVENTS, receiver)
}

/// The end, as clients of the Harness log service know it.
const EOF: &str = "event: error\ndata: eof\n\n";

struct Sending {
    sender: mpsc::Sender<Bytes>,
    tail: Tail,
    reading: Reading,
    account: String,
    stream: String,
}

impl Sending {
    /// Sends until there is no more, or nobody who reads.
    async fn run(&mut self) {
        let form = self.reading.form;
        let hello = match form {
            Form::Events => format!("retry: {RETRY}\n: ping\n\n"),
            Form::HarnessEvents => ": ping\n\n".to_owned(),
            Form::Json | Form::Text => String::new(),
        };
        if !hello.is_empty() && self.sender.send(hello.into()).await.is_err() {
            return;
        }
        let mut backoff = Backoff::new(FIRST_DELAY, MOST_DELAY);
        let mut silent_since = Instant::now();
        loop {
            let next = tokio::select! {
                next = self.tail.next() => next,
                () = tokio::time::sleep_until(silent_since + SILENCE) => {
                    silent_since = Instant::now();
                    if form.has_comments() && self.sender.send(": ping\n\n".into()).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let (bytes, is_over) = match next {
                Ok(Some(piece)) => {
                    backoff.reset();
                    let is_over = matches!(piece, Piece::End(_));
                    (self.written(&piece), is_over)
                }
                Ok(None) => return,
                // The lines are there; whoever reads waits for the place to answer.
                Err(error) if error.is_passing() => {
                    tracing::debug!(stream = %self.stream, %error, "the stream is read again");
                    tokio::time::sleep(backoff.delay()).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(stream = %self.stream, %error, "the stream cannot be read on");
                    return;
                }
            };
            if !bytes.is_empty() {
                if self.sender.send(bytes).await.is_err() {
                    return;
                }
                silent_since = Instant::now();
            }
            if is_over {
                return;
            }
            let readers = u32::try_from(self.tail.readers()).unwrap_or(u32::MAX);
            let pause = PAUSE_EACH.saturating_mul(readers).min(PAUSE);
            if pause >= LEAST_PAUSE {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Says that the service goes away, not the stream.
    async fn stopped(&mut self) {
        if self.reading.form == Form::Events {
            let goodbye = "event: disconnect\ndata: {\"reason\":\"server_shutdown\"}\n\n";
            let _ = self.sender.send(goodbye.into()).await;
        }
    }

    fn written(&self, piece: &Piece) -> Bytes {
        match piece {
            Piece::Lines(parts) => self.lines(parts),
            Piece::Gap(first, last) => gap(self.reading.form, *first, *last),
            Piece::End(end) => ended(self.reading.form, *end),
        }
    }

    fn lines(&self, parts: &[Part]) -> Bytes {
        let form = self.reading.form;
        // What everybody gets is made once.
        let is_shared = self.reading.only.is_none() && form.has_comments();
        let mut all = Vec::new();
        for part in parts {
            if is_shared && part.is_whole() {
                let made = part.batch.shared(events);
                if parts.len() == 1 {
                    return made;
                }
                all.extend_from_slice(&made);
                continue;
            }
            for (number, line) in part.lines() {
                if self.is_asked_for(number, line) {
                    write(form, number, line, &mut all);
                }
            }
        }
        all.into()
    }

    fn is_asked_for(&self, number: u64, line: &[u8]) -> bool {
        self.reading.only.as_ref().is_none_or(|only| {
            let entry = Line::parse(line).entry(&self.account, &self.stream, number);
            only.matches(&entry)
        })
    }
}

impl Form {
    /// Whether it is one of events, which can hold comments.
    fn has_comments(self) -> bool {
        matches!(self, Self::Events | Self::HarnessEvents)
    }
}

fn events(batch: &Batch) -> Bytes {
    let mut frames = Vec::new();
    for (number, line) in batch.after(0) {
        write(Form::Events, number, line, &mut frames);
    }
    frames.into()
}

/// Writes a line; it is a JSON object without line breaks.
fn write(form: Form, number: u64, line: &[u8], out: &mut Vec<u8>) {
    match form {
        Form::Events | Form::HarnessEvents => {
            out.extend_from_slice(b"id: ");
            out.extend_from_slice(number.to_string().as_bytes());
            out.extend_from_slice(b"\ndata: ");
            out.extend_from_slice(line);
            out.extend_from_slice(b"\n\n");
        }
        Form::Json => {
            out.extend_from_slice(format!("{{\"seq\":{number},").as_bytes());
            out.extend_from_slice(line.strip_prefix(b"{").unwrap_or(line));
            out.push(b'\n');
        }
        Form::Text => {
            let words = Line::parse(line).out;
            out.extend_from_slice(&restore(&words));
            if !words.ends_with('\n') {
                out.push(b'\n');
            }
        }
    }
}

fn gap(form: Form, first: u64, last: u64) -> Bytes {
    let missing = last - first + 1;
    let gap = format!("{{\"first\":{first},\"last\":{last},\"missing\":{missing}}}");
    match form {
        Form::Events | Form::HarnessEvents => format!("event: gap\ndata: {gap}\n\n"),
        Form::Json => format!("{{\"gap\":{gap}}}\n"),
        Form::Text => format!("[lines {first} to {last} are gone]\n"),
    }
    .into()
}

fn ended(form: Form, end: End) -> Bytes {
    let (reason, last) = (end.reason.word(), end.last);
    let end = format!("{{\"reason\":\"{reason}\",\"last\":{last}}}");
    match form {
        Form::Events => format!("event: end\ndata: {end}\n\n"),
        Form::HarnessEvents => format!("event: end\ndata: {end}\n\n{EOF}"),
        Form::Json => format!("{{\"end\":{end}}}\n"),
        Form::Text => String::new(),
    }
    .into()
}
