//! Live streams and blobs at their limits: `cargo bench --bench kept [rate|fan|idle|blob]`.
//!
//! - `rate`: lines pushed in batches of 1,000 over two connections, and one line a request; history on disk.
//! - `fan`: a thousand readers of one stream at 1,000 lines a second: whether anybody missed one, and how late they came.
//! - `idle`: what a thousand open streams take of memory.
//! - `blob`: 2 GiB up and down, and what the service took of memory.
//!
//! By hand, on an otherwise idle machine: the service and whoever asks it share the processors.

#[path = "support/service.rs"]
mod service;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use service::Service;

/// Lines in a batch.
const BATCH: u64 = 1_000;
/// How long is measured.
const SPAN: Duration = Duration::from_secs(10);
/// Readers of one stream.
const READERS: usize = 1_000;
/// Bytes of the large blob.
const BLOB_BYTES: u64 = 2 << 30;

fn batch(lines: u64) -> Vec<u8> {
    let line = r#"{"pos":17,"out":"compiling something, which took 12.5 ms\n","time":1600000000}"#;
    let lines = vec![line; usize::try_from(lines).expect("small")];
    format!("[{}]", lines.join(",")).into_bytes()
}

fn rate() {
    for (what, lines, connections) in [("batches of 1,000", BATCH, 2), ("single lines", 1, 8)] {
        let service = Service::start();
        let pushed = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let pushing: Vec<_> = (0..connections)
            .map(|number| {
                let (mut connection, pushed) = (service.connect(), Arc::clone(&pushed));
                std::thread::spawn(move || {
                    let path = format!("/api/v2/streams/bench/{number}");
                    assert_eq!(connection.ask("POST", &path, b""), 200);
                    let body = batch(lines);
                    while began.elapsed() < SPAN {
                        assert_eq!(connection.ask("PUT", &path, &body), 200);
                        pushed.fetch_add(lines, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for one in pushing {
            one.join().expect("pushed");
        }
        let rate = pushed.load(Ordering::Relaxed) / began.elapsed().as_secs().max(1);
        let (now, peak) = service.memory();
        println!("rate, {what}: {rate} lines/s, {now} MiB resident, {peak} at the peak");
    }
}

fn nanoseconds() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    u64::try_from(since.as_nanos()).expect("small")
}

fn fan() {
    let service = Service::start();
    let path = "/api/v2/streams/bench/fan";
    let mut connection = service.connect();
    assert_eq!(connection.ask("POST", path, b""), 200);
    let total = 1_000 * SPAN.as_secs();
    let delays = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (ready, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            let (address, delays) = (service.address.clone(), Arc::clone(&delays));
            let (ready, lost) = (Arc::clone(&ready), Arc::clone(&lost));
            let builder = std::thread::Builder::new().stack_size(128 << 10);
            let reading = move || {
                let stream = TcpStream::connect(&address).expect("connected");
                let mut writer = stream.try_clone().expect("the same");
                write!(writer, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
                let mut reader = BufReader::with_capacity(32 << 10, stream);
                let (mut line, mut next, mut own) = (String::new(), 1, Vec::new());
                ready.fetch_add(1, Ordering::Relaxed);
                while next <= total {
                    line.clear();
                    reader.read_line(&mut line).expect("a line");
                    if let Some(id) = line.strip_prefix("id: ") {
                        let id: u64 = id.trim().parse().expect("a number");
                        if id != next {
                            lost.fetch_add(1, Ordering::Relaxed);
                        }
                        next = id + 1;
                    } else if let Some(at) = line.split("\"args\":{\"at\":").nth(1)
                        && number % 10 == 0
                    {
                        let at = at.split('}').next().and_then(|at| at.parse::<u64>().ok());
                        own.push(nanoseconds().saturating_sub(at.unwrap_or(0)));
                    }
                }
                delays.lock().expect("held").extend(own);
            };
            builder.spawn(reading).expect("a thread")
        })
        .collect();
    while ready.load(Ordering::Relaxed) < READERS as u64 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    for number in 0..total {
        let body = format!(
            "[{{\"pos\":{number},\"out\":\"one line of a build\\n\",\"time\":1,\"args\":{{\"at\":{}}}}}]",
            nanoseconds()
        );
        assert_eq!(connection.ask("PUT", path, body.as_bytes()), 200);
        let due = began + Duration::from_millis(number + 1);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let took = began.elapsed();
    for reader in readers {
        reader.join().expect("read");
    }
    let mut delays = delays.lock().expect("held");
    delays.sort_unstable();
    let at = |share: usize| Duration::from_nanos(delays[(delays.len() - 1) * share / 100]);
    let (now, peak) = service.memory();
    println!(
        "fan, {READERS} readers, {total} lines in {took:.1?}: {} out of order; delay p50 {:.1?}, p99 {:.1?}, most {:.1?}; {now} MiB resident, {peak} at the peak",
        lost.load(Ordering::Relaxed),
        at(50),
        at(99),
        at(100)
    );
}

fn idle() {
    let service = Service::start();
    let (before, _) = service.memory();
    let mut connection = service.connect();
    for number in 0..1_000 {
        let path = format!("/api/v2/streams/bench/{number}");
        assert_eq!(connection.ask("POST", &path, b""), 200);
        assert_eq!(connection.ask("PUT", &path, &batch(10)), 200);
    }
    let (now, peak) = service.memory();
    println!(
        "idle, 1,000 streams of ten lines: {now} MiB resident ({before} before them), {peak} at the peak"
    );
}

fn blob() {
    let service = Service::start();
    let mut dice = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..1 << 20).map(|_| dice.u8(0..64)).collect();
    let mut connection = service.connect();
    let began = Instant::now();
    let stream = connection.reader.get_mut();
    let head = format!(
        "PUT /api/v2/blobs/bench/large HTTP/1.1\r\nhost: localhost\r\ncontent-length: {BLOB_BYTES}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    for _ in 0..BLOB_BYTES / noise.len() as u64 {
        stream.write_all(&noise).expect("sent");
    }
    let (status, length) = connection.head();
    assert_eq!(status, 201);
    std::io::copy(
        &mut (&mut connection.reader).take(length),
        &mut std::io::sink(),
    )
    .expect("read");
    let up = began.elapsed();
    let (_, peak_up) = service.memory();
    let began = Instant::now();
    let get = "GET /api/v2/blobs/bench/large HTTP/1.1\r\nhost: localhost\r\n\r\n";
    connection
        .reader
        .get_mut()
        .write_all(get.as_bytes())
        .expect("sent");
    let (status, length) = connection.head();
    assert_eq!((status, length), (200, BLOB_BYTES));
    let read = std::io::copy(
        &mut (&mut connection.reader).take(length),
        &mut std::io::sink(),
    );
    assert_eq!(read.expect("read"), BLOB_BYTES);
    let down = began.elapsed();
    let (now, peak) = service.memory();
    println!(
        "blob, 2 GiB: up in {up:.1?} ({peak_up} MiB at the peak), down in {down:.1?} ({peak} at the peak, {now} now)"
    );
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let benches: [(&str, fn()); 4] = [("rate", rate), ("fan", fan), ("idle", idle), ("blob", blob)];
    for (name, bench) in benches {
        if words.is_empty() || words.iter().any(|word| word == name) {
            bench();
        }
    }
}
