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
    /// The service.
    #[error(transparent)]
    Remote(#[from] crate::client::Error),
    /// Direktiv; many questions wait for the same answer.
    #[error(transparent)]
    Mirror(std::sync::Arc<crate::client::Error>),
    /// The work was stopped: the program is ending.
    #[error("the question was interrupted")]
    Interrupted,
}

impl Error {
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
