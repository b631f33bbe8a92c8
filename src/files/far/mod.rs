//! Log files on another host, read through the user's own `ssh`.
//!
//! ```text
//! ssh://user@host/path/*.log --Address--> Host --Session--> ssh … sh: one question after the other, no agent
//!                                           |
//!                                       FarContent: bytes of one file, in pieces that are kept
//! ```
//!
//! The host needs a POSIX shell with `tail`, `head`, `wc`, `grep` and `cut`; `stat` where it has it. Nothing is written there.

mod address;
mod content;
#[cfg(test)]
mod fake;
mod host;
mod session;

pub use address::Address;
pub use content::{Change, FarContent};
pub use host::{FarFile, Host};
