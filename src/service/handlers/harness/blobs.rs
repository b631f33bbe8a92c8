//! Blobs.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{HarnessParams, Headers, KeyOf, LINK_SECONDS, done, link};
use crate::api::ErrorAnswer;
use crate::blobs::{Key, ListRequest, Permit, Prefix};
use crate::service::Service;
use crate::service::error::Failure;
use crate::service::handlers::{blobs as native, links};

/// Stores a blob.
#[utoipa::path(post, path = crate::api::path::STEP_BLOB, tag = "harness", request_body(content_type = "application/octet-stream", content = String),
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 204, description = "Stored"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_store(
    State(service): State<Service>,
    Extension(key): KeyOf,
    headers: Headers,
    body: Body,
) -> Result<StatusCode, Failure> {
    native::store(service.blobs()?, &key, &headers, body).await?;
    Ok(done())
}

/// Stores a blob.
#[utoipa::path(post, path = crate::api::path::HARNESS_BLOB, tag = "harness", request_body(content_type = "application/octet-stream", content = String), params(HarnessParams),
    responses((status = 204, description = "Stored"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn store(
    service: State<Service>,
    key: KeyOf,
    headers: Headers,
    body: Body,
) -> Result<StatusCode, Failure> {
    step_store(service, key, headers, body).await
}

/// A blob.
#[utoipa::path(get, path = crate::api::path::STEP_BLOB, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 200, description = "The blob", content_type = "*/*", body = String), (status = 206, description = "A range of it"), (status = 304, description = "It still has that tag"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_get(
    State(service): State<Service>,
    Extension(key): KeyOf,
    headers: Headers,
) -> Result<Response, Failure> {
    native::give(service.blobs()?, &key, &headers).await
}

/// A blob.
#[utoipa::path(get, path = crate::api::path::HARNESS_BLOB, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "The blob", content_type = "*/*", body = String), (status = 206, description = "A range of it"), (status = 304, description = "It still has that tag"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn get(
    service: State<Service>,
    key: KeyOf,
    headers: Headers,
) -> Result<Response, Failure> {
    step_get(service, key, headers).await
}

/// Deletes a blob; one that there is not is deleted.
#[utoipa::path(delete, path = crate::api::path::STEP_BLOB, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_delete(
    State(service): State<Service>,
    Extension(key): KeyOf,
) -> Result<StatusCode, Failure> {
    service.blobs()?.delete(&key).await?;
    Ok(done())
}

/// Deletes a blob; one that there is not is deleted.
#[utoipa::path(delete, path = crate::api::path::HARNESS_BLOB, tag = "harness", params(HarnessParams),
    responses((status = 204, description = "Deleted"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn delete(
    service: State<Service>,
    key: KeyOf,
) -> Result<StatusCode, Failure> {
    step_delete(service, key).await
}

/// Deletes all blobs below a key.
#[utoipa::path(delete, path = crate::api::path::HARNESS_INTERNAL, tag = "harness", params(HarnessParams),
    responses((status = 204, description = "Deleted"), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn delete_below(
    State(service): State<Service>,
    Extension(key): KeyOf,
) -> Result<StatusCode, Failure> {
    service.blobs()?.delete_below(&key.into()).await?;
    Ok(done())
}

/// Whether there is a blob below a key.
#[utoipa::path(get, path = crate::api::path::HARNESS_EXISTS, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "true or false", content_type = "text/plain", body = String), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn exists(
    State(service): State<Service>,
    Extension(key): KeyOf,
) -> Result<String, Failure> {
    let found = some(&service, key.into()).await?;
    Ok(found.to_string())
}

async fn some(service: &Service, prefix: Prefix) -> Result<bool, Failure> {
    let request = ListRequest {
        is_level: false,
        prefix,
        after: None,
        limit: 1,
    };
    Ok(!service.blobs()?.list(&request).await?.blobs.is_empty())
}

/// A link to an archive of everything below a prefix; it is made while it is read.
#[utoipa::path(post, path = crate::api::path::HARNESS_ARCHIVE, tag = "harness",
    params(("accountID" = String, Query), ("prefix" = String, Query)),
    responses((status = 200, description = "The link", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn archive(
    State(service): State<Service>,
    Extension(key): KeyOf,
    uri: Uri,
    headers: Headers,
) -> Result<Json<Value>, Failure> {
    if !some(&service, key.clone().into()).await? {
        return Err(Failure::not_found(format!("there is no blob below {key}")));
    }
    let url = links::linked(
        &service,
        &key,
        Permit::Archive,
        LINK_SECONDS,
        &uri,
        &headers,
    )
    .await?;
    let expires = LINK_SECONDS * 1_000_000_000;
    Ok(Json(
        json!({"link": url, "status": "success", "expires": expires}),
    ))
}

async fn linked(
    service: &Service,
    key: &Key,
    permit: Permit,
    uri: &Uri,
    headers: &Headers,
) -> Result<Json<Value>, Failure> {
    let url = links::linked(service, key, permit, LINK_SECONDS, uri, headers).await?;
    Ok(link(&url))
}

/// A link to store a blob.
#[utoipa::path(post, path = crate::api::path::STEP_UPLOAD, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 200, description = "The link", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_upload(
    State(service): State<Service>,
    Extension(key): KeyOf,
    uri: Uri,
    headers: Headers,
) -> Result<Json<Value>, Failure> {
    linked(&service, &key, Permit::Upload, &uri, &headers).await
}

/// A link to store a blob.
#[utoipa::path(post, path = crate::api::path::HARNESS_UPLOAD, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "The link", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn upload(
    service: State<Service>,
    key: KeyOf,
    uri: Uri,
    headers: Headers,
) -> Result<Json<Value>, Failure> {
    step_upload(service, key, uri, headers).await
}

/// A link to read a blob.
#[utoipa::path(post, path = crate::api::path::STEP_DOWNLOAD, tag = "harness",
    params(("account" = String, Path), ("org" = String, Path), ("project" = String, Path), ("build" = String, Path), ("stage" = String, Path), ("step" = String, Path)),
    responses((status = 200, description = "The link", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn step_download(
    State(service): State<Service>,
    Extension(key): KeyOf,
    uri: Uri,
    headers: Headers,
) -> Result<Json<Value>, Failure> {
    linked(&service, &key, Permit::Download, &uri, &headers).await
}

/// A link to read a blob.
#[utoipa::path(post, path = crate::api::path::HARNESS_DOWNLOAD, tag = "harness", params(HarnessParams),
    responses((status = 200, description = "The link", body = Value), (status = "4XX", description = "Refused", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer)))]
pub(in crate::service) async fn download(
    service: State<Service>,
    key: KeyOf,
    uri: Uri,
    headers: Headers,
) -> Result<Json<Value>, Failure> {
    step_download(service, key, uri, headers).await
}
