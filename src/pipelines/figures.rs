//! What the parts of a pipeline did, counted as it happens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::status::{PartStatus, Trouble};
use crate::base::{Seats, Time};

/// Why something was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// A filter says so.
    Filtered,
    /// There was more than a rate allows.
    Rate,
    /// It is not in the sample.
    Sampled,
    /// The buffer before the sink was full.
    Full,
    /// The sink will never take it.
    Refused,
    /// It cannot be read: no form that the source takes.
    Invalid,
    /// A spool was damaged.
    Damaged,
    /// The pipeline ended before the sink took it.
    Stopped,
}

impl Reason {
    /// Its word in statuses and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Rate => "rate",
            Self::Sampled => "sampled",
            Self::Full => "buffer_full",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Damaged => "damaged",
            Self::Stopped => "stopped",
        }
    }
}

/// The figures of one part.
#[derive(Debug)]
pub(super) struct Figures {
    id: String,
    kind: &'static str,
    taken: AtomicU64,
    given: AtomicU64,
    bytes: AtomicU64,
    lag_bytes: AtomicU64,
    retries: AtomicU64,
    /// Who is connected, where somebody can be.
    seats: OnceLock<Seats>,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    dropped: BTreeMap<Reason, u64>,
    behind_since: Option<Time>,
    trouble: Option<Trouble>,
    is_troubled: bool,
}

impl Figures {
    pub fn new(id: impl Into<String>, kind: &'static str) -> Self {
        Self {
            id: id.into(),
            kind,
            taken: AtomicU64::default(),
            given: AtomicU64::default(),
            bytes: AtomicU64::default(),
            lag_bytes: AtomicU64::default(),
            retries: AtomicU64::default(),
            seats: OnceLock::new(),
            rest: Mutex::default(),
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries came in.
    pub fn took(&self, entries: usize) {
        self.taken.fetch_add(entries as u64, Ordering::Relaxed);
    }

    /// Entries were passed on.
    pub fn gave(&self, entries: usize) {
        self.given.fetch_add(entries as u64, Ordering::Relaxed);
    }

    /// Bytes were read or written.
    pub fn moved(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Entries were dropped.
    pub fn dropped(&self, reason: Reason, entries: u64) {
        if entries > 0 {
            *self.rest().dropped.entry(reason).or_default() += entries;
        }
    }

    /// So many bytes are still to be read or delivered.
    pub fn lag(&self, bytes: u64) {
        self.lag_bytes.store(bytes, Ordering::Relaxed);
        let mut rest = self.rest();
        match (bytes, rest.behind_since) {
            (0, _) => rest.behind_since = None,
            (_, None) => rest.behind_since = Some(Time::now()),
            _ => {}
        }
    }

    /// These are the seats of those who connect.
    pub fn seats(&self, seats: &Seats) {
        let _ = self.seats.set(seats.clone());
    }

    /// Something failed and is tried again. It is logged when it begins, not at every try.
    pub fn trouble(&self, text: impl Into<String>) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        let text = text.into();
        let mut rest = self.rest();
        if !std::mem::replace(&mut rest.is_troubled, true) {
            tracing::warn!(part = %self.id, "{text}");
        }
        rest.trouble = Some(Trouble {
            time: Time::now().to_string(),
            text,
            is_over: false,
        });
    }

    /// It works again.
    pub fn well(&self) {
        let mut rest = self.rest();
        if std::mem::take(&mut rest.is_troubled) {
            tracing::info!(part = %self.id, "works again");
            if let Some(trouble) = &mut rest.trouble {
                trouble.is_over = true;
            }
        }
    }

    /// The figures now.
    pub fn status(&self) -> PartStatus {
        let rest = self.rest();
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let dropped = rest.dropped.iter();
        let lag = rest
            .behind_since
            .map(|since| Time::now().since(since).as_secs_f64());
        PartStatus {
            id: self.id.clone(),
            kind: self.kind.to_owned(),
            taken: read(&self.taken),
            given: read(&self.given),
            bytes: read(&self.bytes),
            dropped: dropped
                .map(|(reason, count)| (reason.word().to_owned(), *count))
                .collect(),
            lag_bytes: read(&self.lag_bytes),
            lag_seconds: lag.unwrap_or_default(),
            waiting: 0,
            waiting_bytes: 0,
            clients: self.seats.get().map_or(0, |seats| seats.count() as u64),
            retries: read(&self.retries),
            trouble: rest.trouble.clone(),
        }
    }
}
