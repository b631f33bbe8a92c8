//! What the explorer does outside its screen: copies, other programs, what is remembered, stopping.

use std::collections::BTreeMap;
use std::io::Write;

use super::Runtime;
use crate::explorer::clipboard;
use crate::explorer::effect::Program;
use crate::explorer::memory::{Remembered, SavedQuery};
use crate::explorer::message::Message;
use crate::explorer::options::Keeper;
use crate::explorer::terminal::{give_back, view_in};

impl Runtime {
    /// Keeps the saved queries at once.
    pub(super) fn keep(&mut self, queries: BTreeMap<String, SavedQuery>) {
        self.memory.queries = queries;
        self.write_memory();
    }

    /// Keeps where one is, for the next time.
    pub(super) fn remember(&mut self) {
        let name = self.state.case.place();
        self.memory.remember(name, Remembered::of(&self.state));
        self.write_memory();
    }

    pub(super) fn write_memory(&self) {
        let Some(Keeper(keep)) = &self.keeper else {
            return;
        };
        if let Err(reason) = keep(&self.memory) {
            tracing::warn!(%reason, "what is to be remembered cannot be kept");
            let _ = self.sender.send(Message::Done(Err(reason)));
        }
    }

    pub(super) fn copy(&self, text: String) {
        let (sender, dir) = (self.sender.clone(), self.state_dir.clone());
        tokio::task::spawn_blocking(move || {
            let copied = clipboard::copy(&text, dir.as_ref());
            if let Some(sequence) = copied.sequence {
                let mut out = std::io::stdout().lock();
                let _ = out.write_all(&sequence).and_then(|()| out.flush());
            }
            let _ = sender.send(Message::Done(Ok(copied.how)));
        });
    }

    /// Shows text in another program, which has the terminal until it ends.
    pub(super) fn view(&mut self, program: Program, text: &str) {
        self.keyboard.hold();
        give_back();
        let shown = view_in(program, text);
        self.keyboard.go_on();
        // Signals that the user sent to the other program were not for this one.
        self.has_viewed = true;
        self.resume();
        if let Err(reason) = shown {
            self.take_in(Message::Done(Err(reason)));
        }
    }

    /// Gives the terminal back and stops; with the whole job when a key asked for it, as a shell's ctrl-z does.
    pub(super) fn suspend(&mut self, job: bool) {
        use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
        give_back();
        // Execution goes on here when somebody continues us.
        let stopped = if job {
            kill_current_process_group(Signal::STOP)
        } else {
            kill_process(getpid(), Signal::STOP)
        };
        if let Err(error) = stopped {
            tracing::warn!(%error, "cannot stop");
        }
        self.resume();
    }
}
