//! Plain log files where they lie: through rotation, compressed, by their index, in any format, whatever bytes they hold.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use crate::support::numbered::{Rotated, Rotation, append, are_all, entries, line, lines, text};
use crate::support::{Screen, run, tailwater, wait_for};

/// Rotations that a log is followed through.
const ROTATIONS: u64 = 50;
/// Files that are kept of those that were rotated away.
const KEPT: u64 = 60;
/// Lines written at once, and how long after the batch before: 5,000 lines a second.
const PACE: (u64, Duration) = (25, Duration::from_millis(5));

/// A number as the screen shows it; less than a million.
fn grouped(number: u64) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

fn written(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    fs::write(&path, bytes).expect("written");
    path.to_str().expect("a path").to_owned()
}

/// Everything that a query finds.
fn found(home: &Path, query: &str, source: &str) -> Vec<Value> {
    let found = run(home, &["query", query, source, "-n9999", "-o", "json"]);
    assert_eq!(found.code, Some(0), "{query:?} of {source}: {}", found.err);
    entries(&found.out)
}

/// What the system counts of a running process, in a file of its folder.
fn counted(process: impl std::fmt::Display, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// Writes and rotates a log under the eyes of the explorer, which must have all of it in the end.
fn is_followed(rotation: Rotation) {
    let home = tempfile::tempdir().expect("a home");
    let mut log = Rotated {
        path: home.path().join("app.log"),
        rotation,
        count: 0,
        pace: PACE,
        kept: KEPT,
    };
    log.write(10);
    let mut screen = Screen::start(home.path(), &[log.path.to_str().expect("a path")]);
    log.is_seen(&screen);
    for round in 0..ROTATIONS {
        // Never as many as before: what is cut and has its very length again before anybody looks is taken for the same.
        log.write(190 + round % 3 * 10);
        if rotation != Rotation::Rename {
            // What this rotation destroys must have been read before.
            log.is_seen(&screen);
        }
        log.rotate();
    }
    log.write(200);
    log.is_seen(&screen);
    let count = grouped(log.count);
    screen.wait(&format!("{rotation:?}: {count} entries"), |rows| {
        rows[0].contains(&format!(" {count} entries"))
    });
    screen.see("LIVE");
    let export = home.path().join("all.ndjson");
    screen.keys(&format!(">\x15{}\r", export.display()));
    screen.see(&format!("exported {count} entries to"));
    let exported = entries(&fs::read_to_string(&export).expect("an export"));
    are_all(&exported, log.count, &format!("{rotation:?}"));
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn a_log_is_followed_through_fifty_rotations_of_each_kind() {
    // Most of the time is spent waiting for the last entry before a rotation: all kinds wait at once.
    std::thread::scope(|scope| {
        for rotation in [Rotation::Rename, Rotation::Copytruncate, Rotation::Replace] {
            scope.spawn(move || is_followed(rotation));
        }
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).expect("packed");
    packed.finish().expect("packed")
}

fn tar(files: &[(&str, String)]) -> Vec<u8> {
    let mut bundle = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let packed = bundle.append_data(&mut header, name, text.as_bytes());
        packed.expect("packed");
    }
    bundle.into_inner().expect("packed")
}

#[test]
fn compressed_files_and_bundles_are_read_as_they_are() {
    let home = tempfile::tempdir().expect("a home");
    let gz = gzip(lines(0..3_000).as_bytes());
    let zst = zstd::encode_all(lines(0..3_000).as_bytes(), 1).expect("packed");
    for (name, bytes) in [("app.log.gz", &gz), ("app.log.zst", &zst)] {
        let file = written(home.path(), name, bytes);
        are_all(&found(home.path(), "", &file), 3_000, name);
        let one = found(home.path(), "\"entry 1234\"", &file);
        assert_eq!(one.iter().map(text).collect::<Vec<_>>(), ["entry 1234"]);
    }
    let logs = [("var/log/shop.log", 500), ("var/log/pay.log", 700)];
    let bundle = gzip(&tar(&logs.map(|(name, count)| (name, lines(0..count)))));
    let bundle = written(home.path(), "support.tar.gz", &bundle);
    let all = found(home.path(), "", &bundle);
    assert_eq!(all.len(), 1_200);
    for (name, count) in logs {
        let mut own = all.clone();
        own.retain(|entry| entry["source"].as_str().expect("a source").ends_with(name));
        are_all(&own, count, name);
    }
    // What stands before the damage is there; the line in which it begins may be cut, its time too.
    let damaged = written(home.path(), "cut.log.gz", &gz[..gz.len() / 2]);
    let mut before = found(home.path(), "", &damaged);
    before.sort_by_key(|entry| entry["id"].as_u64());
    let last = before.pop().expect("an entry");
    let count = before.len() as u64;
    assert!((1_000..2_500).contains(&count), "{count} before the damage");
    are_all(&before, count, "before the damage");
    assert!(line(count).contains(text(&last)), "{last}");
    let told = run(home.path(), &["query", "", &damaged]).err;
    assert!(
        told.contains("cut.log.gz is not shown to its end"),
        "{told}"
    );
}

/// Three bursts of lines, an hour apart: all that a bar of the timeline needs of most blocks is in their index.
fn bursts(range: Range<u64>) -> String {
    let of = |n: u64| {
        let (hour, second, millisecond) = (9 + n / 20_000, n / 1_000 % 20, n % 1_000);
        let words = "of a job that says much ".repeat(15);
        format!("2026-03-14T{hour:02}:00:{second:02}.{millisecond:03}Z INFO entry {n} {words}\n")
    };
    range.map(of).collect()
}

/// Opens a file in the explorer until all entries are counted and the index is kept; how many bytes it read for that.
fn explored(home: &Path, file: &str, count: u64) -> u64 {
    let mut screen = Screen::start(home, &["--fresh", file]);
    screen.see(&format!("entry {} ", count - 1));
    screen.see(&format!(" {} entries", grouped(count)));
    wait_for("the index", || {
        let mut kept = fs::read_dir(home.join(".cache/tailwater/files")).ok()?;
        kept.find_map(|item| item.ok()?.path().extension()?.eq("index").then_some(()))
    });
    let read = counted(screen.pid().as_raw_nonzero(), "io", "rchar:");
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    read
}

#[test]
fn the_same_file_opens_again_by_its_index() {
    let home = tempfile::tempdir().expect("a home");
    let file = written(home.path(), "jobs.log", bursts(0..60_000).as_bytes());
    let size = fs::metadata(&file).expect("there").len();
    let first = explored(home.path(), &file, 60_000);
    assert!(first >= size, "{first} of {size} bytes: nobody knew it yet");
    append(Path::new(&file), &bursts(60_000..60_100));
    let second = explored(home.path(), &file, 60_100);
    assert!(second < size / 2, "{second} of {size} bytes, once again");
    for n in [7, 59_999, 60_050] {
        let one = found(home.path(), &format!("\"entry {n} \""), &file);
        assert_eq!(one.len(), 1, "entry {n}");
    }
}

const JSON: &str = r#"{"time":"2026-03-14T09:00:01Z","level":"info","msg":"card accepted"}
{"time":"2026-03-14T09:00:02.5Z","level":"error","msg":"card declined","order":7}
{"time":"2026-03-14T09:00:05Z","level":"warn","msg":"error in the name of a card"}
"#;
const JAVA: &str = "2026-03-14 09:00:00,123 [main] INFO  com.shop.Shop - starting
2026-03-14 09:00:02,000 [http-4] ERROR com.shop.Pay - no card for order 7
com.shop.PaymentException: declined
\tat com.shop.Pay.charge(Pay.java:88)
Caused by: java.io.IOException: Connection reset by peer
\t... 12 more
2026-03-14 09:00:03,700 [http-4] DEBUG com.shop.Cache - miss A-100
";
const NGINX: &str = r#"203.0.113.7 - - [14/Mar/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"
203.0.113.9 - - [14/Mar/2026:09:00:02 +0000] "GET /missing HTTP/1.1" 404 153 "-" "curl/8.5.0"
203.0.113.9 - - [14/Mar/2026:10:00:03 +0100] "GET /pay HTTP/1.1" 502 157 "-" "curl/8.5.0"
"#;

#[test]
fn formats_are_told_by_their_lines() {
    let home = tempfile::tempdir().expect("a home");
    let dir = home.path().join("logs");
    fs::create_dir(&dir).expect("a folder");
    for (name, text) in [("pay.log", JSON), ("shop.log", JAVA), ("access.log", NGINX)] {
        written(&dir, name, text.as_bytes());
    }
    let errors = found(home.path(), "level:error", dir.to_str().expect("a path"));
    let trace = JAVA.split_once("Pay - ").expect("an error").1;
    let trace = trace.split_once("\n2026").expect("an entry behind it").0;
    let refused = NGINX.lines().last().expect("a line");
    let shown = errors.iter().map(|entry| {
        let source = entry["source"].as_str().expect("a source");
        (source.rsplit('/').next().unwrap_or(source), text(entry))
    });
    let wanted = [
        ("shop.log", trace),
        ("pay.log", "card declined"),
        ("access.log", refused),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), wanted);
    assert_eq!(errors[1]["fields"]["order"], 7);
    assert_eq!(errors[2]["fields"]["status"], 502);
}

#[test]
fn what_comes_later_is_shown_and_what_cannot_be_is_told() {
    let home = tempfile::tempdir().expect("a home");
    let dir = home.path().join("logs");
    fs::create_dir_all(dir.join("pods/pay")).expect("folders");
    written(&dir, "shop.log", JAVA.as_bytes());
    written(&dir, "pods/pay/0.log", JSON.as_bytes());
    let binary = written(&dir, "wtmp", &[0; 100]);
    let missing = dir.join("later.log").display().to_string();
    let pattern = dir.join("**/*.log").display().to_string();
    let all = run(home.path(), &["query", "", &pattern, &binary, &missing]);
    assert_eq!((all.code, all.out.matches("card").count()), (Some(0), 4));
    let told = format!("{missing} is left out: No such file or directory (os error 2); and 1 more");
    assert!(all.err.contains(&told), "{}", all.err);
    let below = run(home.path(), &["query", "", dir.to_str().expect("a path")]);
    assert!(!below.out.contains("card accepted"), "{}", below.out);

    let sources = [
        dir.to_str().expect("a path"),
        &binary,
        "--recursive",
        "--fresh",
    ];
    let mut screen = Screen::start(home.path(), &sources);
    screen.see("card accepted");
    screen.see("wtmp is left out: not a text file (binary)");
    fs::create_dir(dir.join("pods/auth")).expect("a folder");
    let later = "2026-03-14 09:01:00 ERROR no key for order 9\n";
    written(&dir, "pods/auth/0.log", later.as_bytes());
    screen.see("no key for order 9");
    screen.keys("%");
    screen.see("wtmp · not a text file (binary)");
    screen.see("pods/auth/0.log");
    screen.keys("qQ");
    assert_eq!(screen.ended(), 0);

    let data = ["--data", home.path().to_str().expect("a path")];
    let ingested = run(
        home.path(),
        &[&["ingest", &pattern, &binary][..], &data].concat(),
    );
    assert_eq!(ingested.code, Some(2), "{}", ingested.err);
    assert!(
        ingested.err.contains("entries accepted"),
        "{}",
        ingested.err
    );
    let found = run(
        home.path(),
        &[&["query", "\"order 9\""][..], &data].concat(),
    );
    assert_eq!(found.out.lines().count(), 1, "{}{}", found.out, found.err);
}

/// A log with a line of 64 MiB and lines of hostile bytes among 2,000.
fn hostile(every: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    for n in 0..2_000 {
        log.extend_from_slice(line(n).trim_end().as_bytes());
        match n {
            999 => log.extend_from_slice(b" with a NUL \0 and \0"),
            1_000 => {
                log.extend_from_slice(b"\n2026-03-14T09:00:01.000Z INFO long ");
                log.resize(log.len() + (64 << 20), b'x');
            }
            1_001 => log.extend_from_slice(&[b" with every byte ", every].concat()),
            1_002 => log.extend_from_slice(b" that ends within a character \xe2\x82"),
            _ => {}
        }
        log.push(b'\n');
    }
    log
}

/// Killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The newest lines of a file, and the peak of memory in KiB: it follows, so that it still runs when they are printed.
fn newest(home: &Path, file: &str, count: usize) -> (String, u64) {
    let out = home.join("newest");
    let child = tailwater(home)
        .args(["query", "", file, "--follow", "-n", &count.to_string()])
        .stdout(File::create(&out).expect("created"))
        .spawn();
    let child = Running(child.expect("started"));
    let printed = wait_for("the newest lines", || {
        let printed = String::from_utf8_lossy(&fs::read(&out).ok()?).into_owned();
        (printed.matches('\n').count() >= count).then_some(printed)
    });
    (printed, counted(child.0.id(), "status", "VmHWM:"))
}

#[test]
fn a_line_of_64_mib_and_bytes_of_all_kinds_harm_nobody() {
    let home = tempfile::tempdir().expect("a home");
    let every: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    let file = written(home.path(), "app.log", &hostile(&every));
    let (newest, peak) = newest(home.path(), &file, 5);
    for (line, n) in newest.lines().zip(1_995..) {
        let begin: String = line.chars().take(100).collect();
        assert!(begin.ends_with(&format!(" entry {n}")), "{begin}");
    }
    // Whoever holds such a line whole, while it grows and then as text, needs more.
    assert!(peak < 192 << 10, "{peak} KiB");
    let beside = found(home.path(), "entry", &file);
    are_all(&beside, 2_000, "beside the line");
    let mut asked = tailwater(home.path());
    let exact = asked.args(["query", "\"every byte\"", &file]).output();
    let exact = exact.expect("it runs").stdout;
    let at = memchr::memmem::find(&exact, &every);
    assert!(at.is_some(), "{}", exact.escape_ascii());
}
