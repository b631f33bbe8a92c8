//! `GET /api/v2/logs/patterns` and `GET /api/v2/namespaces/{namespace}/logs/patterns`

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{Data, ErrorAnswer, PatternsParams};
use crate::base::Time;
use crate::query::{PatternsRequest, Templates};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query, within};

/// Entries that are looked at unless it is said, and at the most.
const SAMPLE: usize = 100_000;
const MAX_SAMPLE: usize = 1_000_000;

type Answer = Result<Json<Data<Templates>>, Failure>;

/// Lines of one shape, and how often they occur.
#[utoipa::path(
    get,
    path = crate::api::path::PATTERNS,
    tag = "logs",
    params(PatternsParams),
    responses((status = 200, description = "Templates", body = Data<Templates>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<PatternsParams>,
) -> Answer {
    ask(&service, &params, None).await
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_PATTERNS,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), PatternsParams),
    responses((status = 200, description = "Templates", body = Data<Templates>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<PatternsParams>,
) -> Answer {
    service.known(&namespace)?;
    ask(&service, &params, Some(&namespace)).await
}

async fn ask(service: &Service, params: &PatternsParams, namespace: Option<&str>) -> Answer {
    let request = PatternsRequest {
        query: within(&query(params.query.as_deref())?, namespace),
        now: Time::now(),
        sample: number("sample", params.sample.as_deref(), SAMPLE, MAX_SAMPLE)? as u64,
        limit: number("limit", params.limit.as_deref(), 100, 1_000)?,
    };
    let data = service.backend.patterns(request).await?;
    Ok(Json(Data { data }))
}
