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
    /// A key of the configuration.
    #[error(transparent)]
    Keymap(#[from] super::KeymapError),
}
