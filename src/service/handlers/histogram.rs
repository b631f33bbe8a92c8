//! `GET /api/v2/logs/histogram`

use axum::Json;
use axum::extract::{Query, State};

use crate::api::{Data, ErrorAnswer, HistogramParams};
use crate::base::Time;
use crate::query::{Histogram, HistogramRequest};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query, time};

/// Counts over time, by level.
#[utoipa::path(
    get,
    path = crate::api::path::HISTOGRAM,
    tag = "logs",
    params(HistogramParams),
    responses((status = 200, description = "Counts", body = Data<Histogram>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn histogram(
    State(service): State<Service>,
    Query(params): Query<HistogramParams>,
) -> Result<Json<Data<Histogram>>, Failure> {
    let now = Time::now();
    let request = HistogramRequest {
        query: query(params.query.as_deref())?,
        now,
        after: params
            .after
            .as_deref()
            .map(|text| time("after", text, now))
            .transpose()?,
        before: params
            .before
            .as_deref()
            .map(|text| time("before", text, now))
            .transpose()?,
        buckets: number("buckets", params.buckets.as_deref(), 60, 2_000)?,
    };
    Ok(Json(Data {
        data: service.backend.histogram(request).await?,
    }))
}
