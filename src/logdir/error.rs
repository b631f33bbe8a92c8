//! What can go wrong, by what the caller can do about it; and what is merely told.

use std::fmt;
use std::io;

/// Why a log directory cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A time that no entry can have.
    #[error("expected a time that is not before 1970, found {0} milliseconds")]
    Time(i64),
    /// A range that ends before it begins.
    #[error("expected a range whose end is not before its beginning, found {min} to {max}")]
    Order {
        /// Its beginning, milliseconds since 1970.
        min: i64,
        /// Its end.
        max: i64,
    },
    /// An option out of its bounds.
    #[error("expected {option} {expected}, found {found}")]
    Option {
        /// Which.
        option: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The source refused.
    #[error("cannot {action} {what}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what: a file, a directory, an address.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A file lost bytes that were there.
    #[error("{file} has shrunk: expected {expected} bytes at least, found {found}")]
    Shrunk {
        /// Which.
        file: String,
        /// What it had.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// A source that is open cannot be opened.
    #[error("the source is open already")]
    Open,
    /// A source that is closed cannot be read.
    #[error("the source is closed")]
    Closed,
    /// Something cannot be written in this format.
    #[error("cannot be written: {0}")]
    Unwritable(Defect),
    /// Bytes that are no bulk stream.
    #[error("expected a bulk stream, found {0}")]
    Bulk(&'static str),
}

impl Error {
    /// Whether what was asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Wraps a refusal with what was tried.
    pub(super) fn io(
        action: &'static str,
        what: impl fmt::Display,
    ) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io {
            action,
            what,
            source,
        }
    }
}

/// What is wrong with a block, or with an entry that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// There is nothing between two separators.
    #[error("the block is empty")]
    Empty,
    /// An escape that nothing writes.
    #[error("the escape byte F8 is followed by {}, expected 01, 02 or 03", Found(*.0))]
    Escape(Option<u8>),
    /// Compressed bytes that cannot be inflated, or whose checksum is wrong.
    #[error("the compressed entries cannot be inflated")]
    Zlib,
    /// More than is read or written as one.
    #[error(
        "it is larger than {} MiB, or has more than {} entries",
        super::MAX_BLOCK_BYTES >> 20,
        super::MAX_BLOCK_ENTRIES
    )]
    TooLarge,
    /// A kind of entry that the format does not know.
    #[error("the event type {0} is unknown")]
    EventType(u8),
    /// An entry, or a value in it, that is longer than what holds it.
    #[error("an entry is longer than its block")]
    Short,
    /// The file ends before the block does.
    #[error("the file ends inside the block")]
    Torn,
}

struct Found(Option<u8>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(byte) => write!(f, "{byte:02X}"),
            None => f.write_str("the end"),
        }
    }
}
