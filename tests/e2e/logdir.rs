//! Directories of binary logs: printed, copied, counted, explored, here and behind a web server.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tailwater::logdir::{Lifecycle, LogLevel, LoggerOptions, MasterLogger, WorkerLogger, log_name};

use crate::support::{Run, Screen, Tail, Web, run, run_with_input, tailwater, wait_for};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/super-server-logs")
        .join(name)
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a home")
}

/// The command on the logs of a fixture.
fn logdir(command: &str, folder: &str, more: &[&str]) -> Run {
    let logs = fixture(folder).join("logs");
    let logs = logs.to_str().expect("text");
    run(home().path(), &[&["logdir", command, logs], more].concat())
}

/// What the original printed of a fixture: the `toJSON` of each line.
fn expected(folder: &str, file: &str) -> Vec<String> {
    let text = fs::read_to_string(fixture(folder).join("expected").join(file)).expect("read");
    let json = |line: &str| {
        let (_, json) = line.split_once("\"toJSON\":").expect("toJSON");
        json.strip_suffix('}').expect("the line's end").to_owned()
    };
    text.lines().map(json).collect()
}

fn lines(run: &Run) -> Vec<&str> {
    run.out.lines().collect()
}

#[test]
fn ranges_are_printed_as_the_original_prints_them() {
    for folder in [
        "all-types",
        "all-types-uncompressed",
        "mid-rotation",
        "restart-after-power-failure",
        "rotated",
        "rotation-without-workers",
        "worker-only",
    ] {
        let mut whole = expected(folder, "range.jsonl");
        let printed = logdir("range", folder, &["--output", "json"]);
        assert_eq!(lines(&printed), whole, "{folder}");
        assert_eq!(printed.err, "", "{folder}");
        assert_eq!(printed.code, Some(i32::from(whole.is_empty())), "{folder}");
        // Programs that read a pipe get JSON without asking.
        let reversed = logdir("range", folder, &["--reverse", "--lazy"]);
        whole.reverse();
        assert_eq!(lines(&reversed), whole, "{folder}");
    }
    for folder in ["mid-rotation", "worker-only"] {
        let printed = logdir("range", folder, &["--immutable", "-o", "json"]);
        assert_eq!(lines(&printed), expected(folder, "range-immutable.jsonl"));
    }
}

#[test]
fn times_are_taken_in_every_form() {
    let whole = expected("rotated", "range.jsonl");
    let between = |from: u64, to: u64| -> Vec<&String> {
        let inside = |line: &&String| {
            let entry: Value = serde_json::from_str(line).expect("JSON");
            (from..=to).contains(&entry["timestamp"].as_u64().expect("a time"))
        };
        whole.iter().filter(inside).collect()
    };
    let second = between(1_714_780_980_000, 1_714_780_981_000);
    assert!(!second.is_empty());
    for (from, to) in [
        ("1714780980000", "1714780981000"),
        ("2024-05-04T00:03:00Z", "2024-05-04T00:03:01Z"),
        ("2024-05-04 00:03", "2024-05-04 00:03:01"),
    ] {
        for more in [&["--exhaustive"][..], &[]] {
            let arguments = [&["--from", from, "--to", to], more].concat();
            assert_eq!(
                lines(&logdir("range", "rotated", &arguments)),
                second,
                "{from}"
            );
        }
    }
    assert_eq!(logdir("range", "rotated", &["--from", "15m"]).code, Some(1));
    for (arguments, words) in [
        (
            ["--from", "9", "--to", "3"],
            "whose end is not before its beginning",
        ),
        (["--from", "-9", "--to", "3"], "not before 1970, found -9"),
        (
            ["--from", "noon", "--to", "3"],
            "expected a time such as 15m",
        ),
    ] {
        let refused = logdir("range", "rotated", &arguments);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    let missing = run(home().path(), &["logdir", "range", "/nowhere"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.err.contains("/nowhere is no directory"),
        "{}",
        missing.err
    );
}

#[test]
fn bulk_bytes_are_taken_apart_elsewhere() {
    let home = home();
    let logs = fixture("rotated/logs");
    let mut whole = expected("rotated", "range.jsonl");
    for reverse in [false, true] {
        let mut command = tailwater(home.path());
        command.args(["logdir", "bulk"]).arg(&logs);
        command.args(reverse.then_some("--reverse"));
        let bulk = command.output().expect("it ends").stdout;
        let mut parse = vec!["logdir", "parse"];
        parse.extend(reverse.then_some("--reverse"));
        let parsed = run_with_input(home.path(), &parse, &bulk);
        assert_eq!(lines(&parsed), whole);
        whole.reverse();
    }
    // Half a block at the end is left out; a damaged one is told.
    let stored = fs::read(logs.join("01714780800000.log")).expect("read");
    let cut = run_with_input(home.path(), &["logdir", "parse"], &stored[..5_000]);
    assert_eq!((cut.code, cut.err.as_str()), (Some(0), ""));
    let mut damaged = stored.clone();
    damaged[12_000] ^= 0x55;
    let damaged = run_with_input(home.path(), &["logdir", "parse"], &damaged);
    assert!(
        damaged.err.contains("1 damaged blocks were passed over"),
        "{}",
        damaged.err
    );
    assert!(lines(&damaged).len() > 400);
}

#[test]
fn a_directory_is_counted_and_its_damage_told() {
    let stat = logdir("stat", "rotated", &["-o", "json"]);
    let stat: Value = serde_json::from_str(&stat.out).expect("JSON");
    let summary = fs::read_to_string(fixture("rotated/expected/summary.json")).expect("read");
    let summary: Value = serde_json::from_str(&summary).expect("JSON");
    let original = &summary["modes"]["default"];
    assert_eq!(stat["entries"], original["entries"]);
    assert_eq!(stat["levels"], original["byLevel"]);
    assert_eq!(stat["types"], original["byType"]);
    assert_eq!(stat["workers"], original["byWorker"]);
    assert_eq!(stat["damaged"], 0);
    assert_eq!(stat["files"].as_array().map(Vec::len), Some(5));
    assert_eq!(stat["newest"], "2024-05-04T00:04:43.18Z");

    let dir = home();
    let stored = fs::read(fixture("rotated/logs/01714780800000.log")).expect("read");
    let mut damaged = stored.clone();
    damaged[12_000] ^= 0x55;
    fs::write(dir.path().join("01714780800000.log"), damaged).expect("written");
    let dir_name = dir.path().to_str().expect("text");
    let printed = run(dir.path(), &["logdir", "range", dir_name]);
    assert_eq!(printed.code, Some(0));
    assert!(lines(&printed).len() > 400);
    assert!(
        printed.err.contains("01714780800000.log: "),
        "{}",
        printed.err
    );
    assert!(printed.err.contains("passed over: "), "{}", printed.err);
    let text = run(dir.path(), &["logdir", "stat", dir_name]).out;
    assert!(text.contains("1  damaged places"), "{text}");
    let hidden = logdir("stat", "worker-only", &[]).out;
    assert!(hidden.contains(".log is hidden"), "{hidden}");
}

#[test]
fn queries_and_tails_ask_a_directory_as_any_log() {
    let home = home();
    let logs = fixture("rotated/logs");
    let logs = logs.to_str().expect("text");
    let fatal = run(home.path(), &["query", "level:fatal", logs, "-o", "json"]);
    let fatal: Vec<Value> = fatal
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(fatal.len(), 2);
    assert_eq!(fatal[0]["fields"]["type"], "UNCAUGHT_EXCEPTION");
    let pings = run(
        home.path(),
        &["query", "event:WORKER_PING", logs, "-n", "5"],
    );
    assert_eq!(lines(&pings).len(), 5);
    // What looks like one may be taken for something else, and what does not for one.
    let text = run(
        home.path(),
        &["query", "WORKER_SPAWNED", logs, "--as", "files"],
    );
    assert_eq!(text.code, Some(1), "{}", text.out);
    let empty = run(
        home.path(),
        &[
            "query",
            "",
            home.path().to_str().expect("text"),
            "--as",
            "logdir",
        ],
    );
    assert_eq!((empty.code, empty.err.as_str()), (Some(1), ""));
}

/// A cluster of one worker that writes what it is told.
struct Cluster {
    master: MasterLogger,
    worker: WorkerLogger,
}

impl Cluster {
    fn start(dir: &Path) -> Self {
        let options = LoggerOptions {
            output_delay: std::time::Duration::ZERO,
            ..LoggerOptions::default()
        };
        let file = dir.join(log_name(1_714_521_600_000));
        let master = MasterLogger::new(Some(&file), options.clone()).expect("opened");
        master.starting_up().expect("written");
        master.worker_spawned(1).expect("written");
        let worker = WorkerLogger::new(Some(&file), 1, options).expect("opened");
        worker.event(Lifecycle::WorkerOnline).expect("written");
        Self { master, worker }
    }

    fn serve(&self, url: &str, status: u32) {
        let mut request = self.worker.new_request();
        let address = [10, 0, 0, 7].into();
        request
            .request(address, (1, 1), "GET", url)
            .expect("written");
        request
            .log(LogLevel::Info, &format!("serving {url}"))
            .expect("written");
        request.response(status, None, false).expect("written");
        request.response_finished(None).expect("written");
    }
}

#[test]
fn the_explorer_opens_scrolls_filters_and_joins() {
    let home = home();
    let logs = fixture("rotated/logs");
    let mut screen = Screen::start_sized(home.path(), &[logs.to_str().expect("text")], 120, 60);
    screen.see("SHUTTING_DOWN_COMPLETED");
    screen.see("2,203 entries");
    // To the oldest entry and back.
    screen.keys("g");
    screen.wait("the oldest entry", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("00:00:00.000") && row.contains("STARTING_UP"))
    });
    for _ in 0..12 {
        screen.keys("\x1b[6~");
    }
    screen.see("GET /");
    screen.keys("G");
    screen.see("SHUTTING_DOWN_COMPLETED");
    // By level.
    screen.keys("5");
    screen.wait("errors only", |rows| {
        let shown = |word: &str| rows.iter().filter(|row| row.contains(word)).count();
        shown(" INFO ") == 0 && shown(" ERROR ") > 20
    });
    screen.keys("0");
    screen.see("SHUTTING_DOWN_COMPLETED");
    // By request: of one row, everything of its request, and what its response came to.
    screen.keys("E");
    screen.wait("an error is selected", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains(" ERROR "))
    });
    screen.keys("t");
    screen.wait("one request", |rows| {
        let rows: Vec<_> = rows.iter().filter(|row| row.contains("00:0")).collect();
        (3..12).contains(&rows.len()) && rows.iter().any(|row| row.contains("response finished"))
    });
    screen.keys("\r");
    for name in ["method", "url", "status", "duration"] {
        screen.wait(name, |rows| {
            rows.iter().any(|row| row.starts_with(&format!("│{name}")))
        });
    }
    screen.keys("qqq");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn the_explorer_follows_a_directory_that_is_written() {
    let (home, dir) = (home(), home());
    let cluster = Cluster::start(dir.path());
    cluster.serve("/first", 200);
    let logs = dir.path().to_str().expect("text");
    let mut screen = Screen::start(home.path(), &[logs]);
    screen.see("serving /first");
    cluster.serve("/second", 404);
    screen.see("response 404");
    // A new file is shown when the worker has begun to write to it.
    let next = dir.path().join(log_name(1_714_521_700_000));
    cluster.master.rotate(&next).expect("rotated");
    cluster.worker.rotate(&next).expect("rotated");
    cluster.serve("/third", 500);
    screen.see("serving /third");
    screen.see("response 500");
    screen.keys("q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn the_command_follows_a_directory_that_is_written() {
    let (home, dir) = (home(), home());
    let cluster = Cluster::start(dir.path());
    let logs = dir.path().to_str().expect("text");
    let tail = Tail::of(home.path(), &["logdir", "tail", logs, "--from", "0"]);
    let next = || wait_for("an entry", || tail.entry());
    for event in ["STARTING_UP", "WORKER_SPAWNED", "WORKER_ONLINE"] {
        assert_eq!(next()["event"], event);
    }
    cluster.serve("/late", 204);
    assert_eq!(next()["url"], "/late");
    assert_eq!(next()["data"], "serving /late");
    assert_eq!(next()["statusCode"], 204);
    assert_eq!(next()["type"], "RESPONSE_FINISHED");
}

#[test]
fn a_directory_behind_a_web_server_is_read_as_one_that_is_here() {
    let home = home();
    let web = Web::start(&fixture("rotated/logs"), true);
    let printed = run(home.path(), &["logdir", "range", &web.url]);
    assert_eq!(lines(&printed), expected("rotated", "range.jsonl"));
    let fatal = run(
        home.path(),
        &["query", "level:fatal", &web.url, "--as", "logdir"],
    );
    assert!(fatal.out.contains("uncaught exception"), "{}", fatal.err);
    // What lies beside the log files is nothing to it.
    let folder = self::home();
    for file in fs::read_dir(fixture("rotated/logs"))
        .expect("listed")
        .flatten()
    {
        fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    for other in [
        "01714780799999.log.gz",
        "x01714780799999.log",
        "01714780799999.log~",
    ] {
        fs::write(folder.path().join(other), "nothing").expect("written");
    }
    let beside = Web::start(folder.path(), true);
    let printed = run(home.path(), &["logdir", "range", &beside.url]);
    assert_eq!(
        lines(&printed),
        expected("rotated", "range.jsonl"),
        "{}",
        printed.err
    );
    let whole = Web::start(&fixture("rotated/logs"), false);
    let refused = run(home.path(), &["logdir", "range", &whole.url]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("a server that gives ranges of bytes"),
        "{}",
        refused.err
    );
}
