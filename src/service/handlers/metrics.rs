//! `GET /metrics`

use axum::extract::State;
use axum::http::{HeaderName, header};

use crate::service::Service;
use crate::service::error::Failure;

/// The form that is answered in.
const KIND: (HeaderName, &str) = (
    header::CONTENT_TYPE,
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
);

/// What monitoring collects.
#[utoipa::path(
    get,
    path = crate::api::path::METRICS,
    tag = "operations",
    responses((status = 200, description = "OpenMetrics text", content_type = "application/openmetrics-text", body = String))
)]
pub(in crate::service) async fn metrics(
    State(service): State<Service>,
) -> Result<([(HeaderName, &'static str); 1], String), Failure> {
    // The log looks at its files.
    let asked = tokio::task::spawn_blocking(move || service.metrics.text()).await;
    match asked {
        Ok(Ok(text)) => Ok(([KIND], text)),
        _ => Err(Failure::internal("the metrics could not be printed")),
    }
}
