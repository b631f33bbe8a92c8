//! `GET /api/v2/logs/compare` and `GET /api/v2/namespaces/{namespace}/logs/compare`

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{CompareParams, Data, ErrorAnswer};
use crate::base::Time;
use crate::query::{CompareRequest, Differences};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query, time, within};

/// Entries that are looked at unless it is said, and at the most.
const SAMPLE: usize = 100_000;
const MAX_SAMPLE: usize = 1_000_000;

type Answer = Result<Json<Data<Differences>>, Failure>;

/// What is different in a span from what lies before it.
#[utoipa::path(
    get,
    path = crate::api::path::COMPARE,
    tag = "logs",
    params(CompareParams),
    responses((status = 200, description = "Values and templates that differ most", body = Data<Differences>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<CompareParams>,
) -> Answer {
    ask(&service, &params, None).await
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_COMPARE,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), CompareParams),
    responses((status = 200, description = "Values and templates that differ most", body = Data<Differences>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<CompareParams>,
) -> Answer {
    service.known(&namespace)?;
    ask(&service, &params, Some(&namespace)).await
}

async fn ask(service: &Service, params: &CompareParams, namespace: Option<&str>) -> Answer {
    let now = Time::now();
    let bound = |name, text: &Option<String>| match text.as_deref() {
        Some(text) => time(name, text, now),
        None => Err(Failure::invalid(format!(
            "{name}: expected a time, found none"
        ))),
    };
    let request = CompareRequest {
        query: within(&query(params.query.as_deref())?, namespace),
        now,
        from: bound("from", &params.from)?,
        to: bound("to", &params.to)?,
        sample: number("sample", params.sample.as_deref(), SAMPLE, MAX_SAMPLE)? as u64,
        limit: number("limit", params.limit.as_deref(), 50, 1_000)?,
    };
    if request.to <= request.from {
        return Err(Failure::invalid("to: expected a time after `from`"));
    }
    let data = service.backend.compare(request).await?;
    Ok(Json(Data { data }))
}
