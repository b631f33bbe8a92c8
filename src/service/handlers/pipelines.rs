//! `GET /pipelines`, `GET /{pipeline}/status`, `GET /{pipeline}/stream` and `POST /{pipeline}/ingest`

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Params, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::push::push_into;
use crate::api::{Data, ErrorAnswer, IngestAnswer, ServerSentEvent};
use crate::base::Time;
use crate::pipelines::options::HeartbeatFormat;
use crate::pipelines::{Ending, Follower, Live, LiveChunk, PipelineStatus};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::Intake;
use crate::service::listen::Peer;
use crate::service::sse;

/// Pieces that may wait for a slow client before reading the stream pauses.
const QUEUE: usize = 4;
/// How long a client shall wait before it connects again, in milliseconds.
const RETRY: u64 = 1_000;

/// Where a stream begins.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::service) struct StreamParams {
    /// Go on after this id; 0 begins with the oldest there is. Without it the stream begins now.
    after: Option<String>,
    /// The same.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
}

/// What every pipeline did.
#[utoipa::path(
    get,
    path = crate::api::path::PIPELINES,
    tag = "pipelines",
    responses((status = 200, description = "Pipelines by name", body = Data<Vec<PipelineStatus>>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn list(
    State(service): State<Service>,
) -> Json<Data<Vec<PipelineStatus>>> {
    let data = service.pipelines.status();
    Json(Data { data })
}

/// What a pipeline did.
#[utoipa::path(
    get,
    path = crate::api::path::PIPELINE_STATUS,
    tag = "pipelines",
    params(("pipeline" = String, Path, description = "Its name")),
    responses((status = 200, description = "The pipeline", body = Data<PipelineStatus>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn status(
    State(service): State<Service>,
    Path(name): Path<String>,
) -> Result<Json<Data<PipelineStatus>>, Failure> {
    let status = service.pipelines.status_of(&name);
    let data = status.ok_or_else(|| unknown(&service, &name))?;
    Ok(Json(Data { data }))
}

/// Entries of a pipeline as they come out of it.
#[utoipa::path(
    get,
    path = crate::api::path::PIPELINE_STREAM,
    tag = "pipelines",
    params(("pipeline" = String, Path, description = "Its name"), StreamParams, ("Last-Event-ID" = Option<String>, Header, description = "Go on after this id; goes before the parameter")),
    responses((status = 200, description = "Events: id is the position in the stream, data an entry as the sink writes it; `gap` says what is missing", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn stream(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    peer: Option<Extension<Peer>>,
    Path(name): Path<String>,
    Params(params): Params<StreamParams>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let live = service.pipelines.live(&name);
    let live = live.ok_or_else(|| lacks(&service, &name, "stream (a sink of the type http)"))?;
    // An id of another stream means nothing here: the stream begins now.
    let id = headers.get("last-event-id");
    let id = id
        .and_then(|id| id.to_str().ok())
        .or(params.last_event_id.as_deref());
    let after = params.after.as_deref().map(number).transpose()?;
    let after = id.and_then(|id| id.parse().ok()).or(after);
    let address = peer.and_then(|Extension(Peer(address))| address);
    let follower = live.follow(address, after);
    let follower = follower.map_err(|full| Failure::too_many_streams(&full))?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let stopping = service.stopping.clone().cancelled_owned();
        tokio::select! {
            () = sender.closed() => {}
            () = caller.until_unwelcome(&service) => {}
            () = send(&sender, &name, &live, follower, Box::pin(stopping)) => {}
        }
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

/// Entries for a pipeline.
#[utoipa::path(
    post,
    path = crate::api::path::PIPELINE_INGEST,
    tag = "pipelines",
    params(("pipeline" = String, Path, description = "Its name")),
    request_body(description = "One object, an array, or one object a line; text/plain: a line an entry", content((String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 202, description = "What was accepted is in the buffers of the sinks", body = IngestAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn ingest(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let ingest = service.pipelines.ingest(&name);
    let ingest =
        ingest.ok_or_else(|| lacks(&service, &name, "ingest (a source of the type http)"))?;
    let intake = Intake::new(&service, "pipeline", caller.tenant()).into_pipeline(ingest);
    push_into(&service, &headers, body, intake).await
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| {
        Failure::invalid(format!(
            "after: expected an id, a whole number from 0, found {text:?}"
        ))
    })
}

/// A name that no pipeline has, and those that there are.
fn unknown(service: &Service, name: &str) -> Failure {
    let names = service.pipelines.names();
    Failure::not_found(if names.is_empty() {
        format!("there is no pipeline {name:?}; there are none")
    } else {
        format!(
            "there is no pipeline {name:?}; there are {}",
            names.join(", ")
        )
    })
}

fn lacks(service: &Service, name: &str, what: &str) -> Failure {
    if service.pipelines.names().iter().any(|one| one == name) {
        return Failure::not_found(format!("the pipeline {name:?} has no {what}"));
    }
    unknown(service, name)
}

/// Sends until the client or the stream is gone.
async fn send(
    sender: &mpsc::Sender<Bytes>,
    name: &str,
    live: &Live,
    mut follower: Follower,
    mut stopping: impl Future<Output = ()> + Unpin,
) {
    let (oldest, newest) = live.positions();
    let connected =
        json!({"pipeline": name, "position": follower.at(), "oldest": oldest, "newest": newest});
    let hello = format!("retry: {RETRY}\nevent: connected\ndata: {connected}\n\n");
    if sender.send(hello.into()).await.is_err() {
        return;
    }
    let mut silent_since = Instant::now();
    loop {
        let piece = tokio::select! {
            chunk = follower.next() => frames(&chunk),
            beat = heartbeat(live, silent_since) => beat,
            reason = ended(live, &mut stopping) => {
                // What came before the end is sent before the end is told.
                while follower.at() < live.positions().1 {
                    let chunk = follower.next().await;
                    if sender.send(frames(&chunk)).await.is_err() {
                        return;
                    }
                }
                let goodbye = format!("event: disconnect\ndata: {{\"reason\":\"{reason}\"}}\n\n");
                let _ = sender.send(goodbye.into()).await;
                return;
            }
        };
        if sender.send(piece).await.is_err() {
            return;
        }
        silent_since = Instant::now();
    }
}

async fn ended(live: &Live, stopping: &mut (impl Future<Output = ()> + Unpin)) -> &'static str {
    tokio::select! {
        () = stopping => "server_shutdown",
        ending = live.ended() => match ending {
            Ending::Shutdown => "server_shutdown",
            Ending::Changed => "pipeline_changed",
        },
    }
}

async fn heartbeat(live: &Live, silent_since: Instant) -> Bytes {
    let Some((silence, format)) = live.heartbeat() else {
        return std::future::pending().await;
    };
    tokio::time::sleep_until(silent_since + silence).await;
    let (clients, uptime) = live.clients();
    let (now, uptime) = (Time::now(), uptime.as_secs());
    match format {
        HeartbeatFormat::Comment => {
            format!(": heartbeat {now} clients={clients} uptime={uptime}s\n\n").into()
        }
        HeartbeatFormat::Json => {
            let beat = json!({"type": "heartbeat", "timestamp": now.to_string(), "active_clients": clients, "uptime_seconds": uptime});
            format!("event: heartbeat\ndata: {beat}\n\n").into()
        }
    }
}

fn frames(chunk: &LiveChunk) -> Bytes {
    let size: usize = chunk
        .entries
        .iter()
        .map(|(_, entry)| entry.len() + 40)
        .sum();
    let mut frames = Vec::with_capacity(size + 100);
    if let Some((first, last)) = chunk.missing {
        let gap = json!({"first": first, "last": last, "missing": last - first + 1});
        frames.extend_from_slice(format!("event: gap\ndata: {gap}\n\n").as_bytes());
    }
    for (position, entry) in &chunk.entries {
        frames.extend_from_slice(b"id: ");
        frames.extend_from_slice(position.to_string().as_bytes());
        // A line break of any kind ends a line of an event.
        for line in entry.split(|byte| *byte == b'\n') {
            for line in line.split(|byte| *byte == b'\r') {
                frames.extend_from_slice(b"\ndata: ");
                frames.extend_from_slice(line);
            }
        }
        frames.extend_from_slice(b"\n\n");
    }
    frames.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_framed_whatever_they_hold() {
        let chunk = LiveChunk {
            missing: Some((3, 7)),
            entries: vec![(8, b"{\"msg\":\"a\"}".to_vec()), (9, b"b\nc\r\nd".to_vec())],
        };
        let text = "event: gap\ndata: {\"first\":3,\"last\":7,\"missing\":5}\n\nid: 8\ndata: {\"msg\":\"a\"}\n\nid: 9\ndata: b\ndata: c\ndata: \ndata: d\n\n";
        assert_eq!(frames(&chunk), text);
    }
}
