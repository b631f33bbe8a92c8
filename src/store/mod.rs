//! The embedded log.
//!
//! ```text
//! Appender --batches--> writer thread --frames, one fsync--> WAL
//!                            |                                |
//!                            +--> memtable --full--> segment (Parquet file), its WAL is removed
//!                            +--> head (watched position)
//! keeper thread: small segments --compaction--> large ones; what is too old --retention--> gone
//! page, histogram, facets: a Scan merges memtables and segments by (time, position)
//! Feed: reads by position, waits for the head to move
//! ```
//!
//! Invariants: an append that was answered survives `kill -9` and power loss (durability [`Durability::Sync`]); an
//! entry is never shown twice or skipped; pages run by (time, position), feeds by position; the folder is the catalog
//! (a segment appears by rename after fsync, names tell positions, what a wider one covers is superseded). Every file
//! operation goes through `disk`. Every read is bounded by the row groups it looks at and by the scan's budget.
//!
//! Knows nothing of HTTP, terminals or configuration.

mod appender;
mod build;
mod cache;
mod codec;
mod compaction;
mod disk;
mod error;
mod export;
mod facets;
mod feed;
mod figures;
mod histogram;
mod inspect;
mod keeper;
mod lock;
mod lookup;
mod memtable;
mod options;
mod page;
mod recovery;
mod retention;
mod sample;
mod scan;
mod seal;
mod segment;
mod source;
mod state;
mod wal;
mod writer;

pub use appender::{Appender, NotTaken, Pending};
pub use error::Error;
pub use feed::{Feed, FeedBatch};
pub use figures::Figures;
pub use inspect::{SegmentStat, Stat, Work};
pub use lock::Lock;
pub use options::{Durability, Limits, Options, Retention};
pub use recovery::Recovery;
pub use state::{Health, Store};

#[cfg(test)]
mod tests;
