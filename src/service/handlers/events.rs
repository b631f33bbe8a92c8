//! `/api/v2/namespaces/{namespace}/events`: events in, and those that were taken.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Params, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::api::{
    BroadcastParams, ErrorAnswer, EventAnswer, EventsAnswer, EventsMeta, EventsParams,
};
use crate::base::{Time, units};
use crate::events::{CloudEvent, EventError, Events, Received};
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::whole;
use crate::service::question::time;
use crate::service::{Service, sse};

/// Events in a page.
const PAGE: usize = 100;
/// Rows of the history that are read together for who follows.
const ROWS: usize = 500;
/// Events that may wait for a slow reader.
const QUEUE: usize = 4;
/// Attributes of binary messages begin so.
const BINARY: &str = "ce-";
/// The attribute that says when an event is due.
const DELAY: &str = "delayuntil";

/// Takes events: one, a batch, or one in headers. All of them are taken, or none.
#[utoipa::path(
    post,
    path = crate::api::path::BROADCAST,
    tag = "events",
    params(("namespace" = String, Path), BroadcastParams),
    request_body(description = "A CloudEvent, or several; or the data of one whose attributes are in the headers ce-*", content((Object = "application/cloudevents+json"), (Vec<Object> = "application/cloudevents-batch+json"), (Object = "application/json"))),
    responses((status = 200, description = "Taken, and safe"), (status = 415, description = "Neither CloudEvents nor JSON", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why; nothing was taken", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn broadcast(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Params(params): Params<BroadcastParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    let events = service.events()?;
    let (bytes, _share) = whole(&service, body).await?;
    let now = Time::now();
    let after = match params.delay.as_deref().map(units::parse_duration) {
        None => None,
        Some(Ok(delay)) => Some(now.later(delay)),
        Some(Err(reason)) => return Err(Failure::invalid(format!("delay: {reason}"))),
    };
    let mut taken = read(&headers, &bytes)?;
    let mut due = after;
    for event in &mut taken {
        // Those of a batch go together: the latest says when.
        if let Some(text) = event.take(DELAY) {
            let text = text.as_str().unwrap_or_default().to_owned();
            due = due.max(Some(time(DELAY, &text, now)?));
        }
    }
    events.broadcast(&namespace, taken, due).await?;
    Ok(StatusCode::OK)
}

/// The events of a body.
fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<CloudEvent>, Failure> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let name = kind.unwrap_or_default().to_ascii_lowercase();
    let refused = |error: EventError| Failure::invalid(error.to_string());
    if !name.starts_with("application/cloudevents") && headers.contains_key("ce-specversion") {
        let attributes = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().strip_prefix(BINARY)?, value.to_str().ok()?))
        });
        let event = CloudEvent::of_headers(attributes, kind, bytes);
        return Ok(vec![event.map_err(refused)?]);
    }
    let parsed = |bytes: &[u8]| -> Result<Value, Failure> {
        serde_json::from_slice(bytes).map_err(|error| Failure::not_json(error.to_string()))
    };
    if name.starts_with("application/cloudevents-batch+json") {
        let Value::Array(all) = parsed(bytes)? else {
            return Err(Failure::invalid("expected an array of events"));
        };
        let events = all.into_iter().map(CloudEvent::of_json);
        return events.collect::<Result<_, _>>().map_err(refused);
    }
    if name.starts_with("application/cloudevents+json") || name.starts_with("application/json") {
        let event = CloudEvent::of_json(parsed(bytes)?);
        return Ok(vec![event.map_err(refused)?]);
    }
    Err(Failure::unknown_kind(
        "application/cloudevents+json, application/cloudevents-batch+json or application/json",
    ))
}

/// Events that were taken, newest first.
#[utoipa::path(
    get,
    path = crate::api::path::EVENTS,
    tag = "events",
    params(("namespace" = String, Path), EventsParams),
    responses((status = 200, description = "A page", body = EventsAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn history(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Params(params): Params<EventsParams>,
) -> Result<Json<EventsAnswer>, Failure> {
    let now = Time::now();
    let bound = |name: &str, text: &Option<String>| match text {
        Some(text) => time(name, text, now).map(Some),
        None => Ok(None),
    };
    let before = [
        bound("before", &params.before)?,
        bound("receivedBefore", &params.received_before)?,
        bound("createdBefore", &params.created_before)?,
    ];
    let before = before.into_iter().flatten().min();
    let after = [
        bound("receivedAfter", &params.received_after)?,
        bound("createdAfter", &params.created_after)?,
    ];
    let after = after.into_iter().flatten().max();
    let mut data: Vec<EventAnswer> = Vec::new();
    let mut previous = None;
    service
        .events()?
        .history(&namespace, u64::MAX, |received| {
            if after.is_some_and(|after| received.at <= after) {
                return false;
            }
            if before.is_some_and(|before| received.at >= before)
                || !is_asked_for(&params, &received)
            {
                return true;
            }
            // Events of one moment are in one page: the next begins before it.
            if data.len() >= PAGE && previous.is_some_and(|previous| received.at < previous) {
                return false;
            }
            previous = Some(received.at);
            data.push(answer(&received));
            true
        })?;
    let meta = EventsMeta {
        previous_page: previous.map(|at| at.to_string()),
        starting_from: now.to_string(),
    };
    Ok(Json(EventsAnswer { meta, data }))
}

fn is_asked_for(params: &EventsParams, received: &Received) -> bool {
    let kind = params.type_contains.as_deref();
    let text = params.event_contains.as_deref();
    kind.is_none_or(|part| received.event.kind().contains(part))
        && text.is_none_or(|part| received.event.to_json().to_string().contains(part))
}

fn answer(received: &Received) -> EventAnswer {
    EventAnswer {
        event: received.event.to_json(),
        namespace: received.namespace.clone(),
        received_at: received.at.to_string(),
        serial_id: received.number,
    }
}

/// One event, by its id.
#[utoipa::path(
    get,
    path = crate::api::path::EVENT,
    tag = "events",
    params(("namespace" = String, Path), ("event" = String, Path, description = "Its id")),
    responses((status = 200, description = "The newest of this id", body = EventAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn one(
    State(service): State<Service>,
    Path((namespace, event)): Path<(String, String)>,
) -> Result<Json<EventAnswer>, Failure> {
    let found = service.events()?.event(&namespace, &event)?;
    Ok(Json(answer(&found)))
}

/// Offers an event to the listeners once more; it stays in the history once.
#[utoipa::path(
    post,
    path = crate::api::path::EVENT_REPLAY,
    tag = "events",
    params(("namespace" = String, Path), ("event" = String, Path, description = "Its id")),
    responses((status = 200, description = "Offered"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn replay(
    State(service): State<Service>,
    Path((namespace, event)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service.events()?.replay(&namespace, &event).await?;
    Ok(StatusCode::OK)
}

/// Events as they are taken; with `Last-Event-ID`, those after that one first.
#[utoipa::path(
    get,
    path = crate::api::path::EVENTS_SUBSCRIBE,
    tag = "events",
    params(("namespace" = String, Path)),
    responses((status = 200, description = "Events: id is the number, data an event as in the history", content_type = "text/event-stream", body = String), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn subscribe(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let events = service.events()?.clone();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let newest = *events.newest().borrow();
    let after = last.and_then(|id| id.parse().ok()).unwrap_or(newest);
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let stopping = service.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = sender.closed() => {}
            () = caller.until_unwelcome(&service) => {}
            () = follow(&events, &namespace, after, &sender) => {}
        }
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

async fn follow(events: &Events, namespace: &str, mut at: u64, sender: &mpsc::Sender<Bytes>) {
    let mut newest = events.newest();
    if sender.send(sse::PING.into()).await.is_err() {
        return;
    }
    loop {
        newest.mark_unchanged();
        let (found, up_to) = match events.newer(namespace, at, ROWS) {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "events cannot be followed");
                return;
            }
        };
        let is_at_end = up_to == at;
        at = up_to;
        let mut text = String::new();
        for received in &found {
            let data = serde_json::to_string(&answer(received)).unwrap_or_default();
            text.push_str(&format!("id: {}\ndata: {data}\n\n", received.number));
        }
        if !text.is_empty() && sender.send(text.into()).await.is_err() {
            return;
        }
        if !is_at_end {
            continue;
        }
        tokio::select! {
            changed = newest.changed() => if changed.is_err() {
                return;
            },
            () = tokio::time::sleep(sse::SILENCE) => {
                if sender.send(sse::PING.into()).await.is_err() {
                    return;
                }
            }
        }
    }
}
