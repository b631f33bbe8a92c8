//! Files read once, from their beginnings to their ends: what is loaded elsewhere, and where that is taken up again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::identity::Head;
use super::selection::Selection;
use super::{Error, LogFiles, Places};
use crate::base::Time;
use crate::entry::Entry;
use crate::query::Query;

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it lies.
    pub path: PathBuf,
    /// How it begins: another file at its place begins otherwise.
    pub head: Head,
    /// Bytes that were read.
    pub offset: u64,
}

/// Files that are read once.
#[derive(Debug)]
pub struct Drain {
    files: LogFiles,
    selection: Selection,
    places: Places,
}

impl LogFiles {
    /// Reads everything there is, in the order it lies in each file, from where marks say it was read to. What is appended
    /// meanwhile is not waited for.
    #[must_use]
    pub fn drain(self, marks: &[Mark]) -> Drain {
        self.take_whole();
        let selection = Selection::new(&Query::default(), Time::MAX, self.options());
        let mut places = Places::new();
        for lane in self.picture_now().lanes {
            for (part, settled) in lane.parts() {
                let path = part.path();
                let known = marks.iter().find(|mark| mark.path == path);
                let is_same = |mark: &&Mark| {
                    part.with_content(|content| {
                        content.file().is_some_and(|file| mark.head.begins(file))
                    })
                };
                if let Some(mark) = known.filter(is_same) {
                    places.insert(part.slot, mark.offset.min(settled));
                }
            }
        }
        Drain {
            files: self,
            selection,
            places,
        }
    }
}

impl Drain {
    /// The next entries; `None` when everything was read. Blocks the thread, for compressed files until more is unpacked.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        loop {
            let is_unpacked = self.files.is_unpacked();
            self.files.take_whole();
            let (entries, places) = self.files.read_after(&self.places, &self.selection)?;
            if places != self.places {
                self.places = places;
                if !entries.is_empty() {
                    return Ok(Some(entries));
                }
            } else if is_unpacked {
                return Ok(None);
            } else {
                self.files.wait_for_unpacking();
            }
        }
    }

    /// How far each file was read, of files that lie as they are.
    #[must_use]
    pub fn marks(&self) -> Vec<Mark> {
        let lanes = self.files.picture().lanes;
        let parts = lanes
            .iter()
            .flat_map(|lane| lane.parts().map(|(part, _)| part.clone()));
        let mark = |part: super::part::SharedPart| {
            let head = part.with_content(|content| content.file().map(Head::of))?;
            Some(Mark {
                path: part.path(),
                head,
                offset: self.places.get(&part.slot).copied().unwrap_or(0),
            })
        };
        parts.filter_map(mark).collect()
    }

    /// Bytes that were read, and those there are by now.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let read = self.places.values().sum();
        let of = self.files.standing().iter().map(|file| file.bytes).sum();
        (read, of)
    }
}
