//! `GET /api/v2/namespaces`

use axum::extract::State;
use axum::{Extension, Json};

use crate::api::Data;
use crate::query::NamespaceCount;
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;

/// Every namespace that the caller may read, by name, with its counts by level and the time of its newest entry.
pub(in crate::service) async fn namespaces(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Data<Vec<NamespaceCount>>>, Failure> {
    let mut data = service.backend.namespaces().await?;
    data.retain(|count| caller.may_read(&count.name));
    Ok(Json(Data { data }))
}
