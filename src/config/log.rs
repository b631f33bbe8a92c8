//! The section `[log]`: how the embedded log keeps what it accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Size, Span};
use crate::store;

/// When an append is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DurabilityFile {
    /// After fsync.
    #[default]
    Sync,
    /// After the write, with an fsync every `interval`.
    Interval,
    /// After the write.
    None,
}

/// The section `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogFile {
    /// When an append is answered.
    pub durability: DurabilityFile,
    /// How often there is an fsync with the durability `interval`.
    pub interval: Span,
    /// Bytes a second that merging segments writes at most.
    pub compaction: Size,
    /// What is kept.
    pub retention: RetentionFile,
}

impl Default for LogFile {
    fn default() -> Self {
        Self {
            durability: DurabilityFile::Sync,
            interval: Span(Duration::from_secs(1)),
            compaction: Size(store::Options::default().compaction_bytes),
            retention: RetentionFile::default(),
        }
    }
}

/// The section `[log.retention]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionFile {
    /// Entries older than this are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Span>,
    /// The oldest beyond this many bytes are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Size>,
    /// The same for one namespace, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, LimitsFile>,
}

/// The section `[log.retention.namespaces.NAME]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsFile {
    /// Entries older than this are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Span>,
    /// The oldest beyond this many bytes are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Size>,
}

impl LogFile {
    /// The store's own options.
    #[must_use]
    pub fn options(&self) -> store::Options {
        let limits = |age: Option<Span>, bytes: Option<Size>| store::Limits {
            age: age.map(|span| span.0),
            bytes: bytes.map(|size| size.0),
        };
        let namespaces = self.retention.namespaces.iter();
        store::Options {
            durability: match self.durability {
                DurabilityFile::Sync => store::Durability::Sync,
                DurabilityFile::Interval => store::Durability::Interval(self.interval.0),
                DurabilityFile::None => store::Durability::None,
            },
            compaction_bytes: self.compaction.0,
            retention: store::Retention {
                all: limits(self.retention.age, self.retention.bytes),
                namespaces: namespaces
                    .map(|(name, of)| (name.clone(), limits(of.age, of.bytes)))
                    .collect(),
            },
            ..store::Options::default()
        }
    }
}
