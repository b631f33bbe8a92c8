//! What pipelines tell of themselves: plain data, the same in process and over HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A pipeline and its parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PipelineStatus {
    /// Its name.
    pub name: String,
    /// When it was started, RFC 3339.
    pub since: String,
    /// Where entries come from.
    pub sources: Vec<PartStatus>,
    /// What happens to them, in order.
    pub filters: Vec<PartStatus>,
    /// Where they go.
    pub sinks: Vec<PartStatus>,
    /// Where it is reached over HTTP: paths of the service's listener, or addresses of its own.
    pub endpoints: Vec<String>,
}

/// A source, a filter or a sink. Counters run since the pipeline was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PartStatus {
    /// Its name, or what tells it from others of its kind.
    pub id: String,
    /// Its type, as configured.
    pub kind: String,
    /// Entries that came in.
    pub taken: u64,
    /// Entries that were passed on, or delivered.
    pub given: u64,
    /// Bytes read or written.
    pub bytes: u64,
    /// Entries that were dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Bytes that are still to be read.
    pub lag_bytes: u64,
    /// For how many seconds there has been something to be read.
    pub lag_seconds: f64,
    /// Entries that wait in the buffer in memory.
    pub waiting: u64,
    /// Bytes that wait, in memory or on disk.
    pub waiting_bytes: u64,
    /// Connections.
    pub clients: u64,
    /// Failures that were, or will be, tried again.
    pub retries: u64,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// A failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trouble {
    /// When, RFC 3339.
    pub time: String,
    /// What failed and why.
    pub text: String,
    /// Whether it works again.
    pub is_over: bool,
}

impl PipelineStatus {
    /// Everything that was dropped because something went wrong, not because a filter says so.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let parts = self.sources.iter().chain(&self.sinks);
        parts.flat_map(|part| part.dropped.values()).sum()
    }

    /// Failures that are not over.
    pub fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        let parts = self.sources.iter().chain(&self.sinks);
        parts
            .filter_map(|part| part.trouble.as_ref())
            .filter(|trouble| !trouble.is_over)
    }
}
