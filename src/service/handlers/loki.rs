//! `POST /loki/api/v1/push`

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use crate::api::ErrorAnswer;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::intake::{loki, whole};

/// Lines of Loki's senders: answered with an empty 204, or with why some were not taken.
#[utoipa::path(
    post,
    path = crate::api::path::LOKI,
    tag = "ingest",
    request_body(description = "Loki's push: protobuf compressed with snappy, or JSON", content((Vec<u8> = "application/x-protobuf"), (serde_json::Value = "application/json"))),
    responses((status = 204, description = "All lines are durable"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn loki(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let (body, _share) = whole(&service, body).await?;
    let push = match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => loki::from_json(&body)?,
        // Loki takes what does not say its kind for protobuf, too.
        "application/x-protobuf" | "" => loki::from_protobuf(&body)?,
        _ => {
            return Err(Failure::unknown_kind(
                "application/x-protobuf or application/json",
            ));
        }
    };
    let organisation = text("x-scope-orgid");
    let outcome = loki::take(&service, caller.tenant(), organisation, push).await?;
    let Some(first) = outcome.answer.rejected.first() else {
        return Ok(StatusCode::NO_CONTENT);
    };
    Err(Failure::invalid(format!(
        "{} lines were accepted, {} were not; line {}: {}",
        outcome.answer.accepted, outcome.rejected, first.line, first.reason
    )))
}
