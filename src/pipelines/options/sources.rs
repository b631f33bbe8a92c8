//! Where entries come from.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::PortOptions;
use super::port::LOOPBACK;
use crate::base::{Size, Span};

/// A source: what all have, and what its kind has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceOptions {
    /// What is read.
    #[serde(flatten)]
    pub kind: SourceKind,
    /// How it becomes entries.
    #[serde(flatten)]
    pub reading: Reading,
}

/// How lines become entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// What statuses and checkpoints call it; what it reads unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The form of its lines: auto, json, logfmt, syslog, container, klog, access, plain or raw.
    pub decode: String,
    /// The zone of times that name none: of the IANA database, an offset, or system.
    pub zone: String,
    /// Whether lines that belong to the entry before (stack traces) are joined to it.
    pub multiline: bool,
    /// Whether the line as it came is kept as the field `raw`.
    pub keep_raw: bool,
    /// Namespace of entries that name none.
    pub namespace: String,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            name: None,
            decode: "auto".to_owned(),
            zone: "system".to_owned(),
            multiline: true,
            keep_raw: false,
            namespace: "default".to_owned(),
        }
    }
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceKind {
    /// Files of a directory, or one file.
    #[serde(rename = "directory")]
    Files(FilesOptions),
    /// Standard input.
    Console(ConsoleSourceOptions),
    /// What is posted.
    Http(HttpSourceOptions),
    /// Lines over TCP.
    Tcp(TcpSourceOptions),
    /// Syslog over UDP and TCP.
    Syslog(SyslogOptions),
    /// The journal of systemd.
    Journald(JournaldOptions),
    /// Output of a process.
    Command(CommandOptions),
    /// A directory of binary logs.
    Logdir(LogdirOptions),
    /// Another Tailwater, or a Direktiv.
    Sse(SseOptions),
}

/// Where reading of what was there before begins, the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// With what comes.
    #[default]
    End,
    /// With the oldest.
    Beginning,
}

/// Files of a directory (`directory`), or one file (`file`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesOptions {
    /// The directory; with `pattern` empty, the file.
    pub path: PathBuf,
    /// Names of files that are read: `*.log`, `{a,b}-*.txt`; with `recursive`, paths below the directory.
    pub pattern: String,
    /// Names that are not read though they fit.
    pub exclude: Vec<String>,
    /// Whether directories below are read too.
    pub recursive: bool,
    /// Where files that were there before begin.
    pub start: Start,
    /// How often files are looked at where the system does not tell of changes.
    pub check_interval: Span,
    /// How long an entry waits for lines that continue it.
    pub multiline_timeout: Span,
    /// How long a line waits for its newline.
    pub partial_timeout: Span,
    /// How long a file that was rotated away may still be written to.
    pub rotate_wait: Span,
    /// A longer line is cut into several entries.
    pub max_line: Size,
    /// Whether entries say at which byte of their file they begin, as the field `offset`.
    pub offsets: bool,
    /// Whether links that lead out of the directory are followed.
    pub allow_symlinks: bool,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            pattern: "*".to_owned(),
            exclude: Vec::new(),
            recursive: false,
            start: Start::End,
            check_interval: Span(Duration::from_secs(1)),
            multiline_timeout: Span(Duration::from_millis(250)),
            partial_timeout: Span(Duration::from_secs(10)),
            rotate_wait: Span(Duration::from_secs(5)),
            max_line: Size(1 << 20),
            offsets: false,
            allow_symlinks: false,
        }
    }
}

/// Standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleSourceOptions {}

/// What is posted to `/{pipeline}/ingest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSourceOptions {
    /// A port of its own; without it the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The address of that port.
    pub host: IpAddr,
}

impl Default for HttpSourceOptions {
    fn default() -> Self {
        Self {
            port: None,
            host: LOOPBACK,
        }
    }
}

/// Lines over TCP: JSON objects or text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TcpSourceOptions {
    /// Where it listens.
    #[serde(flatten)]
    pub listen: PortOptions,
    /// What else is said of it.
    #[serde(flatten)]
    pub lines: LineOptions,
}

/// Lines that come over a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineOptions {
    /// A longer line is cut into several entries.
    pub max_line: Size,
    /// A connection that says nothing for so long is closed.
    pub idle_timeout: Span,
}

impl Default for LineOptions {
    fn default() -> Self {
        Self {
            max_line: Size(1 << 20),
            idle_timeout: Span(Duration::from_hours(1)),
        }
    }
}

/// Syslog, RFC 5424 and 3164.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SyslogOptions {
    /// Where it listens.
    #[serde(flatten)]
    pub listen: PortOptions,
    /// What else is said of it.
    #[serde(flatten)]
    pub syslog: TransportOptions,
}

/// Over what syslog comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransportOptions {
    /// udp, tcp or both (on the same port).
    pub transport: Transport,
}

/// Over what syslog comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Lines, or messages with their length before them (RFC 6587).
    Tcp,
    /// On the same port.
    #[default]
    Both,
}

/// The journal of systemd, through `journalctl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournaldOptions {
    /// Only these units.
    pub units: Vec<String>,
    /// Where reading begins, the first time.
    pub start: Start,
    /// What is run; it is given `-o json -f` and where to begin.
    pub program: String,
}

impl Default for JournaldOptions {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            start: Start::End,
            program: "journalctl".to_owned(),
        }
    }
}

/// Standard output and error of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommandOptions {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long to wait before it is started again, the first time; then longer.
    pub restart_delay: Span,
    /// How long at the most.
    pub max_restart_delay: Span,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            restart_delay: Span(Duration::from_secs(1)),
            max_restart_delay: Span(Duration::from_mins(1)),
        }
    }
}

/// A directory of binary logs, as super-server-logs writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogdirOptions {
    /// The directory.
    pub path: PathBuf,
    /// Where reading begins, the first time.
    pub start: Start,
    /// How often it is looked at.
    pub check_interval: Span,
}

impl Default for LogdirOptions {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            start: Start::End,
            check_interval: Span(Duration::from_millis(500)),
        }
    }
}

/// Entries of another Tailwater (or a Direktiv), as they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SseOptions {
    /// Its address: `http://host:7420`.
    pub url: String,
    /// Sent to it.
    #[serde(skip_serializing)]
    pub token: Option<String>,
    /// Only entries of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Only entries that match this question.
    pub query: String,
    /// Where reading begins, the first time.
    pub start: Start,
}
