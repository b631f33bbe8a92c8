//! Log files on another host, read through the user's own `ssh`.
//!
//! ```text
//! ssh://user@host/path/*.log --Address--> Host --Session--> ssh … sh: one question after the other, no agent
//!                                           |
//!                                       FarContent: bytes of one file, in pieces that are kept
//!                                         |        `--FarHits: where the host finds words in it
//!                                       FarReader: all of it, to be unpacked
//! ```
//!
//! A file is what has its number over there: names move on when logs are rotated, and every question checks the number, so
//! that no bytes of another file are taken for its own.
//!
//! The host needs a POSIX shell with `tail`, `head`, `wc`, `ls`, `grep` and `cut`; `stat` where it has it. Nothing is written
//! there.

mod address;
mod content;
#[cfg(test)]
pub(super) mod fake;
mod hits;
mod host;
mod identity;
mod reader;
mod session;
mod words;

pub use address::Address;
pub use content::FarContent;
pub use hits::FarHits;
pub use host::{FarFile, Host};
pub use identity::LOOKS_FOR;
pub use reader::FarReader;
