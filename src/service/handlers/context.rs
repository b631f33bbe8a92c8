//! `GET /api/v2/logs/{id}/context`

use axum::Json;
use axum::extract::{Path, Query, State};

use super::entry::position;
use super::list::{Written, wrap};
use crate::api::{ContextParams, MAX_LIMIT};
use crate::base::Time;
use crate::entry::json::Dialect;
use crate::query::{ContextRequest, Direction};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{Order, number, query};

/// What surrounds an entry, and the entry.
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
