//! Every route on one page.

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{delete, get, post};

use super::handlers::{
    blobs, bulk, compare, context, entry, events, facets, harness, health, histogram, links, list,
    listeners, loki, metrics, namespaces, otlp, patterns, pipelines, push, status, streams,
    subscribe, values,
};
use super::{Service, access, layers, openapi};
use crate::api::path;

pub(super) fn router(service: Service) -> Router {
    let routes = Router::new()
        .route(path::HEALTH, get(health::health))
        .route(path::READY, get(health::ready))
        .route(path::METRICS, get(metrics::metrics))
        .route(path::OPENAPI, get(openapi::openapi))
        .route(path::STATUS, get(status::status))
        // Pipelines, each below its name.
        .route(path::PIPELINES, get(pipelines::list))
        .route(path::PIPELINE_STATUS, get(pipelines::status))
        .route(path::PIPELINE_STREAM, get(pipelines::stream))
        .route(path::PIPELINE_INGEST, post(pipelines::ingest))
        // Live streams, and the blobs that they become.
        .route(path::STREAMS, get(streams::list))
        .route(
            path::STREAM,
            get(streams::tail)
                .post(streams::open)
                .put(streams::push)
                .delete(streams::close),
        )
        .route(path::BLOBS, get(blobs::list))
        .route(
            path::BLOB,
            get(blobs::get)
                .put(blobs::put)
                .delete(blobs::delete)
                .post(links::link),
        )
        .route(path::NAMESPACES, get(namespaces::namespaces))
        // Entries of all namespaces.
        .route(path::LOGS, get(list::all).post(push::all))
        .route(path::SUBSCRIBE, get(subscribe::all))
        .route(path::HISTOGRAM, get(histogram::all))
        .route(path::FACETS, get(facets::all))
        .route(path::PATTERNS, get(patterns::all))
        .route(path::COMPARE, get(compare::all))
        .route(path::VALUES, get(values::all))
        .route(path::ENTRY, get(entry::all))
        .route(path::CONTEXT, get(context::all))
        // Entries of one namespace: the routes of Direktiv's clients.
        .route(
            path::NAMESPACE_LOGS,
            get(list::of_namespace).post(push::of_namespace),
        )
        .route(path::NAMESPACE_SUBSCRIBE, get(subscribe::of_namespace))
        .route(path::NAMESPACE_HISTOGRAM, get(histogram::of_namespace))
        .route(path::NAMESPACE_FACETS, get(facets::of_namespace))
        .route(path::NAMESPACE_PATTERNS, get(patterns::of_namespace))
        .route(path::NAMESPACE_COMPARE, get(compare::of_namespace))
        .route(path::NAMESPACE_VALUES, get(values::of_namespace))
        .route(path::NAMESPACE_ENTRY, get(entry::of_namespace))
        .route(path::NAMESPACE_CONTEXT, get(context::of_namespace))
        // Events, and what waits for them.
        .route(path::BROADCAST, post(events::broadcast))
        .route(path::EVENTS, get(events::history))
        .route(path::EVENTS_SUBSCRIBE, get(events::subscribe))
        .route(path::EVENT, get(events::one))
        .route(path::EVENT_REPLAY, post(events::replay))
        .route(
            path::LISTENERS,
            get(listeners::list).post(listeners::create),
        )
        .route(
            path::LISTENER,
            get(listeners::get)
                .put(listeners::change)
                .delete(listeners::remove),
        )
        .route(path::EVENTS_WAIT, get(listeners::wait))
        .route(path::DEAD_LETTERS, get(events::dead))
        .route(
            path::DEAD_LETTER,
            post(events::revive).delete(events::forget),
        )
        .route(path::ALL_EVENTS, get(events::all))
        .route(path::ALL_LISTENERS, get(listeners::all))
        .route(path::FIRINGS, get(events::firings))
        // What other senders speak.
        .route(path::OTLP, post(otlp::otlp))
        .route(path::LOKI, post(loki::loki))
        .route(path::BULK, post(bulk::bulk).put(bulk::bulk))
        .route(
            path::BULK_INDEX,
            post(bulk::bulk_index).put(bulk::bulk_index),
        )
        .route(path::BULK_HELLO, get(bulk::hello))
        .route_layer(from_fn_with_state(service.clone(), access::guard))
        .route_layer(from_fn_with_state(service.clone(), layers::measured));
    let routes = routes.merge(harness_router(&service));
    layers::around(routes, service)
}

/// What clients of both generations of the Harness log service speak; failures are in their form.
fn harness_router(service: &Service) -> Router<Service> {
    Router::new()
        .route(
            path::STEP_STREAM,
            get(harness::step_tail)
                .post(harness::step_open)
                .put(harness::step_push)
                .delete(harness::step_close),
        )
        .route(
            path::STEP_BLOB,
            get(harness::step_get)
                .post(harness::step_store)
                .delete(harness::step_delete),
        )
        .route(path::STEP_UPLOAD, post(harness::step_upload))
        .route(path::STEP_DOWNLOAD, post(harness::step_download))
        .route(path::STEP_STREAMS, get(harness::step_streams))
        .route(path::HARNESS_TOKEN, get(harness::token))
        .route(
            path::HARNESS_STREAM,
            get(harness::tail)
                .post(harness::open)
                .put(harness::push)
                .delete(harness::close),
        )
        .route(path::HARNESS_INFO, get(harness::info))
        .route(
            path::HARNESS_BLOB,
            get(harness::get)
                .post(harness::store)
                .delete(harness::delete),
        )
        .route(path::HARNESS_EXISTS, get(harness::exists))
        .route(path::HARNESS_ARCHIVE, post(harness::archive))
        .route(path::HARNESS_UPLOAD, post(harness::upload))
        .route(path::HARNESS_DOWNLOAD, post(harness::download))
        .route(path::HARNESS_INTERNAL, delete(harness::delete_below))
        .route(path::HARNESS_READY, get(harness::ready))
        .route_layer(from_fn_with_state(service.clone(), access::guard))
        .route_layer(from_fn_with_state(service.clone(), layers::measured))
        .route_layer(map_response(harness::told))
}

/// The routes of one pipeline on a port of its own: `LogWisp`'s paths, and those of the shared port.
pub(super) fn pipeline_router(service: Service, name: &str) -> Router {
    let prefix = format!("/{name}");
    let routes = Router::new()
        .route(path::PIPELINE_STATUS, get(pipelines::status))
        .route(path::PIPELINE_STREAM, get(pipelines::stream))
        .route(path::PIPELINE_INGEST, post(pipelines::ingest))
        .route_layer(from_fn_with_state(service.clone(), access::guard))
        .route_layer(from_fn_with_state(service.clone(), layers::measured));
    layers::below(layers::around(routes, service), prefix)
}
