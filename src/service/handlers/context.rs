//! `GET /api/v2/logs/{id}/context` and `GET /api/v2/namespaces/{namespace}/logs/{id}/context`

use axum::Json;
use axum::extract::{Path, Query, State};

use super::entry::{find, position};
use super::list::{Written, wrap};
use crate::api::{ContextParams, EntryForm, ErrorAnswer, ListAnswer, MAX_LIMIT};
use crate::base::Time;
use crate::entry::json::Dialect;
use crate::query::{ContextRequest, Direction};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{Order, number, query, within};

type Answer = Result<Json<Written>, Failure>;

/// What surrounds an entry, and the entry.
#[utoipa::path(
    get,
    path = crate::api::path::CONTEXT,
    tag = "logs",
    params(("id" = u64, Path, description = "The position"), ContextParams),
    responses((status = 200, description = "A page", body = ListAnswer<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Path(id): Path<String>,
    Query(params): Query<ContextParams>,
) -> Answer {
    ask(&service, &id, &params, None).await
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_CONTEXT,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), ("id" = u64, Path, description = "The position"), ContextParams),
    responses((status = 200, description = "A page", body = ListAnswer<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path((namespace, id)): Path<(String, String)>,
    Query(params): Query<ContextParams>,
) -> Answer {
    service.known(&namespace)?;
    ask(&service, &id, &params, Some(&namespace)).await
}

async fn ask(
    service: &Service,
    id: &str,
    params: &ContextParams,
    namespace: Option<&str>,
) -> Answer {
    let request = ContextRequest {
        position: find(service, position(id)?, namespace).await?.position,
        query: within(&query(params.query.as_deref())?, namespace),
        now: Time::now(),
        before: number("before", params.before.as_deref(), 20, MAX_LIMIT)?,
        after: number("after", params.after.as_deref(), 20, MAX_LIMIT)?,
    };
    let page = service.backend.context(request).await?;
    let page = page.ok_or_else(Failure::entry_not_found)?;
    let (way, order) = (Direction::Older, Order::Ascending);
    Ok(Json(wrap(page, way, order, Dialect::Full)))
}
