//! When frames are drawn: at once for the user, rarely and cheaply for what happens by itself.

use std::time::{Duration, Instant};

/// A frame at most every so often: 60 a second.
const FRAME: Duration = Duration::from_millis(16);
/// Frames that nobody asked for (live entries, counts) come at most so often.
const QUIET_FRAME: Duration = Duration::from_millis(100);
/// Bytes a second that such frames may cost: a slow link carries 10 KB, and keys must stay ahead.
const QUIET_BYTES_PER_SECOND: f64 = 11_000.0;
/// The first frame waits so long for the first page, so that the screen is drawn once.
const FIRST_FRAME: Duration = Duration::from_millis(40);

/// When the next frame is due.
#[derive(Debug)]
pub(super) struct Pace {
    last: Instant,
    /// Frames that nobody asked for wait until here.
    quiet_until: Instant,
    /// Whether anything was drawn yet.
    pub begun: bool,
    pub wish: Wish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    None,
    /// Something changed by itself.
    Quiet,
    /// The user did something, or an answer came.
    Prompt,
}

impl Pace {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            last: now,
            quiet_until: now + FIRST_FRAME,
            begun: false,
            wish: Wish::Quiet,
        }
    }

    /// When to draw; `None` while there is nothing to.
    pub fn due(&self) -> Option<Instant> {
        match self.wish {
            Wish::None => None,
            Wish::Quiet => Some(self.quiet_until),
            Wish::Prompt if !self.begun => Some(self.last),
            Wish::Prompt => Some(self.last + FRAME),
        }
    }

    /// A frame of so many bytes was drawn.
    pub fn drawn(&mut self, bytes: usize) {
        self.last = Instant::now();
        self.begun = true;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a frame has some thousand bytes"
        )]
        let cost = Duration::from_secs_f64(bytes as f64 / QUIET_BYTES_PER_SECOND);
        self.quiet_until = self.last + QUIET_FRAME.max(cost);
        self.wish = Wish::None;
    }
}
