//! Plain log files, explored where they lie.
//!
//! ```text
//! names --Roots--> Watched: logs, each of one or more files (Part), through rotation
//!   question --picture--> Lanes: the blocks of each log in a row --Walk--> Blocks --Format--> entries
//!              page: from where it begins, towards older or newer;  sweep: everything, for counts
//!   what comes there later: found by a thread of its own (`here`)
//! ssh://…, through far::Host --> Watched, which is told of growth and rotation by a thread of its own (`afar`)
//! pipes --stream--> lines --Gathered--> entries
//!   Index: what blocks hold, learned in the background, kept in the cache directory
//! ```
//!
//! # Invariants
//!
//! - Files are only read, by positioned reads: never written, copied or mapped. Compressed ones are unpacked into an unnamed
//!   temporary file.
//! - Memory is bounded by what is on its way, not by the files: a few blocks of 256 KiB, 60 bytes of index for each.
//! - Where entries begin is told by the bytes of a block alone (`block.rs`): whatever is read, in whatever order, by however
//!   many threads, gives the same entries at the same positions.
//! - Pages are in the order of times. As long as the index has not come to a block, times are taken to be in order but for ten
//!   seconds; from then on pages are exact, whatever clocks did.
//!
//! It knows no store and no terminal.

mod afar;
mod archives;
mod block;
mod cache;
mod content;
mod count;
mod discover;
mod drain;
mod entries;
mod far;
mod fate;
mod feed;
mod gathered;
mod generations;
mod here;
mod identity;
mod index;
mod lane;
mod learn;
mod logs;
mod lookup;
mod options;
mod packed;
mod page;
mod part;
mod place;
mod roots;
mod selection;
mod settled;
mod standing;
mod stream;
mod sweep;
mod tail;
#[cfg(test)]
mod tests;
mod tracked;
mod walk;
mod watched;

pub use crate::entry::decode::{Format, FormatError, FormatOptions};
pub use discover::DiscoverError;
pub(crate) use discover::is_packed;
pub use drain::{Drain, Mark};
pub use far::{Address, Host};
pub use feed::Feed;
pub(crate) use identity::{FileId, Head, Tail};
pub use logs::{Error, LogFiles};
pub use options::Options;
pub use standing::FileStanding;
pub use stream::read_stream;

use logs::{Places, Shared};
