//! Every route on one page.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::handlers::{
    context, entry, facets, health, histogram, list, namespaces, push, status, subscribe, values,
};
use super::{Service, access, layers};
use crate::api::path;

pub(super) fn router(service: Service) -> Router {
    let routes = Router::new()
        .route(path::HEALTH, get(health::health))
        .route(path::READY, get(health::ready))
        .route(path::STATUS, get(status::status))
        .route(path::NAMESPACES, get(namespaces::namespaces))
        // Entries of all namespaces.
        .route(path::LOGS, get(list::all).post(push::all))
        .route(path::SUBSCRIBE, get(subscribe::all))
        .route(path::HISTOGRAM, get(histogram::histogram))
        .route(path::FACETS, get(facets::facets))
        .route(path::VALUES, get(values::values))
        .route(path::ENTRY, get(entry::entry))
        .route(path::CONTEXT, get(context::context))
        // Entries of one namespace: the routes of Direktiv's clients.
        .route(
            path::NAMESPACE_LOGS,
            get(list::of_namespace).post(push::of_namespace),
        )
        .route(path::NAMESPACE_SUBSCRIBE, get(subscribe::of_namespace))
        .route_layer(from_fn_with_state(service.clone(), access::guard));
    layers::around(routes, service)
}
