//! A log directory as something to explore.

mod convert;

pub use convert::to_entry;
