//! `POST /api/v2/logs` and `POST /api/v2/namespaces/{namespace}/logs`
//!
//! The body is read as it comes, line by line, in batches: memory does not grow with it. Entries are answered for when
//! they are durable.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{ErrorAnswer, IngestAnswer, Rejection};
use crate::base::Time;
use crate::entry::bytes;
use crate::entry::decode::{Defaults, from_object};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::{Intake, Tenant, read_lines, read_text, whole_within};

/// What Direktiv's sidecar sends is one object.
const MAX_SIDECAR_BYTES: usize = 4 << 20;

/// Which contract a push to a namespace follows.
#[derive(Debug, Default, Deserialize)]
pub(in crate::service) struct PushParams {
    instance: Option<String>,
}

/// Entries that name their namespaces.
#[utoipa::path(
    post,
    path = crate::api::path::LOGS,
    tag = "ingest",
    request_body(description = "One object, an array, or one object a line; text/plain: a line an entry", content((String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 202, description = "What was accepted is durable", body = IngestAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    push(&service, &headers, body, caller.tenant()).await
}

/// Entries of one namespace; with `instance`, one line of Direktiv's sidecar.
#[utoipa::path(
    post,
    path = crate::api::path::NAMESPACE_LOGS,
    tag = "ingest",
    params(("namespace" = String, Path, description = "The namespace"), ("instance" = Option<String>, Query, description = "One line of Direktiv's sidecar, answered with an empty 200")),
    request_body(description = "One object, an array, or one object a line; text/plain: a line an entry", content((String = "application/x-ndjson"), (String = "text/plain"))),
    responses((status = 202, description = "What was accepted is durable", body = IngestAnswer), (status = 200, description = "The sidecar's line is durable"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<PushParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    match params.instance {
        Some(instance) => sidecar(&service, body, &namespace, &instance).await,
        None => push(&service, &headers, body, Tenant::OfPath(namespace)).await,
    }
}

async fn push(
    service: &Service,
    headers: &HeaderMap,
    body: Body,
    tenant: Tenant,
) -> Result<Response, Failure> {
    let protocol = if is_text(headers) { "text" } else { "json" };
    let intake = Intake::new(service, protocol, tenant);
    push_into(service, headers, body, intake).await
}

/// Takes a body: objects, or lines of text; what is accepted, and what is not.
pub(in crate::service) async fn push_into(
    service: &Service,
    headers: &HeaderMap,
    body: Body,
    mut intake: Intake<'_>,
) -> Result<Response, Failure> {
    let read = if is_text(headers) {
        read_text(service, body, &mut intake).await
    } else {
        read_lines(service, body, &mut intake).await
    };
    let outcome = intake.finish().await;
    let mut answer = outcome.answer;
    match outcome.failure.or(read.err()) {
        None if answer.accepted > 0 || answer.rejected.is_empty() => {
            Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
        }
        None => Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response()),
        Some(failure) if answer.accepted == 0 => Err(failure),
        // What was accepted is durable and must be told; the status says that the rest is to be sent again.
        Some(failure) => {
            let reason = format!(
                "only the first {} entries were accepted: {}",
                answer.accepted,
                failure.message()
            );
            answer.rejected.push(Rejection { line: 0, reason });
            Ok(failure.answering(Json(answer)))
        }
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/plain")
}

/// Direktiv's sidecar: one object with a track, answered with an empty 200.
async fn sidecar(
    service: &Service,
    body: Body,
    namespace: &str,
    instance: &str,
) -> Result<Response, Failure> {
    let (body, _share) = whole_within(service, body, MAX_SIDECAR_BYTES).await?;
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
