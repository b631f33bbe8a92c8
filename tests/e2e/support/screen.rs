//! The program in a pseudo-terminal, and the screen that an emulated terminal shows of it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::wait_for;

type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

/// What a link carried: status requests that the program sent after frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkSeen {
    pub requests: usize,
    pub replies: usize,
    /// Bytes of frames that were still on their way when another one was written, at the most.
    pub most_before: usize,
}

/// A running program and its screen.
pub struct Screen {
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    writer: Writer,
    /// What is known of status requests, where they are answered.
    link: Arc<Mutex<LinkSeen>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Asks the reader to let go of its handle, too, at the next output.
    closing: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
    child: Box<dyn Child + Send + Sync>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// How many of the bytes come before a synchronized update (mode 2026) that has not ended: as a
/// terminal that knows the mode, we show an update whole or not at all.
fn before_unfinished_update(bytes: &[u8]) -> usize {
    const BEGIN: &[u8] = b"\x1b[?2026h";
    const END: &[u8] = b"\x1b[?2026l";
    let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|found| found == mark);
    let torn_mark = (1..BEGIN.len()).find(|torn| bytes.ends_with(&BEGIN[..*torn]));
    match (last(BEGIN), last(END)) {
        (Some(began), ended) if ended.is_none_or(|ended| ended < began) => began,
        _ => bytes.len() - torn_mark.unwrap_or(0),
    }
}

impl Screen {
    /// Starts the program with arguments on a screen of 120 by 40.
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        Self::start_sized(home, arguments, 120, 40)
    }

    pub fn start_sized(home: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_in(home, arguments, (columns, rows), &[])
    }

    /// Starts it with variables of the environment.
    pub fn start_in(
        home: &Path,
        arguments: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tailwater"));
        command.args(arguments);
        for (name, _) in std::env::vars() {
            if name.starts_with("TAILWATER_")
                || name.starts_with("XDG_")
                || ["NO_COLOR", "COLORTERM", "TMUX"].contains(&name.as_str())
            {
                command.env_remove(name);
            }
        }
        command.env("HOME", home);
        command.env("TZ", "UTC");
        command.env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("a pseudo-terminal");
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        drop(pair.slave);
        let zero = "a size";
        let parser = vt100::Parser::new(
            NonZeroU16::new(rows).expect(zero),
            NonZeroU16::new(columns).expect(zero),
            0,
        );
        let (parser, raw) = (
            Arc::new(Mutex::new(parser)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let writer = Arc::new(Mutex::new(writer));
        let (shown, bytes) = (Arc::clone(&parser), Arc::clone(&raw));
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let reader = std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            let mut held = Vec::new();
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                bytes
                    .lock()
                    .expect("unpoisoned")
                    .extend_from_slice(&buffer[..count]);
                held.extend_from_slice(&buffer[..count]);
                let complete = before_unfinished_update(&held);
                shown.lock().expect("unpoisoned").process(&held[..complete]);
                held.drain(..complete);
            }
        });
        Self {
            parser,
            raw,
            writer,
            link: Arc::default(),
            master: Some(pair.master),
            closing,
            reader: Some(reader),
            child,
        }
    }

    /// Types text or keys, as a terminal sends them.
    pub fn keys(&mut self, keys: &str) {
        let mut writer = self.writer.lock().expect("unpoisoned");
        writer
            .write_all(keys.as_bytes())
            .and_then(|()| writer.flush())
            .expect("typed");
    }

    /// Answers status requests as a terminal at the end of a link of this round trip does.
    pub fn answer_after(&self, round_trip: Duration) {
        const FRAME: &[u8] = b"\x1b[?2026h";
        const REQUEST: &[u8] = b"\x1b[5n";
        let (raw, writer, link) = (
            Arc::clone(&self.raw),
            Arc::clone(&self.writer),
            Arc::clone(&self.link),
        );
        std::thread::spawn(move || {
            let (mut read, mut due) = (0, VecDeque::<(Instant, usize)>::new());
            loop {
                let written = raw.lock().expect("unpoisoned")[read..].to_vec();
                let mut rest = written.as_slice();
                while let Some(at) = memchr::memmem::find(rest, REQUEST) {
                    let begun = memchr::memmem::rfind(&rest[..at], FRAME).expect("a frame");
                    let before: usize = due.iter().map(|(_, bytes)| bytes).sum();
                    due.push_back((Instant::now() + round_trip, at - begun));
                    rest = &rest[at + REQUEST.len()..];
                    let mut link = link.lock().expect("unpoisoned");
                    link.requests += 1;
                    link.most_before = link.most_before.max(before);
                }
                read += written.len() - rest.len();
                while due.front().is_some_and(|(due, _)| *due <= Instant::now()) {
                    due.pop_front();
                    link.lock().expect("unpoisoned").replies += 1;
                    let mut writer = writer.lock().expect("unpoisoned");
                    if writer
                        .write_all(b"\x1b[0n")
                        .and_then(|()| writer.flush())
                        .is_err()
                    {
                        return;
                    }
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
    }

    /// What the link carried.
    pub fn link(&self) -> LinkSeen {
        *self.link.lock().expect("unpoisoned")
    }

    /// The rows of the screen.
    pub fn rows(&self) -> Vec<String> {
        let parser = self.parser.lock().expect("unpoisoned");
        let (_, columns) = parser.screen().size();
        parser.screen().rows(0, u16::from(columns)).collect()
    }

    pub fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// Waits until the screen shows what the condition wants; on failure says what it showed.
    pub fn wait(&self, what: &str, condition: impl Fn(&[String]) -> bool) -> Vec<String> {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, || Some(self.rows()).filter(|rows| condition(rows)))
        }));
        found.unwrap_or_else(|_| {
            panic!(
                "waited in vain for {what}; the screen shows:\n{}",
                self.text()
            )
        })
    }

    /// Waits until some row contains the text.
    pub fn see(&self, text: &str) -> Vec<String> {
        self.wait(&format!("{text:?}"), |rows| {
            rows.iter().any(|row| row.contains(text))
        })
    }

    /// The row of the selected entry.
    pub fn selected(&self) -> Option<(usize, String)> {
        self.rows()
            .into_iter()
            .enumerate()
            .find(|(_, row)| row.starts_with('▌'))
    }

    /// Everything the program wrote.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().expect("unpoisoned").clone()
    }

    /// Whether the terminal is in its usual mode: lines and echo.
    pub fn is_cooked(&self) -> bool {
        let modes = self
            .master
            .as_ref()
            .and_then(|master| master.get_termios())
            .map(|modes| modes.local_flags.bits());
        let usual = rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO;
        modes.is_some_and(|modes| modes & usual.bits() == usual.bits())
    }

    /// Whether the alternate screen is left and the cursor shown.
    pub fn is_restored(&self) -> bool {
        let parser = self.parser.lock().expect("unpoisoned");
        let screen = parser.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let zero = "a size";
        self.parser
            .lock()
            .expect("unpoisoned")
            .screen_mut()
            .set_size(
                NonZeroU16::new(rows).expect(zero),
                NonZeroU16::new(columns).expect(zero),
            );
        self.master
            .as_ref()
            .expect("a terminal")
            .resize(size(columns, rows))
            .expect("resized");
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = self.child.process_id().expect("running");
        rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid")
    }

    /// The terminal goes away, as when a link drops.
    pub fn hang_up(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        self.keys("?");
        self.reader.take().expect("a reader").join().expect("ended");
        self.master = None;
        *self.writer.lock().expect("unpoisoned") = Box::new(std::io::sink());
    }

    /// Waits for the program's end; its exit code.
    pub fn ended(&mut self) -> u32 {
        let child = &mut self.child;
        wait_for("the program's end", || child.try_wait().expect("asked")).exit_code()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
