//! `GET /api/v2/status`

use axum::Json;
use axum::extract::State;

use crate::api::{Data, ErrorAnswer, Status};
use crate::service::{Access, Service};
use crate::store::Health;

/// What the service is; never needs a token.
#[utoipa::path(
    get,
    path = crate::api::path::STATUS,
    tag = "operations",
    responses((status = 200, description = "The service", body = Data<Status>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn status(State(service): State<Service>) -> Json<Data<Status>> {
    let health = match service.store.health() {
        Health::Good => "good".to_owned(),
        Health::Full => "full".to_owned(),
        Health::Failed(reason) => format!("failed: {reason}"),
    };
    let requires_auth = matches!(service.options.access, Access::Guarded(_));
    // Strangers learn that there is a service, not how much it holds.
    let (entries, head) = if requires_auth {
        (0, 0)
    } else {
        (service.store.count(), service.store.head().borrow().0)
    };
    let status = Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_enterprise: false,
        requires_auth,
        product: "tailwater".to_owned(),
        entries,
        head,
        health,
    };
    Json(Data { data: status })
}
