//! `GET /api/v2/status`

use axum::Json;
use axum::extract::State;

use crate::api::{Data, Status};
use crate::service::Service;
use crate::store::Health;

/// What the service is; never needs a token.
pub(in crate::service) async fn status(State(service): State<Service>) -> Json<Data<Status>> {
    let health = match service.store.health() {
        Health::Good => "good".to_owned(),
        Health::Full => "full".to_owned(),
        Health::Failed(reason) => format!("failed: {reason}"),
    };
    let status = Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_enterprise: false,
        requires_auth: false,
        product: "tailwater".to_owned(),
        entries: service.store.count(),
        head: service.store.head().borrow().0,
        health,
    };
    Json(Data { data: status })
}
