//! The description of the API: `OpenAPI` 3.1, made from the types and the handlers.

use axum::Json;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::handlers::{
    blobs, bulk, compare, context, entry, events, facets, harness, health, histogram, links, list,
    listeners, loki, metrics, namespaces, otlp, patterns, pipelines, push, status, streams,
    subscribe, values,
};

/// Every route is here: a test compares this list with the contract.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tailwater",
        description = "A durable log over HTTP: pages, live entries, counts; pushes from every shipper. \
            A superset of Direktiv's platform logs."
    ),
    paths(
        list::all, list::of_namespace, subscribe::all, subscribe::of_namespace, histogram::all, histogram::of_namespace,
        facets::all, facets::of_namespace, patterns::all, patterns::of_namespace, compare::all, compare::of_namespace, values::all, values::of_namespace, entry::all, entry::of_namespace, context::all, context::of_namespace, namespaces::namespaces,
        push::all, push::of_namespace, otlp::otlp, loki::loki, bulk::bulk, bulk::bulk_index, bulk::hello,
        streams::list, streams::open, streams::push, streams::tail, streams::close,
        blobs::list, blobs::put, blobs::get, blobs::delete, links::link,
        harness::step_open, harness::step_push, harness::step_tail, harness::step_close, harness::step_streams,
        harness::step_store, harness::step_get, harness::step_delete, harness::step_upload, harness::step_download,
        harness::token, harness::open, harness::push, harness::tail, harness::close, harness::info,
        harness::store, harness::get, harness::delete, harness::delete_below, harness::exists, harness::archive, harness::upload,
        harness::download, harness::ready,
        events::broadcast, events::history, events::one, events::replay, events::subscribe, events::all,
        events::firings, events::dead, events::revive, events::forget, listeners::all,
        listeners::list, listeners::create, listeners::get, listeners::change, listeners::remove, listeners::wait,
        pipelines::list, pipelines::status, pipelines::stream, pipelines::ingest,
        status::status, health::health, health::ready, metrics::metrics, openapi
    ),
    security((), ("token" = []), ("direktiv-token" = []), ("Direktiv-Api-Key" = [])),
    modifiers(&Tokens, &Names)
)]
struct Description;

/// How tokens are shown.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", bearer);
        for header in ["direktiv-token", "Direktiv-Api-Key"] {
            let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
            components.add_security_scheme(header, key);
        }
    }
}

/// What operations are called: clients that are made from the description want every name once, and handlers of two paths
/// may have the same.
struct Names;

impl Modify for Names {
    fn modify(&self, document: &mut Document) {
        // Templates of the description have no word for the rest of a path.
        let paths = std::mem::take(&mut document.paths.paths);
        let named = |(path, item): (String, _)| (path.replace("{*", "{"), item);
        document.paths.paths = paths.into_iter().map(named).collect();
        for (path, item) in &mut document.paths.paths {
            let words: Vec<&str> = path
                .split(|character: char| !character.is_ascii_alphanumeric())
                .filter(|word| !matches!(*word, "" | "api" | "v2"))
                .collect();
            let operations = [
                ("get", &mut item.get),
                ("put", &mut item.put),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
                ("head", &mut item.head),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    operation.operation_id = Some(format!("{method}_{}", words.join("_")));
                }
            }
        }
    }
}

/// This description.
#[utoipa::path(
    get,
    path = crate::api::path::OPENAPI,
    tag = "operations",
    responses((status = 200, description = "This document", body = serde_json::Value))
)]
pub(super) async fn openapi() -> Json<Document> {
    Json(Description::openapi())
}
