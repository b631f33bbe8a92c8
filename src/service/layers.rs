//! Every middleware, in order: the first here is the outermost.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::decompression::RequestDecompressionLayer;

use super::error::Failure;
use super::{Service, request_id};

/// Shorter answers fit in a packet as they are.
const MIN_COMPRESSED: u16 = 1_024;

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
        .with_state(service);
    // What changes the path stands outside of the router that looks at it.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(without_trailing_slash))
        .layer(from_fn(request_id::around))
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
    let worth_it =
        SizeAbove::new(MIN_COMPRESSED).and(NotForContentType::const_new("text/event-stream"));
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worth_it)
}

/// Direktiv's routes answer with a trailing slash too.
async fn without_trailing_slash(mut request: Request, next: Next) -> Response {
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
