//! Log files on another host, through a stand-in for `ssh` whose other host is this one.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::numbered::{Rotated, Rotation, append, are_all, entries, line, lines, text};
use crate::support::{Run, Screen, run, tailwater, wait_for};

/// What the host is called.
const HOST: &str = "far.example";

/// Drops options and the host, and runs what is left as a login there does, from its home directory. What comes back is
/// kept, to be counted.
const SSH: &str = r#"#!/bin/sh
while :; do
case $1 in
-[FilopS]) shift 2;;
-*) shift;;
*) break;;
esac
done
shift
cd 'HOME' || exit 255
if [ -e down ]; then
echo 'ssh: connect to host far.example port 22: No route to host' >&2
exit 255
fi
BEFORE
sh -c "$*" | tee -a back
"#;

/// Lines of some 200 bytes, as many as make up a file that nobody wants to have sent.
fn long_lines(range: Range<u64>) -> String {
    let words = "of a job that says much ".repeat(7);
    let long = |n| format!("{} {words}\n", line(n).trim_end());
    range.map(long).collect()
}

/// The name of the file that an entry is of, whatever its host and folder are called.
fn file_of(entry: &Value) -> &str {
    let source = entry["source"].as_str().expect("a source");
    source.rsplit('/').next().unwrap_or(source)
}

/// Another host, which is this one, and the home of who looks at it. Both have the same files.
struct Far {
    home: TempDir,
}

impl Far {
    fn new() -> Self {
        Self::with("")
    }

    /// With lines of a shell that run there before anything else.
    fn with(before: &str) -> Self {
        let far = Self {
            home: tempfile::tempdir().expect("a home"),
        };
        for folder in ["bin", "logs"] {
            fs::create_dir(far.home.path().join(folder)).expect("a folder");
        }
        let home = far.home.path().to_str().expect("a path");
        let script = SSH.replace("HOME", home).replace("BEFORE", before);
        // Another process writes it: a program that a thread of ours has open for writing cannot be run.
        let status = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$2\" && chmod +x \"$2\"", "sh"])
            .arg(script)
            .arg(far.home.path().join("bin/ssh"))
            .status();
        assert!(status.expect("a shell").success());
        far
    }

    /// The programs that are found: its `ssh` before all others.
    fn programs(&self) -> String {
        let others = std::env::var("PATH").expect("a path");
        format!("{}:{others}", self.home.path().join("bin").display())
    }

    /// Where a log is.
    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("logs").join(name)
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// What logs are called from here; the name may be a pattern.
    fn address(&self, name: &str) -> String {
        format!("ssh://{HOST}{}", self.path(name).display())
    }

    fn run_in(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let output = tailwater(self.home.path())
            .args(arguments)
            .env("PATH", self.programs())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output();
        let output = output.expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Everything that a query finds over there.
    fn found(&self, query: &str, name: &str) -> Vec<Value> {
        let source = self.address(name);
        let found = self.run_in(&["query", query, &source, "-n9999", "-o", "json"], &[]);
        assert_eq!(found.code, Some(0), "{query:?} of {source}: {}", found.err);
        entries(&found.out)
    }

    /// The explorer.
    fn explore(&self, name: &str) -> Screen {
        let (arguments, programs) = ([self.address(name)], self.programs());
        let arguments = arguments.each_ref().map(String::as_str);
        let variables = [("PATH", programs.as_str())];
        Screen::start_in(self.home.path(), &arguments, (120, 40), &variables)
    }

    /// What came back, all in all.
    fn back(&self) -> Vec<u8> {
        fs::read(self.home.path().join("back")).unwrap_or_default()
    }

    fn down(&self) -> PathBuf {
        self.home.path().join("down")
    }

    /// The host goes away: connections end, and there are no new ones.
    fn goes_away(&self, screen: &Screen) {
        File::create(self.down()).expect("created");
        for process in started_by(screen.pid()) {
            // It may have ended already.
            let _ = kill_process(process, Signal::KILL);
        }
    }

    fn comes_back(&self) {
        fs::remove_file(self.down()).expect("removed");
    }
}

/// The processes that a process started, and those that they started: who started another comes before it.
fn started_by(process: Pid) -> Vec<Pid> {
    let items = fs::read_dir("/proc").expect("processes").flatten();
    let parents = items.filter_map(|item| {
        let own: i32 = item.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(item.path().join("stat")).ok()?;
        // The name of the program, which may hold anything, is in brackets.
        let (_, words) = stat.rsplit_once(')')?;
        let parent = words.split_whitespace().nth(1)?.parse().ok()?;
        Some((Pid::from_raw(own)?, Pid::from_raw(parent)?))
    });
    let parents: Vec<(Pid, Pid)> = parents.collect();
    let (mut all, mut at) = (vec![process], 0);
    while let Some(parent) = all.get(at).copied() {
        let children = parents.iter().filter(|(_, own)| *own == parent);
        all.extend(children.map(|(child, _)| *child));
        at += 1;
    }
    all.split_off(1)
}

/// Lets the explorer write everything that it shows into a file; what is there then.
fn exported(screen: &mut Screen, home: &Path) -> Vec<Value> {
    let export = home.join("all.ndjson");
    screen.keys(&format!(">\x15{}\r", export.display()));
    screen.wait("the export", |rows| {
        let told = |row: &String| row.contains("exported ") && row.contains(" entries to");
        rows.iter().any(told)
    });
    entries(&fs::read_to_string(&export).expect("an export"))
}

/// Waits until a line is on the screen, at the end of its row.
fn is_seen(screen: &Screen, n: u64, what: &str) {
    let last = format!(" entry {n}");
    screen.wait(&format!("{what}: {last}"), |rows| {
        rows.iter().any(|row| row.trim_end().ends_with(&last))
    });
}

const SHOP: &str = "2026-03-14T09:00:00.500Z ERROR com.shop.Pay - no card for order 7
com.shop.PaymentException: declined
\tat com.shop.Pay.charge(Pay.java:88)
2026-03-14T09:00:03.700Z DEBUG com.shop.Cache - miss A-100
";
const PAY: &str = r#"{"time":"2026-03-14T09:00:00.7Z","level":"info","msg":"card accepted","order":6}
{"time":"2026-03-14T09:00:02.5Z","level":"error","msg":"card declined \u001b[31m","order":7}
{"time":"2026-03-14T09:00:05Z","level":"warn","msg":"no newline behind it"}"#;

#[test]
fn files_over_there_are_merged_as_files_here_are() {
    let far = Far::new();
    // The longest is of several pieces.
    let mut long = String::new();
    for n in 0..6_000 {
        long.push_str(line(n).trim_end());
        long.push_str(" of a job that says something, and goes on and on\n");
    }
    let logs = [
        ("app.log", long.as_str()),
        ("empty.log", ""),
        ("pay.log", PAY),
        ("shop.log", SHOP),
    ];
    let paths = logs.map(|(name, text)| far.written(name, text));
    far.written("other.txt", &lines(0..3));
    let paths = paths.each_ref().map(|path| path.to_str().expect("a path"));
    let comparable = |mut entry: Value| {
        entry["source"] = file_of(&entry).into();
        // It tells where the entry is kept, and may be anything.
        entry.as_object_mut().expect("an object").remove("id");
        entry
    };
    for (query, count) in [("", 6_005), ("level>=warn", 3), ("\"entry 4321 \"", 1)] {
        let arguments = [&["query", query][..], &paths, &["-n9999", "-o", "json"]];
        let here = run(far.home.path(), &arguments.concat());
        let here: Vec<Value> = entries(&here.out).into_iter().map(comparable).collect();
        let there = far.found(query, "*.log");
        let host = format!("{HOST}:");
        let is_named = |entry: &Value| entry["source"].to_string().contains(&host);
        assert!(there.iter().all(is_named), "{query:?}: {}", there[0]);
        let there: Vec<Value> = there.into_iter().map(comparable).collect();
        assert_eq!(here.len(), count, "{query:?}");
        let wrong = here.iter().zip(&there).find(|(here, there)| here != there);
        assert_eq!((wrong, there.len()), (None, count), "{query:?}");
    }
}

#[test]
fn a_search_runs_over_there_and_brings_what_it_finds() {
    let far = Far::new();
    let mut log = long_lines(0..50_000);
    log.push_str("2026-03-14T09:00:50Z WARN where is the NEEDLE in the hay?\n");
    log.push_str(&long_lines(50_001..100_000));
    let size = log.len();
    assert!(size > 20 << 20, "{size} bytes are few");
    far.written("app.log", &log);
    drop(log);
    let found = far.found("\"the needle in\"", "app.log");
    let found: Vec<&str> = found.iter().map(text).collect();
    assert_eq!(found, ["where is the NEEDLE in the hay?"]);
    let back = far.back().len();
    assert!(back < 4 << 20, "{back} of {size} bytes came back");
}

/// Lines that are appended, so many at once.
const APPENDED: u64 = 200;
const AT_ONCE: u64 = 5;

#[test]
fn what_is_appended_over_there_appears_and_comes_about_once() {
    let far = Far::new();
    // Its last piece is nearly full: whoever brings it again for each line brings much.
    let mut count = 2_300;
    let log = far.written("app.log", &long_lines(0..count));
    let screen = far.explore("*.log");
    screen.wait("the newest lines", |rows| {
        (count - 20..count).all(|n| {
            let words = format!(" entry {n} ");
            rows.iter().any(|row| row.contains(&words))
        })
    });
    screen.see("LIVE");
    let from = count;
    for _ in 0..APPENDED / AT_ONCE {
        for _ in 0..AT_ONCE {
            append(&log, &line(count));
            count += 1;
        }
        is_seen(&screen, count - 1, "appended");
    }
    // What comes back is given away before it is kept.
    let last = format!(" entry {}\n", count - 1);
    let back = wait_for("the last line that came back", || {
        let back = far.back();
        let is_all = memchr::memmem::find(&back, last.as_bytes()).is_some();
        is_all.then_some(back)
    });
    let length = back.len();
    assert!(length < 3 << 20, "{length} bytes came back");
    let times = |n| memchr::memmem::find_iter(&back, &format!(" entry {n}\n")).count() as u64;
    let times: u64 = (from..count).map(times).sum();
    let about_once = APPENDED..=2 * APPENDED;
    assert!(about_once.contains(&times), "{times} lines of {APPENDED}");
}

/// Rotations that a log over there is followed through.
const ROTATIONS: u64 = 5;
/// Lines written at once, and how long after the batch before: 200 lines a second.
const PACE: (u64, Duration) = (10, Duration::from_millis(50));

/// Writes and rotates a log under the eyes of the explorer, which must have all of it in the end.
fn is_followed(rotation: Rotation) {
    let far = Far::new();
    let (what, mut log) = (
        format!("{rotation:?}"),
        Rotated {
            path: far.path("app.log"),
            rotation,
            count: 0,
            pace: PACE,
            kept: ROTATIONS,
        },
    );
    log.write(10);
    let mut screen = far.explore("app.log");
    is_seen(&screen, log.count - 1, &what);
    for round in 0..ROTATIONS {
        // Never as many as before: what is cut and has its very length again before anybody looks is taken for the
        // same.
        log.write(390 + round % 3 * 10);
        if rotation == Rotation::Copytruncate {
            // What is written between the last look and the cut may be lost here as there.
            is_seen(&screen, log.count - 1, &what);
        }
        log.rotate();
    }
    log.write(200);
    is_seen(&screen, log.count - 1, &what);
    screen.see("LIVE");
    are_all(&exported(&mut screen, far.home.path()), log.count, &what);
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn a_log_over_there_is_followed_through_rotations_of_each_kind() {
    // Most of the time is spent waiting: both kinds wait at once.
    std::thread::scope(|scope| {
        for rotation in [Rotation::Rename, Rotation::Copytruncate] {
            scope.spawn(move || is_followed(rotation));
        }
    });
}

#[test]
fn rotations_that_come_faster_than_anybody_looks_lose_nothing() {
    std::thread::scope(|scope| {
        for rotation in [Rotation::Rename, Rotation::Copytruncate] {
            scope.spawn(move || {
                let far = Far::new();
                let mut log = Rotated {
                    path: far.path("app.log"),
                    rotation,
                    count: 0,
                    pace: (50, Duration::ZERO),
                    kept: 2 * ROTATIONS,
                };
                let what = format!("{rotation:?}");
                log.write(100);
                let mut screen = far.explore("app.log");
                is_seen(&screen, log.count - 1, &what);
                for round in 0..ROTATIONS {
                    log.rotate();
                    log.write(100 + round % 2 * 50);
                }
                is_seen(&screen, log.count - 1, &what);
                are_all(&exported(&mut screen, far.home.path()), log.count, &what);
            });
        }
    });
}

/// Compresses a file over there as logrotate does: its time is kept.
fn compress(path: &Path) {
    let status = Command::new("gzip").arg(path).status();
    assert!(status.expect("gzip").success());
}

#[test]
fn what_was_rotated_away_over_there_is_read_behind_the_log() {
    let far = Far::new();
    // Half a minute between them: what is so much older than a page is not looked at for it.
    let all = [
        0..500,
        30_000..30_500,
        60_000..60_500,
        90_000..92_000,
        120_000..126_000,
    ];
    let old = |age: u64, numbers: &Range<u64>| {
        let path = far.written(&format!("app.log.{age}"), &lines(numbers.clone()));
        let file = File::options().append(true).open(&path).expect("opened");
        let rotated = SystemTime::now() - Duration::from_hours(age);
        file.set_modified(rotated).expect("a time");
        path
    };
    compress(&old(3, &all[0]));
    compress(&old(2, &all[1]));
    old(1, &all[2]);
    let live = lines(all[3].clone()) + &lines(all[4].clone());
    far.written("app.log", &live);
    far.written("app.log.0ther", &lines(0..9));
    let told = |query: &str, name: &str| -> Vec<String> {
        let found = far.found(query, name);
        found.iter().map(|entry| text(entry).to_owned()).collect()
    };
    let wanted: Vec<String> = all
        .iter()
        .cloned()
        .flatten()
        .map(|n| format!("entry {n}"))
        .collect();
    assert!(told("", "app.log") == wanted, "the whole log");
    for name in ["app.log.3.gz", "*.3.*"] {
        assert!(told("", name) == wanted[..500], "{name}");
    }
    assert_eq!(told("\"entry 30170\"", "app.log"), ["entry 30170"]);

    fs::remove_file(far.home.path().join("back")).expect("counted anew");
    let mut screen = far.explore("app.log");
    is_seen(&screen, 125_999, "the newest lines");
    screen.see("LIVE");
    let back = far.back();
    let older = memchr::memmem::find(&back, b" entry 60499\n");
    assert_eq!(older, None, "nobody asked for what is older");
    screen.keys("g");
    is_seen(&screen, 0, "the oldest lines");
    screen.wait("nothing that is new", |rows| {
        !rows.iter().any(|row| row.contains("new below"))
    });
}

#[test]
fn what_is_compressed_over_there_stays() {
    let far = Far::new();
    let mut log = Rotated {
        path: far.path("app.log"),
        rotation: Rotation::Rename,
        count: 0,
        pace: (100, Duration::ZERO),
        kept: ROTATIONS,
    };
    log.write(500);
    let mut screen = far.explore("app.log");
    is_seen(&screen, log.count - 1, "the newest lines");
    log.rotate();
    log.write(500);
    is_seen(&screen, log.count - 1, "lines of the next file");
    // As logrotate does with delaycompress: the one before is compressed when names move on.
    compress(&log.generation(1));
    let packed = |age: u64| far.path(&format!("app.log.{age}.gz"));
    fs::rename(packed(1), packed(2)).expect("renamed");
    log.rotate();
    log.write(500);
    is_seen(&screen, log.count - 1, "lines of the last file");
    // The first one is found where it is now, before anybody has to know of it.
    screen.keys("%");
    screen.see("app.log.2.gz");
    screen.keys("q");
    are_all(&exported(&mut screen, far.home.path()), log.count, "all");
}

/// A run that failed and did not panic: its code, and what it said.
fn failed(run: &Run) -> (u32, &str) {
    let code = run.code.map(i32::unsigned_abs).unwrap_or_default();
    assert!(code != 0 && code != 101, "{run:?}");
    (code, &run.err)
}

#[test]
fn a_host_that_refuses_is_told_and_what_it_says_is_harmless() {
    let attacks: [(&str, &[u8]); 5] = [
        (r"\033[31mPWNSGR", b"\x1b[31mPWN"),
        (r"\033]0;PWNTITLE\007", b"\x1b]0;PWN"),
        (r"\033]52;c;UFdO\007", b"\x1b]52;"),
        (r"\302\23331mPWNC1", b"\xc2\x9b"),
        (r"\033[?1049hPWNALT\010\010", b"\x1b[?1049hPWN"),
    ];
    for (attack, live) in attacks {
        let far = Far::with(&format!(
            "printf 'me@{HOST}: {attack} Permission denied (publickey).\\n' >&2\nexit 255"
        ));
        far.written("app.log", &line(0));
        let address = far.address("*.log");
        let refused = far.run_in(&["query", "", &address], &[]);
        let (code, err) = failed(&refused);
        assert!(err.contains("Permission denied (publickey)"), "{err}");
        assert!(err.contains(HOST), "{err}");
        let is_raw = |c: char| c.is_control() && c != '\n';
        assert!(!err.contains(is_raw) && refused.out.is_empty(), "{err:?}");

        let mut screen = far.explore("*.log");
        screen.see("Permission denied (publickey)");
        assert_eq!(screen.ended(), code);
        wait_for("the terminal as it was", || {
            (screen.is_restored() && screen.is_cooked()).then_some(())
        });
        let raw = screen.raw();
        for live in [live, b"\x07", b"\x08"] {
            let reached = memchr::memmem::find(&raw, live);
            assert!(reached.is_none(), "{}", raw.escape_ascii());
        }
    }
}

#[test]
fn who_has_no_ssh_is_told() {
    let far = Far::new();
    let (address, nothing) = (far.address("*.log"), far.path(""));
    let nothing = [("PATH", nothing.to_str().expect("a path"))];
    let refused = far.run_in(&["query", "", &address], &nothing);
    let (_, err) = failed(&refused);
    assert!(err.contains("ssh cannot be started"), "{err}");
}

#[test]
fn a_host_that_goes_away_comes_back_and_nothing_is_lost() {
    let far = Far::new();
    let log = far.written("app.log", &lines(0..200));
    let mut screen = far.explore("*.log");
    is_seen(&screen, 199, "the newest lines");
    screen.see("LIVE");
    far.goes_away(&screen);
    let is_told = |row: &String| row.contains("not answering") && row.contains(HOST);
    screen.wait("the host that is not answering", |rows| {
        rows.iter().any(is_told)
    });
    // What was shown is there, and what is above it.
    is_seen(&screen, 199, "the lines that were shown");
    for _ in 0..3 {
        screen.keys("\x1b[5~");
    }
    is_seen(&screen, 100, "lines above");
    screen.keys("G");
    is_seen(&screen, 199, "the newest lines again");
    // What happens there meanwhile is seen later.
    append(&log, &lines(200..210));
    screen.wait("the host that is still not answering", |rows| {
        rows.iter().any(is_told)
    });
    far.comes_back();
    is_seen(&screen, 209, "what was missed");
    append(&log, &lines(210..220));
    is_seen(&screen, 219, "what is new");
    screen.wait("the host that answers", |rows| !rows.iter().any(is_told));
    let all = exported(&mut screen, far.home.path());
    are_all(&all, 220, "after the host came back");
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn names_over_there_are_names_and_no_commands() {
    let names = [
        "two  words.log",
        "it's \"quoted\".log",
        "$(touch pwned).log",
        "`touch pwned`.log",
        "; touch pwned; #.log",
        "' ; touch pwned ; '.log",
        "-e 100%s \\n & | < >.log",
        "[x] {a,b} ~ ! ^.log",
        "naïve 日本.log",
    ];
    let hay = "it's $(touch pwned) `touch pwned` of";
    let far = Far::new();
    for (n, name) in names.into_iter().enumerate() {
        let text = format!("2026-03-14T09:00:0{n}Z INFO {hay} file {n}\n");
        far.written(name, &text);
    }
    // All of them by a pattern, and what they hold; each by its own name.
    for query in ["", &format!("\"{hay}\"")] {
        let found = far.found(query, "*.log");
        let found: Vec<&str> = found.iter().map(file_of).collect();
        assert_eq!(found, names, "{query:?}");
    }
    for (n, name) in names.into_iter().enumerate() {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let found = far.found(&format!("\"{hay}\""), &name);
        let found: Vec<&str> = found.iter().map(text).collect();
        assert_eq!(found, [format!("{hay} file {n}")], "{name}");
    }
    let screen = far.explore("*.log");
    for (n, name) in names.into_iter().enumerate() {
        screen.see(&format!("{hay} file {n}"));
        let text = format!("2026-03-14T09:00:1{n}Z INFO appended to {n}\n");
        append(&far.path(name), &text);
        screen.see(&format!("appended to {n}"));
    }
    let here = Path::new("pwned").to_owned();
    for pwned in [here, far.path("pwned"), far.home.path().join("pwned")] {
        assert!(!pwned.exists(), "{}", pwned.display());
    }
}

#[test]
fn lines_without_a_zone_are_read_in_the_zone_of_the_host() {
    // The zone of who looks is none of theirs.
    let own = [("TZ", "XXX8")];
    for (zone, wanted) in [
        ("JST-9", "2026-03-14T00:00:00Z"),
        ("NST3:30", "2026-03-14T12:30:00Z"),
        ("UTC0", "2026-03-14T09:00:00Z"),
    ] {
        let far = Far::with(&format!("TZ={zone}\nexport TZ"));
        far.written("app.log", "2026-03-14 09:00:00 INFO hello\n");
        far.written("utc.log", "2026-03-14T09:00:00Z INFO hello\n");
        for (name, wanted) in [("app.log", wanted), ("utc.log", "2026-03-14T09:00:00Z")] {
            let address = far.address(name);
            let found = far.run_in(&["query", "", &address, "-o", "json"], &own);
            let found = entries(&found.out);
            assert_eq!(found.len(), 1, "{name} in {zone}");
            assert_eq!(text(&found[0]), "hello");
            assert_eq!(found[0]["time"], wanted, "{name} in {zone}");
        }
    }
}
