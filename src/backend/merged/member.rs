//! One log among others: how its entries become ours, and how it is with it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{place, skew};
use crate::backend::Backend;
use crate::base::Time;
use crate::entry::{Entry, Key};
use crate::query::{Direction, Query};

/// A log that is to be explored with others.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it is called where it is told apart.
    pub name: String,
    /// The log.
    pub backend: Backend,
    /// Nanoseconds that are added to the times of its entries.
    pub skew: i64,
}

/// How it is with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// Whether it answers.
    pub state: State,
    /// Questions that it left unanswered, all in all: what was shown for them lacks its entries until it is asked anew.
    pub missed: u64,
    /// Nanoseconds that are added to the times of its entries.
    pub skew: i64,
}

/// Whether a member answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does, or was not asked yet.
    #[default]
    Ok,
    /// It does not.
    Failed {
        /// Why.
        reason: String,
        /// When it did not for the first time since it last did.
        since: Time,
    },
}

/// A member, and what is known of it.
#[derive(Debug)]
pub(super) struct Held {
    /// Its place among the others.
    pub index: usize,
    pub name: String,
    pub backend: Backend,
    skew: AtomicI64,
    state: Mutex<State>,
    missed: AtomicU64,
}

impl Held {
    pub fn new(index: usize, member: Member) -> Self {
        Self {
            index,
            name: member.name,
            backend: member.backend,
            skew: AtomicI64::new(member.skew),
            state: Mutex::default(),
            missed: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn standing(&self) -> Standing {
        Standing {
            name: self.name.clone(),
            state: self.state().clone(),
            missed: self.missed.load(Ordering::Relaxed),
            skew: self.skew(),
        }
    }

    /// It answers.
    pub fn answered(&self) {
        *self.state() = State::Ok;
    }

    /// It does not, for now.
    pub fn failed(&self, reason: String) {
        let mut state = self.state();
        let since = match &*state {
            State::Ok => Time::now(),
            State::Failed { since, .. } => *since,
        };
        *state = State::Failed { reason, since };
    }

    /// It did not answer a question.
    pub fn missed(&self, reason: String) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        self.failed(reason);
    }

    pub fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    pub fn set_skew(&self, nanoseconds: i64) {
        self.skew.store(nanoseconds, Ordering::Relaxed);
    }

    /// A time of its entries, corrected.
    pub fn time(&self, own: Time) -> Time {
        skew::moved(own, self.skew())
    }

    /// A corrected time, as its own clock had it.
    pub fn own_time(&self, time: Time) -> Time {
        skew::moved(time, self.skew().saturating_neg())
    }

    /// A question, as it is put to it.
    pub fn query(&self, query: &Query, now: Time) -> Query {
        skew::asked(query, now, self.skew().saturating_neg())
    }

    /// An entry of its own among those of all.
    pub fn entry(&self, own: Entry) -> Entry {
        Entry {
            time: self.time(own.time),
            position: place::merged(own.position, self.index),
            ..own
        }
    }

    /// Where its page begins that goes on beyond a place of ours.
    pub fn start(&self, key: Key, direction: Direction) -> Key {
        Key {
            time: self.own_time(key.time),
            position: place::start(key.position, self.index, direction),
        }
    }

    /// Where its page stopped.
    pub fn edge(&self, own: Key) -> Key {
        Key {
            time: self.time(own.time),
            position: place::edge(own.position, self.index),
        }
    }
}
