//! Files that are let be: rotated away long ago, read to their ends, compressed, copies.

use std::collections::HashMap;
use std::fs::File;
use std::time::SystemTime;

use super::look::Found;
use crate::files::{FileId, Head};

/// By what they are, and how they were: their numbers may be given to others.
#[derive(Debug, Default)]
pub(super) struct LetBe(HashMap<FileId, Seen>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    length: u64,
    modified: SystemTime,
    head: Head,
}

impl LetBe {
    /// From now on this file is let be.
    pub fn add(&mut self, found: &Found, file: &File) {
        let seen = Seen {
            length: found.length,
            modified: found.modified,
            head: Head::of(file),
        };
        self.0.insert(found.id, seen);
    }

    /// The same of one that is open.
    pub fn add_file(&mut self, id: FileId, file: &File) {
        if let Ok(metadata) = file.metadata() {
            let seen = Seen {
                length: metadata.len(),
                modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                head: Head::of(file),
            };
            self.0.insert(id, seen);
        }
    }

    /// Whether there is one of this number; it may have become another.
    pub fn knows(&self, id: FileId) -> bool {
        self.0.contains_key(&id)
    }

    /// Forgets those that are gone.
    pub fn retain(&mut self, is_there: impl Fn(&FileId) -> bool) {
        self.0.retain(|id, _| is_there(id));
    }

    /// Whether a file is let be, still. One that became another is not.
    pub fn holds(&mut self, found: &Found) -> bool {
        let Some(seen) = self.0.get_mut(&found.id) else {
            return false;
        };
        if (seen.length, seen.modified) == (found.length, found.modified) {
            return true;
        }
        let is_same = File::open(&found.path).is_ok_and(|file| seen.head.begins(&file));
        if is_same && !seen.head.is_empty() {
            (seen.length, seen.modified) = (found.length, found.modified);
            // One that is rotated away may still be written to for a while; one that fits is read on.
            return found.is_rotated;
        }
        self.0.remove(&found.id);
        false
    }
}
