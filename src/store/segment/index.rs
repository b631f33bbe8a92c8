//! What a segment says about itself, beside what Parquet says: read when it is opened.

use serde::{Deserialize, Serialize};

use super::schema::Shape;
use crate::base::Time;
use crate::entry::{Key, Position};
use crate::query::{NamespaceCount, Summary};

/// Fields whose names are noted in a row group; with more, all are thought possible.
pub(super) const MAX_NAMES: usize = 256;

/// The index of a segment, as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    pub first: u64,
    pub last: u64,
    pub shape: Shape,
    pub namespaces: Vec<NamespaceCount>,
    /// Bytes of texts, by namespace as in `namespaces`: how the size of the file is shared out among them.
    pub weights: Vec<u64>,
    pub groups: Vec<GroupIndex>,
}

/// A place in the file: offset and length.
pub(super) type Place = (u64, u32);

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct GroupIndex {
    pub rows: usize,
    /// Oldest and newest key.
    pub keys: [(i64, u64); 2],
    pub positions: (u64, u64),
    pub levels: [u64; 6],
    /// Place in the index's list of namespaces, and how many entries of each level.
    pub namespaces: Vec<(usize, [u64; 6])>,
    /// Case of the letters in trace, span and instance.
    pub cases: [Case; 3],
    /// Keys at the top of the fields; `None` when they are too many to name.
    pub names: Option<Vec<String>>,
    pub triples: Place,
    pub words: Place,
    pub tally: Place,
    /// Where its bytes begin and end in the file.
    pub bytes: (u64, u64),
    /// CRC32C of each of their blocks.
    pub checksums: Vec<u32>,
}

/// Which letters a column's values have. Bloom filters know values as they stand, questions ignore the case: they can be
/// asked only where all values are of one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Case {
    pub upper: bool,
    pub lower: bool,
}

impl Case {
    pub fn note(&mut self, value: &str) {
        self.upper = self.upper || value.bytes().any(|byte| byte.is_ascii_uppercase());
        self.lower = self.lower || value.bytes().any(|byte| byte.is_ascii_lowercase());
    }

    /// The value as the filter would know it, if it can.
    pub fn fold(self, value: &str) -> Option<String> {
        match (self.upper, self.lower) {
            (true, true) => None,
            (true, false) => Some(value.to_ascii_uppercase()),
            (false, _) => Some(value.to_ascii_lowercase()),
        }
    }
}

/// A row group: what is known of it without reading it.
#[derive(Debug)]
pub(in crate::store) struct Group {
    pub rows: usize,
    pub oldest: Key,
    pub newest: Key,
    pub positions: (Position, Position),
    pub summary: Summary,
    pub(super) index: GroupIndex,
}

impl Group {
    pub(super) fn of(index: GroupIndex, names: &[NamespaceCount]) -> Self {
        let key = |(time, position): (i64, u64)| Key {
            time: Time(time),
            position: Position(position),
        };
        let [oldest, newest] = index.keys.map(key);
        let namespaces = index
            .namespaces
            .iter()
            .filter_map(|(at, count)| Some((names.get(*at)?.name.clone(), *count)));
        Self {
            rows: index.rows,
            oldest,
            newest,
            positions: (Position(index.positions.0), Position(index.positions.1)),
            summary: Summary {
                oldest: oldest.time,
                newest: newest.time,
                namespaces: namespaces.collect(),
            },
            index,
        }
    }
}
