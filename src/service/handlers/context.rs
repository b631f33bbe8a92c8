//! `GET /api/v2/logs/{id}/context`

use axum::Json;
use axum::extract::{Path, Query, State};

use super::entry::position;
use super::list::{Written, wrap};
use crate::api::{ContextParams, EntryForm, ErrorAnswer, ListAnswer, MAX_LIMIT};
use crate::base::Time;
use crate::entry::json::Dialect;
use crate::query::{ContextRequest, Direction};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{Order, number, query};

/// What surrounds an entry, and the entry.
#[utoipa::path(
    get,
    path = crate::api::path::CONTEXT,
    tag = "logs",
    params(("id" = u64, Path, description = "The position"), ContextParams),
    responses((status = 200, description = "A page", body = ListAnswer<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn context(
    State(service): State<Service>,
    Path(id): Path<String>,
    Query(params): Query<ContextParams>,
) -> Result<Json<Written>, Failure> {
    let request = ContextRequest {
        position: position(&id)?,
        query: query(params.query.as_deref())?,
        now: Time::now(),
        before: number("before", params.before.as_deref(), 20, MAX_LIMIT)?,
        after: number("after", params.after.as_deref(), 20, MAX_LIMIT)?,
    };
    let page = service
        .backend
        .context(request)
        .await?
        .ok_or_else(Failure::entry_not_found)?;
    Ok(Json(wrap(
        page,
        Direction::Older,
        Order::Ascending,
        Dialect::Full,
    )))
}
