//! The service beside `VictoriaLogs`: the same lines over HTTP into both, the same questions to both in turn.
//!
//! `tests/benches/victoria-logs.sh FOLDER` builds the peer; then
//! `cargo bench --bench versus -- FOLDER/victoria-logs [ENTRIES]`. By hand, on an otherwise idle machine.
//! `… -- FOLDER/victoria-logs kill [SECONDS]` kills both again and again while they take lines, and counts what is gone.

#[path = "support/lines.rs"]
mod lines;

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lines::{Lines, RARE_WORD};
use serde_json::{Value, json};
use tailwater::base::Time;
use tailwater::entry::Entry;

/// Lines of one request.
const BATCH: usize = 5_000;
/// Requests on their way at once.
const CONNECTIONS: usize = 4;
/// Times each question is asked; the median counts.
const ROUNDS: usize = 9;

/// Lines of one request while services are killed.
const KILL_BATCH: u64 = 200;
/// Where the peer takes lines.
const INSERT: &str =
    "/insert/jsonline?_stream_fields=namespace,instance&_time_field=time&_msg_field=msg";

struct Service {
    name: &'static str,
    command: Command,
    child: Child,
    base: String,
    data: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(name: &'static str, mut command: Command, data: tempfile::TempDir, port: u16) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("started");
        Self {
            name,
            command,
            child,
            base: format!("http://127.0.0.1:{port}"),
            data,
        }
    }

    /// Kills it without warning, and starts it again on the same files.
    fn kill_and_restart(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        self.child = self.command.spawn().expect("started again");
    }

    async fn ready(&self, client: &reqwest::Client, path: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !client
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            assert!(Instant::now() < deadline, "{} does not answer", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Memory of its own, at its peak and now, in MiB: anonymous and file pages.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        let of = |name: &str| {
            let line = status
                .lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default();
            line.split_whitespace()
                .nth(1)
                .and_then(|number| number.parse::<u64>().ok())
                .unwrap_or(0)
                >> 10
        };
        format!("{} MiB at the peak, {} MiB now", of("VmHWM:"), of("VmRSS:"))
    }

    fn bytes(&self) -> u64 {
        fn of(path: &Path) -> u64 {
            let Ok(items) = std::fs::read_dir(path) else {
                return 0;
            };
            items
                .flatten()
                .map(|item| match item.metadata() {
                    Ok(found) if found.is_dir() => of(&item.path()),
                    Ok(found) => found.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        of(self.data.path())
    }

    /// Waits until its files have not changed for a while.
    async fn settled(&self) {
        let (mut last, mut since) = (0, Instant::now());
        while since.elapsed() < Duration::from_secs(12) {
            let now = self.bytes();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port()
}

fn tailwater() -> Service {
    let (data, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailwater"));
    command
        .arg("serve")
        .arg("--data")
        .arg(data.path())
        .arg("--listen")
        .arg(format!("127.0.0.1:{port}"));
    Service::start("tailwater", command, data, port)
}

fn victoria(binary: &str) -> Service {
    let (data, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let mut command = Command::new(binary);
    command
        .arg(format!("-storageDataPath={}", data.path().display()))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg("-retentionPeriod=100y");
    Service::start("victoria", command, data, port)
}

fn line(entry: &Entry) -> Value {
    let mut line = json!({
        "time": entry.time.to_string(),
        "level": entry.level.word().to_ascii_lowercase(),
        "namespace": entry.scope.namespace,
        "instance": entry.scope.instance,
        "trace": entry.scope.trace,
        "span": entry.scope.span,
        "msg": entry.text,
    });
    if let Some(error) = &entry.error {
        line["error"] = error.clone().into();
    }
    line
}

/// Sends all bodies over a few connections; how long it took.
async fn ingest(client: &reqwest::Client, url: &str, bodies: &[String]) -> Duration {
    let started = Instant::now();
    let mut on_their_way = VecDeque::new();
    for body in bodies {
        if on_their_way.len() == CONNECTIONS {
            let task: tokio::task::JoinHandle<()> = on_their_way.pop_front().expect("one");
            task.await.expect("sent");
        }
        let request = client
            .post(url)
            .header("content-type", "application/x-ndjson")
            .body(body.clone());
        on_their_way.push_back(tokio::spawn(async move {
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.bytes().await.expect("a body");
        }));
    }
    for task in on_their_way {
        task.await.expect("sent");
    }
    started.elapsed()
}

/// A question to both. Ours are followed over partial pages, as every client does.
struct Question {
    name: &'static str,
    ours: String,
    theirs: String,
    /// Entries wanted of a page; 0 when the answer is not a page.
    limit: usize,
}

async fn ask_ours(
    client: &reqwest::Client,
    service: &Service,
    question: &Question,
) -> (usize, Duration) {
    let started = Instant::now();
    let (mut found, mut cursor): (usize, Option<String>) = (0, None);
    loop {
        let mut url = format!("{}{}", service.base, question.ours);
        if let Some(cursor) = &cursor {
            url = format!("{url}&cursor={cursor}");
        }
        let bytes = client
            .get(&url)
            .send()
            .await
            .expect("an answer")
            .bytes()
            .await
            .expect("a body");
        let took = started.elapsed();
        let answer: Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("{url}: {}", String::from_utf8_lossy(&bytes)));
        found += answer["data"].as_array().map_or(0, Vec::len);
        cursor = answer["meta"]["older"].as_str().map(str::to_owned);
        if question.limit == 0 || found >= question.limit || cursor.is_none() {
            return (found, took);
        }
    }
}

async fn ask_theirs(
    client: &reqwest::Client,
    service: &Service,
    question: &Question,
) -> (usize, Duration) {
    let started = Instant::now();
    let answer = client
        .get(format!("{}{}", service.base, question.theirs))
        .send()
        .await
        .expect("an answer");
    let bytes = answer.bytes().await.expect("a body");
    (
        memchr::memchr_iter(b'\n', &bytes).count(),
        started.elapsed(),
    )
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn page(name: &'static str, ours: &str, theirs: &str) -> Question {
    Question {
        name,
        ours: format!("/api/v2/logs?limit=200&query={}", encoded(ours)),
        theirs: format!("/select/logsql/query?limit=200&query={}", encoded(theirs)),
        limit: 200,
    }
}

fn questions(middle: &str, traces: &[String]) -> Vec<Question> {
    let trace = &traces[traces.len() / 2];
    let stats = |theirs: &str| format!("/select/logsql/query?query={}", encoded(theirs));
    vec![
        page("newest 200", "", "*"),
        page(
            "newest 200, big namespace",
            "ns:gateway",
            "{namespace=\"gateway\"}",
        ),
        page(
            "newest 200, middling",
            "ns:shipping",
            "{namespace=\"shipping\"}",
        ),
        page("newest 200, small", "ns:canary", "{namespace=\"canary\"}"),
        page(
            "newest 200, big, errors",
            "ns:gateway level:error",
            "{namespace=\"gateway\"} level:=error",
        ),
        page(
            "newest 200, small, errors",
            "ns:canary level:error",
            "{namespace=\"canary\"} level:=error",
        ),
        page(
            "page in the middle",
            &format!("ns:gateway before:{middle}"),
            &format!("{{namespace=\"gateway\"}} _time:<{middle}"),
        ),
        page(
            "trace",
            &format!("trace:{trace}"),
            &format!("trace:={trace}"),
        ),
        page(
            "trace of a namespace",
            &format!("ns:gateway trace:{trace}"),
            &format!("{{namespace=\"gateway\"}} trace:={trace}"),
        ),
        page("rare word", RARE_WORD, RARE_WORD),
        page(
            "rare substring",
            &RARE_WORD[2..8],
            &format!("~{:?}", &RARE_WORD[2..8]),
        ),
        page("regex, few hits", "/near \\w+otr/", "~\"near \\\\w+otr\""),
        page(
            "regex, many hits",
            "/took 1?77\\d?ms/",
            "~\"took 1?77\\\\d?ms\"",
        ),
        Question {
            name: "count by namespace, level",
            ours: "/api/v2/namespaces".into(),
            theirs: stats("* | stats by (namespace, level) count()"),
            limit: 0,
        },
        Question {
            name: "histogram",
            ours: "/api/v2/logs/histogram?buckets=144".into(),
            theirs: "/select/logsql/hits?query=*&step=10m&field=level".into(),
            limit: 0,
        },
        Question {
            name: "histogram of a namespace",
            ours: "/api/v2/logs/histogram?buckets=144&query=ns:gateway".into(),
            theirs: format!(
                "/select/logsql/hits?step=10m&field=level&query={}",
                encoded("{namespace=\"gateway\"}")
            ),
            limit: 0,
        },
        Question {
            name: "histogram of a word",
            ours: "/api/v2/logs/histogram?buckets=144&query=aborted".into(),
            theirs: "/select/logsql/hits?step=10m&field=level&query=aborted".into(),
            limit: 0,
        },
        Question {
            name: "top 10 instances",
            ours: "/api/v2/logs/facets?field=instance&limit=10".into(),
            theirs: stats("* | top 10 by (instance)"),
            limit: 0,
        },
        Question {
            name: "top 10 traces",
            ours: "/api/v2/logs/facets?field=trace&limit=10".into(),
            theirs: stats("* | top 10 by (trace)"),
            limit: 0,
        },
    ]
}

/// How long after it was sent a line reaches a subscriber, in milliseconds: median and 99th of a hundred.
async fn tail_delay(client: &reqwest::Client, service: &Service) -> (f64, f64) {
    let mut stream = client
        .get(format!("{}/api/v2/logs/subscribe", service.base))
        .send()
        .await
        .expect("subscribed");
    let mut delays = Vec::new();
    for number in 0..100 {
        let mark = format!("mark-{number}-end");
        let body = json!({"msg": mark, "namespace": "tail"}).to_string();
        let started = Instant::now();
        let sent = tokio::spawn(
            client
                .post(format!("{}/api/v2/logs", service.base))
                .body(body)
                .send(),
        );
        let mut seen = Vec::new();
        while memchr::memmem::find(&seen, mark.as_bytes()).is_none() {
            seen.extend_from_slice(&stream.chunk().await.expect("alive").expect("more"));
        }
        delays.push(started.elapsed());
        sent.await.expect("sent").expect("taken");
    }
    delays.sort_unstable();
    (
        delays[50].as_secs_f64() * 1e3,
        delays[98].as_secs_f64() * 1e3,
    )
}

/// Sends numbered batches to one namespace until it fails; the lines that were answered, and those that were on their way.
async fn send_until_killed(client: reqwest::Client, url: String, life: u32) -> (u64, u64) {
    let mut answered = 0;
    loop {
        let lines: String = (0..KILL_BATCH)
            .map(|n| format!("{{\"msg\":\"line {n} after {answered}\",\"level\":\"info\",\"namespace\":\"life-{life}\",\"time\":\"{}\"}}\n", Time::now()))
            .collect();
        let answer = client.post(&url).body(lines).send().await;
        if !answer.is_ok_and(|answer| answer.status().is_success()) {
            return (answered, KILL_BATCH);
        }
        answered += KILL_BATCH;
    }
}

/// Lives of up to fifteen seconds, each ended by `kill -9` under load; then what was answered is counted.
async fn kill_again_and_again(
    client: &reqwest::Client,
    service: &mut Service,
    (health, insert, count): (&str, &str, impl Fn(u32) -> String),
    seconds: u64,
) {
    let mut dice = fastrand::Rng::with_seed(5);
    let started = Instant::now();
    let (mut lives, mut answered, mut gone) = (0, 0, 0);
    while started.elapsed() < Duration::from_secs(seconds) {
        service.ready(client, health).await;
        let url = format!("{}{insert}", service.base);
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::spawn(send_until_killed(client.clone(), url.clone(), lives)))
            .collect();
        tokio::time::sleep(Duration::from_millis(dice.u64(500..15_000))).await;
        service.kill_and_restart();
        let (mut of_life, mut on_their_way) = (0, 0);
        for sender in senders {
            let (answered, open) = sender.await.expect("sent");
            of_life += answered;
            on_their_way += open;
        }
        service.ready(client, health).await;
        let answer = client
            .get(format!("{}{}", service.base, count(lives)))
            .send()
            .await
            .expect("an answer");
        let text = answer.text().await.expect("a body");
        let found: u64 = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .max()
            .unwrap_or(0);
        assert!(
            found <= of_life + on_their_way,
            "{found} of {of_life}: {text}"
        );
        answered += of_life;
        gone += of_life.saturating_sub(found);
        lives += 1;
    }
    println!(
        "{:<10} {lives} lives, {answered} lines answered, at least {gone} of them gone",
        service.name
    );
}

/// What both are asked about.
struct Load {
    bodies: Vec<String>,
    traces: Vec<String>,
    raw: usize,
    count: u64,
}

impl Load {
    fn new(count: u64) -> Self {
        let (mut bodies, mut traces, mut raw) = (Vec::new(), Vec::new(), 0);
        let mut body = String::new();
        for (number, entry) in Lines::new(count).enumerate() {
            body.push_str(&line(&entry).to_string());
            body.push('\n');
            if (number + 1) % BATCH == 0 {
                raw += body.len();
                bodies.push(std::mem::take(&mut body));
                traces.extend(entry.scope.trace);
            }
        }
        Self {
            bodies,
            traces,
            raw,
            count,
        }
    }

    /// A time in its middle.
    fn middle(&self) -> String {
        let place = usize::try_from(self.count / 2).expect("a count");
        Lines::new(self.count)
            .nth(place)
            .map_or(Time(0), |entry| entry.time)
            .to_string()
    }
}

fn row(name: &str, ours: f64, theirs: f64, unit: &str) {
    println!(
        "{name:<28} {ours:>9.2} {unit:<2} {theirs:>9.2} {unit:<2} {:>7.2}",
        ours / theirs
    );
}

#[expect(clippy::cast_precision_loss, reason = "rates and ratios")]
async fn measure_intake(
    client: &reqwest::Client,
    ours: &Service,
    theirs: &Service,
    load: &mut Load,
) {
    let their_time = ingest(client, &format!("{}{INSERT}", theirs.base), &load.bodies).await;
    let our_time = ingest(client, &format!("{}/api/v2/logs", ours.base), &load.bodies).await;
    load.bodies = Vec::new();
    let rate = |time: Duration| load.count as f64 / time.as_secs_f64();
    row(
        "ingest",
        our_time.as_secs_f64(),
        their_time.as_secs_f64(),
        "s",
    );
    println!(
        "{:<28} {:>12.0} {:>12.0}  entries/s",
        "",
        rate(our_time),
        rate(their_time)
    );
    println!(
        "memory after ingest: ours {}, victoria {}",
        ours.memory(),
        theirs.memory()
    );
    ours.settled().await;
    theirs.settled().await;
    let (our_bytes, their_bytes, raw) =
        (ours.bytes() as f64, theirs.bytes() as f64, load.raw as f64);
    row("bytes on disk", our_bytes / 1e6, their_bytes / 1e6, "MB");
    println!(
        "{:<28} {:>12.3} {:>12.3}  of the raw JSON",
        "",
        our_bytes / raw,
        their_bytes / raw
    );
}

async fn measure_question(
    client: &reqwest::Client,
    ours: &Service,
    theirs: &Service,
    question: &Question,
) {
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    let (mut found, mut found_there) = (0, 0);
    for _ in 0..ROUNDS {
        let (count, time) = ask_theirs(client, theirs, question).await;
        found_there = count;
        their_times.push(time);
        let (count, time) = ask_ours(client, ours, question).await;
        found = count;
        our_times.push(time);
    }
    let first = (
        our_times[0].as_secs_f64() * 1e3,
        their_times[0].as_secs_f64() * 1e3,
    );
    let (ours, theirs) = (median(our_times), median(their_times));
    let counts = if question.limit > 0 {
        format!("{found}/{found_there} found")
    } else {
        String::new()
    };
    println!(
        "{:<28} {ours:>9.2} ms {theirs:>9.2} ms {:>7.2}   first {:>8.2} / {:>8.2} = {:.2}  {counts}",
        question.name,
        ours / theirs,
        first.0,
        first.1,
        first.0 / first.1
    );
}

async fn kill_both(client: &reqwest::Client, binary: &str, seconds: u64) {
    let counted = |life| format!("/api/v2/logs/facets?field=namespace&query=ns:life-{life}");
    let ours = ("/healthz", "/api/v2/logs", counted);
    kill_again_and_again(client, &mut tailwater(), ours, seconds).await;
    let counted = |life| {
        let query = format!("{{namespace=\"life-{life}\"}} | count()");
        format!("/select/logsql/query?query={}", encoded(&query))
    };
    let theirs = ("/health", INSERT, counted);
    kill_again_and_again(client, &mut victoria(binary), theirs, seconds).await;
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let Some(binary) = arguments.first() else {
        println!("usage: cargo bench --bench versus -- FOLDER/victoria-logs [ENTRIES]");
        return;
    };
    let client = reqwest::Client::new();
    if arguments.get(1).is_some_and(|word| word == "kill") {
        let seconds = arguments.get(2).and_then(|seconds| seconds.parse().ok());
        return kill_both(&client, binary, seconds.unwrap_or(60)).await;
    }
    let count: u64 = arguments
        .get(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000_000);
    let mut load = Load::new(count);
    println!("{count} lines, {} MB", load.raw / 1_000_000);
    let ours = tailwater();
    let theirs = victoria(binary);
    ours.ready(&client, "/healthz").await;
    theirs.ready(&client, "/health").await;
    println!(
        "{:<28} {:>12} {:>12} {:>7}",
        "", "ours", "victoria", "ratio"
    );
    measure_intake(&client, &ours, &theirs, &mut load).await;
    for question in questions(&load.middle(), &load.traces) {
        measure_question(&client, &ours, &theirs, &question).await;
    }
    println!(
        "memory after questions: ours {}, victoria {}",
        ours.memory(),
        theirs.memory()
    );
    let (median, late) = tail_delay(&client, &ours).await;
    println!("a line reaches a subscriber after {median:.2} ms (median), {late:.2} ms (99th)");
}
