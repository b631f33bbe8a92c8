//! `GET /api/v2/logs/histogram` and `GET /api/v2/namespaces/{namespace}/logs/histogram`

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{Data, ErrorAnswer, HistogramParams};
use crate::base::Time;
use crate::query::{Histogram, HistogramRequest};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query, time, within};

type Answer = Result<Json<Data<Histogram>>, Failure>;

/// Counts over time, by level.
#[utoipa::path(
    get,
    path = crate::api::path::HISTOGRAM,
    tag = "logs",
    params(HistogramParams),
    responses((status = 200, description = "Counts", body = Data<Histogram>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<HistogramParams>,
) -> Answer {
    ask(&service, &params, None).await
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_HISTOGRAM,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), HistogramParams),
    responses((status = 200, description = "Counts", body = Data<Histogram>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<HistogramParams>,
) -> Answer {
    service.known(&namespace)?;
    ask(&service, &params, Some(&namespace)).await
}

async fn ask(service: &Service, params: &HistogramParams, namespace: Option<&str>) -> Answer {
    let now = Time::now();
    let bound = |name, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| time(name, text, now)).transpose()
    };
    let request = HistogramRequest {
        query: within(&query(params.query.as_deref())?, namespace),
        now,
        after: bound("after", &params.after)?,
        before: bound("before", &params.before)?,
        buckets: number("buckets", params.buckets.as_deref(), 60, 2_000)?,
    };
    let data = service.backend.histogram(request).await?;
    Ok(Json(Data { data }))
}
