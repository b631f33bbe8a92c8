//! Packed log files: compressed, archived, or both, read at any place without being unpacked beside themselves.
//!
//! ```text
//! packed file --Counted--> decoder --Peeked--> one log, or the members of a tar archive      (a thread of its own, once)
//!                                                 |  256 KiB of content at a time, zstd
//!                                                 v
//!                              Blocks: unnamed temporary file + table of its blocks
//!                                                 |  one block a read, the last ones kept
//!                                                 v
//!                              Packed::members --> Unpacked::read_at
//! ```
//!
//! A compressed stream can only be read from its beginning. So it is read from there once, and its content is compressed
//! again in blocks that each stand for themselves: the temporary file is the index by which any place is found.
//!
//! Which logs there are is known as the stream is read: [`Packed::members`] grows. A file that is no archive has one. A
//! member that is compressed itself (`syslog.2.gz` in a support bundle) gives its content; an archive within an archive is
//! one log.
//!
//! # Invariants
//!
//! - Members follow one another in the temporary file, and so do a member's blocks; every block but the last is full. A
//!   place in the content thus names its block, and eight bytes a block are all that the table takes.
//! - What is in the table can be read, while more is unpacked, after damage, and when the disk is full. A failure says
//!   what was expected, what was found and at which byte of the packed file.
//! - Memory: a few blocks, the table, and what the decoder needs, which is bounded too.
//! - The thread holds the blocks weakly: with the last handle they are gone, and it stops at its next read or block.
//!
//! Only files are known here, no lines and no entries.

mod magic;

mod handles;

mod unpack;

mod decode;
mod reading;

mod blocks;
mod failure;

#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use handles::{Packed, Unpacked};
pub use magic::{HEAD_BYTES, Packing, packing};
