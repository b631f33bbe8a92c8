//! Live entries: the connection, following or holding, how fast they come.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Time;

/// The span over which the rate is taken.
const RATE_SPAN: Duration = Duration::from_secs(3);

/// How the feed stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) enum Link {
    #[default]
    Connecting,
    Live,
    /// Lost for this reason; tried again at this time.
    Lost {
        reason: String,
        again: Time,
    },
    /// The log is gone.
    Ended,
}

/// What is known of live entries.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct LiveState {
    pub link: Link,
    /// Whether the view moves with what arrives.
    pub following: bool,
    /// What arrived while it did not.
    pub arrived: u64,
    /// How often the connection was lost.
    pub losses: u64,
    recent: VecDeque<(Time, u64)>,
    /// Whether something arrived since the namespaces were counted.
    pub uncounted: bool,
    /// When the namespaces were counted.
    pub counted: Time,
}

impl Default for LiveState {
    fn default() -> Self {
        Self {
            link: Link::default(),
            following: true,
            arrived: 0,
            losses: 0,
            recent: VecDeque::new(),
            uncounted: false,
            counted: Time::default(),
        }
    }
}

impl LiveState {
    /// Notes that entries arrived.
    pub fn note(&mut self, now: Time, count: u64) {
        if count > 0 {
            self.recent.push_back((now, count));
        }
        self.uncounted = true;
        self.forget(now);
    }

    /// Forgets what is too old for the rate.
    pub fn forget(&mut self, now: Time) {
        while self
            .recent
            .front()
            .is_some_and(|(time, _)| now.since(*time) > RATE_SPAN)
        {
            self.recent.pop_front();
        }
    }

    /// Whether anything arrived lately.
    pub fn is_busy(&self) -> bool {
        !self.recent.is_empty()
    }

    /// Entries per second.
    pub fn rate(&self) -> u64 {
        let count: u64 = self.recent.iter().map(|(_, count)| count).sum();
        count.div_ceil(RATE_SPAN.as_secs())
    }
}
