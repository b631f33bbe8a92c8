//! The id of a request: taken from the caller or given, told in the answer, in failures and in our own log.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// A caller's id may have so many characters; a longer one is replaced.
const MAX_LENGTH: usize = 128;

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// The id of the request that is being answered.
pub(super) fn current() -> Option<String> {
    let text = |id: &HeaderValue| id.to_str().map(str::to_owned).ok();
    CURRENT.try_with(text).ok().flatten()
}

/// Gives every request an id.
pub(super) async fn around(request: Request, next: Next) -> Response {
    let sent = request.headers().get(&HEADER).filter(|id| is_sane(id));
    let id = sent.cloned().unwrap_or_else(fresh);
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
    let answering = next.run(request).instrument(span);
    let mut response = CURRENT.scope(id.clone(), answering).await;
    response.headers_mut().insert(HEADER, id);
    response
}

fn is_sane(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

fn fresh() -> HeaderValue {
    // Ids only tell requests apart: they need not be hard to guess.
    let id = format!("{:032x}", fastrand::u128(..));
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
}
