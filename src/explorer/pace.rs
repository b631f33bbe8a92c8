//! When frames are drawn: at once for the user, rarely and cheaply for what happens by itself, and never faster than the
//! link carries them.
//!
//! A status request follows each frame. Its reply says that the terminal has drawn the frame: the round trip is the clock
//! of the frames, and what is on its way is bounded, so that a key never waits behind a queue of old frames. A terminal that
//! does not reply is paced by the bytes alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A frame at most every so often: 60 a second.
const FRAME: Duration = Duration::from_millis(16);
/// Frames that nobody asked for (live entries, counts) come at most so often.
const QUIET_FRAME: Duration = Duration::from_millis(100);
/// Bytes a second that such frames may cost: a slow link carries 10 KB, and keys must stay ahead.
const QUIET_BYTES_PER_SECOND: f64 = 11_000.0;
/// The first frame waits so long for the first page, so that the screen is drawn once.
const FIRST_FRAME: Duration = Duration::from_millis(40);
/// Asks the terminal for its status (DSR 5, ECMA-48).
pub(super) const STATUS_REQUEST: &[u8] = b"\x1b[5n";
/// A terminal that has not replied once within this time does not reply at all.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// A reply that is overdue is not waited for any longer: it may have been lost.
const OVERDUE: Duration = Duration::from_secs(5);
/// What keys changed may be drawn while so many bytes are on their way: a row or two, not a page.
const ON_THE_WAY: usize = 1_500;
/// What is counted as the use of the link.
const USE_SPAN: Duration = Duration::from_secs(3);
/// Below this a link is not worth a word.
const SLOW: Duration = Duration::from_millis(40);
/// Frames of the tail that are so far apart are thinned: the screen says so.
const THINNED: Duration = Duration::from_millis(400);

/// When the next frame is due.
#[derive(Debug)]
pub(super) struct Pace {
    last: Instant,
    /// Frames that nobody asked for wait until here.
    quiet_until: Instant,
    /// Whether anything was drawn yet.
    pub begun: bool,
    pub wish: Wish,
    replies: Replies,
    /// Frames of which the reply is not back: when they were written, and their bytes.
    asked: VecDeque<(Instant, usize)>,
    /// The round trip, smoothed.
    round_trip: Duration,
    /// What was written lately.
    written: VecDeque<(Instant, usize)>,
    /// When something to be drawn by itself began to wait.
    waiting: Option<Instant>,
    /// How long such frames wait.
    apart: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    None,
    /// Something changed by itself.
    Quiet,
    /// The user did something, or an answer came.
    Prompt,
}

/// Whether the terminal replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    Unknown,
    Comes,
    Never,
}

/// How the link to the terminal is, where it is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkUse {
    /// The round trip, in milliseconds, rounded to two digits.
    pub round_trip_ms: u64,
    /// Bytes a second that are written to it.
    pub bytes_per_second: u64,
    /// How far apart frames of the tail are drawn, in milliseconds, while that is seldom.
    pub thinned_ms: Option<u64>,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self {
            last: now,
            quiet_until: now + FIRST_FRAME,
            begun: false,
            wish: Wish::Quiet,
            replies: Replies::Unknown,
            asked: VecDeque::new(),
            round_trip: Duration::ZERO,
            written: VecDeque::new(),
            waiting: None,
            apart: Duration::ZERO,
        }
    }

    /// Wants a frame.
    pub fn wish(&mut self, wish: Wish, now: Instant) {
        self.wish = self.wish.max(wish);
        if self.wish != Wish::None {
            self.waiting.get_or_insert(now);
        }
    }

    /// When to draw; `None` while there is nothing to.
    pub fn due(&self) -> Option<Instant> {
        let due = match self.wish {
            Wish::None => return None,
            Wish::Quiet => self.quiet_until,
            Wish::Prompt if !self.begun => self.last,
            Wish::Prompt => self.last + FRAME,
        };
        let on_the_way: usize = self.asked.iter().map(|(_, bytes)| bytes).sum();
        let may_draw = self.wish == Wish::Prompt && on_the_way <= ON_THE_WAY;
        match (self.replies, self.asked.front()) {
            (Replies::Comes, Some((asked, _))) if !may_draw => Some(due.max(*asked + OVERDUE)),
            _ => Some(due),
        }
    }

    /// Whether the frame that is to be written is followed by a status request. At the start there is one question only.
    pub fn asks(&self) -> bool {
        match self.replies {
            Replies::Unknown => self.asked.is_empty(),
            Replies::Comes => true,
            Replies::Never => false,
        }
    }

    /// A frame of so many bytes was drawn.
    pub fn drawn(&mut self, bytes: usize, now: Instant) {
        if bytes > 0 && self.asks() {
            self.asked.push_back((now, bytes));
        }
        self.written.push_back((now, bytes));
        self.forget(now);
        if self.wish == Wish::Quiet {
            let waited = self.waiting.map(|since| now.duration_since(since));
            self.apart = (self.apart + waited.unwrap_or_default()) / 2;
        }
        self.waiting = None;
        self.last = now;
        self.begun = true;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a frame has some thousand bytes"
        )]
        let cost = Duration::from_secs_f64(bytes as f64 / QUIET_BYTES_PER_SECOND);
        self.quiet_until = self.last + QUIET_FRAME.max(cost);
        self.wish = Wish::None;
    }

    /// The terminal has drawn the oldest frame of which it had not told so.
    pub fn replied(&mut self, now: Instant) {
        self.replies = Replies::Comes;
        let Some((asked, _)) = self.asked.pop_front() else {
            return;
        };
        let took = now.duration_since(asked);
        self.round_trip = if self.round_trip.is_zero() {
            took
        } else {
            (self.round_trip * 3 + took) / 4
        };
    }

    fn forget(&mut self, now: Instant) {
        let is_old = |asked: &Instant, age| now.duration_since(*asked) > age;
        while self
            .written
            .front()
            .is_some_and(|(written, _)| is_old(written, USE_SPAN))
        {
            self.written.pop_front();
        }
        let patience = match self.replies {
            Replies::Unknown => SILENT_AFTER,
            Replies::Comes | Replies::Never => OVERDUE,
        };
        while self
            .asked
            .front()
            .is_some_and(|(asked, _)| is_old(asked, patience))
        {
            self.asked.pop_front();
            if self.replies == Replies::Unknown {
                self.replies = Replies::Never;
            }
        }
    }

    /// How long to wait for replies that are on their way, before the terminal is given back: the shell must not read them.
    pub fn outstanding(&self) -> Option<Duration> {
        let patience =
            (self.round_trip * 2).clamp(Duration::from_millis(100), Duration::from_secs(1));
        (!self.asked.is_empty()).then_some(patience)
    }

    /// How the link is, where it is slow.
    pub fn link(&self) -> Option<LinkUse> {
        if self.round_trip < SLOW {
            return None;
        }
        let bytes: usize = self.written.iter().map(|(_, bytes)| bytes).sum();
        let millis =
            |duration: Duration| rounded(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        Some(LinkUse {
            round_trip_ms: millis(self.round_trip),
            bytes_per_second: rounded(bytes as u64 / USE_SPAN.as_secs()),
            thinned_ms: (self.apart >= THINNED && self.wish == Wish::Quiet)
                .then(|| millis(self.apart)),
        })
    }
}

/// Two digits of a number: what changes all the time would be drawn all the time.
fn rounded(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_round_trip_is_the_clock_of_the_frames() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.drawn(6_000, start);
        assert!(!pace.asks(), "one question at the start");
        // Until the terminal has replied once, it is not waited for.
        pace.wish(Wish::Prompt, start);
        assert_eq!(pace.due(), Some(start + FRAME));
        pace.replied(start + 300 * MS);
        assert!(pace.asks());
        let now = start + 400 * MS;
        pace.drawn(6_000, now);
        pace.wish(Wish::Quiet, now);
        assert_eq!(
            pace.due(),
            Some(now + OVERDUE),
            "while a page is on its way nothing else is drawn"
        );
        pace.wish(Wish::Prompt, now);
        assert_eq!(pace.due(), Some(now + OVERDUE));
        pace.replied(now + 300 * MS);
        assert_eq!(pace.due(), Some(now + FRAME));
        // What a key changed is small: several may be on their way.
        let mut now = now + 320 * MS;
        for _ in 0..3 {
            pace.drawn(400, now);
            pace.wish(Wish::Prompt, now);
            assert_eq!(pace.due(), Some(now + FRAME));
            now += 20 * MS;
        }
        pace.drawn(400, now);
        pace.wish(Wish::Prompt, now);
        assert!(pace.due() > Some(now + 100 * MS));
        let link = pace.link().expect("a slow link");
        assert_eq!((link.round_trip_ms, link.thinned_ms), (300, None));
        assert_eq!(pace.outstanding(), Some(600 * MS));
    }

    #[test]
    fn a_terminal_that_does_not_reply_is_not_asked_again() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.drawn(100, start);
        pace.drawn(100, start + 3_000 * MS);
        assert!(!pace.asks() && pace.outstanding().is_none() && pace.link().is_none());
        pace.wish(Wish::Quiet, start + 3_000 * MS);
        assert_eq!(pace.due(), Some(start + 3_000 * MS + QUIET_FRAME));
    }

    #[test]
    fn two_digits_are_told() {
        assert_eq!([0, 7, 99, 186, 9_876].map(rounded), [0, 7, 99, 180, 9_800]);
    }
}
