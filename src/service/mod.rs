//! The HTTP service.
//!
//! ```text
//! listener (TCP, TLS, Unix socket) -> layers -> access -> routes -> handlers -> Backend (pages, counts)
//!                                                                           -> hub (live entries)
//!                                                                           -> intake -> Appender (pushes)
//!                                                                           -> Streams, Blobs (lines, values)
//! ```
//!
//! Every route stands in `routes`, every middleware in `layers`, the mapping from failures to answers in `error`.
//! Handlers extract, ask a room, and wrap its answer; they hold no state of their own.

mod access;
mod error;
mod frames;
mod handlers;
mod hub;
mod intake;
mod layers;
mod limits;
mod listen;
mod metrics;
mod openapi;
mod question;
mod request_id;
mod routes;
mod sse;
mod state;
mod tailing;

pub use access::{Access, NewToken, Right, Secret, Token, TokenError, Tokens};
pub use limits::Rates;
pub use listen::{Connections, ListenError, Listener};
pub use state::{Options, Service};
