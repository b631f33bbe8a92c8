//! The commands, as their users type them.

use std::io::Write;
use std::process::Stdio;

use crate::support::{run, run_with_input, tailwater, wait_for};

use super::Stage;

fn at<'a>(stage: &'a Stage, arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--server", &stage.service.url]].concat()
}

#[test]
fn the_commands_of_the_original_work() {
    let stage = Stage::new();
    let home = stage.home.path();
    let file = home.join("log.txt");
    std::fs::write(&file, "whole log\n").expect("written");
    let file = file.to_str().expect("a path");
    let ids = ["proj", "7", "build", "compile"];
    let cistream = |action: &str, more: &[&str]| {
        let arguments = [&["cistream", action], &ids[..], more].concat();
        run(home, &at(&stage, &arguments))
    };
    assert_eq!(cistream("push", &["early"]).code, Some(2));
    assert_eq!(cistream("open", &[]).code, Some(0));
    let push = cistream("push", &["echo hello", "--line", "3", "--timestamp", "17"]);
    assert_eq!(push.code, Some(0), "{}", push.err);
    let info = run(home, &at(&stage, &["cistream", "info"]));
    assert!(
        info.out
            .starts_with("default/default/proj/7/build/compile  1 lines"),
        "{}",
        info.out
    );
    assert_eq!(cistream("close", &[]).code, Some(0));
    let tail = cistream("tail", &[]);
    assert_eq!((tail.code, tail.out.as_str()), (Some(0), "echo hello\n"));
    let cistore = |action: &str, more: &[&str]| {
        let arguments = [&["cistore", action], &ids[..], more].concat();
        run(home, &at(&stage, &arguments))
    };
    let snapshot = cistore("download", &[]).out;
    assert_eq!(
        snapshot,
        "{\"pos\":3,\"out\":\"echo hello\\n\",\"time\":17}\n"
    );
    assert_eq!(cistore("upload", &[file]).code, Some(0));
    assert_eq!(cistore("download", &[]).out, "whole log\n");
    let link = cistore("download-link", &[]).out;
    let path = link
        .trim()
        .strip_prefix(&stage.service.url)
        .expect("of the service")
        .to_owned();
    assert_eq!(stage.service.get(&path).body, "whole log\n");
    assert!(cistore("upload-link", &[]).out.contains("signature="));
    let account = [
        "cistore",
        "download",
        "proj",
        "7",
        "build",
        "compile",
        "--account",
        "acme",
    ];
    let other = run(home, &at(&stage, &account));
    assert_eq!(other.code, Some(2));
    assert!(
        other.err.contains("there is no blob acme/default/proj"),
        "{}",
        other.err
    );
}

#[test]
fn what_a_program_prints_is_there_at_once() {
    let stage = Stage::new();
    let home = stage.home.path();
    let arguments = [
        "stream",
        "push",
        "my/build/1",
        "-",
        "--open",
        "--close",
        "--tee",
    ];
    let mut pushing = tailwater(home)
        .args(at(&stage, &arguments))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut input = pushing.stdin.take().expect("an input");
    let path = "/api/v2/streams/my/build/1?follow=false&format=text";
    for (line, all) in [
        ("compiling\n", "compiling\n"),
        ("don", "compiling\n"),
        ("e\n", "compiling\ndone\n"),
    ] {
        input.write_all(line.as_bytes()).expect("written");
        input.flush().expect("flushed");
        wait_for("the line is there", || {
            let (status, text) = stage.ask("GET", path, "");
            (status == 200 && text == all).then_some(())
        });
    }
    input.write_all(b"no end").expect("written");
    drop(input);
    let printed = pushing.wait_with_output().expect("ended");
    assert!(printed.status.success());
    assert_eq!(printed.stdout, b"compiling\ndone\nno end");
    let tail = run(
        home,
        &at(&stage, &["stream", "tail", "my/build/1", "-n", "2"]),
    );
    assert_eq!(tail.out, "done\nno end\n");
    assert!(
        stage
            .expect(200, "GET", "/api/v2/streams/my/build/1?info", "")
            .contains("closed")
    );
    let late = run_with_input(
        home,
        &at(&stage, &["stream", "push", "my/build/1"]),
        b"late\n",
    );
    assert_eq!(late.code, Some(2));
    assert!(late.err.contains("is closed"), "{}", late.err);
}

#[test]
fn a_tail_goes_on_over_a_restart() {
    let mut stage = Stage::new();
    stage.expect(200, "POST", "/api/v2/streams/s", "");
    stage.expect(200, "PUT", "/api/v2/streams/s", r#"["one","two"]"#);
    let url = stage.service.url.clone();
    let tailing = tailwater(stage.home.path())
        .args(["stream", "tail", "s", "--server", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    wait_for("it reads", || {
        let state = stage.expect(200, "GET", "/api/v2/streams/s?info", "");
        state.contains("\"subscribers\":1").then_some(())
    });
    stage.service.stop();
    stage.service.restart();
    stage.expect(200, "PUT", "/api/v2/streams/s", r#"["three"]"#);
    stage.expect(204, "DELETE", "/api/v2/streams/s", "");
    let printed = tailing.wait_with_output().expect("ended");
    assert_eq!(
        String::from_utf8_lossy(&printed.stdout),
        "one\ntwo\nthree\n"
    );
}

#[test]
fn blobs_by_their_keys() {
    let stage = Stage::new();
    let home = stage.home.path();
    let store = |arguments: &[&str], input: &[u8]| {
        let arguments = [&["store"], arguments].concat();
        run_with_input(home, &at(&stage, &arguments), input)
    };
    assert_eq!(store(&["upload", "a/b", "-"], b"from a pipe").code, Some(0));
    assert_eq!(
        store(&["upload", "a/c.json", "--only-new"], b"{}").code,
        Some(0)
    );
    let again = store(&["upload", "a/c.json", "--only-new"], b"{}");
    assert_eq!(again.code, Some(2));
    assert!(
        again.err.contains("there is a blob a/c.json already"),
        "{}",
        again.err
    );
    let listed = store(&["list", "a", "-o", "json"], b"");
    assert_eq!(listed.out.lines().count(), 2);
    assert!(store(&["list"], b"").out.contains("a/b"));
    let target = home.join("out.txt");
    let path = target.to_str().expect("a path");
    assert_eq!(store(&["download", "a/b", path], b"").code, Some(0));
    assert_eq!(std::fs::read(&target).expect("read"), b"from a pipe");
    assert_eq!(store(&["download", "a/none", path], b"").code, Some(2));
    assert_eq!(
        std::fs::read(&target).expect("read"),
        b"from a pipe",
        "left as it was"
    );
    let zip = home.join("a.zip");
    let path = zip.to_str().expect("a path");
    assert_eq!(store(&["zip", "a", path], b"").code, Some(0));
    assert_eq!(&std::fs::read(&zip).expect("read")[..2], b"PK");
    assert_eq!(
        store(&["delete", "a", "--prefix"], b"").err,
        "2 blobs were deleted\n"
    );
    assert_eq!(store(&["list"], b"").code, Some(1));
}

#[test]
fn without_a_service_it_is_said_where_one_was_looked_for() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("none");
    let refused = run(
        home.path(),
        &["stream", "info", "--data", data.to_str().expect("a path")],
    );
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("no service runs over"),
        "{}",
        refused.err
    );
}

#[test]
fn bytes_of_any_kind_come_back_as_they_were() {
    let stage = Stage::new();
    let home = stage.home.path();
    let long = "€".repeat(600_000);
    let input = [b"caf\xe9 \xff\n", long.as_bytes(), b"\n"].concat();
    let push = at(&stage, &["stream", "push", "odd", "-", "--open", "--close"]);
    let pushed = run_with_input(home, &push, &input);
    assert_eq!(pushed.code, Some(0), "{}", pushed.err);
    let tail = at(&stage, &["stream", "tail", "odd"]);
    let tail = tailwater(home).args(tail).output().expect("it ends");
    // A line that is too long is several lines, each of whole characters.
    let lines: Vec<&[u8]> = tail.stdout.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines[0], b"caf\xe9 \xff");
    assert!(lines.len() > 3, "{}", lines.len());
    assert_eq!(lines[1..].concat(), long.as_bytes());
}
