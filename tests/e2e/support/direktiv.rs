//! Direktiv's log API of three generations, with their defects.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// How often streams look for rows; the real ones do each second.
const POLL: Duration = Duration::from_millis(50);
/// Rows of a page, and of a look, at the first generation.
const PAGE: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    First,
    Second,
    Third,
}

#[derive(Clone, Debug)]
struct Row {
    id: u64,
    nanos: i64,
    msg: Value,
    /// Itself, then its ancestors; none: the namespace's track.
    instances: Vec<String>,
}

/// A running fake; ends when dropped.
pub struct Direktiv {
    pub url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    generation: Generation,
    token: &'static str,
    rows: Mutex<Vec<Row>>,
}

type Params = Query<HashMap<String, String>>;

impl Direktiv {
    pub fn start(generation: Generation, token: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let shared = Arc::new(Shared {
            generation,
            token,
            rows: Mutex::default(),
        });
        let logs = "/api/v2/namespaces/{namespace}/logs";
        let status =
            json!({"data": {"version": "v0", "isEnterprise": false, "requiresAuth": true}});
        let router = Router::new()
            .route("/api/v2/status", get(move || async move { Json(status) }))
            .route(logs, get(list))
            .route(&format!("{logs}/subscribe"), get(subscribe))
            .with_state(Arc::clone(&shared));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            shared,
            _runtime: runtime,
        }
    }

    /// Writes rows of the namespace's track, a millisecond apart from `nanos` on.
    pub fn write(&self, nanos: i64, messages: impl IntoIterator<Item = Value>) {
        for (at, msg) in (0..).zip(messages) {
            self.write_row(nanos + at * 1_000_000, msg, &[]);
        }
    }

    /// Writes a row of an instance with its ancestors, or of the namespace.
    pub fn write_row(&self, nanos: i64, msg: Value, instances: &[&str]) {
        let mut rows = self.shared.rows.lock().expect("unpoisoned");
        let id = rows.len() as u64 + 1;
        let instances = instances.iter().map(|id| (*id).to_owned()).collect();
        rows.push(Row {
            id,
            nanos,
            msg,
            instances,
        });
    }
}

fn time(nanos: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(nanos)).expect("a time")
}

fn nanos(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

impl Shared {
    fn first(&self) -> bool {
        self.generation == Generation::First
    }

    /// The rows of what is asked for, by time.
    fn chosen(&self, params: &HashMap<String, String>) -> Vec<Row> {
        let rows = self.rows.lock().expect("unpoisoned");
        let chosen = rows.iter().filter(|row| match params.get("instance") {
            None => row.instances.is_empty(),
            // The third generation no longer includes what an instance called.
            Some(id) if self.generation == Generation::Third => row.instances.first() == Some(id),
            Some(id) => row.instances.contains(id),
        });
        let mut chosen: Vec<Row> = chosen.cloned().collect();
        chosen.sort_by_key(|row| row.nanos);
        chosen
    }

    /// A row as it is written; keys may come twice, the last one counts.
    fn printed(&self, row: &Row) -> String {
        let when = time(row.nanos);
        let workflow = row.instances.first().map(|instance| {
            if self.first() {
                json!({"status": "running", "state": null, "branch": null, "workflow": "/test.yaml", "calledAs": null, "instance": instance})
            } else {
                json!({"status": "notset", "state": "notset", "workflow": "/test.yaml", "instance": instance})
            }
        });
        let workflow = workflow
            .map(|of| format!(",\"workflow\":{of}"))
            .unwrap_or_default();
        if self.first() {
            let ids = format!("\"id\":{},\"time\":\"{when}\"", row.id);
            return format!(
                "{{{ids},\"msg\":\"earlier\",\"msg\":{},\"level\":\"INFO\",\"namespace\":\"demo\",\"trace\":null,\"span\":null{workflow},\"error\":null}}",
                row.msg
            );
        }
        let when = when.strftime("%Y-%m-%dT%H:%M:%S.%9fZ");
        format!(
            "{{\"time\":\"{when}\",\"msg\":{},\"level\":\"INFO\",\"namespace\":\"demo\"{workflow}}}",
            row.msg
        )
    }

    fn refuses(&self, headers: &HeaderMap) -> bool {
        let name = if self.first() {
            "direktiv-token"
        } else {
            "direktiv-api-key"
        };
        headers.get(name).is_none_or(|sent| sent != self.token)
    }
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(namespace): Path<String>,
    Query(params): Params,
    headers: HeaderMap,
) -> Response {
    if shared.refuses(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if namespace != "demo" {
        let error = json!({"error": {"code": "resource_not_found", "message": "requested resource(namespace) is not found"}});
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    let before = params.get("before").map(|text| nanos(text));
    if before == Some(None) {
        let error = json!({"error": {"code": "internal", "message": "internal server error"}});
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response();
    }
    let mut rows = shared.chosen(&params);
    if let Some(Some(before)) = before {
        rows.retain(|row| row.nanos < before);
    }
    let size = if shared.first() {
        Some(PAGE)
    } else {
        params.get("last").and_then(|last| last.parse().ok())
    };
    let from = size.map_or(0, |size| rows.len().saturating_sub(size));
    let mut rows = rows.split_off(from);
    let oldest = rows.first().map(|row| time(row.nanos).to_string());
    if !shared.first() {
        // VictoriaLogs answers in any order.
        fastrand::shuffle(&mut rows);
    }
    let data: Vec<String> = rows.iter().map(|row| shared.printed(row)).collect();
    let data = data.join(",");
    let body = if shared.first() {
        let meta = json!({"previousPage": oldest, "startingFrom": oldest});
        format!("{{\"meta\":{meta},\"data\":[{data}]}}")
    } else {
        format!("{{\"data\":[{data}]}}")
    };
    ([("content-type", "application/json")], body).into_response()
}

async fn subscribe(
    State(shared): State<Arc<Shared>>,
    Query(params): Params,
    headers: HeaderMap,
) -> Response {
    if shared.refuses(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(16);
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).expect("a time");
    let mut cursor = match params.get("after").and_then(|text| nanos(text)) {
        Some(after) if !shared.first() => after,
        _ if shared.first() => now - 3_000_000_000,
        _ => now,
    };
    // The first generation's catch-up fails at each look, and says so to nobody.
    let is_mute = shared.first() && headers.contains_key("last-event-id");
    let is_first = shared.first();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(POLL).await;
            let mut rows = shared.chosen(&params);
            rows.retain(|row| row.nanos > cursor && !is_mute);
            if shared.first() {
                rows.truncate(PAGE);
            } else {
                fastrand::shuffle(&mut rows);
            }
            for row in rows {
                cursor = row.nanos;
                let id = if shared.first() {
                    row.id.to_string()
                } else {
                    time(row.nanos)
                        .strftime("%Y-%m-%dT%H:%M:%S.%9fZ")
                        .to_string()
                };
                let frame = format!(
                    "id: {id}\nevent: message\ndata: {}\n\n",
                    shared.printed(&row)
                );
                // Now and then an event comes twice.
                for _ in 0..=usize::from(fastrand::u8(..8) == 0) {
                    if sender.send(Bytes::from(frame.clone())).await.is_err() {
                        return;
                    }
                }
            }
            if sender.is_closed() {
                return;
            }
        }
    });
    // The first generation sends no headers before its first event.
    let mut first = None;
    if is_first {
        first = receiver.recv().await;
    }
    let events = tokio_stream::iter(first).chain(ReceiverStream::new(receiver));
    let body = Body::from_stream(events.map(Ok::<_, Infallible>));
    ([("content-type", "text/event-stream")], body).into_response()
}
