//! `/api/v2/namespaces/{namespace}/events`: events in, and those that were taken.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query as Params, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::api::{
    BroadcastParams, Data, DeadAnswer, ErrorAnswer, EventAnswer, EventsAnswer, EventsParams,
    ServerSentEvent,
};
use crate::backend::{EventsAsked, event_answer, event_page, firing_answer, firings_after};
use crate::base::{Time, units};
use crate::events::{CloudEvent, EventError};
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::whole;
use crate::service::question::time;
use crate::service::{Service, sse};

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
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    Params(params): Params<EventsParams>,
) -> Result<Json<EventsAnswer>, Failure> {
    page(&service, &caller, Some(&namespace), &params)
}

/// Events of every namespace that were taken, newest first.
#[utoipa::path(
    get,
    path = crate::api::path::ALL_EVENTS,
    tag = "events",
    params(EventsParams),
    responses((status = 200, description = "A page, of the namespaces that the token is for", body = EventsAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<EventsParams>,
) -> Result<Json<EventsAnswer>, Failure> {
    page(&service, &caller, None, &params)
}

fn page(
    service: &Service,
    caller: &Caller,
    namespace: Option<&str>,
    params: &EventsParams,
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
    let after = [
        bound("receivedAfter", &params.received_after)?,
        bound("createdAfter", &params.created_after)?,
    ];
    let asked = EventsAsked {
        namespace,
        before: before.into_iter().flatten().min(),
        after: after.into_iter().flatten().max(),
        kind: params.type_contains.as_deref(),
        text: params.event_contains.as_deref(),
    };
    let may_read = |namespace: &str| caller.may_read(namespace);
    Ok(Json(event_page(service.events()?, asked, now, may_read)?))
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
    Ok(Json(event_answer(&found)))
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
    responses((status = 200, description = "Events: id is the number, data an event as in the history", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn subscribe(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let events = service.events()?.clone();
    let after = last_id(&headers).unwrap_or(*events.newest().borrow());
    let (sender, receiver) = mpsc::channel(QUEUE);
    let told = sender.clone();
    sse::send_while_wanted(service, caller, sender, async move {
        let read = |at| match events.newer(&namespace, at, ROWS) {
            Ok((found, up_to)) => {
                let told = found.iter().map(|received| {
                    let data = serde_json::to_string(&event_answer(received));
                    frame(received.number, &data.unwrap_or_default())
                });
                Some((told.collect(), up_to))
            }
            Err(error) => {
                tracing::warn!(%error, "events cannot be followed");
                None
            }
        };
        follow(events.newest(), after, &told, read).await;
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

/// Firings as they come, of the namespaces that the token is for; with `Last-Event-ID`, those after that one first, as far
/// as they are remembered.
#[utoipa::path(
    get,
    path = crate::api::path::FIRINGS,
    tag = "events",
    responses((status = 200, description = "Events: id is a number of this life of the service, data a Firing", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn firings(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let events = service.events()?.clone();
    let newest = events.newest_firing();
    let after = last_id(&headers).unwrap_or(*newest.borrow());
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (told, reader) = (sender.clone(), caller.clone());
    sse::send_while_wanted(service, caller, sender, async move {
        let read = |at| {
            let (found, up_to) = firings_after(&events, at, |namespace| reader.may_read(namespace));
            let first = up_to - found.len() as u64 + 1;
            let told = found.iter().zip(first..).map(|(firing, number)| {
                let data = serde_json::to_string(firing);
                frame(number, &data.unwrap_or_default())
            });
            Some((told.collect(), up_to))
        };
        follow(newest, after, &told, read).await;
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

fn last_id(headers: &HeaderMap) -> Option<u64> {
    let last = headers.get("last-event-id")?;
    last.to_str().ok()?.parse().ok()
}

fn frame(id: u64, data: &str) -> String {
    format!("id: {id}\ndata: {data}\n\n")
}

/// Sends what was read after a number, and then again whenever there is something newer.
async fn follow(
    mut newest: watch::Receiver<u64>,
    mut at: u64,
    sender: &mpsc::Sender<Bytes>,
    read: impl Fn(u64) -> Option<(String, u64)>,
) {
    if sender.send(sse::PING.into()).await.is_err() {
        return;
    }
    loop {
        newest.mark_unchanged();
        let Some((text, up_to)) = read(at) else {
            return;
        };
        let is_at_end = up_to == at;
        at = up_to;
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

/// Firings of a namespace whose actions failed for good.
#[utoipa::path(
    get,
    path = crate::api::path::DEAD_LETTERS,
    tag = "events",
    params(("namespace" = String, Path)),
    responses((status = 200, description = "All of them", body = Data<Vec<DeadAnswer>>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn dead(
    State(service): State<Service>,
    Path(namespace): Path<String>,
) -> Result<Json<Data<Vec<DeadAnswer>>>, Failure> {
    let letters = service.events()?.dead(&namespace)?;
    let told = letters.iter().map(|letter| DeadAnswer {
        firing: firing_answer(&letter.firing),
        reason: letter.reason.clone(),
        at: Time(letter.at).to_string(),
    });
    Ok(Json(Data {
        data: told.collect(),
    }))
}

/// Tries the action of a dead letter again.
#[utoipa::path(
    post,
    path = crate::api::path::DEAD_LETTER,
    tag = "events",
    params(("namespace" = String, Path), ("firing" = String, Path, description = "Its id")),
    responses((status = 202, description = "It will be tried"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn revive(
    State(service): State<Service>,
    Path((namespace, firing)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service.events()?.bury(&namespace, &firing, true).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Forgets a dead letter.
#[utoipa::path(
    delete,
    path = crate::api::path::DEAD_LETTER,
    tag = "events",
    params(("namespace" = String, Path), ("firing" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn forget(
    State(service): State<Service>,
    Path((namespace, firing)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service.events()?.bury(&namespace, &firing, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
