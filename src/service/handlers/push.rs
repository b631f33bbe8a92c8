//! `POST /api/v2/logs` and `POST /api/v2/namespaces/{namespace}/logs`
//!
//! The body is read as it comes, line by line, in batches: memory does not grow with it. Entries are answered for when
//! they are durable.

use std::collections::VecDeque;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use tokio_stream::StreamExt;

use crate::api::{IngestAnswer, Rejection};
use crate::base::Time;
use crate::entry::decode::{Defaults, Pairs, from_object};
use crate::entry::{Entry, bytes};
use crate::service::Service;
use crate::service::error::Failure;
use crate::store::{self, Pending};

/// A body may have so many bytes.
const MAX_BODY_BYTES: usize = 256 << 20;
/// A line, and a body that is one array, may have so many.
const MAX_LINE_BYTES: usize = 4 << 20;
/// An array or a pretty-printed object is read whole: it may have so many.
const MAX_WHOLE_BYTES: usize = 64 << 20;
/// What Direktiv's sidecar sends is one object.
const MAX_SIDECAR_BYTES: usize = 4 << 20;
/// Entries appended together.
const BATCH: usize = 1_000;
/// Bytes of lines appended together: long lines make small batches.
const BATCH_BYTES: usize = 4 << 20;
/// Batches on their way to the disk while the next is read.
const IN_FLIGHT: usize = 4;
/// Rejections that are told.
const MAX_REJECTIONS: usize = 1_000;

/// Which contract a push to a namespace follows.
#[derive(Debug, Default, Deserialize)]
pub(in crate::service) struct PushParams {
    instance: Option<String>,
}

/// Entries that name their namespaces.
pub(in crate::service) async fn all(
    State(service): State<Service>,
    body: Body,
) -> Result<Response, Failure> {
    push(&service, body, None).await
}

/// Entries of one namespace; with `instance`, one line of Direktiv's sidecar.
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<PushParams>,
    body: Body,
) -> Result<Response, Failure> {
    match params.instance {
        Some(instance) => sidecar(&service, body, &namespace, &instance).await,
        None => push(&service, body, Some(&namespace)).await,
    }
}

async fn push(service: &Service, body: Body, namespace: Option<&str>) -> Result<Response, Failure> {
    let mut intake = Intake::new(service, namespace);
    let outcome = read_lines(body, &mut intake).await;
    let answer = intake.finish().await?;
    match outcome {
        Ok(()) if answer.accepted > 0 || answer.rejected.is_empty() => {
            Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
        }
        Ok(()) => Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response()),
        Err(TooLarge(what)) if answer.accepted > 0 => {
            // What came before the bound is durable and must be told.
            let mut answer = answer;
            answer.rejected.push(Rejection {
                line: 0,
                reason: what,
            });
            Ok((StatusCode::PAYLOAD_TOO_LARGE, Json(answer)).into_response())
        }
        Err(TooLarge(what)) => Err(Failure::too_large(what)),
    }
}

struct TooLarge(String);

/// Feeds the body's lines to the intake; a body that is an array or one pretty-printed object is read whole.
async fn read_lines(body: Body, intake: &mut Intake<'_>) -> Result<(), TooLarge> {
    let mut stream = body.into_data_stream();
    let (mut total, mut rest, mut whole) = (0, Vec::new(), None);
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            // The sender vanished, or what it sent cannot be decompressed: whole lines are taken, the broken one is not.
            Err(error) => {
                intake.line += 1;
                intake.reject(format!("the body ends here: {}", innermost(&error)));
                return Ok(());
            }
        };
        total += chunk.len();
        if total > MAX_BODY_BYTES {
            return Err(TooLarge(format!(
                "the body is longer than {MAX_BODY_BYTES} bytes"
            )));
        }
        rest.extend_from_slice(&chunk);
        let is_whole = *whole.get_or_insert_with(|| {
            rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
        });
        if is_whole {
            if rest.len() > MAX_WHOLE_BYTES {
                return Err(TooLarge(format!(
                    "an array may have {MAX_WHOLE_BYTES} bytes; send lines instead"
                )));
            }
            continue;
        }
        let Some(end) = memchr::memrchr(b'\n', &rest) else {
            if rest.len() > MAX_LINE_BYTES {
                return Err(TooLarge(format!(
                    "line {} is longer than {MAX_LINE_BYTES} bytes",
                    intake.line + 1
                )));
            }
            continue;
        };
        let tail = rest.split_off(end + 1);
        let lines = std::mem::replace(&mut rest, tail);
        if intake.line == 0 && starts_pretty(&lines) {
            whole = Some(true);
            rest.splice(..0, lines);
            continue;
        }
        for line in lines.split(|byte| *byte == b'\n') {
            intake.line(line).await;
        }
    }
    if whole == Some(true) {
        intake.whole(&rest).await;
    } else if !rest.is_empty() {
        intake.line(&rest).await;
    }
    Ok(())
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.last().map(ToString::to_string).unwrap_or_default()
}

/// Whether the first line opens an object that it does not close.
fn starts_pretty(lines: &[u8]) -> bool {
    let first = lines
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default();
    first.trim_ascii().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(first).is_err_and(|error| error.is_eof())
}

/// Collects entries into batches and follows them to the disk.
struct Intake<'s> {
    service: &'s Service,
    namespace: Option<&'s str>,
    defaults: Defaults,
    line: u64,
    batch: Vec<Entry>,
    batch_bytes: usize,
    pending: VecDeque<(u64, Pending)>,
    answer: IngestAnswer,
    failure: Option<store::Error>,
}

impl<'s> Intake<'s> {
    fn new(service: &'s Service, namespace: Option<&'s str>) -> Self {
        let mut defaults = Defaults::at(Time::now());
        if let Some(namespace) = namespace {
            namespace.clone_into(&mut defaults.namespace);
        }
        Self {
            service,
            namespace,
            defaults,
            line: 0,
            batch: Vec::with_capacity(BATCH),
            batch_bytes: 0,
            pending: VecDeque::new(),
            answer: IngestAnswer::default(),
            failure: None,
        }
    }

    async fn line(&mut self, line: &[u8]) {
        self.line += 1;
        if line.trim_ascii().is_empty() {
            return;
        }
        if line.len() > MAX_LINE_BYTES {
            return self.reject(format!("the line is longer than {MAX_LINE_BYTES} bytes"));
        }
        match serde_json::from_str::<Pairs>(&bytes::decode(line)) {
            Ok(object) => self.object(object).await,
            Err(error) => self.reject(format!("expected a JSON object: {error}")),
        }
    }

    async fn whole(&mut self, body: &[u8]) {
        match serde_json::from_str(&bytes::decode(body)) {
            Ok(Value::Array(items)) => {
                for item in items {
                    self.line += 1;
                    self.value(item).await;
                }
            }
            Ok(value) => {
                self.line = 1;
                self.value(value).await;
            }
            Err(error) => {
                self.line = error.line() as u64;
                self.reject(format!("expected JSON: {error}"));
            }
        }
    }

    async fn value(&mut self, value: Value) {
        match value {
            Value::Object(object) => self.object(object.into()).await,
            other => self.reject(format!("expected a JSON object, found {}", kind(&other))),
        }
    }

    async fn object(&mut self, object: Pairs) {
        let entry = from_object(object, &self.defaults);
        if let Some(namespace) = self.namespace
            && entry.scope.namespace != namespace
        {
            return self.reject(format!(
                "the namespace of the path is {namespace:?}, that of the entry {:?}",
                entry.scope.namespace
            ));
        }
        self.batch_bytes += entry.weight();
        self.batch.push(entry);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.submit().await;
        }
    }

    fn reject(&mut self, reason: String) {
        if self.answer.rejected.len() < MAX_REJECTIONS {
            self.answer.rejected.push(Rejection {
                line: self.line,
                reason,
            });
        }
    }

    async fn submit(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.batch_bytes = 0;
        let count = batch.len() as u64;
        let appender = self.service.appender.clone();
        // Handing over waits while the log is behind: the sender feels it.
        match tokio::task::spawn_blocking(move || appender.submit(batch)).await {
            Ok(pending) => self.pending.push_back((count, pending)),
            Err(_) => self.failure = Some(store::Error::Closed),
        }
        while self.pending.len() > IN_FLIGHT {
            self.settle().await;
        }
    }

    async fn settle(&mut self) {
        if let Some((count, pending)) = self.pending.pop_front() {
            match pending.done().await {
                Ok(_) => self.answer.accepted += count,
                Err(error) => self.failure = Some(error),
            }
        }
    }

    /// Waits until everything is durable. A failing log is a failure only when nothing was accepted; otherwise the
    /// answer says how much was.
    async fn finish(mut self) -> Result<IngestAnswer, Failure> {
        if !self.batch.is_empty() {
            self.submit().await;
        }
        while !self.pending.is_empty() {
            self.settle().await;
        }
        match self.failure {
            Some(error) if self.answer.accepted == 0 => Err(error.into()),
            Some(error) => {
                let reason = format!(
                    "only the first {} entries were accepted: {error}",
                    self.answer.accepted
                );
                self.answer.rejected.push(Rejection { line: 0, reason });
                Ok(self.answer)
            }
            None => Ok(self.answer),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Direktiv's sidecar: one object with a track, answered with an empty 200.
async fn sidecar(
    service: &Service,
    body: Body,
    namespace: &str,
    instance: &str,
) -> Result<Response, Failure> {
    let body = axum::body::to_bytes(body, MAX_SIDECAR_BYTES)
        .await
        .map_err(|_| Failure::too_large(format!("a line may have {MAX_SIDECAR_BYTES} bytes")))?;
    let text = bytes::decode(&body);
    let Ok(Value::Object(mut object)) = serde_json::from_str(&text) else {
        return Err(Failure::not_json("expected one JSON object"));
    };
    if !object.contains_key("track") {
        return Err(Failure::bad_request("bad request missing 'track' field"));
    }
    if object.get("namespace").and_then(Value::as_str) != Some(namespace) {
        return Err(Failure::bad_request(
            "bad request invalid or mismatched namespace",
        ));
    }
    if !object.get("msg").is_some_and(Value::is_string) {
        return Err(Failure::bad_request(
            "bad request missing or invalid 'msg' field",
        ));
    }
    object
        .entry("instance")
        .or_insert_with(|| Value::String(instance.to_owned()));
    let entry = from_object(
        object,
        &Defaults {
            namespace: namespace.to_owned(),
            ..Defaults::at(Time::now())
        },
    );
    service.appender.append(vec![entry]).await?;
    Ok(StatusCode::OK.into_response())
}
