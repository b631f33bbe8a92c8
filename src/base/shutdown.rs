//! The wishes of the system, from outside.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that asks the program to end, as its number.
pub type SignalNumber = i32;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To end: TERM, INT or QUIT came.
    End(SignalNumber),
    /// The terminal is gone, or settings shall be read again: HUP came.
    HangUp(SignalNumber),
}

/// Signals that came since this was made: make it before saying that the program is ready.
#[derive(Debug)]
pub struct Wishes {
    term: Signal,
    int: Signal,
    hup: Signal,
    quit: Signal,
}

impl Wishes {
    /// From now on TERM, INT, HUP and QUIT are kept for [`Wishes::next`].
    ///
    /// # Errors
    /// The system refuses to install a handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.term.recv() => Wish::End(SignalKind::terminate().as_raw_value()),
            _ = self.int.recv() => Wish::End(SignalKind::interrupt().as_raw_value()),
            _ = self.quit.recv() => Wish::End(SignalKind::quit().as_raw_value()),
            _ = self.hup.recv() => Wish::HangUp(SignalKind::hangup().as_raw_value()),
        }
    }

    /// Waits until the program shall end; a hang-up is a reason too.
    pub async fn ended(&mut self) -> SignalNumber {
        match self.next().await {
            Wish::End(signal) | Wish::HangUp(signal) => signal,
        }
    }
}
