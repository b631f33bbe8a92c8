//! What a pipeline is made of, as plain data. Every key is documented in `config.example.toml`.

mod delivery;
mod filters;
mod port;
mod sinks;
mod sources;

use serde::Serialize;

pub use delivery::{Buffer, Delivery, FormatKind};
pub use filters::{
    FilterOptions, LevelOptions, Logic, MatchOptions, NamespaceOptions, RateOptions, RedactOptions,
    RemoveOptions, RenameOptions, SampleOptions, SetOptions,
};
pub use port::PortOptions;
pub use sinks::{
    Compression, ConsoleSinkOptions, FileSinkOptions, HeartbeatFormat, HttpClientOptions,
    HttpSinkOptions, Preset, SinkKind, SinkOptions, StoreOptions, Target, TcpClientOptions,
    TcpSinkOptions,
};
pub use sources::{
    CommandOptions, ConsoleSourceOptions, FilesOptions, HttpSourceOptions, JournaldOptions,
    LineOptions, LogdirOptions, Reading, SourceKind, SourceOptions, SseOptions, Start,
    SyslogOptions, TcpSourceOptions, Transport, TransportOptions,
};

/// A pipeline: sources, then filters, then sinks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PipelineOptions {
    /// `[a-z0-9][a-z0-9_-]*`; a segment of its paths over HTTP.
    pub name: String,
    /// Where entries come from; at least one.
    pub sources: Vec<SourceOptions>,
    /// What happens to them, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterOptions>,
    /// Where they go; at least one.
    pub sinks: Vec<SinkOptions>,
}
