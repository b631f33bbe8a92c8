//! Server-sent events: a bounded log on disk that every client follows by position.
//!
//! Nothing is kept per client: all get everything, each at its own pace. Who is further behind than what is kept is told
//! what is missing. The HTTP side is the service's.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Failure, Outcome};
use crate::base::{Full, Seat, Seats};
use crate::pipelines::format::Format;
use crate::pipelines::lane::told;
use crate::pipelines::options::{HeartbeatFormat, HttpSinkOptions};
use crate::pipelines::record::Record;
use crate::spool::{Reader, Spool};

/// Where clients of a stream come in. Clones lead to the same.
#[derive(Clone, Debug)]
pub struct Live {
    spool: Spool,
    seats: Seats,
    heartbeat: Option<(Duration, HeartbeatFormat)>,
    since: Instant,
    /// Why the stream ended, once it has.
    ended: watch::Receiver<Option<Ending>>,
}

/// The sink that writes what they follow.
#[derive(Debug)]
pub(in crate::pipelines) struct LiveSink {
    live: Live,
    format: Format,
    retention: u64,
}

/// A client.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    _seat: Seat,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The service does.
    Shutdown,
    /// The pipeline is made anew, or is no more.
    Changed,
}

/// What a client is sent next.
#[derive(Debug, Default)]
pub struct LiveChunk {
    /// Positions that are no longer there: first and last.
    pub missing: Option<(u64, u64)>,
    /// Entries as they are written, by position.
    pub entries: Vec<(u64, Vec<u8>)>,
}

impl LiveSink {
    pub fn new(
        spool: Spool,
        format: Format,
        seats: Seats,
        options: &HttpSinkOptions,
        ended: watch::Receiver<Option<Ending>>,
    ) -> Self {
        let heartbeat = options.heartbeat.0;
        let live = Live {
            spool,
            seats,
            heartbeat: (!heartbeat.is_zero()).then_some((heartbeat, options.heartbeat_format)),
            since: Instant::now(),
            ended,
        };
        Self {
            live,
            format,
            retention: options.retention.0,
        }
    }

    /// Where clients come in.
    pub fn live(&self) -> Live {
        self.live.clone()
    }

    pub fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut bytes = 0;
        let written: Vec<Vec<u8>> = records
            .iter()
            .map(|record| {
                let mut line = Vec::with_capacity(256);
                self.format.write(record, &mut line);
                bytes += line.len();
                line
            })
            .collect();
        match self.live.spool.append(&written) {
            Ok(_) => {
                if *self.live.spool.bytes().borrow() > self.retention {
                    self.live.spool.retain(self.retention);
                }
                Outcome::all(records.len(), bytes)
            }
            Err(error) => Outcome::nothing(Failure::passing(told(&error))),
        }
    }

    pub fn sync(&mut self) -> Result<(), Failure> {
        let synced = self.live.spool.sync();
        synced.map_err(|error| Failure::passing(told(&error)))
    }
}

impl Live {
    /// A client of an address, after a position; without one, after what is there now.
    ///
    /// # Errors
    /// There are as many clients as may be.
    pub fn follow(&self, of: Option<IpAddr>, after: Option<u64>) -> Result<Follower, Full> {
        let seat = self.seats.take(of)?;
        let after = after.unwrap_or_else(|| *self.spool.head().borrow());
        Ok(Follower {
            reader: self.spool.read_after(after),
            _seat: seat,
        })
    }

    /// How long a stream may be silent, and how it shows that it lives.
    #[must_use]
    pub fn heartbeat(&self) -> Option<(Duration, HeartbeatFormat)> {
        self.heartbeat
    }

    /// Clients now, and for how long there has been a stream.
    #[must_use]
    pub fn clients(&self) -> (usize, Duration) {
        (self.seats.count(), self.since.elapsed())
    }

    /// The positions that are there: the oldest and the newest.
    #[must_use]
    pub fn positions(&self) -> (u64, u64) {
        (self.spool.oldest(), *self.spool.head().borrow())
    }

    /// Waits until the stream ends; why.
    pub async fn ended(&self) -> Ending {
        let mut ended = self.ended.clone();
        let why = ended.wait_for(Option::is_some).await;
        why.ok().and_then(|why| *why).unwrap_or(Ending::Changed)
    }
}

impl Follower {
    /// Waits for what comes next. Safe to drop and call again.
    pub async fn next(&mut self) -> LiveChunk {
        let stretch = self.reader.next().await;
        LiveChunk {
            missing: stretch.missing,
            entries: stretch.payloads,
        }
    }

    /// The position up to which everything was given.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.reader.at()
    }
}
