//! Answers that are streams.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::Service;
use super::access::Caller;

/// The type of server-sent events.
pub(super) const EVENTS: &str = "text/event-stream";

/// A comment, which nobody hears but the connection.
pub(super) const PING: &str = ": ping\n\n";
/// Proxies give up on a silent connection after 45 s and more; a third of that is safe.
pub(super) const SILENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Sends what comes until the work is done, the service ends, the reader goes, or its token is worth nothing any more.
pub(super) fn send_while_wanted(
    service: Service,
    caller: Caller,
    sender: mpsc::Sender<Bytes>,
    work: impl Future<Output = ()> + Send + 'static,
) {
    tokio::spawn(async move {
        tokio::select! {
            () = service.stopping.cancelled() => {}
            () = sender.closed() => {}
            () = caller.until_unwelcome(&service) => {}
            () = work => {}
        }
    });
}

/// An answer of what comes, as it comes: neither caches nor proxies hold it back.
pub(super) fn live(kind: &'static str, pieces: mpsc::Receiver<Bytes>) -> Response {
    let body = Body::from_stream(ReceiverStream::new(pieces).map(Ok::<_, Infallible>));
    let mut response = body.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
