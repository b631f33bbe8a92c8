//! Taking the terminal, and the one routine that gives it back: on normal end, error, panic, signals and suspend.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Alternate screen, hidden cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Buttons and wheel with coordinates as numbers; not the pointer's every move, which would flood a slow link.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Bracketed paste, which lines have too.
const PASTE_ON: &[u8] = b"\x1b[?2004h";
const PASTE_OFF: &[u8] = b"\x1b[?2004l";
/// All of it undone, whether or not it was on, with the margins and the style.
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[r\x1b[0m\x1b[?25h\x1b[?1049l";

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
#[derive(Debug)]
pub(in crate::explorer) struct Guard {
    mouse: bool,
}

/// Whether lines are told where the cursor is, and there is no screen to be left.
static IS_PLAIN: AtomicBool = AtomicBool::new(false);

impl Guard {
    /// Takes the terminal; a panic from here on gives it back before it says its message.
    pub fn take(mouse: bool, is_plain: bool) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        IS_PLAIN.store(is_plain, Ordering::SeqCst);
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        let guard = Self { mouse };
        guard.enter()?;
        Ok(guard)
    }

    /// Takes it again, after a suspend.
    pub fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let mut out = io::stdout().lock();
        if IS_PLAIN.load(Ordering::SeqCst) {
            out.write_all(PASTE_ON)?;
            return out.flush();
        }
        out.write_all(ENTER)?;
        if self.mouse {
            out.write_all(MOUSE_ON)?;
        }
        out.flush()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, once. A terminal that is gone cannot be told, and need not.
pub(in crate::explorer) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout().lock();
        let leave = if IS_PLAIN.load(Ordering::SeqCst) {
            PASTE_OFF
        } else {
            LEAVE
        };
        let _ = out.write_all(leave);
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}
