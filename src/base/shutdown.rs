//! The wish to stop, from outside.

use tokio::signal::unix::{SignalKind, signal};

/// A signal that asks the program to end, as its number.
pub type SignalNumber = i32;

/// Waits for TERM, INT, HUP or QUIT and says which came.
///
/// # Errors
/// The system refuses to install a handler.
pub async fn requested() -> std::io::Result<SignalNumber> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    Ok(tokio::select! {
        _ = term.recv() => SignalKind::terminate().as_raw_value(),
        _ = int.recv() => SignalKind::interrupt().as_raw_value(),
        _ = hup.recv() => SignalKind::hangup().as_raw_value(),
        _ = quit.recv() => SignalKind::quit().as_raw_value(),
    })
}
