//! The buffer before a sink, and the form of what it is given.

use serde::{Deserialize, Serialize};

use crate::base::Size;

/// The buffer before a sink, and the form of what it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// What statuses and checkpoints call it; where it leads unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What happens when the sink is slower than the source: block, `drop_newest`, `drop_oldest` or disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Buffer>,
    /// Entries that a buffer in memory holds.
    pub buffer_size: usize,
    /// Bytes that a buffer on disk holds.
    pub buffer_bytes: Size,
    /// raw, json, logfmt or text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatKind>,
    /// The template of the format text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How the formats json and text write times, as strftime does; RFC 3339 unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_format: Option<String>,
    /// Names of the members of the format json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_field: Option<String>,
    /// See above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_field: Option<String>,
    /// See above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_field: Option<String>,
    /// See above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_field: Option<String>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            name: None,
            buffer: None,
            buffer_size: 10_000,
            buffer_bytes: Size(1 << 30),
            format: None,
            template: None,
            timestamp_format: None,
            timestamp_field: None,
            level_field: None,
            message_field: None,
            source_field: None,
        }
    }
}

/// What happens when a sink is slower than the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buffer {
    /// The source waits: a file is its own buffer.
    Block,
    /// What comes is dropped.
    DropNewest,
    /// What has waited longest is dropped.
    DropOldest,
    /// It waits on disk, across restarts.
    Disk,
}

/// The form of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatKind {
    /// The line as it came.
    Raw,
    /// An object a line.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// A template.
    Text,
}
