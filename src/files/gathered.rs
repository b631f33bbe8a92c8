//! Lines of a format, one after the other, as entries.

use crate::entry::Entry;
use crate::entry::decode::{Defaults, Format};

/// An entry has so many bytes at the most; further lines begin one of their own.
const MOST: usize = 1 << 20;

/// The lines of an entry, until one comes that begins another.
#[derive(Debug)]
pub(super) struct Gathered {
    format: Format,
    raw: Vec<u8>,
    /// Where the last line begins.
    last: usize,
}

impl Gathered {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            raw: Vec::new(),
            last: 0,
        }
    }

    /// Takes the next line, and gives what is whole by it.
    pub fn push(&mut self, line: &[u8], defaults: &Defaults, batch: &mut Vec<Entry>) {
        if self.raw.is_empty() && line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if !self.raw.is_empty() {
            let is_long = self.raw.len() + line.len() >= MOST;
            if is_long || self.format.begins(line, || Some(&self.raw[self.last..])) {
                batch.extend(self.finish(defaults));
            } else {
                self.raw.push(b'\n');
            }
        }
        self.last = self.raw.len();
        self.raw.extend_from_slice(line);
        if !self.format.joins(line) {
            batch.extend(self.finish(defaults));
        }
    }

    /// What has come of an entry that waits for more.
    pub fn finish(&mut self, defaults: &Defaults) -> Option<Entry> {
        if self.raw.is_empty() {
            return None;
        }
        let entry = self.format.decode(&self.raw, defaults);
        self.raw.clear();
        self.last = 0;
        Some(entry)
    }
}
