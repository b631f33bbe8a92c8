//! What an engineer does beside looking: several logs at once, other programs, scripts, watches, a slow link.

use std::time::Duration;

use crate::support::{Screen, Service, run, wait_for};

/// A file of lines that a story needs.
fn written(dir: &std::path::Path, name: &str, lines: &[&str]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, lines.join("\n") + "\n").expect("written");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn files_and_a_service_are_read_as_one_and_one_that_fails_stops_nobody() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let body = r#"{"time":"2026-03-14T09:00:01.5Z","msg":"said by the service"}"#;
    assert_eq!(service.post("/api/v2/logs", body.to_owned()).status, 202);
    let lines = [
        "2026-03-14T09:00:01Z INFO first of the file",
        "2026-03-14T09:00:02Z INFO last of the file",
    ];
    let file = written(home.path(), "a.log", &lines);
    let gone = "http://127.0.0.1:1";
    let mut screen = Screen::start(home.path(), &[&service.url, &file, gone]);
    screen.see("last of the file");
    let rows = screen.see("said by the service");
    let place = |text: &str| rows.iter().position(|row| row.contains(text));
    assert!(
        place("first of the file") < place("said by the service"),
        "{rows:?}"
    );
    assert!(
        place("said by the service") < place("last of the file"),
        "{rows:?}"
    );
    screen.see("without http://127.0.0.1:1");
    // A clock that is wrong is corrected: the file comes later by then.
    screen.keys("%");
    screen.see("3 logs, merged by time");
    let rows = screen.rows();
    let of_file = rows
        .iter()
        .rposition(|row| row.contains("a.log"))
        .expect("the file");
    let heading = rows
        .iter()
        .position(|row| row.contains("NEWEST"))
        .expect("a heading");
    let first = heading + 1;
    screen.keys(&"j".repeat(of_file - first));
    screen.keys("\r");
    screen.see("add to its times");
    screen.keys("\x15-1500ms\r");
    screen.wait("the service's line last", |rows| {
        let place = |text: &str| rows.iter().position(|row| row.contains(text));
        place("last of the file").is_some()
            && place("last of the file") < place("said by the service")
    });
    // What arrives at one of them arrives here.
    let body = r#"{"time":"2026-03-14T09:00:03Z","msg":"said later"}"#;
    assert_eq!(service.post("/api/v2/logs", body.to_owned()).status, 202);
    screen.keys("G");
    screen.see("said later");
}

#[test]
fn a_script_prints_screens_and_a_record_can_be_played() {
    let home = tempfile::tempdir().expect("a home");
    let file = written(
        home.path(),
        "a.log",
        &[
            "2026-03-14T09:00:01Z ERROR boom",
            "2026-03-14T09:00:02Z INFO fine",
        ],
    );
    let script = written(
        home.path(),
        "a.script",
        &[
            "size 90x20",
            "wait fine",
            "keys 5",
            "wait boom",
            "screen only errors",
            "keys 0 &",
            "type fine",
            "keys enter",
            "screen only fine",
        ],
    );
    let played = run(home.path(), &["explore", &file, "--script", &script]);
    assert_eq!(played.code, Some(0), "{}", played.err);
    let screens: Vec<&str> = played.out.split("── ").collect();
    assert!(
        screens[1].starts_with("only errors") && screens[1].contains("boom"),
        "{}",
        screens[1]
    );
    assert!(!screens[1].contains("fine"), "{}", screens[1]);
    assert!(
        screens[2].contains("fine") && !screens[2].contains("boom"),
        "{}",
        screens[2]
    );
    let wrong = written(home.path(), "wrong.script", &["size 90x20", "wait never"]);
    std::fs::write(&wrong, "keys hyper-x\n").expect("written");
    let refused = run(home.path(), &["explore", &file, "--script", &wrong]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("line 1: expected keys"),
        "{}",
        refused.err
    );
    // A run is recorded as a script.
    let record = home.path().join("run.script");
    let record = record.to_str().expect("a path");
    let mut screen = Screen::start(home.path(), &[&file, "--record", record]);
    screen.see("fine");
    screen.keys("5");
    screen.wait("errors only", |rows| {
        !rows.iter().any(|row| row.contains("fine"))
    });
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    let recorded = std::fs::read_to_string(record).expect("a record");
    assert!(
        recorded.contains("size 120x40\n") && recorded.contains("keys 5\n"),
        "{recorded}"
    );
    let played = run(home.path(), &["explore", &file, "--script", record]);
    assert_eq!(played.code, Some(0), "{}", played.err);
}

#[test]
fn one_returns_to_where_one_was_unless_one_begins_afresh() {
    let home = tempfile::tempdir().expect("a home");
    let lines: Vec<String> = (0..50)
        .map(|n| {
            format!(
                "2026-03-14T09:00:{n:02}Z {} line {n} of fifty",
                if n == 20 { "ERROR" } else { "INFO" }
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let file = written(home.path(), "a.log", &lines);
    let mut screen = Screen::start(home.path(), &[&file]);
    screen.see("line 49 of fifty");
    screen.keys("E&of fifty\r");
    screen.wait("the error, selected", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("line 20 "))
    });
    screen.keys("Atwenty > 3 in 5m\r");
    screen.see("saved as twenty");
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    let screen = Screen::start(home.path(), &[&file]);
    screen.see("where you were");
    screen.wait("the same row", |rows| {
        rows[0].contains("of fifty")
            && screen
                .selected()
                .is_some_and(|(_, row)| row.contains("line 20 "))
    });
    drop(screen);
    let mut screen = Screen::start(home.path(), &["--fresh", &file]);
    screen.wait("the newest row", |rows| {
        !rows[0].contains("of fifty")
            && screen
                .selected()
                .is_some_and(|(_, row)| row.contains("line 49 "))
    });
    screen.keys("K");
    screen.see("> 3 in 5m");
}

#[test]
fn other_programs_have_the_terminal_and_give_it_back() {
    let home = tempfile::tempdir().expect("a home");
    let file = written(
        home.path(),
        "a.log",
        &["2026-03-14T09:00:01Z INFO hostile \x1b]52;c;x\x07 text"],
    );
    let pager =
        "sh -c 'cat \"$1\"; echo shown; read answer; echo \"$answer\" > $HOME/answer' pager";
    let mut screen = Screen::start_in(home.path(), &[&file], (100, 20), &[("PAGER", pager)]);
    screen.see("hostile");
    screen.keys("|");
    screen.wait("the pager", |rows| {
        rows.iter().any(|row| row.trim() == "shown")
    });
    assert!(screen.is_cooked(), "the pager has the terminal");
    screen.keys("jjj\n");
    wait_for("the pager's answer", || {
        std::fs::read_to_string(home.path().join("answer"))
            .ok()
            .filter(|text| text.ends_with('\n'))
    });
    let answer = std::fs::read_to_string(home.path().join("answer")).expect("an answer");
    assert_eq!(answer, "jjj\n", "keys went to the pager alone");
    screen.see("hostile");
    assert!(
        !screen.raw().windows(4).any(|bytes| bytes == b"\x1b]52"),
        "nothing raw reached the terminal"
    );
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    let mut screen = Screen::start_in(
        home.path(),
        &["--read-only", &file],
        (100, 20),
        &[("PAGER", pager)],
    );
    screen.see("hostile");
    for key in ["|", "M", ">a.ndjson\r", "y"] {
        screen.keys(key);
        screen.see("this screen is read-only");
        screen.keys("\x0c");
    }
    assert!(!home.path().join("a.ndjson").exists());
}

#[test]
fn the_screen_is_told_in_lines_for_who_cannot_see_it() {
    let home = tempfile::tempdir().expect("a home");
    let file = written(
        home.path(),
        "a.log",
        &[
            "2026-03-14T09:00:01Z ERROR boom \x1b[31m",
            "2026-03-14T09:00:02Z INFO fine",
        ],
    );
    let mut screen = Screen::start(home.path(), &["--plain", &file]);
    screen.see("INFO default fine");
    screen.keys("k");
    screen.see("held: space follows again");
    screen.keys("?");
    screen.see("leave the program");
    screen.keys("\x1b");
    screen.see("back in the log");
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert!(
        !raw.contains("\x1b[?1049h") && !raw.contains('│') && !raw.contains('╭'),
        "{raw}"
    );
    assert!(
        !raw.contains("\x1b[31m") && raw.contains("boom ␛[31m"),
        "{raw}"
    );
    assert!(screen.is_cooked() && screen.is_restored());
}

#[test]
fn a_watch_rings_once_when_there_is_more_than_there_should_be() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let post = |count: usize| {
        let body = r#"{"level":"ERROR","msg":"declined"}"#.to_owned() + "\n";
        assert_eq!(service.post("/api/v2/logs", body.repeat(count)).status, 202);
    };
    post(1);
    let config = written(
        home.path(),
        "c.toml",
        &[
            "[explorer.queries]",
            "declines = { query = 'declined', more_than = 5, within = '60s' }",
        ],
    );
    let mut screen = Screen::start(home.path(), &["--config", &config, &service.url]);
    screen.see("declined");
    post(20);
    screen.see("⚑ declines: 21");
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert_eq!(raw.matches("\x1b]9;").count(), 1, "told once");
    assert!(
        raw.contains('\x07') && raw.contains("]777;notify;tailwater;declines"),
        "{raw}"
    );
    screen.keys("K");
    screen.see("> 5 in 1m");
}

#[test]
fn the_round_trip_is_the_clock_of_the_frames() {
    let home = tempfile::tempdir().expect("a home");
    let arguments = ["demo", "--rate", "2000", "--backlog", "2000"];
    let mut screen = Screen::start_sized(home.path(), &arguments, 160, 40);
    screen.answer_after(Duration::from_millis(300));
    screen.see("LIVE");
    // A machine under load replies later, never sooner.
    screen.wait("the round trip", |rows| {
        let told = rows.iter().filter_map(|row| row.split_once("link "));
        let mut told = told.filter_map(|(_, told)| told.split(' ').next()?.parse::<u64>().ok());
        told.any(|milliseconds| milliseconds >= 300)
    });
    wait_for("some frames", || {
        Some(screen.link()).filter(|link| link.replies >= 8)
    });
    screen.keys("k");
    screen.see("HELD");
    // Neither under the flood nor for a key is anything drawn while more than a row or two is on its way.
    assert!(screen.link().most_before <= 1_500, "{:?}", screen.link());
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    wait_for("every reply", || {
        Some(screen.link()).filter(|link| link.replies == link.requests)
    });
}

#[test]
fn what_a_dead_service_has_not_delivered_is_seen_beside_its_log() {
    let home = tempfile::tempdir().expect("a home");
    let lines = [
        "[[pipelines]]",
        "name = 'in'",
        "[[pipelines.sources]]",
        "type = 'http'",
        "[[pipelines.sinks]]",
        "type = 'http_client'",
        "url = 'http://127.0.0.1:1/in'",
    ];
    let config = written(home.path(), "c.toml", &lines);
    let mut service = Service::start_with(home.path(), "127.0.0.1:0", &["--config", &config]);
    let safe = r#"{"time":"2026-03-14T09:00:02Z","msg":"safe in the log"}"#;
    assert_eq!(service.post("/api/v2/logs", safe.to_owned()).status, 202);
    let waits = r#"{"time":"2026-03-14T09:00:01Z","msg":"never delivered"}"#;
    assert_eq!(service.post("/in/ingest", waits.to_owned()).status, 202);
    service.kill();
    let data = home.path().join("data");
    let screen = Screen::start(home.path(), &[data.to_str().expect("a path")]);
    screen.see("safe in the log");
    let rows = screen.see("never delivered");
    assert!(
        rows[0].contains("undelivered: in to http_client"),
        "{rows:?}"
    );
}
