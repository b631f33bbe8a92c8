//! Why the explorer cannot run.

use std::io;

/// The explorer's error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no terminal to draw on.
    #[error(
        "there is no terminal to explore in; `tailwater query` and `tailwater tail` print instead"
    )]
    NoTerminal,
    /// The terminal refuses.
    #[error("the terminal refuses")]
    Terminal(#[source] io::Error),
    /// What happens cannot be recorded.
    #[error("the record cannot be written")]
    Record(#[source] io::Error),
    /// A key of the configuration.
    #[error(transparent)]
    Keymap(#[from] super::KeymapError),
}
