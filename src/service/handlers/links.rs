//! `POST /api/v2/blobs/{key}?link=`: links that need no token.

use std::time::Duration;

use axum::extract::{Query as Params, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::{Extension, Json};
use serde::Deserialize;

use crate::api::{ErrorAnswer, LinkAnswer};
use crate::base::{Time, units};
use crate::blobs::{Key, Permit};
use crate::service::Service;
use crate::service::access::{Caller, Right, seconds};
use crate::service::error::Failure;

/// Links live so long at the most: a week, as those of S3.
const MAX_LINK_SECONDS: u64 = 7 * 24 * 3_600;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::service) struct LinkParams {
    link: Option<String>,
    expires: Option<String>,
}

/// A link to store or read a blob, which needs no token.
#[utoipa::path(
    post,
    path = crate::api::path::BLOB,
    tag = "blobs",
    params(("key" = String, Path, description = "Its name"), ("link" = String, Query, description = "upload or download"), ("expires" = Option<String>, Query, description = "How long it is worth something: 1h; a week at the most")),
    responses((status = 200, description = "The link", body = LinkAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn link(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Extension(key): Extension<Key>,
    Params(params): Params<LinkParams>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<LinkAnswer>, Failure> {
    let (permit, right) = match params.link.as_deref() {
        Some("upload") => (Permit::Upload, Right::Write),
        Some("download") => (Permit::Download, Right::Read),
        other => {
            let found = other.unwrap_or_default();
            let message = format!("link: expected upload or download, found {found:?}");
            return Err(Failure::invalid(message));
        }
    };
    if !caller.may(right, &key.clone().into()) {
        let message = format!("the token does not allow such a link to {key}");
        return Err(Failure::token_denied(message));
    }
    let lasts = match params.expires.as_deref() {
        None => service.blobs()?.options().link_lasts,
        Some(text) => units::parse_duration(text)
            .map_err(|error| Failure::invalid(format!("expires: {error}")))?,
    };
    let lasts = lasts.as_secs().clamp(1, MAX_LINK_SECONDS);
    let link = linked(&service, &key, permit, lasts, &uri, &headers).await?;
    let expires = Time::now().later(Duration::from_secs(lasts));
    Ok(Json(LinkAnswer {
        link,
        method: match permit {
            Permit::Upload => Method::PUT,
            Permit::Download | Permit::Archive => Method::GET,
        }
        .to_string(),
        expires: expires.to_string(),
    }))
}

/// A link that lasts so many seconds: of the place itself, if it gives any, else of ours.
pub(in crate::service) async fn linked(
    service: &Service,
    key: &Key,
    permit: Permit,
    lasts: u64,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<String, Failure> {
    let duration = Duration::from_secs(lasts);
    if let Some(link) = service.blobs()?.presigned(key, permit, duration).await? {
        return Ok(link);
    }
    let expires = seconds(Time::now()) + lasts;
    let signature = service.secret.sign(permit, key, expires);
    let begin = begin(service, uri, headers);
    let path = crate::api::path::key(key.as_str());
    let signature = signature.replace('=', "%3D");
    let zip = match permit {
        Permit::Archive => "zip&",
        Permit::Download | Permit::Upload => "",
    };
    Ok(format!(
        "{begin}/api/v2/blobs/{path}?{zip}expires={expires}&signature={signature}"
    ))
}

/// How the service is called by who asks.
pub(in crate::service) fn begin(service: &Service, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(url) = &service.options.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str));
    let scheme = if service.options.is_secure {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}
