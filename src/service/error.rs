//! Failures and their answers: the one mapping to statuses and codes.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::request_id;
use crate::api::{ErrorAnswer, ErrorBody};
use crate::base::Full;
use crate::pipelines::IngestError;
use crate::{backend, blobs, events, store, streams};

/// A request that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// When it is worth trying again.
    retry_after: Option<Duration>,
}

/// What went wrong, for those who write it in a form of their own.
#[derive(Clone, Debug)]
pub(super) struct Reason(pub ErrorBody);

/// The wait that is told where nobody can know it.
const RETRY_AFTER: Duration = Duration::from_secs(2);

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let passes = status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status,
            code,
            message: message.into(),
            retry_after: passes.then_some(RETRY_AFTER),
        }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// The log takes entries more slowly than they come.
    pub fn behind() -> Self {
        let message = "the log is behind: send it again a little later";
        Self {
            retry_after: Some(RETRY_AFTER),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "log_behind", message)
        }
    }

    pub fn too_many(wait: Duration) -> Self {
        let message = "too many requests";
        Self {
            retry_after: Some(wait),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "request_rate", message)
        }
    }

    pub fn foreign_host(host: &str) -> Self {
        let message = format!(
            "expected this machine's address or localhost as the host, found {host:?}; --no-auth allows any"
        );
        Self::new(StatusCode::FORBIDDEN, "access_host", message)
    }

    /// A body of a kind that the route does not take.
    pub fn unknown_kind(expected: &str) -> Self {
        let message = format!("content-type: expected {expected}");
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request_type_unknown",
            message,
        )
    }

    /// The body stopped coming.
    pub fn body_broken(reason: impl std::fmt::Display) -> Self {
        let message = format!("the body ends before its end: {reason}");
        Self::new(StatusCode::BAD_REQUEST, "request_body_broken", message)
    }

    /// A parameter or body that is not what it should be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request_data_invalid", message)
    }

    /// Direktiv's word for a push that lacks something.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request", message)
    }

    pub fn not_json(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request_body_not_json", message)
    }

    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request_body_too_large",
            message,
        )
    }

    pub fn token_missing() -> Self {
        let message = "expected a token in the header Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, "access_token_missing", message)
    }

    /// Unknown, revoked or expired: which of them is nobody's business.
    pub fn token_invalid() -> Self {
        let message = "the token is not valid";
        Self::new(StatusCode::UNAUTHORIZED, "access_token_invalid", message)
    }

    pub fn token_denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "access_denied", message)
    }

    /// A link that is not ours, or no longer.
    pub fn link_denied() -> Self {
        let message = "the link is not valid, or its time is over";
        Self::new(StatusCode::FORBIDDEN, "access_link", message)
    }

    pub fn tokens_unreadable() -> Self {
        let message = "the service cannot read its tokens";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "internal", message)
    }

    pub fn internal(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub fn unknown_encoding() -> Self {
        let message = "content-encoding: expected gzip, zstd, deflate or none";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request_encoding_unknown",
            message,
        )
    }

    pub fn namespace_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "resource_not_found",
            "requested resource(namespace) is not found",
        )
    }

    /// Something by a name that nothing has.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "resource_not_found", message)
    }

    /// A stream has as many clients as it may.
    pub fn too_many_streams(full: &Full) -> Self {
        Self {
            retry_after: Some(RETRY_AFTER),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "stream_connections",
                full.to_string(),
            )
        }
    }

    /// A pipeline does not take what was posted.
    pub fn pipeline(error: &IngestError) -> Self {
        Self {
            retry_after: Some(RETRY_AFTER),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "pipeline_unavailable",
                error.to_string(),
            )
        }
    }

    pub fn address_denied() -> Self {
        let message = "this address may not connect";
        Self::new(StatusCode::FORBIDDEN, "access_address", message)
    }

    /// A condition of the request does not hold.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            message,
        )
    }

    pub fn entry_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "resource_not_found",
            "requested resource(entry) is not found",
        )
    }

    pub fn path_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "request_path_not_found",
            "request http path is not found",
        )
    }

    pub fn method_not_allowed() -> Self {
        let message = "request http method is not allowed for this path";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "request_method_not_allowed",
            message,
        )
    }
}

impl From<backend::Error> for Failure {
    fn from(error: backend::Error) -> Self {
        tracing::error!(error = %error.explained(), "a question could not be answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            error.explained(),
        )
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        if matches!(error, store::Error::TooLarge) {
            return Self::too_large(error.to_string());
        }
        let code = match &error {
            store::Error::Full => "log_disk_full",
            store::Error::Failed { .. } | store::Error::Closed => "log_not_accepting",
            _ => "internal",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
    }
}

impl From<blobs::Error> for Failure {
    fn from(error: blobs::Error) -> Self {
        use blobs::Error::{Damaged, Digest, Disk, Exists, Place, Quota, TooLarge};
        let (status, code) = match &error {
            TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "request_body_too_large"),
            Quota { .. } => (StatusCode::INSUFFICIENT_STORAGE, "blob_quota"),
            Digest { .. } => (StatusCode::BAD_REQUEST, "request_digest_differs"),
            Exists(_) => (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
            Disk { .. } if error.is_full() => (StatusCode::INSUFFICIENT_STORAGE, "blob_disk_full"),
            Damaged { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "blob_damaged"),
            Disk { .. } | Place(_) => (StatusCode::SERVICE_UNAVAILABLE, "blobs_unavailable"),
        };
        if status.is_server_error() {
            tracing::warn!(%error, "a blob could not be stored or read");
        }
        Self::new(status, code, error.to_string())
    }
}

impl From<events::Error> for Failure {
    fn from(error: events::Error) -> Self {
        use events::Error::{Closed, Database, Duplicate, NoEvent, NoFiring, NoListener};
        let (status, code) = match &error {
            NoEvent(_) | NoListener(_) | NoFiring(_) => {
                (StatusCode::NOT_FOUND, "resource_not_found")
            }
            Duplicate { .. } => (StatusCode::BAD_REQUEST, "event_known"),
            events::Error::Event(_) | events::Error::Listener(_) => {
                (StatusCode::BAD_REQUEST, "request_data_invalid")
            }
            Database(_) | Closed => {
                tracing::warn!(%error, "events cannot be kept or read");
                (StatusCode::SERVICE_UNAVAILABLE, "events_unavailable")
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<streams::Error> for Failure {
    fn from(error: streams::Error) -> Self {
        use streams::Error::{Blob, Closed, Disk, Line, NotOpen, Place, Spool};
        let (status, code) = match error {
            Blob(error) => return error.into(),
            NotOpen(_) => (StatusCode::NOT_FOUND, "stream_not_open"),
            Closed(_) => (StatusCode::CONFLICT, "stream_closed"),
            Line(ref error) if error.is_too_long => {
                (StatusCode::PAYLOAD_TOO_LARGE, "request_body_too_large")
            }
            Line(_) => (StatusCode::BAD_REQUEST, "request_data_invalid"),
            Place(_) | Spool(_) | Disk { .. } => {
                tracing::warn!(%error, "a live stream could not be kept or read");
                (StatusCode::SERVICE_UNAVAILABLE, "streams_unavailable")
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl Failure {
    /// The same, told to who has had lines taken before.
    pub fn after(self, accepted: u64) -> Self {
        if accepted == 0 {
            return self;
        }
        let message = format!("after {accepted} lines were taken: {}", self.message);
        Self { message, ..self }
    }

    /// Its status and headers with a body of one's own.
    pub fn answering(&self, body: impl IntoResponse) -> Response {
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = ErrorBody {
            code: self.code.to_owned(),
            message: self.message.clone(),
            request_id: request_id::current(),
        };
        let reason = Reason(error.clone());
        let mut response = self.answering(Json(ErrorAnswer { error }));
        response.extensions_mut().insert(reason);
        response
    }
}
