//! Directories of binary logs as super-server-logs 4.0 writes them, read and written.
//!
//! ```text
//! files --LogDirectorySource--> one growing row of bytes (Vfs) --Paged, Blocks--> blocks --Decoder--> LogEntry
//!                                     \--LogReader: range, range_reversed, tail (and the same as bytes: bulk_*)
//! LogEntry --MasterLogger, WorkerLogger, RequestLogger--> blocks --LogManager: which file, when the next--> files
//! ```
//!
//! The format is the one of the JavaScript library `super-server-logs` (MIT), release 4.0; escapes of release 3 are read
//! too. What the original reads, this reads with the same result; what makes the original give up (a damaged block, a file
//! that ends inside one) costs only the blocks it touches here, and is told.
//!
//! Invariants: the parser knows no runtime and no clock; no block has more than [`MAX_BLOCK_BYTES`],
//! stored or inflated, nor more than [`MAX_BLOCK_ENTRIES`]; every loop moves on. Knows nothing of how entries are shown.

mod ahead;
mod block;
mod bulk;
mod clocks;
mod codec;
mod damage;
mod edge;
mod entry;
mod error;
mod explore;
mod files;
mod follow;
mod frontier;
mod json;
mod kinds;
mod reader;
mod recognise;
mod rotation;
mod scan;
mod search;
mod session;
mod source;
mod stat;
mod tail;
mod vfs;
mod wire;
mod writer;

use std::time::Duration;

#[cfg(test)]
mod tests;

pub use bulk::{Bulk, BulkParser, BulkTail};
pub use codec::{Reader, Writer};
pub use damage::Damage;
pub use entry::{Body, LogEntry, Method, Request};
pub use error::{Defect, Error};
pub use explore::{Feed, FeedBatch, LogDirectory, to_entry};
pub use files::{Folder, LogFile, LogFiles, is_log_name, log_name};
pub use follow::{bulk_tail_stream, tail_stream};
pub use json::{DebugEntry, ErrorText, LoggedError};
pub use kinds::{HttpMethod, Lifecycle, LogLevel, LogType};
pub use reader::{LogReader, Range};
pub use recognise::{is_log_directory, is_quiet};
pub use source::LogDirectorySource;
pub use stat::Stat;
pub use tail::Tail;
pub use vfs::{DEFAULT_CACHE_BYTES, PAGE_BYTES, PageCache, Paged, Part, Reads, Vfs};
pub use writer::{
    Clock, Failure, LogManager, Logger, LoggerOptions, ManagerOptions, MasterLogger, RequestLogger,
    WorkerLogger,
};

/// A block larger than this, as it is stored or inflated, is refused: the largest that a logger in the field is known to
/// have written is a third of it.
pub const MAX_BLOCK_BYTES: usize = 64 << 20;

/// A block of more entries than this is refused: in memory an entry takes several times what it takes inflated. A logger
/// writes a few thousand.
pub const MAX_BLOCK_ENTRIES: usize = 2 << 20;

/// The latest time an entry can have, milliseconds since 1970.
pub const MAX_TIMESTAMP: u64 = (1 << 48) - 1;

/// The longest time that is waited between two looks, in milliseconds.
const MAX_POLL_MILLIS: u128 = 2_147_483_647;

fn check_poll_interval(interval: Duration) -> Result<(), Error> {
    if interval.is_zero() || interval.as_millis() > MAX_POLL_MILLIS {
        return Err(Error::Option {
            option: "a poll interval",
            expected: "from above 0 to 2147483647 ms",
            found: format!("{interval:?}"),
        });
    }
    Ok(())
}
