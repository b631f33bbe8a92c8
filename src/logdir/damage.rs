//! What was passed over, remembered.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::Defect;
use super::vfs::Part;

/// So many damaged places are remembered; more are only counted.
const MAX_REMEMBERED: usize = 1_000;

/// A part of a source that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file; the empty string where the source is none.
    pub file: String,
    /// Where in the file the block begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes, its separator included.
    pub length: u64,
    /// What is wrong with it.
    pub defect: Defect,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            length,
            defect,
        } = self;
        if !file.is_empty() {
            write!(f, "{file}: ")?;
        }
        write!(f, "{length} bytes at {offset} passed over: {defect}")
    }
}

/// Damaged places. Each is remembered once, however often it is met; those that are only counted may count twice.
#[derive(Debug, Default)]
pub(super) struct DamageLog {
    places: BTreeMap<u64, Damage>,
    /// How many there were beyond those remembered.
    more: u64,
}

impl DamageLog {
    /// Remembers a place in a part of the source.
    pub fn note(&mut self, place: &Range<u64>, defect: Defect, part: Part<'_>) {
        if self.places.contains_key(&place.start) {
            return;
        }
        if self.places.len() >= MAX_REMEMBERED {
            self.more += 1;
            return;
        }
        let damage = Damage {
            file: part.name.to_owned(),
            offset: place.start - part.start,
            length: place.end - place.start,
            defect,
        };
        self.places.insert(place.start, damage);
    }

    /// Those remembered, in the order of the source.
    pub fn iter(&self) -> impl Iterator<Item = &Damage> {
        self.places.values()
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.places.len() as u64 + self.more
    }
}
