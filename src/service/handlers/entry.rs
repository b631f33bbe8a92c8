//! `GET /api/v2/logs/{id}` and `GET /api/v2/namespaces/{namespace}/logs/{id}`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::{Data, EntryForm, ErrorAnswer};
use crate::entry::json::{Dialect, to_value};
use crate::entry::{Entry, Position};
use crate::service::Service;
use crate::service::error::Failure;

type Answer = Result<Json<Data<Value>>, Failure>;

/// One entry, whole.
#[utoipa::path(
    get,
    path = crate::api::path::ENTRY,
    tag = "logs",
    params(("id" = u64, Path, description = "The position")),
    responses((status = 200, description = "The entry", body = Data<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Answer {
    let entry = find(&service, position(&id)?, None).await?;
    Ok(Json(Data {
        data: to_value(&entry, Dialect::Full),
    }))
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_ENTRY,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), ("id" = u64, Path, description = "The position")),
    responses((status = 200, description = "The entry", body = Data<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path((namespace, id)): Path<(String, String)>,
) -> Answer {
    service.known(&namespace)?;
    let entry = find(&service, position(&id)?, Some(&namespace)).await?;
    Ok(Json(Data {
        data: to_value(&entry, Dialect::Full),
    }))
}

/// The entry of a position, if it is kept; in a namespace, if it is of that.
pub(super) async fn find(
    service: &Service,
    position: Position,
    namespace: Option<&str>,
) -> Result<Entry, Failure> {
    let entry = service.backend.entry(position).await?;
    let is_here = |entry: &Entry| namespace.is_none_or(|name| entry.scope.namespace == name);
    entry.filter(is_here).ok_or_else(Failure::entry_not_found)
}

pub(super) fn position(id: &str) -> Result<Position, Failure> {
    id.parse()
        .map(Position)
        .map_err(|_| Failure::invalid(format!("id: expected a position, found {id:?}")))
}
