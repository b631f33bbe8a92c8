//! `GET /api/v2/logs/subscribe` and `GET /api/v2/namespaces/{namespace}/logs/subscribe`
//!
//! Pushed from the append path, read once for all who ask the same. A subscriber holds a position: it can be slow, and
//! nothing grows.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query as Params, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::{ErrorAnswer, ListParams, ServerSentEvent, SubscribeParams};
use crate::base::Time;
use crate::entry::json::Dialect;
use crate::entry::{Entry, Position};
use crate::query::{
    Bound, Direction, Expression, FollowRequest, PageRequest, Query, Start, Term, Ties, When,
};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::frames::Form;
use crate::service::hub::Chunk;
use crate::service::metrics::Metrics;
use crate::service::question::{selection, time};
use crate::service::sse;

/// Proxies give up on a silent connection after 45 s and more; a third of that is safe.
const SILENCE: Duration = Duration::from_secs(10);
/// One newline only: a blank line behind a comment makes Direktiv's command line abort.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n");
/// Without an id to resume from, entries of the last seconds are sent first: Direktiv's UI relies on it to close the
/// gap between its list and its stream.
const BACKFILL: Duration = Duration::from_secs(3);
/// Entries that the backfill sends at the most.
const BACKFILL_LIMIT: usize = 1_000;
/// Chunks that may wait for a slow subscriber before reading the log pauses.
const QUEUE: usize = 4;

/// Entries of every namespace as they arrive.
#[utoipa::path(
    get,
    path = crate::api::path::SUBSCRIBE,
    tag = "logs",
    params(ListParams, ("lastEventId" = Option<String>, Query, description = "Go on after this id"), ("Last-Event-ID" = Option<String>, Header, description = "The same; goes before it")),
    responses((status = 200, description = "Events: id is the position, data an entry", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Params(params): Params<SubscribeParams>,
) -> Result<Response, Failure> {
    subscribe(service, caller, &headers, &params, None).await
}

/// Entries of one namespace as they arrive; it need not exist yet.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_SUBSCRIBE,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), ListParams, ("lastEventId" = Option<String>, Query, description = "Go on after this id"), ("Last-Event-ID" = Option<String>, Header, description = "The same; goes before it")),
    responses((status = 200, description = "Events: id is the position, data an entry", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    headers: HeaderMap,
    Params(params): Params<SubscribeParams>,
) -> Result<Response, Failure> {
    subscribe(service, caller, &headers, &params, Some(namespace)).await
}

async fn subscribe(
    service: Service,
    caller: Caller,
    headers: &HeaderMap,
    params: &SubscribeParams,
    namespace: Option<String>,
) -> Result<Response, Failure> {
    let now = Time::now();
    let mut parts = vec![selection(&params.list, namespace.as_deref())?];
    if let Some(text) = &params.list.after {
        let after = When::At(time("after", text, now)?);
        parts.push(Expression::Term(Term::Time(Bound::After, after)));
    }
    let query = Query(Expression::all(parts));
    let id = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .or(params.last_event_id.as_deref());
    let resumed: Option<Position> = id.and_then(|id| id.parse().ok()).map(Position);
    let dialect = if namespace.is_some() && !params.list.is_full() {
        Dialect::Direktiv
    } else {
        Dialect::Full
    };
    let form = Form {
        dialect,
        cut: !params.list.is_full(),
    };
    let (first, after) = match resumed {
        Some(position) => (Vec::new(), position),
        // Entries of other times are passed over by their summaries: the whole log is not read for it.
        None if params.list.after.is_some() => (Vec::new(), Position(0)),
        None => backfill(&service, &query, now).await?,
    };
    let (sender, receiver) = mpsc::channel(QUEUE);
    let request = FollowRequest { query, now, after };
    let (own, told) = (service.clone(), sender.clone());
    sse::send_while_wanted(service, caller, sender, async move {
        let _counted = Counted::new(&own);
        push(&own, &told, form, &first, request).await;
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

/// A subscription under way, as long as it is held.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(service: &Service) -> Self {
        service.metrics.subscribers.inc();
        Self(Arc::clone(&service.metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.subscribers.dec();
    }
}

/// The entries of the last seconds by position, and the position after which to follow.
async fn backfill(
    service: &Service,
    query: &Query,
    now: Time,
) -> Result<(Vec<Entry>, Position), Failure> {
    let request = PageRequest {
        query: query.clone(),
        now,
        start: Start::End,
        direction: Direction::Older,
        limit: BACKFILL_LIMIT,
        ties: Ties::Split,
    };
    let page = service.backend.page(request).await?;
    let from = now.earlier(BACKFILL);
    let mut entries: Vec<_> = page
        .entries
        .into_iter()
        .filter(|entry| entry.time > from && entry.position <= page.head)
        .collect();
    entries.sort_by_key(|entry| entry.position);
    Ok((entries, page.head))
}

/// Sends until the subscriber or the log is gone.
async fn push(
    service: &Service,
    sender: &mpsc::Sender<Bytes>,
    form: Form,
    first: &[Entry],
    request: FollowRequest,
) {
    // A comment at once: headers reach the client, and proxies see life.
    if sender.send(HEARTBEAT).await.is_err() {
        return;
    }
    if !first.is_empty() && sender.send(form.frames(first)).await.is_err() {
        return;
    }
    let head = *service.store.head().borrow();
    let mut subscription = service.hub.subscribe(&service.backend, request, form, head);
    let mut silent_since = Instant::now();
    loop {
        let heartbeat = silent_since + SILENCE;
        let chunk = tokio::select! {
            chunk = subscription.next() => match chunk {
                Some(chunk) => chunk,
                // The transport ends, so that the client comes again and resumes.
                None => return,
            },
            () = tokio::time::sleep_until(heartbeat) => Chunk::heartbeat(HEARTBEAT),
        };
        if chunk.frames.is_empty() {
            continue;
        }
        service.metrics.delivered.inc_by(chunk.count);
        if sender.send(chunk.frames).await.is_err() {
            return;
        }
        silent_since = Instant::now();
    }
}
