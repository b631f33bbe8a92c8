//! The explorer in a pseudo-terminal of 200 by 60 over a log of a million entries: what a user waits for, what a frame
//! costs, and the bytes that go over the wire.
//!
//! `cargo bench --bench explorer [-- ENTRIES]`

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The program, what it wrote, and the emulated screen.
struct Session {
    writer: Box<dyn Write + Send>,
    _master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    parser: Arc<Mutex<vt100::Parser>>,
    bytes: Arc<Mutex<usize>>,
}

impl Session {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let size = PtySize {
            rows: 60,
            cols: 200,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tailwater"));
        command.args(arguments);
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let parser = vt100::Parser::new(
            60.try_into().expect("rows"),
            200.try_into().expect("columns"),
            0,
        );
        let (parser, bytes) = (Arc::new(Mutex::new(parser)), Arc::new(Mutex::new(0)));
        let (shown, count) = (Arc::clone(&parser), Arc::clone(&bytes));
        let child = pair.slave.spawn_command(command).expect("started");
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                *count.lock().expect("unpoisoned") += read;
                shown.lock().expect("unpoisoned").process(&buffer[..read]);
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self {
            writer,
            _master: pair.master,
            child,
            parser,
            bytes,
        }
    }

    fn keys(&mut self, keys: &str) {
        self.writer
            .write_all(keys.as_bytes())
            .and_then(|()| self.writer.flush())
            .expect("typed");
    }

    /// How long until the screen shows the text.
    fn until(&self, text: &str) -> Duration {
        self.until_any(&[text])
    }

    /// How long until the screen shows one of the texts.
    fn until_any(&self, texts: &[&str]) -> Duration {
        let started = Instant::now();
        let shows = || {
            let parser = self.parser.lock().expect("unpoisoned");
            let screen = parser.screen().contents();
            texts.iter().any(|text| screen.contains(text))
        };
        while !shows() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{texts:?} did not come"
            );
            std::thread::park_timeout(Duration::from_micros(200));
        }
        started.elapsed()
    }

    fn written(&self) -> usize {
        *self.bytes.lock().expect("unpoisoned")
    }

    /// Bytes written while keys are pressed one after the other, each given time to be drawn.
    fn bytes_of(&mut self, key: &str, times: usize) -> usize {
        let before = self.written();
        for _ in 0..times {
            self.keys(key);
            std::thread::sleep(Duration::from_millis(40));
        }
        std::thread::sleep(Duration::from_millis(200));
        (self.written() - before) / times
    }

    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!(
            "/proc/{}/status",
            self.child.process_id().unwrap_or(0)
        ))
        .unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap_or_default();
        line.split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(count: usize) -> String {
    (0..count)
        .map(|n| {
            let level = if n % 40 == 13 { "error" } else { "info" };
            let namespace = ["gateway", "auth", "orders", "payments"][(n * n + n / 7) % 4];
            format!("{{\"ts\":{},\"level\":\"{level}\",\"namespace\":\"{namespace}\",\"trace\":\"{:032x}\",\"msg\":\"request {n} completed method=GET path=/v1/orders status=200\"}}\n", 1_773_478_800_000_u64 + n as u64, n / 9 + 1)
        })
        .collect()
}

/// Times of frames in microseconds, as the explorer's own log tells them.
fn frames(home: &Path) -> Vec<u64> {
    let log = std::fs::read_to_string(home.join(".local/state/tailwater/explorer.log"))
        .unwrap_or_default();
    let mut times: Vec<u64> = log
        .lines()
        .filter_map(|line| {
            line.split("micros=")
                .nth(1)?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    times.sort_unstable();
    times
}

#[expect(clippy::too_many_lines, reason = "one measurement after the other")]
fn main() {
    let count: usize = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_000_000);
    let home = tempfile::tempdir().expect("a home");
    let file = home.path().join("app.jsonl");
    std::fs::write(&file, lines(count)).expect("written");
    let (file, data) = (
        file.to_str().expect("a path").to_owned(),
        home.path().join("data"),
    );
    let data = data.to_str().expect("a path").to_owned();
    let last = format!("request {} completed", count - 1);

    let mut session = Session::start(home.path(), &[&file]);
    println!(
        "first screen of a file        {:>8.1} ms, {} MB",
        session.until(&last).as_secs_f64() * 1e3,
        std::fs::metadata(&file).map_or(0, |file| file.len() >> 20)
    );
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        session.keys("?");
        slowest = slowest.max(session.until("any other key closes"));
        session.keys("q");
        std::thread::sleep(Duration::from_millis(20));
    }
    let loading = session
        .parser
        .lock()
        .expect("unpoisoned")
        .screen()
        .contents()
        .contains("reading");
    println!(
        "slowest key of 20             {:>8.1} ms, while loading: {loading}",
        slowest.as_secs_f64() * 1e3
    );
    drop(session);

    let ingest = std::process::Command::new(env!("CARGO_BIN_EXE_tailwater"))
        .env("HOME", home.path())
        .args(["--data", &data, "ingest", &file])
        .output()
        .expect("ran");
    assert!(ingest.status.success());
    let mut starts: Vec<f64> = (0..5)
        .map(|_| {
            Session::start(home.path(), &["--data", &data])
                .until(&last)
                .as_secs_f64()
                * 1e3
        })
        .collect();
    starts.sort_by(f64::total_cmp);
    println!(
        "first screen of the log       {:>8.1} ms median of 5, {count} entries",
        starts[2]
    );

    let mut session = Session::start(home.path(), &["--data", &data, "--log-level", "debug"]);
    session.until(&last);
    std::thread::sleep(Duration::from_millis(300));
    println!(
        "a page up                     {:>8} bytes",
        session.bytes_of("\x1b[5~", 20)
    );
    session.bytes_of("k", 60);
    println!(
        "a row up at the top edge      {:>8} bytes",
        session.bytes_of("k", 40)
    );
    session.keys("G");
    std::thread::sleep(Duration::from_millis(500));
    let before = session.written();
    std::thread::sleep(Duration::from_secs(3));
    println!(
        "idle for 3 s                  {:>8} bytes",
        session.written() - before
    );
    // A word that only the oldest entries have: how soon there is an answer, in part or whole.
    let mut answers: Vec<f64> = (0..5)
        .map(|n| {
            session.keys("C");
            session.until(&last);
            std::thread::sleep(Duration::from_millis(300));
            session.keys(&format!("f\"request {n} completed\""));
            std::thread::sleep(Duration::from_millis(300));
            session.keys("\r");
            let took = session.until_any(&["% of ", "1 of 1 "]).as_secs_f64() * 1e3;
            session.until("1 of 1 ");
            took
        })
        .collect();
    answers.sort_by(f64::total_cmp);
    println!(
        "first answer, at the far end  {:>8.1} ms median of 5, {:.1} ms slowest",
        answers[2], answers[4]
    );
    session.keys("C");
    session.until(&last);
    session.keys("S");
    session.until("Sources");
    session.bytes_of("\x1b[5~", 10);
    let times = frames(home.path());
    println!(
        "frames                        {:>8} µs median, {} µs slowest of {}",
        times.get(times.len() / 2).unwrap_or(&0),
        times.last().unwrap_or(&0),
        times.len()
    );
    println!(
        "memory of log and explorer    {:>8} KiB at the most",
        session.memory_kib()
    );
    drop(session);

    let mut session = Session::start(home.path(), &["demo", "--rate", "500"]);
    session.until("LIVE");
    std::thread::sleep(Duration::from_secs(2));
    let before = session.written();
    std::thread::sleep(Duration::from_secs(6));
    println!(
        "following 500 entries/s       {:>8} bytes/s",
        (session.written() - before) / 6
    );
    session.keys("Q");
}
