//! Every outgoing HTTP call; the one user of the HTTP client library.
//!
//! Speaks to a Tailwater service over TCP, TLS or its Unix socket, and to Direktiv's three generations. Streams resume after the last entry seen: nothing is
//! lost or doubled across a reconnect.

mod blobs;
mod connection;
mod direktiv;
mod error;
mod events;
mod feed;
mod folder;
mod shipper;
mod streams;
mod tailwater;

pub use blobs::{BlobBody, Origin};
pub use connection::{Client, Options};
pub use direktiv::{
    Direktiv, DirektivEvent, DirektivPage, DirektivStream, Generation, Older, Row,
    SILENCE as DIREKTIV_SILENCE, Track,
};
pub use error::Error;
pub use feed::{Feed, FeedEvent};
pub use shipper::Shipper;
pub use streams::{PushKind, StreamEvent, StreamLine, StreamTail};
pub use tailwater::Ingest;
