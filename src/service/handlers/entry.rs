//! `GET /api/v2/logs/{id}`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::{Data, EntryForm, ErrorAnswer};
use crate::entry::Position;
use crate::entry::json::{Dialect, to_value};
use crate::service::Service;
use crate::service::error::Failure;

/// One entry, whole.
#[utoipa::path(
    get,
    path = crate::api::path::ENTRY,
    tag = "logs",
    params(("id" = u64, Path, description = "The position")),
    responses((status = 200, description = "The entry", body = Data<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn entry(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<Data<Value>>, Failure> {
    let entry = service
        .backend
        .entry(position(&id)?)
        .await?
        .ok_or_else(Failure::entry_not_found)?;
    Ok(Json(Data {
        data: to_value(&entry, Dialect::Full),
    }))
}

pub(super) fn position(id: &str) -> Result<Position, Failure> {
    id.parse()
        .map(Position)
        .map_err(|_| Failure::invalid(format!("id: expected a position, found {id:?}")))
}
