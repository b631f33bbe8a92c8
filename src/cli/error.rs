//! Failures of commands, and how they are told.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::entry::visible;
use crate::query::ParseQueryError;
use crate::{backend, client, config, explorer, files, logdir, pipelines, service, store};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The embedded log.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A directory of binary logs.
    #[error(transparent)]
    Logdir(#[from] logdir::Error),
    /// A question.
    #[error(transparent)]
    Backend(#[from] backend::Error),
    /// A service elsewhere.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// Files that cannot be explored.
    #[error(transparent)]
    Files(#[from] files::DiscoverError),
    /// The service cannot listen.
    #[error(transparent)]
    Listen(#[from] service::ListenError),
    /// The service has no certificate.
    #[error(transparent)]
    Tls(#[from] crate::base::tls::TlsError),
    /// Tokens cannot be kept or read.
    #[error(transparent)]
    Token(#[from] service::TokenError),
    /// The terminal or the keys.
    #[error(transparent)]
    Explorer(#[from] explorer::Error),
    /// Blobs cannot be kept.
    #[error(transparent)]
    Blobs(#[from] crate::blobs::Error),
    /// Live streams cannot be kept.
    #[error(transparent)]
    Streams(#[from] crate::streams::Error),
    /// Events.
    #[error(transparent)]
    Events(#[from] crate::events::Error),
    /// A pipeline cannot be started.
    #[error(transparent)]
    Pipeline(Box<pipelines::Failed>),
    /// A pipeline that could never be.
    #[error("{place}{failed}")]
    Misfit {
        /// Where it was said.
        place: String,
        /// Which, and why.
        #[source]
        failed: Box<pipelines::Failed>,
    },
    /// A query that is not understood.
    #[error("the query is not understood {error}")]
    Query {
        /// The query.
        text: String,
        /// Where and why.
        error: ParseQueryError,
    },
    /// The system refuses.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Anything that a sentence explains.
    #[error("{0}")]
    Said(String),
}

impl From<pipelines::Failed> for Error {
    fn from(failed: pipelines::Failed) -> Self {
        Self::Pipeline(Box::new(failed))
    }
}

impl Error {
    /// Wraps a system error with what was tried.
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// Whether the reader of our output went away.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The failure and its causes.
    pub(super) fn explained(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(words.trim_end());
            }
            cause = error.source();
        }
        text
    }

    /// Prints the failure with its causes; of a query, the place.
    pub(super) fn print(&self) {
        let text = format!("tailwater: {}", self.explained());
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| visible(line).text.into_owned())
            .collect();
        if let Self::Query { text, error } = self {
            let shown = visible(text.get(..error.offset).unwrap_or_default())
                .text
                .chars()
                .count();
            lines.push(format!("  {}", visible(text).text));
            lines.push(format!("  {}^", " ".repeat(shown)));
        }
        // Nobody is left to be told that standard error is gone.
        let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    }
}
