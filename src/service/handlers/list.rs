//! `GET /api/v2/logs` and `GET /api/v2/namespaces/{namespace}/logs`

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{EntryForm, ErrorAnswer, ListAnswer, ListMeta, ListParams};
use crate::base::Time;
use crate::entry::Entry;
use crate::entry::json::{Dialect, Wire};
use crate::query::{Direction, Page};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{Order, page_request};

/// A question that needs longer is answered with what there is and a cursor.
const BUDGET: Duration = Duration::from_millis(250);

type Answer = Result<Json<Written>, Failure>;

/// A page that is written entry by entry.
pub(super) type Written = ListAnswer<Wire<Entry>>;

/// Entries of every namespace.
#[utoipa::path(
    get,
    path = crate::api::path::LOGS,
    tag = "logs",
    params(ListParams),
    responses((status = 200, description = "A page", body = ListAnswer<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<ListParams>,
) -> Answer {
    list(&service, &params, None).await
}

/// Entries of one namespace, in the form Direktiv's clients read.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_LOGS,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), ListParams),
    responses((status = 200, description = "A page", body = ListAnswer<EntryForm>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<ListParams>,
) -> Answer {
    service.known(&namespace)?;
    list(&service, &params, Some(&namespace)).await
}

async fn list(service: &Service, params: &ListParams, namespace: Option<&str>) -> Answer {
    let (request, order) = page_request(params, namespace, Time::now())?;
    let page = service.backend.gather(&request, BUDGET).await?;
    let dialect = if namespace.is_some() && !params.is_full() {
        Dialect::Direktiv
    } else {
        Dialect::Full
    };
    Ok(Json(wrap(page, request.direction, order, dialect)))
}

/// A page in its wire form.
pub(super) fn wrap(page: Page, direction: Direction, order: Order, dialect: Dialect) -> Written {
    let going_on = if direction == Direction::Older {
        page.older
    } else {
        page.newer
    };
    let print = |cursor: Option<crate::query::Cursor>| cursor.map(|cursor| cursor.to_string());
    let meta = ListMeta {
        previous_page: previous_page(&page),
        starting_from: page.entries.last().map(|entry| entry.time.to_string()),
        cursor: print(going_on),
        older: print(page.older),
        newer: print(page.newer),
        head: page.head.0,
        partial: page.partial,
        progress: page.progress,
    };
    let mut data: Vec<_> = page
        .entries
        .into_iter()
        .map(|entry| Wire { entry, dialect })
        .collect();
    if order == Order::Descending {
        data.reverse();
    }
    ListAnswer { meta, data }
}

/// What `before` takes next: the time of the oldest entry, unless more of that very time follows or the scan came
/// further than it; then the place itself.
fn previous_page(page: &Page) -> Option<String> {
    let place = page.older?.key;
    match page.entries.first() {
        Some(oldest) if !page.partial && place.time < oldest.time => Some(oldest.time.to_string()),
        _ => Some(format!("{};id={}", place.time, place.position)),
    }
}
