//! What the standard library could have had: time as a value, backoff, units and the signal to stop.
//!
//! Imports nothing of ours; knows nothing of logs.

pub mod backoff;
pub mod clock;
pub mod gauge;
pub mod shutdown;
pub mod units;

pub use backoff::Backoff;
pub use clock::Time;
pub use gauge::Gauge;
