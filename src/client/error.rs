//! What can go wrong with a service elsewhere.

use std::time::Duration;

/// A client's error, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none.
    #[error("expected an address such as http://host:7420, found {0:?}")]
    Address(String),
    /// Nobody answers there.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// The innermost reason.
        reason: String,
    },
    /// It answers, and refuses.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Its code for programs, where it sent one.
        code: String,
        /// What it said.
        message: String,
        /// When it says to try again.
        retry_after: Option<Duration>,
    },
    /// It answers what we do not understand: another kind of service, perhaps.
    #[error("{url} answered something unexpected: {reason}")]
    Unexpected {
        /// Where.
        url: String,
        /// What was expected and found.
        reason: String,
    },
}

impl Error {
    /// From the HTTP library's error, without its address (it may hold a query).
    pub(super) fn of(url: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut innermost = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self::Unreachable {
            url: url.to_owned(),
            reason: innermost.to_string(),
        }
    }

    /// When it says to try again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Address(_) | Self::Unexpected { .. } => false,
        }
    }
}
