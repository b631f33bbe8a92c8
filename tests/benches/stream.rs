//! Subscribers at their limit: `cargo bench --bench stream [SUBSCRIBERS [ENTRIES_A_SECOND [SECONDS]]]`.
//!
//! Starts the service, subscribes a thousand times over server-sent events (fifty namespaces, twenty subscribers each),
//! pushes entries at a steady rate, and says whether anybody missed or doubled one, how late they came, what the service
//! took of memory and processor. By hand, on an otherwise idle machine.
//!
//! `cargo bench --bench stream cut [SECONDS]` follows through a proxy that cuts connections at random bytes, and compares
//! what came with what was appended.

#[path = "../e2e/support/proxy.rs"]
mod proxy;
#[path = "support/service.rs"]
mod service;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use service::Service;
use tailwater::base::Time;
use tailwater::client::{Client, FeedEvent, Options};
use tailwater::entry::Position;
use tailwater::query::{FollowRequest, Query};

/// Namespaces that entries and subscribers are spread over.
const NAMESPACES: usize = 50;
/// Pushes a second.
const PUSHES: usize = 100;
/// Words that fill an entry up to the usual length.
const FILL: &str =
    "request completed after 12.5 ms, 3 rows, cache hit, user 4711, region eu-central-1, attempt 1";

/// What a subscriber saw.
#[derive(Default)]
struct Seen {
    entries: u64,
    doubled_or_late: u64,
    delays_us: Vec<u32>,
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let [subscribers, rate, seconds] = [0, 1, 2].map(|at| numbers.get(at).copied());
    let (subscribers, rate, seconds) = (
        subscribers.unwrap_or(1_000),
        rate.unwrap_or(5_000),
        seconds.unwrap_or(30),
    );
    let service = Service::start();
    let address = service.address.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if words.iter().any(|word| word == "cut") {
        let seconds = numbers.first().copied().unwrap_or(60);
        return runtime.block_on(cut(&address, Duration::from_secs(seconds as u64)));
    }
    let pid = service.pid();
    runtime.block_on(run(&address, pid, subscribers, rate, seconds));
}

/// Follows through a bad network while entries are appended.
async fn cut(address: &str, lasts: Duration) {
    let proxy = proxy::Proxy::start(&format!("http://{address}"), 30_000);
    let client = Client::new(&proxy.url, &Options::default()).expect("a client");
    let mut feed = client.follow(&FollowRequest {
        query: Query::default(),
        now: Time::now(),
        after: Position::default(),
    });
    let (mut pusher, began) = (
        TcpStream::connect(address).await.expect("connected"),
        Instant::now(),
    );
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let (mut appended, mut received) = (0_u64, Vec::new());
    loop {
        let is_over = began.elapsed() >= lasts;
        if is_over && received.len() as u64 >= appended {
            break;
        }
        assert!(
            began.elapsed() < lasts * 3,
            "{} of {appended} came",
            received.len()
        );
        tokio::select! {
            _ = ticks.tick(), if !is_over => {
                let line = format!("{{\"level\":\"info\",\"msg\":\"{FILL}\"}}\n");
                push(&mut pusher, line.repeat(20)).await;
                appended += 20;
            }
            event = feed.next() => if let FeedEvent::Entries(entries, _) = event {
                received.extend(entries.iter().map(|entry| entry.position.0));
            },
        }
    }
    let exact = received.iter().copied().eq(1..=appended);
    println!(
        "{appended} appended in {lasts:.0?}, {} received, {} connections cut; the ids are {}",
        received.len(),
        proxy.cuts(),
        if exact {
            "exactly the appended ones"
        } else {
            "NOT the appended ones"
        }
    );
}

async fn run(address: &str, pid: u32, subscribers: usize, rate: usize, seconds: usize) {
    let began = Instant::now();
    let total = (rate / PUSHES * PUSHES * seconds) as u64;
    let received = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for at in 0..subscribers {
        let stream = subscribe(address, at % NAMESPACES).await;
        readers.push(tokio::spawn(read(stream, began, Arc::clone(&received))));
    }
    let expected = total / NAMESPACES as u64 * subscribers as u64;
    let (idle, cpu) = (resident(pid), processor(pid));
    println!(
        "{subscribers} subscribers connected after {:.2?}, the service has {idle} MiB",
        began.elapsed()
    );
    let mut pusher = TcpStream::connect(address).await.expect("connected");
    let (pushing, mut sent, mut peak) = (Instant::now(), 0, idle);
    let mut ticks =
        tokio::time::interval(Duration::from_secs(1) / u32::try_from(PUSHES).expect("few"));
    while sent < total {
        ticks.tick().await;
        let mut body = String::new();
        for _ in 0..rate / PUSHES {
            let namespace = sent % NAMESPACES as u64;
            let now = began.elapsed().as_micros();
            body.push_str(&format!("{{\"namespace\":\"n{namespace}\",\"level\":\"info\",\"msg\":\"{FILL}\",\"at\":{now}}}\n"));
            sent += 1;
        }
        push(&mut pusher, body).await;
        peak = peak.max(resident(pid));
    }
    let pushed = pushing.elapsed();
    let deadline = Instant::now() + Duration::from_secs(30);
    while received.load(Ordering::Relaxed) < expected && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (drained, used) = (pushing.elapsed(), processor(pid) - cpu);
    let mut all = Seen::default();
    for reader in readers {
        reader.abort();
    }
    for seen in SEEN.lock().expect("unpoisoned").drain(..) {
        let seen = seen.lock().expect("unpoisoned");
        all.entries += seen.entries;
        all.doubled_or_late += seen.doubled_or_late;
        all.delays_us.extend(&seen.delays_us);
    }
    all.delays_us.sort_unstable();
    let quantile = |part: f64| {
        let last = all.delays_us.len().saturating_sub(1);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let place = (last as f64 * part) as usize;
        all.delays_us
            .get(place)
            .map_or(f64::NAN, |delay| f64::from(*delay) / 1_000.0)
    };
    println!("pushed {total} entries in {pushed:.2?}, all there after {drained:.2?}");
    println!(
        "received {} of {expected}, {} doubled or out of order",
        all.entries, all.doubled_or_late
    );
    println!(
        "late by ms: median {:.2}, p99 {:.2}, most {:.2}",
        quantile(0.5),
        quantile(0.99),
        quantile(1.0)
    );
    println!(
        "the service: at most {peak} MiB resident, {used:.1} s of processor in {:.1} s",
        drained.as_secs_f64()
    );
}

static SEEN: std::sync::Mutex<Vec<Arc<std::sync::Mutex<Seen>>>> = std::sync::Mutex::new(Vec::new());

async fn subscribe(address: &str, namespace: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "GET /api/v2/namespaces/n{namespace}/logs/subscribe HTTP/1.1\r\nhost: localhost\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut first = [0; 1_024];
    assert!(stream.read(&mut first).await.expect("headers") > 0);
    stream
}

/// Counts entries, looks that ids rise, and notes how late each came.
async fn read(mut stream: TcpStream, began: Instant, received: Arc<AtomicU64>) {
    let seen = Arc::new(std::sync::Mutex::new(Seen::default()));
    SEEN.lock().expect("unpoisoned").push(Arc::clone(&seen));
    let (mut rest, mut buffer, mut last) = (Vec::new(), vec![0; 16 << 10], 0);
    loop {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else {
            return;
        };
        rest.extend_from_slice(&buffer[..count]);
        let now = began.elapsed().as_micros();
        let mut seen = seen.lock().expect("unpoisoned");
        let mut from = 0;
        while let Some(end) = memchr::memchr(b'\n', &rest[from..]) {
            let line = &rest[from..from + end];
            from += end + 1;
            if let Some(id) = line.strip_prefix(b"id: ") {
                let id = number(id);
                seen.doubled_or_late += u64::from(id <= last);
                last = id;
                seen.entries += 1;
                received.fetch_add(1, Ordering::Relaxed);
            } else if let Some(at) = memchr::memmem::find(line, b"\"at\":") {
                let sent = u128::from(number(&line[at + 5..]));
                let late = u32::try_from(now.saturating_sub(sent)).unwrap_or(u32::MAX);
                seen.delays_us.push(late);
            }
        }
        rest.drain(..from);
    }
}

fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

async fn push(stream: &mut TcpStream, body: String) {
    let head = format!(
        "POST /api/v2/logs HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all((head + &body).as_bytes())
        .await
        .expect("sent");
    let mut answer = [0; 2_048];
    let count = stream.read(&mut answer).await.expect("an answer");
    assert!(
        answer[..count].starts_with(b"HTTP/1.1 202"),
        "{}",
        String::from_utf8_lossy(&answer[..count])
    );
}

/// Resident memory in MiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| number(line.trim().as_bytes()) / 1_024)
}

/// Seconds of processor used so far.
fn processor(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = [11, 12].map(|at| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()));
    ticks.into_iter().flatten().sum::<f64>() / 100.0
}
