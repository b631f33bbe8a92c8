//! Every middleware, in order: the first here is the outermost.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::Uri;
use axum::middleware::{Next, from_fn};
use axum::response::Response;

use super::Service;
use super::error::Failure;

/// Puts the middleware around the routes.
pub(super) fn around(routes: Router<Service>, service: Service) -> Router {
    let routes = routes
        .fallback(|| async { Failure::path_not_found() })
        .method_not_allowed_fallback(|| async { Failure::method_not_allowed() })
        // Bodies have bounds of their own: they are streamed.
        .layer(DefaultBodyLimit::disable())
        .with_state(service);
    // What changes the path stands outside of the router that looks at it.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(without_trailing_slash))
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
