//! What comes from the terminal: keys, mouse and pastes; and its replies to status requests, by which the link is measured.
//!
//! It is read on a thread of its own, not on the runtime: reading must not hold up what has to be put away. The thread can
//! be held, so that another program has the keys, and ends with the process.

use std::fs::File;
use std::io::{IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use terminput::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a terminal answers to a status request (DSR 5, ECMA-48): it is ready.
const READY: &[u8] = b"\x1b[0n";
/// Replies that are no keys begin so.
const PRIVATE: &[u8] = b"\x1b[?";
/// Bytes read at once.
const READ: usize = 4096;
/// Bytes of a sequence that is not complete: beyond them it is given up. A paste may be long.
const MAX_SEQUENCE: usize = 1 << 20;
/// Within this time what follows an escape character belongs to it: a slow link cuts sequences apart.
const ESCAPE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 30_000_000,
};

/// Something that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::explorer) enum Typed {
    Event(Event),
    /// The reply to a status request.
    Ready,
}

/// The reading side of the terminal.
#[derive(Debug)]
pub(in crate::explorer) struct Keyboard {
    typed: UnboundedReceiver<Typed>,
    /// A byte wakes the thread to be held.
    wake: PipeWriter,
    held: Receiver<()>,
    go_on: Sender<()>,
}

impl Keyboard {
    /// Begins to read.
    ///
    /// # Errors
    /// There is no terminal to read from.
    pub fn begin() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let tty: OwnedFd = if stdin.is_terminal() {
            stdin.as_fd().try_clone_to_owned()?
        } else {
            // Standard input is what is explored.
            File::open("/dev/tty")?.into()
        };
        Self::of(tty)
    }

    fn of(tty: OwnedFd) -> std::io::Result<Self> {
        let (woken, wake) = std::io::pipe()?;
        let (sender, typed) = unbounded_channel();
        let (holding, held) = channel();
        let (go_on, going_on) = channel();
        let reading = Reading {
            tty: tty.into(),
            woken,
            sender,
            holding,
            going_on,
        };
        std::thread::Builder::new()
            .name("terminal-input".into())
            .spawn(move || reading.run())?;
        Ok(Self {
            typed,
            wake,
            held,
            go_on,
        })
    }

    /// The next that comes; none when the terminal is gone.
    pub async fn next(&mut self) -> Option<Typed> {
        self.typed.recv().await
    }

    /// What came already.
    pub fn ready(&mut self) -> Option<Typed> {
        self.typed.try_recv().ok()
    }

    /// Leaves the terminal to another program: from here on nothing is read.
    pub fn hold(&self) {
        if (&self.wake).write_all(b".").is_ok() {
            let _ = self.held.recv();
        }
    }

    /// Reads on.
    pub fn go_on(&self) {
        let _ = self.go_on.send(());
    }
}

/// The thread's side.
struct Reading {
    tty: File,
    woken: PipeReader,
    sender: UnboundedSender<Typed>,
    holding: Sender<()>,
    going_on: Receiver<()>,
}

impl Reading {
    fn run(mut self) {
        let mut parts = Parts::default();
        let mut buffer = [0; READ];
        loop {
            match self.wait(parts.begins_with_escape()) {
                Wait::Readable => {}
                Wait::Nothing => {
                    if !self.tell(parts.give_up_escape()) {
                        return;
                    }
                    continue;
                }
                Wait::Hold => {
                    let _ = self.woken.read(&mut [0]);
                    if self.holding.send(()).is_err() || self.going_on.recv().is_err() {
                        return;
                    }
                    continue;
                }
                Wait::Gone => return,
            }
            match self.tty.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    if !self.tell(parts.take(&buffer[..count])) {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn tell(&self, typed: Vec<Typed>) -> bool {
        typed
            .into_iter()
            .all(|typed| self.sender.send(typed).is_ok())
    }

    /// Waits for something to read; after an escape character only shortly.
    fn wait(&self, after_escape: bool) -> Wait {
        let mut watched = [
            PollFd::new(&self.tty, PollFlags::IN),
            PollFd::new(&self.woken, PollFlags::IN),
        ];
        let patience = after_escape.then_some(&ESCAPE);
        match poll(&mut watched, patience) {
            Ok(0) => Wait::Nothing,
            Ok(_) if watched[1].revents().contains(PollFlags::IN) => Wait::Hold,
            Ok(_) if watched[0].revents().contains(PollFlags::IN) => Wait::Readable,
            Err(rustix::io::Errno::INTR) => Wait::Nothing,
            Ok(_) | Err(_) => Wait::Gone,
        }
    }
}

/// What waiting ended with.
enum Wait {
    Readable,
    Nothing,
    Hold,
    Gone,
}

/// Bytes that are not yet a whole sequence.
#[derive(Debug, Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn begins_with_escape(&self) -> bool {
        self.0 == b"\x1b"
    }

    /// Nothing followed the escape character: it is the key.
    fn give_up_escape(&mut self) -> Vec<Typed> {
        if !self.begins_with_escape() {
            return Vec::new();
        }
        let escape = Event::parse_from(&std::mem::take(&mut self.0));
        escape
            .ok()
            .flatten()
            .map(Typed::Event)
            .into_iter()
            .collect()
    }

    /// Takes in bytes; what became whole. What cannot be understood is left out.
    fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut typed = Vec::new();
        for byte in bytes {
            // An escape character after an escape character begins something of its own: a reply, or another key.
            if *byte == b'\x1b' {
                typed.extend(self.give_up_escape());
            }
            self.0.push(*byte);
            if self.begins_with_escape() || READY.starts_with(&self.0) && self.0 != READY {
                continue;
            }
            if self.0 == READY {
                typed.push(Typed::Ready);
                self.0.clear();
                continue;
            }
            if self.0.starts_with(PRIVATE)
                && self.0.len() > PRIVATE.len()
                && matches!(byte, 0x40..=0x7e)
            {
                // Nothing of the kind was asked for; the parser would wait for its end for ever.
                self.0.clear();
                continue;
            }
            match Event::parse_from(&self.0) {
                Ok(None) if self.0.len() < MAX_SEQUENCE => {}
                Ok(Some(event)) => {
                    typed.push(Typed::Event(event));
                    self.0.clear();
                }
                Ok(None) | Err(_) => self.0.clear(),
            }
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use terminput::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    fn key(code: KeyCode) -> Typed {
        Typed::Event(Event::Key(KeyEvent::new(code)))
    }

    #[test]
    fn keys_and_replies_are_told_apart_however_they_are_cut() {
        let bytes =
            b"j\x1b[A\x1b[0nk\x1b[200~a\x1bb\x1b[201~\x1b[<64;3;4M\x1b[0n\xc3\xa9\x1bx\x1b[5~";
        let whole = Parts::default().take(bytes);
        assert_eq!(
            whole[..4],
            [
                key(KeyCode::Char('j')),
                key(KeyCode::Up),
                Typed::Ready,
                key(KeyCode::Char('k'))
            ]
        );
        assert_eq!(whole[4], Typed::Event(Event::Paste("a\x1bb".into())));
        assert_eq!(
            whole.iter().filter(|typed| **typed == Typed::Ready).count(),
            2
        );
        let alt = KeyEvent::new(KeyCode::Char('x')).modifiers(KeyModifiers::ALT);
        assert_eq!(
            whole[7..],
            [
                key(KeyCode::Char('é')),
                Typed::Event(Event::Key(alt)),
                key(KeyCode::PageUp)
            ]
        );
        for size in 1..bytes.len() {
            let mut parts = Parts::default();
            let cut: Vec<Typed> = bytes
                .chunks(size)
                .flat_map(|part| parts.take(part))
                .collect();
            assert_eq!(cut, whole, "in parts of {size}");
        }
        // A reply right behind the escape key is no part of it.
        let mut parts = Parts::default();
        assert!(parts.take(b"\x1b").is_empty());
        assert_eq!(
            parts.take(b"\x1b[0nj"),
            [key(KeyCode::Esc), Typed::Ready, key(KeyCode::Char('j'))]
        );
        // What is no sequence is left out, and what follows is understood.
        let mut parts = Parts::default();
        assert_eq!(
            parts.take(b"\x1b[?2026;2$yq").last(),
            Some(&key(KeyCode::Char('q')))
        );
        let mut parts = Parts::default();
        assert!(parts.take(b"\x1b").is_empty());
        assert_eq!(parts.give_up_escape(), [key(KeyCode::Esc)]);
    }

    #[tokio::test]
    async fn another_program_can_have_the_keys() {
        let (read, mut write) = std::io::pipe().expect("a pipe");
        let mut keyboard = Keyboard::of(read.into()).expect("a keyboard");
        write.write_all(b"a").expect("written");
        assert_eq!(keyboard.next().await, Some(key(KeyCode::Char('a'))));
        keyboard.hold();
        write.write_all(b"b").expect("written");
        assert_eq!(keyboard.ready(), None);
        keyboard.go_on();
        assert_eq!(keyboard.next().await, Some(key(KeyCode::Char('b'))));
        drop(write);
        assert_eq!(keyboard.next().await, None);
    }
}
