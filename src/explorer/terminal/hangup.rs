//! Notices that the terminal is gone. The event source does not: without this, an explorer whose SSH link dropped would
//! live on, or spin.

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::oneshot;

/// Tells when the terminal hangs up. The thread sleeps until then and ends with the process.
pub(in crate::explorer) fn watch() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name("hang-up".into())
        .spawn(move || {
            let stdout = std::io::stdout();
            loop {
                // Hang-up and errors are told though nothing is asked for.
                let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
                match poll(&mut watched, None) {
                    Ok(_)
                        if watched[0]
                            .revents()
                            .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) =>
                    {
                        break;
                    }
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(_) => break,
                }
            }
            let _ = sender.send(());
        });
    drop(spawned);
    receiver
}
