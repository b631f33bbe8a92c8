//! Why events are not taken, or listeners not made.

use uuid::Uuid;

use super::event::EventError;
use super::listener::ListenerError;

/// Why events are not taken, or listeners not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What came is no event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// What shall wait is no listener.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// It was taken before, or stands twice in the batch: nothing of the batch was taken.
    #[error("there is an event {id:?} of {origin:?} already; nothing of the batch was taken")]
    Duplicate {
        /// Its id.
        id: String,
        /// Its source.
        origin: String,
    },
    /// There is no such event.
    #[error("there is no event {0:?}")]
    NoEvent(String),
    /// There is no such listener.
    #[error("there is no listener {0}")]
    NoListener(Uuid),
    /// There is no such firing.
    #[error("there is no firing {0:?}")]
    NoFiring(String),
    /// The database refuses: nothing was taken.
    #[error("the events cannot be kept: {0}")]
    Database(String),
    /// The program is ending.
    #[error("the events are closed")]
    Closed,
}

macro_rules! database {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Error {
            fn from(error: $kind) -> Self {
                Self::Database(error.to_string())
            }
        }
    )*};
}

database!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    std::io::Error,
    serde_json::Error
);
