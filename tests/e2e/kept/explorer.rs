//! Streams and blobs in the explorer: tailed, browsed, viewed, saved.

use crate::support::{Screen, run};

use super::Stage;

#[test]
fn a_stream_is_tailed_in_its_colours() {
    let stage = Stage::new();
    let service = &stage.service;
    let path = "/api/v2/streams/ci/7/test";
    assert_eq!(service.post(path, "").status, 200);
    let push = |body: &str| service.ask("PUT", path, &[], body.to_owned()).status;
    let words = "\u{1b}[32mok\u{1b}[0m first test";
    let sent = serde_json::json!([
        {"out": format!("{words}\n"), "level": "info", "time": "2026-11-21T10:00:00Z"},
        // Later in the stream, earlier by its clock.
        {"out": "evil \u{1b}[2J \u{1b}]0;title\u{7}\n", "level": "error", "time": "2026-11-21T09:00:00Z"},
    ]);
    assert_eq!(push(&sent.to_string()), 200);
    let mut screen = Screen::start(stage.home.path(), &[&service.url]);
    screen.see("the log is empty");
    screen.keys("L");
    screen.see("ci/7/test");
    screen.see("1 open");
    screen.keys("\r");
    let rows = screen.wait("both lines in their order", |rows| {
        let at = |words: &str| rows.iter().position(|row| row.contains(words));
        at("ok first test").is_some() && at("ok first test") < at("evil")
    });
    assert!(rows[0].contains("▸ ci/7/test"), "{rows:?}");
    assert!(
        rows.iter().any(|row| row.contains("evil ␛[2J ␛]0;title␇")),
        "{rows:?}"
    );
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    assert!(raw.contains("\u{1b}[32mok"), "green");
    assert!(!raw.contains("\u{1b}]0;title"), "no log text is raw");
    // What comes is shown, and what narrows the log narrows it.
    let more = r#"{"out":"second test\n","level":"error"}"#;
    assert_eq!(push(more), 200);
    screen.see("second test");
    screen.keys("5");
    screen.wait("errors only", |rows| {
        !rows.iter().any(|row| row.contains("first test"))
    });
    screen.keys("0");
    assert_eq!(service.ask("DELETE", path, &[], "").status, 204);
    screen.see("WHOLE");
    screen.keys("q");
    screen.see("the log is empty");
}

#[test]
fn blobs_are_browsed_viewed_and_saved() {
    let stage = Stage::new();
    let service = &stage.service;
    let put = |key: &str, body: Vec<u8>| {
        let path = format!("/api/v2/blobs/{key}");
        assert_eq!(service.ask("PUT", &path, &[], body).status, 201);
    };
    let log = "2026-11-21T10:00:00Z ERROR disk full\nand more\n";
    put("ci/7/build", log.into());
    put("ci/7/core", vec![0; 64]);
    put("notes", b"words".to_vec());
    let mut screen = Screen::start(stage.home.path(), &[&service.url]);
    screen.see("the log is empty");
    screen.keys("B");
    let rows = screen.see("notes");
    assert!(rows.iter().any(|row| row.contains("ci/")), "{rows:?}");
    screen.keys("\r");
    screen.see("7/");
    screen.keys("\r");
    screen.see("core");
    screen.keys("\r");
    screen.see("disk full");
    screen.see("and more");
    screen.keys("\u{7f}");
    screen.see("the log is empty");
    // What is no text is saved.
    screen.keys("B");
    screen.see("core");
    screen.keys("j\r");
    screen.see("ci/7/core is no text");
    screen.keys("B");
    screen.see("build");
    screen.keys("js");
    screen.see("save as › core");
    let target = stage.home.path().join("saved");
    screen.keys(&format!("\u{15}{}\r", target.display()));
    screen.see("is saved as");
    assert_eq!(std::fs::read(&target).expect("saved"), vec![0; 64]);
    // What is there is not written over.
    screen.keys("s");
    screen.see("save as › core");
    screen.keys(&format!("\u{15}{}\r", target.display()));
    screen.see("cannot write");
}

#[test]
fn an_embedded_log_has_streams_and_blobs_too() {
    let home = tempfile::tempdir().expect("a home");
    let mut screen = Screen::start(home.path(), &[]);
    screen.see("the log is empty");
    screen.keys("L");
    screen.see("no stream is open");
    let pushed = run(home.path(), &["stream", "open", "ci/1"]);
    assert_eq!(pushed.code, Some(0), "{}", pushed.err);
    let pushed = run(home.path(), &["stream", "push", "ci/1", "a line of it"]);
    assert_eq!(pushed.code, Some(0), "{}", pushed.err);
    screen.see("1 open");
    screen.keys("\r");
    screen.see("a line of it");
    let closed = run(home.path(), &["stream", "close", "ci/1"]);
    assert_eq!(closed.code, Some(0), "{}", closed.err);
    screen.see("WHOLE");
    // Its blob shows the same lines.
    screen.keys("qB");
    screen.see("│ ci/");
    screen.keys("\r");
    screen.see("Blobs · ci");
    screen.see("│ 1 ");
    screen.keys("\r");
    screen.see("a line of it");
}
