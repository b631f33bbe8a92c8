//! `GET /healthz` and `GET /readyz`

use axum::extract::State;
use axum::http::StatusCode;

use crate::service::Service;
use crate::store::Health;

/// 200 while entries are taken and the service is not about to end; 503 otherwise.
#[utoipa::path(
    get,
    path = crate::api::path::READY,
    tag = "operations",
    responses((status = 200, description = "Entries are taken", content_type = "text/plain", body = String), (status = 503, description = "It does not; the text says why", content_type = "text/plain", body = String))
)]
pub(in crate::service) async fn ready(state: State<Service>) -> (StatusCode, String) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    health(state).await
}

/// 200 while entries are taken; 503 with the reason otherwise (reading goes on).
#[utoipa::path(
    get,
    path = crate::api::path::HEALTH,
    tag = "operations",
    responses((status = 200, description = "Entries are taken", content_type = "text/plain", body = String), (status = 503, description = "It does not; the text says why", content_type = "text/plain", body = String))
)]
pub(in crate::service) async fn health(State(service): State<Service>) -> (StatusCode, String) {
    match service.store.health() {
        Health::Good => (StatusCode::OK, "ok\n".to_owned()),
        Health::Full => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the disk is full: nothing is accepted until there is room\n".to_owned(),
        ),
        Health::Failed(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("nothing is accepted since a write failed: {reason}\n"),
        ),
    }
}
