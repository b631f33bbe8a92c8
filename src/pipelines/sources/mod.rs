//! Where entries come from: a closed list.
//!
//! Those that can be read again (files, the journal, binary logs, other services) are read once for each sink, each from
//! its own checkpoint. The others are read once, and what they give goes to every sink's buffer.

mod command;
mod console;
mod file;
mod ingest;
mod journald;
mod lines;
mod logdir;
mod outlet;
mod sse;
mod syslog;
mod tcp;

use super::Error;
use super::options::{SourceKind, SourceOptions};
use crate::base::Zone;
use crate::entry::decode::Decoder;

use file::FileSource;
pub use ingest::{Ingest, IngestError};
pub(super) use outlet::{Form, Outlet};

/// A source that is ready to be read.
#[derive(Debug)]
pub(super) enum Source {
    Files(FileSource),
    Console,
    Tcp(tcp::TcpSource),
    Syslog(syslog::SyslogSource),
    Journald(super::options::JournaldOptions),
    Command(super::options::CommandOptions),
    Logdir(super::options::LogdirOptions),
    Sse(Box<super::options::SseOptions>),
    /// Handlers of HTTP give it what is posted.
    Http,
}

impl Source {
    /// Makes it ready: ports are bound, patterns read.
    ///
    /// # Errors
    /// What is said of it is not understood, or a port is taken.
    pub async fn open(kind: &SourceKind, outlet: &Outlet) -> Result<Self, Error> {
        Ok(match kind {
            SourceKind::Files(options) => Self::Files(FileSource::open(options, outlet).await?),
            SourceKind::Console(_) => Self::Console,
            SourceKind::Http(_) => Self::Http,
            SourceKind::Tcp(options) => Self::Tcp(tcp::TcpSource::listen(options, outlet).await?),
            SourceKind::Syslog(options) => {
                Self::Syslog(syslog::SyslogSource::listen(options, outlet).await?)
            }
            SourceKind::Journald(options) => Self::Journald(options.clone()),
            SourceKind::Command(options) => {
                if options.command.is_empty() {
                    let expected = "expected `command`, a list of the program and its arguments";
                    return Err(Error::Said(format!("{expected}, found nothing")));
                }
                Self::Command(options.clone())
            }
            SourceKind::Logdir(options) => Self::Logdir(options.clone()),
            SourceKind::Sse(options) => {
                sse::check(options)?;
                Self::Sse(Box::new(options.clone()))
            }
        })
    }

    /// Reads until the outlet is told to stop.
    pub async fn run(self, outlet: Outlet) {
        match self {
            Self::Files(source) => file::run(source, outlet).await,
            Self::Console => console::run(outlet).await,
            Self::Tcp(source) => source.run(outlet).await,
            Self::Syslog(source) => source.run(outlet).await,
            Self::Journald(options) => journald::run(options, outlet).await,
            Self::Command(options) => command::run(options, outlet).await,
            Self::Logdir(options) => logdir::run(options, outlet).await,
            Self::Sse(options) => sse::run(*options, outlet).await,
            Self::Http => outlet.stopping.cancelled().await,
        }
    }
}

impl SourceKind {
    /// Its word in the configuration.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Files(_) => "directory",
            Self::Console(_) => "console",
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Syslog(_) => "syslog",
            Self::Journald(_) => "journald",
            Self::Command(_) => "command",
            Self::Logdir(_) => "logdir",
            Self::Sse(_) => "sse",
        }
    }

    /// What it reads: what tells it from others of its kind.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Files(options) => options.path.join(&options.pattern).display().to_string(),
            Self::Console(_) | Self::Http(_) => String::new(),
            Self::Tcp(options) => format!("{}:{}", options.listen.host, options.listen.port),
            Self::Syslog(options) => format!("{}:{}", options.listen.host, options.listen.port),
            Self::Journald(options) => options.units.join(","),
            Self::Command(options) => options.command.join(" "),
            Self::Logdir(options) => options.path.display().to_string(),
            Self::Sse(options) => options.url.clone(),
        }
    }

    /// Whether what was read can be read again, from a place that is remembered.
    pub(super) const fn can_be_read_again(&self) -> bool {
        matches!(
            self,
            Self::Files(_) | Self::Journald(_) | Self::Logdir(_) | Self::Sse(_)
        )
    }
}

impl SourceOptions {
    /// How its lines become records.
    pub(super) fn form(&self, keep_lines: bool) -> Result<Form, Error> {
        let decoder = self.reading.decode.parse::<Decoder>();
        let zone = Zone::named(&self.reading.zone);
        Ok(Form {
            decoder: decoder.map_err(|reason| Error::Said(format!("decode: {reason}")))?,
            zone: zone.map_err(|reason| Error::Said(format!("zone: {reason}")))?,
            multiline: self.reading.multiline,
            keep_raw: self.reading.keep_raw,
            keep_lines,
            namespace: self.reading.namespace.clone(),
        })
    }
}
