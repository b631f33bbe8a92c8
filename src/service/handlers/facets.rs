//! `GET /api/v2/logs/facets` and `GET /api/v2/namespaces/{namespace}/logs/facets`

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{Data, ErrorAnswer, FacetsParams};
use crate::base::Time;
use crate::query::{Facets, FacetsRequest, Field};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query, within};

type Answer = Result<Json<Data<Facets>>, Failure>;

/// The most frequent values of a field.
#[utoipa::path(
    get,
    path = crate::api::path::FACETS,
    tag = "logs",
    params(FacetsParams),
    responses((status = 200, description = "Values", body = Data<Facets>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<FacetsParams>,
) -> Answer {
    ask(&service, &params, None).await
}

/// The same of one namespace.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_FACETS,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), FacetsParams),
    responses((status = 200, description = "Values", body = Data<Facets>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<FacetsParams>,
) -> Answer {
    service.known(&namespace)?;
    ask(&service, &params, Some(&namespace)).await
}

async fn ask(service: &Service, params: &FacetsParams, namespace: Option<&str>) -> Answer {
    let field = params.field.as_deref().filter(|name| !name.is_empty());
    let field =
        field.ok_or_else(|| Failure::invalid("field: expected the name of a field, found none"))?;
    let request = FacetsRequest {
        query: within(&query(params.query.as_deref())?, namespace),
        now: Time::now(),
        field: Field::named(field),
        limit: number("limit", params.limit.as_deref(), 20, 1_000)?,
    };
    let data = service.backend.facets(request).await?;
    Ok(Json(Data { data }))
}
