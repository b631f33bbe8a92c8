//! `/api/v2/streams`: live streams, opened, pushed, tailed and closed.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query as Params, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tokio_stream::StreamExt;

use crate::api::{
    ErrorAnswer, KeysParams, MAX_LIMIT, OpenParams, PushedAnswer, ServerSentEvent, StreamAnswer,
    StreamPushParams, StreamsAnswer, TailParams,
};
use crate::base::{Time, units};
use crate::blobs::{Key, Prefix};
use crate::entry::bytes::{decode, whole_characters};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::whole;
use crate::service::question::number;
use crate::service::tailing::{self, Reading};
use crate::streams::{Lines, Opening, Overwrite, Pushed, StreamState, Streams};

/// Names in a page when the caller does not say.
const PAGE: usize = 200;
/// Bytes that the name of a push may have.
const MAX_BATCH_BYTES: usize = 128;
/// Bytes of lines that are pushed together.
const PUSH_BYTES: usize = 1 << 20;

/// Open streams, in the order of their names.
#[utoipa::path(
    get,
    path = crate::api::path::STREAMS,
    tag = "streams",
    params(KeysParams),
    responses((status = 200, description = "Those that the token may read", body = StreamsAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<KeysParams>,
) -> Result<Json<StreamsAnswer>, Failure> {
    let (prefix, after, limit) = page(&caller, &params)?;
    let mut states = service
        .streams()?
        .list(&prefix, after.as_ref(), limit + 1)
        .await?;
    let has_more = states.len() > limit;
    states.truncate(limit);
    let next = states.last().filter(|_| has_more);
    let next = next.map(|state| state.key.to_string());
    let streams = states.iter().map(answer).collect();
    Ok(Json(StreamsAnswer { streams, next }))
}

/// What a listing asks for, within what its caller may see.
pub(super) fn page(
    caller: &Caller,
    params: &KeysParams,
) -> Result<(Prefix, Option<Key>, usize), Failure> {
    let prefix = Prefix::parse(params.prefix.as_deref().unwrap_or_default());
    let prefix = prefix.map_err(|error| Failure::invalid(format!("prefix: {error}")))?;
    let after = params.cursor.as_deref().map(Key::parse).transpose();
    let after = after.map_err(|error| Failure::invalid(format!("cursor: {error}")))?;
    let limit = number("limit", params.limit.as_deref(), PAGE, MAX_LIMIT)?;
    Ok((caller.listing(prefix)?, after, limit))
}

/// How a stream stands, as it is told.
fn answer(state: &StreamState) -> StreamAnswer {
    crate::backend::stream_answer(state)
}

/// Opens a stream; one that is open stays as it is.
#[utoipa::path(
    post,
    path = crate::api::path::STREAM,
    tag = "streams",
    params(("key" = String, Path, description = "Its name: segments with slashes between them; the first is the account"), OpenParams),
    responses((status = 200, description = "It is open", body = StreamAnswer), (status = 409, description = "It was closed", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn open(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
    Params(params): Params<OpenParams>,
) -> Result<Json<StreamAnswer>, Failure> {
    let streams = service.streams()?;
    let opening = Opening {
        ttl: params
            .ttl
            .as_deref()
            .map(|text| ttl(streams, text))
            .transpose()?,
        again: params.restart.as_deref() == Some("true"),
    };
    Ok(Json(answer(&streams.begin(&key, opening).await?)))
}

fn ttl(streams: &Streams, text: &str) -> Result<Duration, Failure> {
    let ttl = units::parse_duration(text);
    let ttl = ttl.map_err(|error| Failure::invalid(format!("ttl: {error}")))?;
    let most = streams.options().ttl_most;
    if ttl.is_zero() || ttl > most {
        let most = units::print_duration(most);
        return Err(Failure::invalid(format!(
            "ttl: expected at most {most} and not 0, found {text:?}"
        )));
    }
    Ok(ttl)
}

/// Appends lines: an array of them, one, one a line (`application/x-ndjson`), or words (`text/plain`).
#[utoipa::path(
    put,
    path = crate::api::path::STREAM,
    tag = "streams",
    params(("key" = String, Path, description = "Its name"), StreamPushParams),
    request_body(description = "Lines: {out, pos, time, level, args}; text/plain: words. Taken as they come, when there is no name for the push", content((Vec<serde_json::Value> = "application/json"), (String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 200, description = "Taken", body = PushedAnswer), (status = 404, description = "It is not open", body = ErrorAnswer), (status = 409, description = "It is closed", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn push(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
    Params(params): Params<StreamPushParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PushedAnswer>, Failure> {
    let batch = headers
        .get("idempotency-key")
        .and_then(|name| name.to_str().ok());
    let batch = params
        .batch
        .as_deref()
        .or(batch)
        .filter(|name| !name.is_empty());
    if let Some(name) = batch
        && name.len() > MAX_BATCH_BYTES
    {
        let found = name.len();
        let message = format!("batch: expected at most {MAX_BATCH_BYTES} bytes, found {found}");
        return Err(Failure::invalid(message));
    }
    let pushed = take(&service, &key, &headers, body, batch).await?;
    Ok(Json(pushed))
}

/// Pushes the lines of a body.
pub(in crate::service) async fn take(
    service: &Service,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
    batch: Option<&str>,
) -> Result<PushedAnswer, Failure> {
    let streams = service.streams()?;
    let kind = Kind::of(headers);
    if kind != Kind::Json && batch.is_none() {
        return take_as_it_comes(streams, key, body, kind).await;
    }
    let (bytes, _share) = whole(service, body).await?;
    let mut lines = Lines::bounded(streams.options().line);
    kind.lines(&bytes, &mut lines)?;
    let pushed = streams.push(key, lines, batch).await?;
    Ok(told(pushed))
}

fn told(pushed: Pushed) -> PushedAnswer {
    PushedAnswer {
        accepted: (pushed.last + 1).saturating_sub(pushed.first),
        first: pushed.first,
        last: pushed.last,
        repeated: pushed.is_repeated,
    }
}

/// What a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    JsonLines,
    Words,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().trim_start().to_ascii_lowercase();
        if kind.starts_with("text/plain") {
            Self::Words
        } else if kind.contains("ndjson") || kind.contains("jsonl") {
            Self::JsonLines
        } else {
            Self::Json
        }
    }

    /// The lines of bytes that end where a line does.
    fn lines(self, bytes: &[u8], lines: &mut Lines) -> Result<(), Failure> {
        let text = decode(bytes);
        let now = Time::now();
        let taken = match self {
            Self::Json => lines.push_json(&text, now),
            Self::JsonLines => text
                .lines()
                .try_for_each(|line| lines.push_element(line, now)),
            Self::Words => text
                .split_inclusive('\n')
                .try_for_each(|line| lines.push_words(line, now)),
        };
        taken.map_err(|error| Failure::from(crate::streams::Error::from(error)))
    }
}

/// Pushes lines while their body comes: who reads the stream does not wait for its end.
async fn take_as_it_comes(
    streams: &Streams,
    key: &Key,
    body: Body,
    kind: Kind,
) -> Result<PushedAnswer, Failure> {
    // Said before the first line comes, which may be long.
    let mut all = told(streams.push(key, Lines::default(), None).await?);
    let (mut stream, mut pending) = (body.into_data_stream(), Vec::new());
    let most = PUSH_BYTES.max(streams.options().line);
    loop {
        let chunk = stream.next().await.transpose();
        let chunk = chunk.map_err(Failure::body_broken);
        let is_last = !matches!(chunk, Ok(Some(_)));
        if let Ok(Some(chunk)) = &chunk {
            pending.extend_from_slice(chunk);
        }
        let end = match memchr::memrchr(b'\n', &pending) {
            _ if is_last => pending.len(),
            Some(end) => end + 1,
            // A line without an end is cut where lines are, and not within a character.
            None if kind == Kind::Words && pending.len() > most => whole_characters(&pending),
            None if pending.len() > 2 * most => {
                let message = format!(
                    "after {} lines: a line is longer than {most} bytes",
                    all.accepted
                );
                return Err(Failure::too_large(message));
            }
            None => continue,
        };
        let rest = pending.split_off(end);
        let mut lines = Lines::bounded(streams.options().line);
        kind.lines(&pending, &mut lines)
            .map_err(|failure| failure.after(all.accepted))?;
        pending = rest;
        if !lines.is_empty() {
            let pushed = streams.push(key, lines, None).await;
            let pushed = pushed.map_err(|error| Failure::from(error).after(all.accepted))?;
            all.accepted += told(pushed).accepted;
            all.last = pushed.last;
        }
        if is_last {
            return chunk.map(|_| all);
        }
    }
}

/// Reads a stream: all of it, then what comes; or how it stands.
#[utoipa::path(
    get,
    path = crate::api::path::STREAM,
    tag = "streams",
    params(("key" = String, Path, description = "Its name"), TailParams, ("Last-Event-ID" = Option<String>, Header, description = "The number of the last line that came")),
    responses((status = 200, description = "Lines as events: id is the number, data a line; gap: lines that are gone; end: there will be no more; disconnect: come again", content((ServerSentEvent = "text/event-stream"), (String = "application/x-ndjson"), (String = "text/plain"), (StreamAnswer = "application/json"))), (status = 404, description = "There is no such stream", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn tail(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Extension(key): Extension<Key>,
    Params(params): Params<TailParams>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let streams = service.streams()?;
    if params.info.as_deref().is_some_and(|info| info != "false") {
        let state = streams.state(&key).await?;
        return Ok(Json(answer(&state)).into_response());
    }
    let reading = Reading::of(&params, &headers, Time::now())?;
    let tail = streams.tail(&key, reading.request).await?;
    Ok(tailing::answer(service, caller, &key, tail, reading))
}

/// Closes a stream: its lines are a blob when this is answered. Nobody who reads it is waited for.
#[utoipa::path(
    delete,
    path = crate::api::path::STREAM,
    tag = "streams",
    params(("key" = String, Path, description = "Its name")),
    responses((status = 204, description = "Its blob is durable"), (status = 404, description = "It is not open", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn close(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
) -> Result<StatusCode, Failure> {
    service.streams()?.close(&key, Overwrite::Always).await?;
    Ok(StatusCode::NO_CONTENT)
}
