//! `GET /api/v2/namespaces`

use axum::extract::State;
use axum::{Extension, Json};

use crate::api::{Data, ErrorAnswer};
use crate::query::NamespaceCount;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;

/// Every namespace that the caller may read, by name, with its counts by level and the time of its newest entry.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACES,
    tag = "logs",
    responses((status = 200, description = "Namespaces", body = Data<Vec<NamespaceCount>>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn namespaces(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Data<Vec<NamespaceCount>>>, Failure> {
    let mut data = service.backend.namespaces().await?;
    data.retain(|count| caller.may_read(&count.name));
    Ok(Json(Data { data }))
}
