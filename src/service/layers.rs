//! Every middleware, in order: the first here is the outermost.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::Entry;
use axum::http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header,
};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::error::Failure;
use super::intake::{MAX_EXPORT_BYTES, Share};
use super::listen::Peer;
use super::metrics::Asked;
use super::{Service, access, request_id};
use crate::api;

/// Shorter answers fit in a packet as they are.
const MIN_COMPRESSED: u16 = 1_024;
/// How long a browser remembers which origins may ask.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// Puts the middleware around the routes.
pub(super) fn around(routes: Router<Service>, service: Service) -> Router {
    let routes = routes
        .fallback(|| async { Failure::path_not_found() })
        .method_not_allowed_fallback(|| async { Failure::method_not_allowed() })
        // Bodies have bounds of their own, on what is decoded: they are streamed.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestDecompressionLayer::new())
        .layer(map_response(explained))
        .layer(compression())
        .layer(from_fn_with_state(service.clone(), counted))
        .layer(from_fn_with_state(service.clone(), addressed))
        .layer(cors(&service.options.origins))
        .layer(RequestBodyTimeoutLayer::new(service.options.body_timeout))
        .with_state(service);
    // What changes the path stands outside of the router that looks at it.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(without_trailing_slash))
        .layer(map_response(hardened))
        .layer(from_fn(request_id::around))
}

/// Puts a prefix before paths of one segment: what is the only thing here needs no name.
pub(super) fn below(routes: Router, prefix: String) -> Router {
    let prefixed = move |mut request: Request, next: Next| {
        let path = request.uri().path();
        let is_bare = path.trim_matches('/').split('/').count() == 1;
        let query = request.uri().query();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = format!("{prefix}{path}{query}").parse::<Uri>();
        if let Some(uri) = uri.ok().filter(|_| is_bare) {
            *request.uri_mut() = uri;
        }
        next.run(request)
    };
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(prefixed))
}

/// The same for gRPC, which has bodies and failures of its own.
pub(super) fn around_grpc(routes: Router, service: Service) -> Router {
    routes
        .layer(from_fn_with_state(service.clone(), admitted))
        .layer(RequestBodyTimeoutLayer::new(service.options.body_timeout))
        .layer(from_fn_with_state(service, counted))
        .layer(from_fn(request_id::around))
}

/// Measures answers by route.
pub(super) async fn measured(
    State(service): State<Service>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let (began, method) = (Instant::now(), request.method().to_string());
    let response = next.run(request).await;
    let asked = Asked {
        method,
        route: route.as_str().to_owned(),
        status: response.status().as_u16(),
    };
    let took = began.elapsed();
    let Asked {
        method,
        route,
        status,
    } = &asked;
    if response.status().is_server_error() {
        tracing::warn!(method, route, status, ?took, "failed");
    } else {
        tracing::debug!(method, route, status, ?took, "answered");
    }
    service.metrics.asked(&asked, took);
    response
}

/// Before a byte of an export is read: who sends it may, and there is room for it.
async fn admitted(
    State(service): State<Service>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let caller = access::admit_pushing(&service, request.headers())?;
    request.extensions_mut().insert(caller);
    let mut share = Share::default();
    service.budget.read(&mut share, MAX_EXPORT_BYTES)?;
    let response = next.run(request).await;
    drop(share);
    Ok(response)
}

/// Refuses requests that call this machine by a foreign name, where only this machine is let in.
async fn addressed(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let host = request.uri().host().or(host).unwrap_or_default();
    if service.options.local_hosts && !is_local(host) {
        return Err(Failure::foreign_host(host));
    }
    Ok(next.run(request).await)
}

/// An address, or a name that no other machine can have. Without a host there is no page that asks.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_name = name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost");
    name.is_empty() || is_name || name.parse::<std::net::IpAddr>().is_ok()
}

/// Refuses addresses that may not connect, and counts requests.
async fn counted(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if let Some(Peer(Some(address))) = request.extensions().get() {
        if !service.options.networks.admit(*address) {
            return Err(Failure::address_denied());
        }
        service.limits.address(*address)?;
    }
    service.limits.request()?;
    Ok(next.run(request).await)
}

/// Which pages may ask from browsers.
fn cors(origins: &[String]) -> CorsLayer {
    let headers = [
        "authorization",
        "content-type",
        "last-event-id",
        "direktiv-token",
        "direktiv-api-key",
        "x-request-id",
        "x-harness-token",
        "idempotency-key",
        "if-none-match",
        "range",
    ];
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(headers.map(HeaderName::from_static))
        .expose_headers([HeaderName::from_static("x-request-id"), header::RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
}

/// Answers are data: no browser shall take them for anything else, or keep them.
async fn hardened(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        let entry = response.headers_mut().entry(name);
        entry.or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The decompression refuses what it does not know without a word.
async fn explained(response: Response) -> Response {
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE
        && !response.headers().contains_key(header::CONTENT_TYPE)
    {
        return Failure::unknown_encoding().into_response();
    }
    response
}

/// Answers are compressed for those who ask, but streams: their entries leave at once.
fn compression() -> CompressionLayer<impl Predicate> {
    // Who asks for ranges of a value means its own bytes; and archives are compressed.
    let is_answer = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let is_archive = |kind: &HeaderValue| kind == "application/zip";
        let kind = headers.get(header::CONTENT_TYPE);
        !headers.contains_key(header::ACCEPT_RANGES) && !kind.is_some_and(is_archive)
    };
    let worth_it = SizeAbove::new(MIN_COMPRESSED)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("application/x-ndjson"))
        .and(is_answer);
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it)
}

/// Direktiv's routes answer with a trailing slash too.
async fn without_trailing_slash(mut request: Request, next: Next) -> Response {
    // Loki's senders may name the compression that is a part of their format.
    if request.uri().path() == api::path::LOKI {
        let encoding = request.headers_mut().entry(header::CONTENT_ENCODING);
        if let Entry::Occupied(encoding) = encoding
            && encoding.get() == "snappy"
        {
            encoding.remove();
        }
    }
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if let Ok(uri) = format!("{}{query}", path.trim_end_matches('/')).parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}
