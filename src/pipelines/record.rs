//! What flows through a pipeline.

use std::sync::Arc;

use serde_json::Value;

use crate::base::Time;
use crate::entry::decode::Defaults;
use crate::entry::json::{self, Dialect};
use crate::entry::{Entry, decode};

/// An entry on its way, and the line it was made of, where a sink wants it as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The entry; several sinks may hold it, and whoever changes it changes a copy of its own.
    pub entry: Arc<Entry>,
    /// The line or lines, without the last newline.
    pub line: Option<Box<str>>,
}

/// How far a source was read when a batch was made: what it needs to go on from there.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Id of the source.
    pub source: Arc<str>,
    /// Of what within it: a file; empty where there is only one.
    pub key: String,
    /// The place; none when it needs no longer be remembered.
    pub at: Option<Value>,
}

/// Records that travel together, and how far their source was read with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// In the order of their source.
    pub records: Vec<Record>,
    /// The last of a source and key wins.
    pub marks: Vec<Mark>,
}

impl Batch {
    /// Adds marks that stand after the records.
    pub fn add_marks(&mut self, marks: Vec<Mark>) {
        for mark in marks {
            let is_same = |other: &Mark| other.source == mark.source && other.key == mark.key;
            self.marks.retain(|other| !is_same(other));
            self.marks.push(mark);
        }
    }
}

impl From<Entry> for Record {
    fn from(entry: Entry) -> Self {
        Self {
            entry: Arc::new(entry),
            line: None,
        }
    }
}

impl Record {
    /// The entry, to be changed.
    pub fn entry_mut(&mut self) -> &mut Entry {
        Arc::make_mut(&mut self.entry)
    }

    /// Bytes it takes in memory, estimated.
    pub fn weight(&self) -> usize {
        self.entry.weight() + self.line.as_ref().map_or(0, |line| line.len())
    }

    /// For a spool; [`Record::from_bytes`] reads it back.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.line {
            None => json::to_line(&self.entry).into_bytes(),
            Some(line) => {
                let entry = json::to_value(&self.entry, Dialect::Full);
                serde_json::to_vec(&(entry, line)).unwrap_or_default()
            }
        }
    }

    /// What [`Record::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let defaults = Defaults::at(Time::MIN);
        let (entry, line) = match serde_json::from_slice(bytes).ok()? {
            Value::Object(entry) => (entry, None),
            Value::Array(pair) => match <[Value; 2]>::try_from(pair).ok()? {
                [Value::Object(entry), Value::String(line)] => (entry, Some(line.into())),
                _ => return None,
            },
            _ => return None,
        };
        let entry = Arc::new(decode::from_wire(entry, &defaults));
        Some(Self { entry, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_from_bytes() {
        let entry = decode::line(
            b"{\"msg\":\"a\\nb\",\"level\":\"warn\",\"trace\":\"t\",\"n\":1,\"time\":\"2026-03-14T09:00:00.5Z\"}",
            &Defaults::at(Time(5)),
        )
        .0;
        let plain = Record::from(entry);
        let with_line = Record {
            line: Some("x \u{1f980} \"q\"".into()),
            ..plain.clone()
        };
        for record in [plain, with_line] {
            assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
        }
        assert_eq!(Record::from_bytes(b"nonsense"), None);
        assert_eq!(Record::from_bytes(b"[1]"), None);
    }
}
