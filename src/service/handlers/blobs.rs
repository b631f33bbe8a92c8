//! `/api/v2/blobs`: large values by name.

use axum::body::Body;
use axum::extract::{Query as Params, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_range_header::parse_range_header;
use serde::Deserialize;
use tokio_stream::StreamExt;

use super::streams::page;
use crate::api::{BlobAnswer, BlobsAnswer, DeletedAnswer, ErrorAnswer, KeysParams, LevelParams};
use crate::blobs::{Blob, Blobs, Digest, Download, Key, ListRequest, NewBlob, Prefix};
use crate::service::Service;
use crate::service::access::Caller;
use crate::service::error::Failure;

/// Blobs, in the order of their names.
#[utoipa::path(
    get,
    path = crate::api::path::BLOBS,
    tag = "blobs",
    params(KeysParams, LevelParams),
    responses((status = 200, description = "Those that the token may read", body = BlobsAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<KeysParams>,
    Params(level): Params<LevelParams>,
) -> Result<Json<BlobsAnswer>, Failure> {
    let (prefix, after, limit) = page(&caller, &params)?;
    let is_level = match level.delimiter.as_deref() {
        None | Some("") => false,
        Some("/") => true,
        Some(found) => {
            let message = format!("delimiter: expected /, found {found:?}");
            return Err(Failure::invalid(message));
        }
    };
    let request = ListRequest {
        prefix,
        after,
        limit,
        is_level,
    };
    let page = service.blobs()?.list(&request).await?;
    Ok(Json(BlobsAnswer {
        blobs: page.blobs.iter().map(answer).collect(),
        folders: page.folders.into_iter().map(String::from).collect(),
        next: page.next.map(String::from),
    }))
}

/// What is known of a blob, as it is told.
fn answer(blob: &Blob) -> BlobAnswer {
    crate::backend::blob_answer(blob)
}

/// Stores a blob; nobody sees it before it is whole and durable.
#[utoipa::path(
    put,
    path = crate::api::path::BLOB,
    tag = "blobs",
    params(("key" = String, Path, description = "Its name: segments with slashes between them; the first is the account"), ("If-None-Match" = Option<String>, Header, description = "*: there may be none yet"), ("Repr-Digest" = Option<String>, Header, description = "sha-256=:BASE64: what it has to be; X-Checksum-Sha256 says the same in hexadecimal")),
    request_body(description = "The blob", content_type = "application/octet-stream", content = String),
    responses((status = 201, description = "Stored", body = BlobAnswer), (status = 412, description = "There is one", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn put(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let blob = store(service.blobs()?, &key, &headers, body).await?;
    let tag = [(header::ETAG, format!("\"{}\"", blob.tag))];
    Ok((StatusCode::CREATED, tag, Json(answer(&blob))).into_response())
}

/// Stores a body as it comes.
pub(in crate::service) async fn store(
    blobs: &Blobs,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
) -> Result<Blob, Failure> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let only_new = match text(&header::IF_NONE_MATCH) {
        None => false,
        Some("*") => true,
        Some(other) => {
            return Err(Failure::invalid(format!(
                "If-None-Match: expected *, found {other:?}"
            )));
        }
    };
    let new = NewBlob {
        content_type: text(&header::CONTENT_TYPE).map(str::to_owned),
        digest: digest(headers)?,
        only_new,
        ..NewBlob::default()
    };
    let mut upload = blobs.upload(key, new).await?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        upload.write(chunk.map_err(Failure::body_broken)?).await?;
    }
    Ok(upload.finish().await?)
}

/// What the sender says the SHA-256 is.
fn digest(headers: &HeaderMap) -> Result<Option<Digest>, Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(hex) = text("x-checksum-sha256") {
        let digest = Digest::from_hex(hex.trim());
        let expected = "X-Checksum-Sha256: expected 64 hexadecimal digits";
        return digest.map(Some).ok_or_else(|| Failure::invalid(expected));
    }
    let Some(digests) = text("repr-digest").or_else(|| text("content-digest")) else {
        return Ok(None);
    };
    for digest in digests.split(',') {
        let Some(value) = digest.trim().strip_prefix("sha-256=:") else {
            continue;
        };
        let bytes = BASE64_STANDARD.decode(value.trim_end_matches(':')).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let expected = "Repr-Digest: expected sha-256=: and the base64 of 32 bytes";
        return bytes
            .map(|bytes| Some(Digest(bytes)))
            .ok_or_else(|| Failure::invalid(expected));
    }
    // Digests of other kinds are for others.
    Ok(None)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service) struct GetParams {
    zip: Option<String>,
}

/// A blob, or a range of it; with `zip`, an archive of everything below the name.
#[utoipa::path(
    get,
    path = crate::api::path::BLOB,
    tag = "blobs",
    params(("key" = String, Path, description = "Its name"), ("zip" = Option<String>, Query, description = "An archive of everything below the name"), ("Range" = Option<String>, Header, description = "One range of bytes"), ("If-None-Match" = Option<String>, Header, description = "Not if it still has this tag")),
    responses((status = 200, description = "The blob, with the type that it was stored with", content_type = "*/*", body = String), (status = 206, description = "A range of it"), (status = 304, description = "It still has that tag"), (status = 404, description = "There is none", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn get(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
    Params(params): Params<GetParams>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if params.zip.is_some_and(|zip| zip != "false") {
        return archive(service.blobs()?, &key.into()).await;
    }
    give(service.blobs()?, &key, &headers).await
}

/// Gives a blob, or what the headers ask of it.
pub(in crate::service) async fn give(
    blobs: &Blobs,
    key: &Key,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let found = blobs.find(key).await?;
    let found = found.ok_or_else(|| Failure::not_found(format!("there is no blob {key}")))?;
    let blob = &found.blob;
    let tag = format!("\"{}\"", blob.tag);
    let names = |name: &HeaderName| {
        let tags = headers.get(name).and_then(|tags| tags.to_str().ok())?;
        let mut tags = tags
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        Some(tags.any(|one| one == "*" || one == tag))
    };
    if names(&header::IF_MATCH) == Some(false) {
        return Err(Failure::precondition(format!("the blob has the tag {tag}")));
    }
    let mut response = if names(&header::IF_NONE_MATCH) == Some(true) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // A range of another value than is meant is of no use.
        let is_same = names(&header::IF_RANGE) != Some(false);
        let range = headers.get(header::RANGE).filter(|_| is_same);
        body(&found, range.and_then(|range| range.to_str().ok()))
    };
    describe(blob, response.headers_mut());
    Ok(response)
}

/// The whole, or one range of it.
fn body(found: &Download, range: Option<&str>) -> Response {
    let size = found.blob.size;
    let whole = || {
        let body = Body::from_stream(found.read_all());
        ([(header::CONTENT_LENGTH, size.to_string())], body).into_response()
    };
    // What is not understood, and several ranges, are answered with the whole.
    let Some(ranges) = range.and_then(|range| parse_range_header(range).ok()) else {
        return whole();
    };
    let Ok(ranges) = ranges.validate(size) else {
        let all = format!("bytes */{size}");
        return (
            StatusCode::RANGE_NOT_SATISFIABLE,
            [(header::CONTENT_RANGE, all)],
        )
            .into_response();
    };
    let [range] = ranges.as_slice() else {
        return whole();
    };
    let (first, last) = (*range.start(), *range.end());
    let headers = [
        (
            header::CONTENT_RANGE,
            format!("bytes {first}-{last}/{size}"),
        ),
        (header::CONTENT_LENGTH, (last + 1 - first).to_string()),
    ];
    let body = Body::from_stream(found.read(first..last + 1));
    (StatusCode::PARTIAL_CONTENT, headers, body).into_response()
}

/// What is known of a blob, as headers.
fn describe(blob: &Blob, headers: &mut HeaderMap) {
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    say(header::ETAG, &format!("\"{}\"", blob.tag));
    say(header::ACCEPT_RANGES, "bytes");
    say(header::LAST_MODIFIED, &blob.modified.http_form());
    // It is the sender's word: browsers are told elsewhere not to make more of it.
    let kind = blob.content_type.as_deref();
    say(
        header::CONTENT_TYPE,
        kind.unwrap_or("application/octet-stream"),
    );
    if let Some(digest) = blob.digest {
        let digest = BASE64_STANDARD.encode(digest.0);
        say(
            HeaderName::from_static("repr-digest"),
            &format!("sha-256=:{digest}:"),
        );
    }
}

/// An archive of everything below a prefix.
pub(in crate::service) async fn archive(
    blobs: &Blobs,
    prefix: &Prefix,
) -> Result<Response, Failure> {
    let archive = blobs.zip(prefix).await?;
    let archive =
        archive.ok_or_else(|| Failure::not_found(format!("there is no blob below {prefix}")))?;
    let name = prefix.key().map_or("blobs", Key::name);
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name
        .chars()
        .map(|c| if is_plain(&c) { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.zip\""),
        ),
    ];
    Ok((headers, Body::from_stream(archive)).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service) struct DeleteParams {
    prefix: Option<String>,
}

/// Deletes a blob; with `prefix=true`, everything below the name.
#[utoipa::path(
    delete,
    path = crate::api::path::BLOB,
    tag = "blobs",
    params(("key" = String, Path, description = "Its name"), ("prefix" = Option<String>, Query, description = "true: everything below the name")),
    responses((status = 204, description = "Deleted"), (status = 200, description = "How many were deleted", body = DeletedAnswer), (status = 404, description = "There is none", body = ErrorAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn delete(
    State(service): State<Service>,
    Extension(key): Extension<Key>,
    Params(params): Params<DeleteParams>,
) -> Result<Response, Failure> {
    let blobs = service.blobs()?;
    if params.prefix.as_deref() == Some("true") {
        let deleted = blobs.delete_below(&key.into()).await?;
        return Ok(Json(DeletedAnswer { deleted }).into_response());
    }
    if blobs.delete(&key).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Failure::not_found(format!("there is no blob {key}")))
}
