//! Where entries go.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::port::LOOPBACK;
use super::{Delivery, PortOptions};
use crate::base::{Size, Span};

/// A sink: what all have, and what its kind has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SinkOptions {
    /// Where entries go.
    #[serde(flatten)]
    pub kind: SinkKind,
    /// How they get there.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// Where entries go.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SinkKind {
    /// The embedded log.
    Store(StoreOptions),
    /// Server-sent events.
    Http(HttpSinkOptions),
    /// Lines to whoever connects.
    Tcp(TcpSinkOptions),
    /// Files.
    File(FileSinkOptions),
    /// Standard output and error.
    Console(ConsoleSinkOptions),
    /// A service elsewhere.
    HttpClient(HttpClientOptions),
    /// A port elsewhere.
    TcpClient(TcpClientOptions),
}

/// The embedded log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {}

/// Server-sent events at `/{pipeline}/stream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSinkOptions {
    /// A port of its own; without it the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The address of that port.
    pub host: IpAddr,
    /// Bytes that are kept on disk for clients that are behind or come again.
    pub retention: Size,
    /// How long a stream may be silent; 0s for ever.
    pub heartbeat: Span,
    /// comment or json.
    pub heartbeat_format: HeartbeatFormat,
    /// Streams at the same time.
    pub connections: usize,
    /// Streams of one address at the same time.
    pub connections_per_address: usize,
}

impl Default for HttpSinkOptions {
    fn default() -> Self {
        Self {
            port: None,
            host: LOOPBACK,
            retention: Size(1 << 30),
            heartbeat: Span(Duration::from_secs(30)),
            heartbeat_format: HeartbeatFormat::Comment,
            connections: 1_024,
            connections_per_address: 128,
        }
    }
}

/// How a stream shows that it lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeartbeatFormat {
    /// A comment, which clients pass over.
    #[default]
    Comment,
    /// An event `heartbeat`.
    Json,
}

/// Lines to whoever connects.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TcpSinkOptions {
    /// Where it listens.
    #[serde(flatten)]
    pub listen: PortOptions,
}

/// How much a file may grow, and what is kept of those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSinkOptions {
    /// Where the files are.
    pub directory: PathBuf,
    /// `name`.log is written; files before it carry their time.
    pub file_name: String,
    /// A file that is larger is rotated.
    pub max_size: Size,
    /// So is one that is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// Rotated files beyond so many bytes are removed, the oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_size: Option<Size>,
    /// Rotated files older than this are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Span>,
    /// Nothing is written while less than this is free on the disk.
    pub min_disk_free: Size,
    /// How rotated files are compressed: none, gzip or zstd.
    pub compression: Compression,
}

impl Default for FileSinkOptions {
    fn default() -> Self {
        Self {
            directory: PathBuf::new(),
            file_name: "tailwater".to_owned(),
            max_size: Size(100 << 20),
            max_age: None,
            max_total_size: None,
            retention: None,
            min_disk_free: Size(64 << 20),
            compression: Compression::None,
        }
    }
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// For everything that reads.
    Gzip,
    /// Smaller and faster.
    Zstd,
}

/// Standard output and error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleSinkOptions {
    /// stdout, stderr, or split: what is WARN or worse to standard error.
    pub target: Target,
}

/// Where the console is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// What is WARN or worse to standard error, the rest to standard output.
    Split,
}

/// A service elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpClientOptions {
    /// Where it is posted.
    pub url: String,
    /// What the other end speaks.
    pub preset: Preset,
    /// Sent as a bearer token.
    #[serde(skip_serializing)]
    pub token: Option<String>,
    /// Sent along.
    pub headers: BTreeMap<String, String>,
    /// Labels of all entries (Loki), or attributes of the resource (OTLP).
    pub labels: BTreeMap<String, String>,
    /// The index (Elasticsearch).
    pub index: String,
    /// Entries sent together.
    pub batch_size: usize,
    /// How long fewer wait for more.
    pub batch_delay: Span,
    /// How long an answer may take.
    pub timeout: Span,
    /// none or gzip.
    pub compression: Compression,
    /// Wait before the first retry; it doubles.
    pub retry_delay: Span,
    /// The longest wait.
    pub max_retry_delay: Span,
}

impl Default for HttpClientOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            preset: Preset::Tailwater,
            token: None,
            headers: BTreeMap::new(),
            labels: BTreeMap::new(),
            index: "logs".to_owned(),
            batch_size: 1_000,
            batch_delay: Span(Duration::from_secs(1)),
            timeout: Span(Duration::from_secs(30)),
            compression: Compression::Gzip,
            retry_delay: Span(Duration::from_millis(500)),
            max_retry_delay: Span(Duration::from_secs(30)),
        }
    }
}

/// What the other end speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// A Tailwater (also a pipeline's `/ingest`): an object a line.
    #[default]
    Tailwater,
    /// Loki's push, JSON.
    Loki,
    /// OTLP/HTTP, JSON.
    Otlp,
    /// `VictoriaLogs`: JSON lines.
    VictoriaLogs,
    /// Elasticsearch's `_bulk`.
    Elasticsearch,
    /// An array of objects in the sink's format.
    Json,
}

/// A port elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TcpClientOptions {
    /// `host:port`.
    pub address: String,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Whom to trust, PEM; the web's roots unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca: Option<PathBuf>,
    /// How long connecting may take.
    pub dial_timeout: Span,
    /// How long writing may take.
    pub write_timeout: Span,
    /// Wait before the first retry; it doubles.
    pub reconnect_delay: Span,
    /// The longest wait.
    pub max_reconnect_delay: Span,
}

impl Default for TcpClientOptions {
    fn default() -> Self {
        Self {
            address: String::new(),
            tls: false,
            tls_ca: None,
            dial_timeout: Span(Duration::from_secs(10)),
            write_timeout: Span(Duration::from_secs(30)),
            reconnect_delay: Span(Duration::from_secs(1)),
            max_reconnect_delay: Span(Duration::from_secs(30)),
        }
    }
}
