//! The embedded log.
//!
//! ```text
//! Appender --batches--> writer thread --frames, one fsync--> WAL
//!                            |                                |
//!                            +--> memtable --full--> sealed run (file), its WAL is removed
//!                            +--> head (watched position)
//! page, histogram, facets: a Scan merges memtables and runs by (time, position)
//! Feed: reads by position, waits for the head to move
//! ```
//!
//! Invariants: an append that was answered survives `kill -9` and power loss (durability [`Durability::Sync`]); an
//! entry is never shown twice or skipped; pages run by (time, position), feeds by position; the folder is the catalog
//! (a run appears by rename after fsync). Every read is bounded by the run it looks at and by the scan's budget.
//!
//! Knows nothing of HTTP, terminals or configuration.

mod appender;
mod codec;
mod error;
mod facets;
mod feed;
mod histogram;
mod lock;
mod lookup;
mod memtable;
mod options;
mod page;
mod recovery;
mod run;
mod scan;
mod state;
mod wal;

pub use appender::{Appender, Pending};
pub use error::Error;
pub use feed::{Feed, FeedBatch};
pub use lock::Lock;
pub use options::{Durability, Options};
pub use recovery::Recovery;
pub use state::{Health, Store};

#[cfg(test)]
mod tests;
