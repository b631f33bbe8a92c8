//! Plain log files.
//!
//! ```text
//! file --tail chunk, then chunks towards the head--> lines --decode--> batches of entries --> whoever takes them
//!      --then: poll for what is appended, through rotation-------------^
//! ```
//!
//! For now the taker is a temporary embedded log; this room itself knows no store. Files are only read. Memory is bounded
//! by one chunk, however large the file.

mod discover;
mod load;
mod reader;
mod stream;

pub use discover::{DiscoverError, discover};
pub use load::{Batch, Loader};
pub use stream::read_stream;
