//! `GET /api/v2/logs/facets`

use axum::Json;
use axum::extract::{Query, State};

use crate::api::{Data, ErrorAnswer, FacetsParams};
use crate::base::Time;
use crate::query::{Facets, FacetsRequest, Field};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::{number, query};

/// The most frequent values of a field.
#[utoipa::path(
    get,
    path = crate::api::path::FACETS,
    tag = "logs",
    params(FacetsParams),
    responses((status = 200, description = "Values", body = Data<Facets>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn facets(
    State(service): State<Service>,
    Query(params): Query<FacetsParams>,
) -> Result<Json<Data<Facets>>, Failure> {
    let field = params.field.as_deref().filter(|name| !name.is_empty());
    let request =
        FacetsRequest {
            query: query(params.query.as_deref())?,
            now: Time::now(),
            field: Field::named(field.ok_or_else(|| {
                Failure::invalid("field: expected the name of a field, found none")
            })?),
            limit: number("limit", params.limit.as_deref(), 20, 1_000)?,
        };
    Ok(Json(Data {
        data: service.backend.facets(request).await?,
    }))
}
