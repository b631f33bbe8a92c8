//! Plain log files, explored where they lie: `cargo bench --bench files [-- [SIZE] [screen|trace|shown|index]…]`, of 1 GiB
//! unless a size says so (`256M`, `10G`).
//!
//! - `screen`: from the start, with nothing known of the file, to its newest line on a screen of 120 by 40; beside it of a log
//!   of 16 MiB: it shall not depend on the size.
//! - `trace`: 12 lines in the middle by `tailwater query`, beside `grep` and what else is installed.
//! - `shown`: the same on the screen, from the last key on.
//! - `index`: how fast it grows, how large it is, and what is asked of it.
//!
//! The log is written once, under the target directory, and read before anything is measured: figures are of the page cache, as
//! far as it fits. By hand, on an otherwise idle machine.

#[path = "support/lines.rs"]
mod lines;
#[path = "../e2e/support/screen.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod screen;

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lines::Lines;
use screen::Screen;
use serde_json::json;
use tailwater::base::Time;
use tailwater::base::units::parse_size;
use tailwater::entry::{Entry, Level};
use tailwater::files::{LogFiles, Options};
use tailwater::query::{Direction, HistogramRequest, PageRequest, Start, Ties};

/// The one of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The trace that is looked for, and how many lines it has.
const TRACE: &str = "0badcafe5eedbead0123456789abcdef";
const TRACE_LINES: u64 = 12;
/// How the last line begins.
const NEWEST: &str = "the newest line of all";
/// Bytes that are kept free for the last line.
const ROOM: u64 = 1 << 10;
const PAGE: usize = 1_000;
const RUNS: usize = 5;

/// JSON lines of about 210 bytes: 20 namespaces and a rare one, traces over several of them, in about two hours.
struct Log {
    path: String,
    bytes: u64,
    lines: u64,
    errors: u64,
}

impl Log {
    /// The log of so many bytes; written, if it is not there.
    fn of(bytes: u64) -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // A folder each: what lies beside a log may be taken for what was rotated away from it.
        let folder = target.with_file_name("bench-files").join(bytes.to_string());
        let path = folder.join("app.jsonl");
        if !fs::metadata(&path).is_ok_and(|file| file.len() == bytes) {
            fs::create_dir_all(&folder).expect("a folder");
            write(&path, bytes);
        }
        let path = path.to_str().expect("a path").to_owned();
        let grep = |pattern| run("grep", &["-c", "-F", pattern, &path]);
        let count = |pattern| grep(pattern).expect("grep is there").1;
        Self {
            lines: count(""),
            // Within a text the quotes are escaped.
            errors: count("\"level\":\"error\""),
            bytes,
            path,
        }
    }

    fn open(&self, cache: &Path) -> LogFiles {
        let options = Options {
            cache: Some(cache.to_owned()),
            ..Options::default()
        };
        LogFiles::open(&[self.path.clone().into()], options).expect("opened")
    }
}

/// Writes lines until only the last is missing, which takes what is left. The known trace lies in the middle, among others.
fn write(path: &Path, bytes: u64) {
    let file = File::create(path).expect("created");
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let (mut left, mut known) = (bytes, 0);
    // More lines than there is room for.
    for (number, mut entry) in (0..).zip(Lines::new(bytes / 150)) {
        if known < TRACE_LINES && bytes - left >= bytes / 2 + known * (bytes / 10_000) {
            entry.scope.trace = Some(TRACE.to_owned());
            known += 1;
        } else {
            make_odd(number, &mut entry);
        }
        let mut text = line(&entry);
        if text.len() as u64 + ROOM > left {
            (entry.level, entry.error) = (Level::Info, None);
            entry.text = format!("{NEWEST} ");
            let filler = left - line(&entry).len() as u64;
            entry.text += &"x".repeat(usize::try_from(filler).expect("a length"));
            text = line(&entry);
        }
        out.write_all(text.as_bytes()).expect("written");
        left -= text.len() as u64;
        if left == 0 {
            return out.flush().expect("written");
        }
    }
    panic!("there are too few lines for {bytes} bytes");
}

/// Some lines are of other kinds: stacks of several lines, other scripts, what terminals would act on, payloads.
fn make_odd(number: u64, entry: &mut Entry) {
    entry.text = match number % 10_000 {
        7 | 2_507 | 5_007 | 7_507 => {
            entry.level = Level::Error;
            let frames = "\n   0: app::handler::load_cart\n             at src/handler.rs:87";
            format!("panic in worker {number}: index out of range{frames}{frames}{frames}")
        }
        1_003 | 6_003 => format!("naïve café — 日本語のメッセージ 🚨 user u{number:06}"),
        3_001 => format!("\"quoted\" \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} of u{number:06}"),
        4_001 => "payload dump ".to_owned() + &format!("{number:032x}").repeat(200),
        _ => return,
    };
}

fn line(entry: &Entry) -> String {
    let (level, scope) = (entry.level.word().to_ascii_lowercase(), &entry.scope);
    let mut line = json!({
        "ts": format!("{:.6}", entry.time), "level": level, "namespace": scope.namespace,
        "instance": scope.instance, "trace": scope.trace, "span": scope.span,
        "msg": entry.text, "error": entry.error,
    });
    let fields = line.as_object_mut().expect("an object");
    fields.retain(|_, value| !value.is_null());
    format!("{line}\n")
}

/// Runs a program in an empty home and the plain locale, in which `grep` is quickest: its time, the lines it counts or prints,
/// and the KiB it holds at the most (asked while it runs: afterwards nobody tells). Nothing of one that is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<(Duration, u64, u64)> {
    let home = tempfile::tempdir().expect("a home");
    let out = home.path().join("out");
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HOME", home.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdout(File::create(&out).expect("created"));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let (mut child, mut memory) = (command.spawn().ok()?, 0);
    wait_for(program, || {
        memory = told(child.id(), "status", "VmHWM:").max(memory);
        child.try_wait().expect("asked")
    });
    let took = began.elapsed();
    let text = fs::read_to_string(out).unwrap_or_default();
    let counted = text.trim().parse::<u64>();
    let found = counted.unwrap_or_else(|_| text.lines().count() as u64);
    Some((took, found, memory))
}

/// Waits until there is something.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(10) {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_micros(500));
    }
    panic!("waited in vain for {what}");
}

/// What the system tells of a process, in a line of one of its files.
fn told(process: impl Display, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "a figure")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Prints the median, the best, and what else there is to say.
fn say(what: &str, mut times: Vec<Duration>, rest: &str) {
    times.sort_unstable();
    let of = |at: usize| times[at].as_secs_f64() * 1e3;
    let (median, best, runs) = (of(times.len() / 2), of(0), times.len());
    println!("{what:<32}{median:>10.1} ms, best {best:.1} of {runs}{rest}");
}

fn first_screen(log: &Log) {
    let mut floor = None;
    for log in [&Log::of(ROOM), &Log::of(16 << 20), log] {
        let (mut times, mut reads) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let home = tempfile::tempdir().expect("a home");
            let began = Instant::now();
            let screen = Screen::start(home.path(), &[&log.path]);
            screen.see(NEWEST);
            times.push(began.elapsed());
            reads.push(told(screen.pid(), "io", "rchar:"));
        }
        reads.sort_unstable();
        // The log of one line comes first: what its start reads, any start does.
        let read = reads[RUNS / 2].saturating_sub(*floor.get_or_insert(reads[RUNS / 2]));
        let what = format!("first screen, {:.0} MiB", mebibytes(log.bytes));
        let rest = format!("; {} KiB more read than of one line", read >> 10);
        say(&what, times, &rest);
    }
}

fn trace(log: &Log) {
    let own = env!("CARGO_BIN_EXE_tailwater");
    let (query, filter) = (format!("trace:{TRACE}"), format!(":filter-in {TRACE}"));
    let tools: [(&str, &[&str]); 5] = [
        (own, &["query", &query, &log.path]),
        ("grep", &["-c", "-F", TRACE, &log.path]),
        ("rg", &["-c", "-F", TRACE, &log.path]),
        ("logana", &["--headless", "-i", TRACE, &log.path]),
        ("lnav", &["-n", "-c", &filter, &log.path]),
    ];
    let mut measured: [Vec<(Duration, u64, u64)>; 5] = Default::default();
    for round in 0..RUNS {
        // In turn: what disturbs one disturbs all. The last is slow: it has one turn.
        let turns = if round == 0 { 5 } else { 4 };
        for ((program, arguments), runs) in tools.iter().zip(&mut measured).take(turns) {
            runs.extend(run(program, arguments));
        }
    }
    let grep = measured[1].iter().min().expect("grep is there").0;
    for (at, ((program, _), runs)) in tools.iter().zip(&measured).enumerate() {
        let what = format!("trace by {}", program.rsplit('/').next().unwrap_or(program));
        let Some((best, found, _)) = runs.iter().min() else {
            println!("{what:<32}         - not installed");
            continue;
        };
        // The last two may print more than the lines.
        assert!(at > 2 || *found == TRACE_LINES, "{what} found {found}");
        let ratio = best.as_secs_f64() / grep.as_secs_f64();
        let memory = runs.iter().map(|(.., memory)| *memory).max().unwrap_or(0);
        let rest = format!(", {ratio:.2} times grep; {found} lines, {memory} KiB at the most");
        say(&what, runs.iter().map(|(took, ..)| *took).collect(), &rest);
    }
}

fn shown(log: &Log) {
    let home = || tempfile::tempdir().expect("a home");
    let fresh = (0..RUNS).map(|_| until_shown(log, home().path())).collect();
    say("trace on screen, not indexed", fresh, "");
    let home = home();
    let screen = Screen::start(home.path(), &[&log.path]);
    let cache = home.path().join(".cache/tailwater/files");
    wait_for("an index", || (kept(&cache) > 0).then_some(()));
    drop(screen);
    let indexed = (0..RUNS).map(|_| until_shown(log, home.path())).collect();
    say("trace on screen, indexed", indexed, "");
}

/// From the last key of the query to all rows of the trace.
fn until_shown(log: &Log, home: &Path) -> Duration {
    // Not where the session before was left, with its query.
    let mut screen = Screen::start(home, &[&log.path, "--fresh"]);
    screen.see(NEWEST);
    // Pasted, as ids are: when it is typed at once, each of its characters is still looked for completions.
    screen.keys(&format!("f\x1b[200~trace:{TRACE}\x1b[201~"));
    screen.see(&format!("trace:{TRACE}"));
    let began = Instant::now();
    screen.keys("\r");
    screen.see(&format!("  {TRACE_LINES} of {TRACE_LINES}  "));
    began.elapsed()
}

/// Bytes of the indexes in a cache directory.
fn kept(cache: &Path) -> u64 {
    let files = fs::read_dir(cache).into_iter().flatten().flatten();
    let indexes = files.filter(|file| file.path().extension().is_some_and(|it| it == "index"));
    let sizes = indexes.filter_map(|file| Some(file.metadata().ok()?.len()));
    sizes.sum()
}

fn index(log: &Log) {
    let cache = tempfile::tempdir().expect("a directory");
    // The peak from here on, where the system lets it be forgotten.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let began = Instant::now();
    let files = log.open(cache.path());
    let gauge = files.gauge();
    wait_for("the index", || gauge.reading().is_none().then_some(()));
    let took = began.elapsed();
    let size = kept(cache.path());
    let mib = mebibytes(log.bytes);
    let (rate, share) = (mib / took.as_secs_f64(), mebibytes(size * 100) / mib);
    let memory = told("self", "status", "VmHWM:");
    let rest = format!(", {rate:.0} MiB/s; {share:.4} % on disk, {memory} KiB at the most");
    say("index of everything", vec![took], &rest);
    drop(files);
    let began = Instant::now();
    let files = log.open(cache.path());
    let opened = began.elapsed();
    assert_eq!(count(&files, ""), log.lines);
    let counted = began.elapsed();
    say("opened again", vec![opened], "");
    say("opened again, all counted", vec![counted], "");
    minute(&files);
    let errors = || {
        let began = Instant::now();
        assert_eq!(count(&files, "level:error"), log.errors);
        began.elapsed()
    };
    let times = std::iter::repeat_with(errors).take(RUNS).collect();
    say("histogram of level:error", times, "");
}

/// A page of a minute in the middle.
fn minute(files: &LogFiles) {
    let known = newest_of(files, &format!("trace:{TRACE}"));
    assert_eq!(known.len() as u64, TRACE_LINES);
    let from = known[0].time.earlier(Duration::from_secs(30));
    let to = from.later(Duration::from_mins(1));
    let query = format!("since:{from} before:{to}");
    let page = || {
        let began = Instant::now();
        let entries = newest_of(files, &query);
        let took = began.elapsed();
        let is_within = |entry: &Entry| from <= entry.time && entry.time < to;
        assert!(entries.len() == PAGE && entries.iter().all(is_within));
        took
    };
    let times = std::iter::repeat_with(page).take(20).collect();
    say("1,000 entries of a minute", times, "");
}

/// All entries that a histogram counts. It must be whole at once: while somebody asks, the index does not grow.
fn count(files: &LogFiles, query: &str) -> u64 {
    let request = HistogramRequest {
        query: query.parse().expect("a query"),
        now: Time::now(),
        after: None,
        before: None,
        buckets: 120,
    };
    let counts = files.histogram(&request, &|| false).expect("counted");
    assert!(!counts.partial, "everything is indexed");
    counts.levels().iter().sum()
}

/// One of the measurements.
type Run = fn(&Log);

/// A page of the newest entries, over partial ones, as every reader does.
fn newest_of(files: &LogFiles, query: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut request = PageRequest {
        query: query.parse().expect("a query"),
        now: Time::now(),
        start: Start::End,
        direction: Direction::Older,
        limit: PAGE,
        ties: Ties::Split,
    };
    loop {
        let page = files.page(&request, &|| false).expect("a page");
        entries.extend(page.entries);
        request.limit = PAGE - entries.len();
        match page.older {
            Some(cursor) if request.limit > 0 => request.start = Start::Beyond(cursor.key),
            _ => return entries,
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let size = words.iter().find_map(|word| parse_size(word).ok());
    let size = size.unwrap_or(1 << 30);
    // In a smaller log a minute does not hold a page.
    assert!(size >= 32 << 20, "expected 32M or more, found {size}");
    let log = Log::of(size);
    println!("{size} bytes, {} lines, {} errors", log.lines, log.errors);
    let runs: [(&str, Run); 4] = [
        ("screen", first_screen),
        ("trace", trace),
        ("shown", shown),
        ("index", index),
    ];
    let is_named = |name: &str| words.iter().any(|word| word == name);
    let are_named = runs.iter().any(|(name, _)| is_named(name));
    for (_, run) in runs.iter().filter(|(name, _)| is_named(name) || !are_named) {
        run(&log);
    }
}
