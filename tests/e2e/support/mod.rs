//! What every end-to-end test needs: a service, a screen, lines to push.

mod direktiv;
mod engines;
mod events;
mod lines;
pub mod numbered;
mod ports;
mod process;
mod proxy;
mod screen;
mod service;
mod tail;
mod taker;
mod web;

pub use direktiv::{Direktiv, Generation};
pub use engines::{Bucket, Redis};
pub use events::{Events, stalled, text};
pub use lines::{Lines, MIDDLE_TRACE};
pub use ports::free_port;
pub use process::{Run, python, python_with, run, run_with_input, tailwater};
pub use proxy::Proxy;
pub use screen::Screen;
pub use service::{Reply, Service};
pub use tail::Tail;
pub use taker::Taker;
pub use web::Web;

use std::time::{Duration, Instant};

/// A machine under load needs patience; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the condition gives something, looking again and again.
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, condition)
}

/// The same with a patience of its own.
pub fn wait_within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
