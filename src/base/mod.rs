//! What the standard library could have had: time as a value, backoff, units, certificates and the signal to stop.
//!
//! Imports nothing of ours; knows nothing of logs.

pub mod backoff;
pub mod clock;
pub mod gauge;
pub mod likeness;
pub mod networks;
pub mod new_file;
pub mod parallel;
pub mod seats;
pub mod shutdown;
pub mod tls;
pub mod tokens;
pub mod units;
pub mod zone;

pub use backoff::Backoff;
pub use clock::Time;
pub use gauge::Gauge;
pub use likeness::nearest;
pub use networks::Networks;
pub use new_file::NewFile;
pub use parallel::Workers;
pub use seats::{Full, Seat, Seats};
pub use tokens::Tokens;
pub use units::{Size, Span};
pub use zone::{UTC, Zone};
