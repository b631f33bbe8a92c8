//! `GET /api/v2/logs/values` and `GET /api/v2/namespaces/{namespace}/logs/values`

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, Query, State};

use crate::api::{Data, ErrorAnswer, MAX_LIMIT, ValuesParams};
use crate::base::Time;
use crate::query::{
    Direction, FacetsRequest, Field, KNOWN_FIELDS, PageRequest, Start, Ties, Values, ValuesRequest,
};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::question::within;

type Answer = Result<Json<Data<Values>>, Failure>;

/// Completions: names of fields, or with `field` its values.
#[utoipa::path(
    get,
    path = crate::api::path::VALUES,
    tag = "logs",
    params(ValuesParams),
    responses((status = 200, description = "Completions", body = Data<Values>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Query(params): Query<ValuesParams>,
) -> Answer {
    let prefix = params.prefix.unwrap_or_default();
    let request = match params.field.as_deref() {
        Some(field) => ValuesRequest::Of(Field::named(field), prefix),
        None => ValuesRequest::Names(prefix),
    };
    let data = service.backend.values(request).await?;
    Ok(Json(Data { data }))
}

/// The same of one namespace: names of its newest entries' fields, or with `field` its most frequent values.
#[utoipa::path(
    get,
    path = crate::api::path::NAMESPACE_VALUES,
    tag = "logs",
    params(("namespace" = String, Path, description = "The namespace"), ValuesParams),
    responses((status = 200, description = "Completions", body = Data<Values>), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn of_namespace(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    Query(params): Query<ValuesParams>,
) -> Answer {
    service.known(&namespace)?;
    let query = within(&crate::query::Query::default(), Some(&namespace));
    let now = Time::now();
    // Summaries of segments know values, not whose they are: what is another's must not be told.
    let mut values: Values = if let Some(field) = params.field.as_deref() {
        let request = FacetsRequest {
            query,
            now,
            field: Field::named(field),
            limit: MAX_LIMIT,
        };
        let facets = service.backend.facets(request).await?;
        facets.values.into_iter().map(|facet| facet.value).collect()
    } else {
        let request = PageRequest {
            query,
            now,
            start: Start::End,
            direction: Direction::Older,
            limit: MAX_LIMIT,
            ties: Ties::Split,
        };
        let page = service.backend.page(request).await?;
        let own = page.entries.into_iter().flat_map(|entry| entry.fields);
        let own: BTreeSet<String> = own.map(|(name, _)| name).collect();
        let known = KNOWN_FIELDS.iter().map(|field| field.name().to_owned());
        known.chain(own).collect()
    };
    let prefix = params.prefix.unwrap_or_default().to_lowercase();
    values.retain(|value| value.to_lowercase().starts_with(&prefix));
    Ok(Json(Data { data: values }))
}
