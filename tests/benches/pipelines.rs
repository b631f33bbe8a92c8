//! Pipelines at their limit: `cargo bench --bench pipelines [burst|rate|store|files|idle|down|cut]…`; all but `down`
//! without words.
//!
//! Starts the service on files of its own and says what arrived, how fast, and what it took of memory and processor. By
//! hand, on an otherwise idle machine. `LogWisp`'s figures beside which they are read: at most 56,000 lines a second
//! delivered, 43 to 79 % of a burst of 100,000 lost.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Clients that follow at once.
const CLIENTS: usize = 3;
/// Lines of the throughput runs.
const MANY: u64 = 2_000_000;

struct Stage {
    child: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stage {
    fn new(config: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        fs::create_dir(home.path().join("logs")).expect("a folder");
        Self::within(home, config)
    }

    fn within(home: tempfile::TempDir, config: &str) -> Self {
        let path = home.path().display().to_string();
        fs::write(home.path().join("c.toml"), config.replace("HOME", &path)).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_tailwater"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(home.path().join("c.toml"))
            .arg("--data")
            .arg(home.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut line = String::new();
        let out = child.stdout.take().expect("an output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let url = line
            .trim()
            .rsplit("http://")
            .next()
            .expect("an address")
            .to_owned();
        Self { child, url, home }
    }

    fn append(&self, text: &str) {
        append(&self.home.path().join("logs/a.log"), text);
    }

    fn ask(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(&self.url).expect("connected");
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.url);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        serde_json::from_str::<Value>(body).expect("JSON")["data"].clone()
    }

    fn wait_for_sink(&self, count: u64) {
        while self.ask("/app/status")["sinks"][0]["given"].as_u64() < Some(count) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A client that reads `line N` up to a number; whether all came in order, and when.
    fn follow(&self, count: u64) -> std::thread::JoinHandle<(u64, Instant)> {
        let url = self.url.clone();
        let mut stream = TcpStream::connect(&url).expect("connected");
        let request = format!("GET /app/stream HTTP/1.0\r\nHost: {url}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut reader = BufReader::with_capacity(1 << 20, stream);
        let mut line = String::new();
        while !line.starts_with("event: connected") {
            line.clear();
            reader.read_line(&mut line).expect("a line");
        }
        std::thread::spawn(move || {
            let mut next = 0;
            while next < count {
                line.clear();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                if !line.starts_with("data: ") {
                    continue;
                }
                if let Some(at) = line.find("\"msg\":\"line ") {
                    let number = line[at + 12..]
                        .split(' ')
                        .next()
                        .and_then(|number| number.parse().ok());
                    if number != Some(next) {
                        break;
                    }
                    next += 1;
                }
            }
            (next, Instant::now())
        })
    }

    /// Resident memory, its peak, and processor time.
    fn took(&self) -> String {
        let pid = self.child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a status");
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
            kib.unwrap_or_default() / 1_024.0
        };
        format!(
            "{:.1} MiB resident ({:.1} anonymous), {:.1} at the peak, {:.2} s of processor",
            of("VmRSS"),
            of("RssAnon"),
            of("VmHWM"),
            self.processor().as_secs_f64()
        )
    }

    fn processor(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a stat");
        let ticks = stat
            .rsplit(") ")
            .next()
            .expect("fields")
            .split(' ')
            .skip(11)
            .take(2);
        let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

fn append(path: &Path, text: &str) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.expect("opened")
        .write_all(text.as_bytes())
        .expect("appended");
}

/// Lines of about 95 bytes, as `LogWisp` was measured with.
fn lines(numbers: std::ops::Range<u64>) -> String {
    let fill = "request completed after 12.5 ms, 3 rows, cache hit, user 4711, region eu-central-1";
    numbers
        .map(|number| format!("line {number} {fill}\n"))
        .collect()
}

fn pipeline(source: &str, sink: &str) -> String {
    format!(
        "[[pipelines]]\nname = \"app\"\n[[pipelines.sources]]\ntype = \"directory\"\npath = \"HOME/logs\"\npattern = \"*.log\"\n{source}\n[[pipelines.sinks]]\n{sink}\n"
    )
}

fn burst() {
    let stage = Stage::new(&pipeline("", "type = \"http\""));
    let clients: Vec<_> = (0..CLIENTS).map(|_| stage.follow(100_000)).collect();
    let began = Instant::now();
    stage.append(&lines(0..100_000));
    for client in clients {
        let (got, when) = client.join().expect("joined");
        println!("burst: {got} of 100000 in order after {:?}", when - began);
    }
    println!("burst: {}", stage.took());
}

fn rate() {
    let stage = Stage::new(&pipeline("", "type = \"http\""));
    let clients: Vec<_> = (0..CLIENTS).map(|_| stage.follow(1_000_000)).collect();
    let began = Instant::now();
    for step in 0..1_000_u64 {
        stage.append(&lines(step * 1_000..(step + 1) * 1_000));
        let due = Duration::from_millis((step + 1) * 10);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
    }
    let written = Instant::now();
    for client in clients {
        let (got, when) = client.join().expect("joined");
        let late = when.saturating_duration_since(written);
        println!("rate: {got} of 1000000 in order, the last {late:?} after it was written");
    }
    println!("rate: written in {:?}; {}", written - began, stage.took());
}

fn throughput(name: &str, sink: &str, filters: &str) {
    let home = tempfile::tempdir().expect("a home");
    fs::create_dir(home.path().join("logs")).expect("a folder");
    for part in 0..20 {
        let text = lines(part * MANY / 20..(part + 1) * MANY / 20);
        append(&home.path().join("logs/a.log"), &text);
    }
    let config = pipeline("start = \"beginning\"", sink) + filters;
    let began = Instant::now();
    let stage = Stage::within(home, &config);
    stage.wait_for_sink(MANY);
    let took = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown")]
    let rate = MANY as f64 / took.as_secs_f64();
    println!(
        "{name}: {MANY} lines in {took:.2?}, {rate:.0} a second; {}",
        stage.took()
    );
}

fn idle() {
    let one = pipeline("", "type = \"store\"\n[[pipelines.sinks]]\ntype = \"http\"");
    let ten: String = (0..10)
        .map(|at| one.replace("\"app\"", &format!("\"app{at}\"")))
        .collect();
    let stage = Stage::new(&ten);
    std::thread::sleep(Duration::from_secs(5));
    let before = stage.processor();
    std::thread::sleep(Duration::from_secs(30));
    let share = stage.processor().saturating_sub(before).as_secs_f64() / 30.0 * 100.0;
    println!(
        "idle: ten pipelines take {share:.2} % of a core; {}",
        stage.took()
    );
}

/// A service that is down for a minute, and takes everything afterwards.
fn down() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let is_up = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&is_up);
    let (sender, bodies) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if own.load(Ordering::SeqCst) {
                take(stream, &sender);
            }
        }
    });
    let sink = format!(
        "type = \"http_client\"\nurl = \"http://{address}\"\nbuffer = \"disk\"\ncompression = \"none\"\nmax_retry_delay = \"1s\""
    );
    let stage = Stage::new(&pipeline("", &sink));
    let began = Instant::now();
    let mut next = 0;
    while began.elapsed() < Duration::from_mins(1) {
        stage.append(&lines(next..next + 1_000));
        next += 1_000;
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("down: {next} lines in 60 s; {}", stage.took());
    is_up.store(true, Ordering::SeqCst);
    let mut expected = 0;
    while expected < next {
        let body: String = bodies.recv_timeout(Duration::from_mins(1)).expect("a body");
        for line in body.lines() {
            assert!(
                line.contains(&format!("\"msg\":\"line {expected} ")),
                "{line}"
            );
            expected += 1;
        }
    }
    println!(
        "down: all {expected} in order after {:?}; {}",
        began.elapsed(),
        stage.took()
    );
}

fn take(mut stream: TcpStream, bodies: &std::sync::mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let _ = bodies.send(String::from_utf8(body).expect("text"));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    }
}

/// Copytruncate while somebody goes on writing: what is lost is what is written between the copy and the cut.
fn cut() {
    let stage = Stage::new(&pipeline("", "type = \"store\""));
    let (log, logs) = (
        stage.home.path().join("logs/a.log"),
        stage.home.path().join("logs"),
    );
    append(&log, &lines(0..1));
    let is_over = Arc::new(AtomicBool::new(false));
    let (own, path) = (Arc::clone(&is_over), log.clone());
    let writer = std::thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).open(path).expect("opened");
        let (began, mut next) = (Instant::now(), 1);
        while !own.load(Ordering::SeqCst) {
            file.write_all(lines(next..next + 10).as_bytes())
                .expect("written");
            next += 10;
            let due = Duration::from_micros(next * 100);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        next
    });
    let mut window = Duration::ZERO;
    for round in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        fs::copy(&log, logs.join(format!("a.log.{round}"))).expect("copied");
        let began = Instant::now();
        let file = OpenOptions::new().write(true).open(&log).expect("opened");
        file.set_len(0).expect("cut");
        window += began.elapsed();
    }
    is_over.store(true, Ordering::SeqCst);
    let written = writer.join().expect("joined");
    std::thread::sleep(Duration::from_secs(3));
    let stored = stage.ask("/app/status")["sinks"][0]["given"]
        .as_u64()
        .unwrap_or_default();
    let lost = written.saturating_sub(stored);
    println!(
        "cut: {written} lines, 100 rotations by copytruncate, {lost} lost; copies and cuts were {window:?} apart in all"
    );
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let wants =
        |name: &str| words.iter().any(|word| word == name) || (words.is_empty() && name != "down");
    let regex = "[[pipelines.filters]]\ntype = \"include\"\npatterns = [\"user [0-9]+, region\"]\n";
    let file = "type = \"file\"\ndirectory = \"HOME/out\"\nmax_size = \"10GiB\"";
    let runs: [(&str, &dyn Fn()); 7] = [
        ("burst", &burst),
        ("rate", &rate),
        ("store", &|| {
            throughput("file to store", "type = \"store\"", "");
        }),
        ("files", &|| {
            throughput("file to file, one regex", file, regex);
        }),
        ("idle", &idle),
        ("cut", &cut),
        ("down", &down),
    ];
    for (name, run) in runs {
        if wants(name) {
            run();
        }
    }
}
