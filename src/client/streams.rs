//! Live streams of a service.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use reqwest_eventsource::retry::Never;
use reqwest_eventsource::{Event, EventSource};
use serde::Deserialize;

use super::{Client, Error};
use crate::api::path::{self, key as escaped};
use crate::api::{KeysParams, OpenParams, PushedAnswer, StreamAnswer, StreamsAnswer, TailParams};
use crate::base::Backoff;

/// First and longest wait before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));
/// How long is tried what fails in passing.
const PATIENCE: Duration = Duration::from_mins(1);

/// What lines are when they are pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushKind {
    /// Words, a line each.
    Words,
    /// JSON objects, a line each.
    JsonLines,
}

impl Client {
    fn stream(&self, method: Method, key: &str) -> reqwest::RequestBuilder {
        self.asking(method, &path::STREAM.replace("{*key}", &escaped(key)))
    }

    /// Opens a stream; tried again for a minute.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn open_stream(&self, key: &str, params: &OpenParams) -> Result<StreamAnswer, Error> {
        self.insisting(|| self.stream(Method::POST, key).query(params))
            .await
    }

    /// Pushes lines; tried again for a minute under one name, so that they are never taken twice.
    ///
    /// # Errors
    /// They are refused, or nobody answers.
    pub async fn push_lines(
        &self,
        key: &str,
        lines: bytes::Bytes,
        kind: PushKind,
    ) -> Result<PushedAnswer, Error> {
        let batch = uuid::Uuid::new_v4().to_string();
        let kind = match kind {
            PushKind::Words => "text/plain",
            PushKind::JsonLines => "application/x-ndjson",
        };
        self.insisting(|| {
            self.stream(Method::PUT, key)
                .header("idempotency-key", &batch)
                .header(CONTENT_TYPE, kind)
                .body(lines.clone())
        })
        .await
    }

    /// Closes a stream: it is a blob when this returns.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn close_stream(&self, key: &str) -> Result<(), Error> {
        let request = self.stream(Method::DELETE, key);
        self.send(request).await.map(|_| ())
    }

    /// How a stream stands.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn stream_state(&self, key: &str) -> Result<StreamAnswer, Error> {
        let params = TailParams {
            info: Some("true".to_owned()),
            ..TailParams::default()
        };
        self.get(&path::STREAM.replace("{*key}", &escaped(key)), &params)
            .await
    }

    /// A page of open streams.
    ///
    /// # Errors
    /// It is refused, or nobody answers.
    pub async fn streams(&self, params: &KeysParams) -> Result<StreamsAnswer, Error> {
        self.get(path::STREAMS, params).await
    }

    /// Sends until it is answered, as long as what fails may pass.
    pub(super) async fn insisting<T: serde::de::DeserializeOwned>(
        &self,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<T, Error> {
        let began = tokio::time::Instant::now();
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match self.ask(request()).await {
                Err(error) if error.is_passing() && began.elapsed() < PATIENCE => {
                    let wait = error.retry_after().unwrap_or_default().max(backoff.delay());
                    tokio::time::sleep(wait.min(RETRY.1)).await;
                }
                other => return other,
            }
        }
    }

    /// Reads a stream, and goes on reading when the connection is lost.
    #[must_use]
    pub fn tail_stream(&self, key: &str, params: TailParams) -> StreamTail {
        StreamTail {
            client: self.clone(),
            path: path::STREAM.replace("{*key}", &escaped(key)),
            params,
            at: None,
            source: None,
            backoff: Backoff::new(RETRY.0, RETRY.1),
        }
    }
}

/// A reader of a stream.
pub struct StreamTail {
    client: Client,
    path: String,
    params: TailParams,
    /// The number of the last line that came.
    at: Option<u64>,
    source: Option<EventSource>,
    backoff: Backoff,
}

impl std::fmt::Debug for StreamTail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamTail")
            .field("path", &self.path)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What comes out of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A line with its number.
    Line(u64, StreamLine),
    /// Lines that are gone: the first and the last.
    Gap(u64, u64),
    /// There are no more: why, and the number of the last.
    End(String, u64),
    /// The connection is lost; another is tried.
    Lost(String),
}

/// A line of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StreamLine {
    /// How severe it is, if that was said.
    #[serde(default)]
    pub level: Option<String>,
    /// The producer's own number.
    #[serde(default)]
    pub pos: Option<i64>,
    /// Its words.
    #[serde(default)]
    pub out: String,
    /// When it was written, as it was sent.
    #[serde(default)]
    pub time: serde_json::Value,
    /// What else was said.
    #[serde(default)]
    pub args: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct GapForm {
    first: u64,
    last: u64,
}

#[derive(Deserialize)]
struct EndForm {
    reason: String,
    last: u64,
}

impl StreamTail {
    /// What comes next; nothing after the end. Safe to drop and call again.
    ///
    /// # Errors
    /// There is no such stream, or it is refused.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>, Error> {
        loop {
            let source = match &mut self.source {
                Some(source) => source,
                none => none.insert(connect(&self.client, &self.path, &self.params, self.at)?),
            };
            let event = match source.next().await {
                Some(Ok(Event::Open)) => continue,
                Some(Ok(Event::Message(message))) => message,
                // What is not followed ends where it ends.
                Some(Err(reqwest_eventsource::Error::StreamEnded)) | None
                    if self.params.follow.as_deref() == Some("false") =>
                {
                    return Ok(None);
                }
                Some(Err(error)) => {
                    let error = super::feed::explain(&self.client, error).await;
                    return self.lost(error).await;
                }
                None => {
                    let reason = "the stream ended".to_owned();
                    let url = self.client.name().to_owned();
                    return self.lost(Error::Unreachable { url, reason }).await;
                }
            };
            self.backoff.reset();
            match event.event.as_str() {
                "message" | "" => {
                    let number = event.id.parse().unwrap_or(0);
                    self.at = Some(number);
                    let line = serde_json::from_str(&event.data).unwrap_or_default();
                    return Ok(Some(StreamEvent::Line(number, line)));
                }
                "gap" => {
                    if let Ok(gap) = serde_json::from_str::<GapForm>(&event.data) {
                        self.at = Some(gap.last);
                        return Ok(Some(StreamEvent::Gap(gap.first, gap.last)));
                    }
                }
                "end" => {
                    let end = serde_json::from_str(&event.data).unwrap_or(EndForm {
                        reason: String::new(),
                        last: 0,
                    });
                    self.params.follow = Some("false".to_owned());
                    return Ok(Some(StreamEvent::End(end.reason, end.last)));
                }
                // The service goes away, the stream does not.
                _ => {}
            }
        }
    }

    async fn lost(&mut self, error: Error) -> Result<Option<StreamEvent>, Error> {
        self.source = None;
        if !error.is_passing() {
            return Err(error);
        }
        tokio::time::sleep(self.backoff.delay()).await;
        Ok(Some(StreamEvent::Lost(error.to_string())))
    }
}

fn connect(
    client: &Client,
    path: &str,
    params: &TailParams,
    at: Option<u64>,
) -> Result<EventSource, Error> {
    let mut params = params.clone();
    params.format = Some("sse".to_owned());
    if let Some(at) = at {
        (params.from, params.tail) = (Some((at + 1).to_string()), None);
    }
    let source = EventSource::new(client.request(path, &params));
    let mut source = source.map_err(|error| Error::Unexpected {
        url: client.name().to_owned(),
        reason: error.to_string(),
    })?;
    source.set_retry_policy(Box::new(Never));
    Ok(source)
}
