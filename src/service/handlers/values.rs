//! `GET /api/v2/logs/values`

use axum::Json;
use axum::extract::{Query, State};

use crate::api::{Data, ErrorAnswer, ValuesParams};
use crate::query::{Field, Values, ValuesRequest};
use crate::service::Service;
use crate::service::error::Failure;

/// Completions: names of fields, or with `field` its values.
#[utoipa::path(
    get,
    path = crate::api::path::VALUES,
    tag = "logs",
    params(ValuesParams),
    responses((status = 200, description = "Completions", body = Data<Values>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn values(
    State(service): State<Service>,
    Query(params): Query<ValuesParams>,
) -> Result<Json<Data<Values>>, Failure> {
    let prefix = params.prefix.unwrap_or_default();
    let request = match params.field.as_deref() {
        Some(field) => ValuesRequest::Of(Field::named(field), prefix),
        None => ValuesRequest::Names(prefix),
    };
    Ok(Json(Data {
        data: service.backend.values(request).await?,
    }))
}
