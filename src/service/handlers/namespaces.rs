//! `GET /api/v2/namespaces`

use axum::Json;
use axum::extract::State;

use crate::api::Data;
use crate::query::NamespaceCount;
use crate::service::Service;
use crate::service::error::Failure;

/// Every namespace by name, with its counts by level and the time of its newest entry.
pub(in crate::service) async fn namespaces(
    State(service): State<Service>,
) -> Result<Json<Data<Vec<NamespaceCount>>>, Failure> {
    Ok(Json(Data {
        data: service.backend.namespaces().await?,
    }))
}
