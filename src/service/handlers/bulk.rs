//! `POST /_bulk` and `POST /{index}/_bulk`, and what their senders ask before.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::api::ErrorAnswer;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::{bulk as documents, whole};

/// Senders go on only with a service that calls itself so.
const PRODUCT: (HeaderName, &str) = (
    HeaderName::from_static("x-elastic-product"),
    "Elasticsearch",
);
/// The version whose bulk API is understood.
const VERSION: &str = "8.17.0";

/// Documents that name their indices.
#[utoipa::path(
    method(post, put),
    path = crate::api::path::BULK,
    tag = "ingest",
    request_body(description = "Pairs of an action and a document, a line each", content((String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 200, description = "What became of each document", body = Value), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn bulk(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<impl IntoResponse, Failure> {
    take(&service, &caller, None, body).await
}

/// Documents of an index.
#[utoipa::path(
    method(post, put),
    path = crate::api::path::BULK_INDEX,
    tag = "ingest",
    params(("index" = String, Path, description = "The index; the namespace of documents that name none")),
    request_body(description = "Pairs of an action and a document, a line each", content((String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 200, description = "What became of each document", body = Value), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn bulk_index(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(index): Path<String>,
    body: Body,
) -> Result<impl IntoResponse, Failure> {
    take(&service, &caller, Some(&index), body).await
}

async fn take(
    service: &Service,
    caller: &Caller,
    index: Option<&str>,
    body: Body,
) -> Result<impl IntoResponse + use<>, Failure> {
    let began = Instant::now();
    let (body, _share) = whole(service, body).await?;
    let items = documents::take(service, caller.tenant(), index, &body).await?;
    let has_error = |(_, outcome): (&String, &Value)| outcome.get("error").is_some();
    let mut outcomes = items.iter().filter_map(Value::as_object).flatten();
    let errors = outcomes.any(has_error);
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((
        [PRODUCT],
        Json(json!({"took": took, "errors": errors, "items": items})),
    ))
}

/// Who is there.
#[utoipa::path(
    get,
    path = crate::api::path::BULK_HELLO,
    tag = "ingest",
    responses((status = 200, description = "Who is there", body = Value), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn hello() -> impl IntoResponse {
    let version = json!({"number": VERSION, "build_flavor": "default"});
    let about = json!({
        "name": "tailwater",
        "cluster_name": "tailwater",
        "version": version,
        "tagline": "A log service: its API is described at /api/v2/openapi.json",
    });
    ([PRODUCT], Json(about))
}
