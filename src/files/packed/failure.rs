//! Why unpacking stopped, as its thread knows it and as a person is told.

use std::io;

use super::blocks::{Blocks, MAX_MEMBERS};

/// Why a packed file, or a log in it, is not unpacked to its end. What stands before can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The packed bytes are damaged or cut off, or need what is not supported.
    #[error(
        "{file}: expected {expected}, found {found} at byte {at} of {of}; what stands before is kept"
    )]
    Damaged {
        /// The packed file.
        file: String,
        /// What should have been there.
        expected: String,
        /// What was there.
        found: String,
        /// Bytes of the packed file that the decoder had taken.
        at: u64,
        /// Bytes of the packed file.
        of: u64,
    },
    /// The system does not give the packed file's bytes.
    #[error(
        "{file} cannot be read on from byte {at} of {of}: {reason}; what stands before is kept"
    )]
    Unreadable {
        /// The packed file.
        file: String,
        /// Bytes of the packed file that were read.
        at: u64,
        /// Bytes of the packed file.
        of: u64,
        /// What the system says.
        reason: String,
    },
    /// The temporary file cannot be written, most often because the disk is full.
    #[error(
        "what {file} unpacks to cannot be kept in {dir}: {reason}; make room there, or have temporary files elsewhere (TMPDIR); what was unpacked before is kept"
    )]
    NoRoom {
        /// The packed file.
        file: String,
        /// The directory of the temporary file.
        dir: String,
        /// What the system says.
        reason: String,
    },
    /// The archive has too many members.
    #[error("{file} holds more than {most} files; the first {most} are kept")]
    TooMany {
        /// The packed file.
        file: String,
        /// How many are taken.
        most: usize,
    },
}

/// Why the thread stops.
#[derive(Debug)]
pub(super) enum Stop {
    /// The packed bytes do not come, or the decoder does not take them.
    Packed(io::Error),
    /// The content cannot be kept.
    Kept(io::Error),
    /// There are more members than are taken.
    TooMany,
}

impl Failure {
    /// In words: what was being read, and how far the packed file was.
    pub(super) fn of(stop: Stop, form: &str, blocks: &Blocks) -> Self {
        let file = blocks.packed.clone();
        let (at, of) = blocks.progress();
        let error = match stop {
            Stop::Packed(error) => error,
            Stop::Kept(error) => {
                return Self::NoRoom {
                    file,
                    dir: blocks.dir.clone(),
                    reason: error.to_string(),
                };
            }
            Stop::TooMany => {
                return Self::TooMany {
                    file,
                    most: MAX_MEMBERS,
                };
            }
        };
        if let Some(reason) = blocks.refusal() {
            let reason = reason.to_owned();
            return Self::Unreadable {
                file,
                at,
                of,
                reason,
            };
        }
        // Not every decoder has a kind of its own for the end.
        let is_cut = error.kind() == io::ErrorKind::UnexpectedEof || blocks.is_starved();
        let (expected, found) = if is_cut {
            (format!("the rest of the {form}"), "its end".to_owned())
        } else {
            let found = format!("bytes that cannot be unpacked ({error})");
            (form.to_owned(), found)
        };
        Self::Damaged {
            file,
            expected,
            found,
            at,
            of,
        }
    }
}
