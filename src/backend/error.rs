//! Why a question got no answer.

/// A backend's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The embedded log.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The directory of binary logs.
    #[error(transparent)]
    Directory(#[from] crate::logdir::Error),
    /// Plain log files.
    #[error(transparent)]
    Files(#[from] crate::files::Error),
    /// The service.
    #[error(transparent)]
    Remote(#[from] crate::client::Error),
    /// Live streams.
    #[error(transparent)]
    Streams(#[from] crate::streams::Error),
    /// Blobs.
    #[error(transparent)]
    Blobs(#[from] crate::blobs::Error),
    /// What many questions wait for.
    #[error(transparent)]
    Shared(std::sync::Arc<Self>),
    /// What is said of itself.
    #[error("{0}")]
    Said(String),
    /// The work was stopped: the program is ending.
    #[error("the question was interrupted")]
    Interrupted,
}

impl Error {
    /// Whether trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Remote(error) if error.is_passing())
    }

    /// The whole chain in one line: what failed, and why.
    #[must_use]
    pub fn explained(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}
