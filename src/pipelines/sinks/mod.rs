//! Where entries go: a closed list.
//!
//! A sink is given records in order and says how many it took. What it refuses for good is dropped and counted; what it
//! cannot take now is given to it again. Places are remembered only after [`Sink::sync`].

mod console;
mod file;
mod http_client;
mod live;
mod store;
mod tcp;
mod tcp_client;

use std::time::Duration;

use serde_json::Value;

use super::options::{Buffer, FormatKind, SinkKind};
use super::queue::Appetite;
use super::record::Record;

pub(super) use console::ConsoleSink;
pub(super) use file::FileSink;
pub(super) use http_client::HttpClientSink;
pub(super) use live::LiveSink;
pub use live::{Ending, Follower, Live, LiveChunk};
pub(super) use store::StoreSink;
pub(super) use tcp::TcpSink;
pub(super) use tcp_client::TcpClientSink;

/// Records that a sink is given at once unless it says otherwise.
const USUAL: Appetite = Appetite {
    records: 4_096,
    patience: Duration::ZERO,
};
/// The first and the longest wait before something that failed is tried again, unless a sink says otherwise.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// What became of records.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// So many of them, from the first, were taken.
    pub delivered: usize,
    /// Bytes written for it.
    pub bytes: usize,
    /// Of those that were taken, the other end refused so many for good.
    pub lost: usize,
    /// Why the rest was not.
    pub failure: Option<Failure>,
}

/// Why a sink did not take what it was given.
#[derive(Debug)]
pub(super) struct Failure {
    pub reason: String,
    /// The first so many of the rest will never be taken.
    pub refused: usize,
    /// When to try again, if the other end said so.
    pub after: Option<Duration>,
    /// What was given is lost: it has to be read again, by another life of the pipeline.
    pub is_final: bool,
}

impl Failure {
    /// To be tried again.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            refused: 0,
            after: None,
            is_final: false,
        }
    }
}

impl Outcome {
    /// Everything was taken.
    pub fn all(delivered: usize, bytes: usize) -> Self {
        Self {
            delivered,
            bytes,
            ..Self::default()
        }
    }

    /// Nothing was.
    pub fn nothing(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }
}

/// A sink at work.
#[derive(Debug)]
pub(super) enum Sink {
    Store(StoreSink),
    Live(LiveSink),
    Tcp(TcpSink),
    File(Box<FileSink>),
    Console(ConsoleSink),
    HttpClient(Box<HttpClientSink>),
    TcpClient(Box<TcpClientSink>),
}

impl Sink {
    /// What it remembered before a restart.
    pub async fn resume(&mut self, note: &Value) {
        if let Self::Store(sink) = self {
            sink.resume(note).await;
        }
    }

    /// How much it wants at once.
    pub fn appetite(&self) -> Appetite {
        match self {
            Self::HttpClient(sink) => sink.appetite(),
            _ => USUAL,
        }
    }

    /// The first and the longest wait before something that failed is tried again.
    pub fn patience(&self) -> (Duration, Duration) {
        match self {
            Self::HttpClient(sink) => sink.patience(),
            Self::TcpClient(sink) => sink.patience(),
            _ => PATIENCE,
        }
    }

    /// Gives it records; those that it took are gone from the list. Dropping the future leaves it open which they are.
    pub async fn deliver(&mut self, records: &mut Vec<Record>) -> Outcome {
        if records.is_empty() {
            return Outcome::default();
        }
        let outcome = match self {
            // It keeps them: nothing is copied.
            Self::Store(sink) => return sink.deliver(records).await,
            Self::Live(sink) => sink.deliver(records),
            Self::Tcp(sink) => sink.deliver(records),
            Self::File(sink) => sink.deliver(records).await,
            Self::Console(sink) => sink.deliver(records).await,
            Self::HttpClient(sink) => sink.deliver(records).await,
            Self::TcpClient(sink) => sink.deliver(records).await,
        };
        records.drain(..outcome.delivered.min(records.len()));
        outcome
    }

    /// Returns when what was taken is as safe as the sink can make it; what it wants to know after a restart.
    pub async fn sync(&mut self) -> Result<Option<Value>, Failure> {
        match self {
            Self::Store(sink) => Ok(Some(sink.note())),
            Self::Live(sink) => tokio::task::block_in_place(|| sink.sync()).map(|()| None),
            Self::File(sink) => sink.sync().await.map(|()| None),
            Self::Tcp(_) | Self::Console(_) | Self::HttpClient(_) | Self::TcpClient(_) => Ok(None),
        }
    }

    /// Nothing more comes.
    pub async fn close(self) {
        match self {
            Self::TcpClient(sink) => sink.close().await,
            Self::Tcp(sink) => sink.close().await,
            _ => {}
        }
    }
}

impl SinkKind {
    /// Its word in the configuration.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::File(_) => "file",
            Self::Console(_) => "console",
            Self::HttpClient(_) => "http_client",
            Self::TcpClient(_) => "tcp_client",
        }
    }

    /// Where it leads: what tells it from others of its kind.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Store(_) | Self::Http(_) => String::new(),
            Self::Tcp(options) => format!("{}:{}", options.listen.host, options.listen.port),
            Self::File(options) => options
                .directory
                .join(&options.file_name)
                .display()
                .to_string(),
            Self::Console(options) => format!("{:?}", options.target).to_lowercase(),
            Self::HttpClient(options) => options.url.clone(),
            Self::TcpClient(options) => options.address.clone(),
        }
    }

    /// The format it writes unless told otherwise.
    pub(super) const fn usual_format(&self) -> FormatKind {
        match self {
            Self::File(_) | Self::Console(_) => FormatKind::Raw,
            _ => FormatKind::Json,
        }
    }

    /// What happens when it is slower than its sources, unless told otherwise. Sources that cannot be read again would
    /// lose what a sink does not take.
    pub(super) const fn usual_buffer(&self, can_read_again: bool) -> Buffer {
        match self {
            Self::Tcp(_) | Self::Console(_) => Buffer::DropOldest,
            // It writes to disk itself.
            Self::Http(_) => Buffer::Block,
            _ if can_read_again => Buffer::Block,
            _ => Buffer::Disk,
        }
    }
}
