//! The command line beside the explorer.

use std::process::Stdio;

use crate::support::{Screen, Service, run, run_with_input, tailwater};

const LINES: &str = "2026-03-14 09:00:00 INFO started\n2026-03-14 09:00:01 ERROR boom \u{1b}[31mred\n  at frame one\n  at frame two\n2026-03-14 09:00:02 WARN slow\n";

#[test]
fn files_are_queried_where_they_are_named() {
    let home = tempfile::tempdir().expect("a home");
    let file = home.path().join("app.log");
    std::fs::write(&file, LINES).expect("written");
    let file = file.to_str().expect("a path");
    let all = run(home.path(), &["query", "", file, "--output", "json"]);
    assert_eq!(
        (all.code, all.out.lines().count()),
        (Some(0), 3),
        "{}",
        all.err
    );
    let error = run(home.path(), &["query", "level>=error", file]);
    // Not a terminal: the bytes are exact, the escape too.
    assert!(
        error
            .out
            .contains("boom \u{1b}[31mred\n  at frame one\n  at frame two"),
        "{}",
        error.out
    );
    let logfmt = run(home.path(), &["query", "slow", file, "-o", "logfmt"]);
    assert!(
        logfmt
            .out
            .starts_with("time=2026-03-14T09:00:02Z level=warn namespace=default msg=slow"),
        "{}",
        logfmt.out
    );
    let limited = run(home.path(), &["query", "", file, "-n", "1"]);
    assert!(limited.out.contains("slow") && limited.out.lines().count() == 1);
    let piped = run_with_input(home.path(), &["query", "boom", "-"], LINES.as_bytes());
    assert_eq!(
        (piped.code, piped.out.contains("boom")),
        (Some(0), true),
        "{}",
        piped.err
    );
}

#[test]
fn the_last_line_counts_without_a_newline_and_without_a_time() {
    let home = tempfile::tempdir().expect("a home");
    let file = home.path().join("app.log");
    for text in [
        "only line",
        "one\ntwo\nthree\n",
        "2026-03-14 09:00:00 INFO a\n2026-03-14 09:00:01 INFO b",
    ] {
        std::fs::write(&file, text).expect("written");
        let all = run(home.path(), &["query", "", file.to_str().expect("a path")]);
        assert_eq!(
            all.out.lines().count(),
            text.lines().count(),
            "{text:?}: {}",
            all.out
        );
    }
}

#[test]
fn verdicts_are_exit_codes() {
    let home = tempfile::tempdir().expect("a home");
    let file = home.path().join("app.log");
    std::fs::write(&file, LINES).expect("written");
    let file = file.to_str().expect("a path");
    assert_eq!(run(home.path(), &["query", "absent", file]).code, Some(1));
    let wrong = run(home.path(), &["query", "level>=loud", file]);
    assert_eq!(wrong.code, Some(2));
    let wanted = "tailwater: the query is not understood at byte 7: expected a level (trace, debug, info, warn, error, fatal), found `loud`\n  level>=loud\n         ^\n";
    assert_eq!(wrong.err, wanted);
    let missing = run(home.path(), &["query", "x", "/no/such/file"]);
    assert_eq!(missing.code, Some(2));
    assert!(
        missing.err.contains("/no/such/file") && missing.err.contains("No such file"),
        "{}",
        missing.err
    );
    let unreachable = run(home.path(), &["query", "x", "--url", "http://127.0.0.1:9"]);
    assert_eq!(unreachable.code, Some(2));
    assert!(
        unreachable.err.contains("cannot reach http://127.0.0.1:9"),
        "{}",
        unreachable.err
    );
    let no_terminal = run(home.path(), &[file]);
    assert_eq!(no_terminal.code, Some(2));
    assert!(
        no_terminal.err.contains("tailwater query"),
        "{}",
        no_terminal.err
    );
    let open = run(home.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(
        (open.code, open.err.contains("--no-auth")),
        (Some(2), true),
        "{}",
        open.err
    );
    assert_eq!(run(home.path(), &["--no-such-flag"]).code, Some(2));
    assert_eq!(run(home.path(), &["--help"]).code, Some(0));
}

#[test]
fn ingest_and_query_meet_in_the_embedded_log() {
    let home = tempfile::tempdir().expect("a home");
    let ingest = run_with_input(
        home.path(),
        &["ingest", "--namespace", "app"],
        LINES.as_bytes(),
    );
    assert_eq!(
        (ingest.code, ingest.err.trim()),
        (Some(0), "3 entries accepted")
    );
    let query = run(home.path(), &["query", "ns:app", "-o", "json"]);
    assert_eq!(query.out.lines().count(), 3, "{}", query.err);
    assert_eq!(
        run(home.path(), &["query", "", "--namespace", "other"]).code,
        Some(1)
    );
}

#[test]
fn a_second_process_goes_through_the_owner() {
    let home = tempfile::tempdir().expect("a home");
    let mut service = Service::start(home.path());
    let data = service.data.to_str().expect("a path").to_owned();
    let ingest = run_with_input(
        home.path(),
        &["--data", &data, "ingest"],
        b"{\"msg\":\"through the owner\"}\n",
    );
    assert_eq!(
        (ingest.code, ingest.err.trim()),
        (Some(0), "1 entries accepted")
    );
    assert!(
        service
            .get("/api/v2/logs")
            .body
            .contains("through the owner")
    );
    let query = run(home.path(), &["--data", &data, "query", "owner"]);
    assert!(query.out.contains("through the owner"), "{}", query.err);
    let mut screen = Screen::start(home.path(), &["--data", &data]);
    screen.see("through the owner");
    let second = run(
        home.path(),
        &["--data", &data, "serve", "--listen", "127.0.0.1:0"],
    );
    assert_eq!(second.code, Some(2));
    assert!(
        second.err.contains("in use by another process"),
        "{}",
        second.err
    );
    screen.keys("q");
    assert_eq!(screen.ended(), 0);
    assert!(service.stop().success());
    // The owner is gone: the directory is free.
    assert_eq!(
        run(home.path(), &["--data", &data, "query", "owner"]).code,
        Some(0)
    );
}

#[test]
fn a_closed_pipe_is_quiet() {
    let home = tempfile::tempdir().expect("a home");
    let lines: String = (0..50_000)
        .map(|n| format!("2026-03-14 09:00:00 INFO line {n}\n"))
        .collect();
    let file = home.path().join("big.log");
    std::fs::write(&file, lines).expect("written");
    let mut child = tailwater(home.path())
        .args(["query", "", "-n", "50000", file.to_str().expect("a path")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn tail_prints_what_arrives() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    assert_eq!(
        service
            .post("/api/v2/logs", "{\"msg\":\"before\"}\n")
            .status,
        202
    );
    let mut child = tailwater(home.path())
        .args(["tail", "--url", &service.url, "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("an output"));
    let mut line = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).expect("a line");
        line
    };
    assert!(line().contains("before"));
    assert_eq!(
        service.post("/api/v2/logs", "{\"msg\":\"after\"}\n").status,
        202
    );
    assert!(line().contains("after"));
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[test]
fn settings_and_completions_are_printed() {
    let home = tempfile::tempdir().expect("a home");
    let config = home.path().join("c.toml");
    std::fs::write(&config, "namespace = \"pay\"\n[explorer]\nmouse = false\n").expect("written");
    let shown = run(
        home.path(),
        &[
            "--config",
            config.to_str().expect("a path"),
            "--data",
            "/d",
            "--token",
            "hush",
            "config",
            "show",
        ],
    );
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    for part in [
        "data = \"/d\"",
        "namespace = \"pay\"",
        "mouse = false",
        "listen = \"127.0.0.1:7420\"",
        "# lines are those of ",
        "mouse = false  # line",
    ] {
        assert!(
            shown.out.contains(part),
            "{part} is missing:\n{}",
            shown.out
        );
    }
    assert!(!shown.out.contains("hush"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            run(home.path(), &["completions", shell])
                .out
                .contains("tailwater"),
            "{shell}"
        );
    }
    assert!(run(home.path(), &["keys"]).out.contains("`ctrl-d`"));
}

#[test]
fn the_reference_of_the_configuration_is_up_to_date() {
    let home = tempfile::tempdir().expect("a home");
    let printed = run(home.path(), &["config", "reference"]).out;
    let kept = include_str!("../../assets/configuration.md");
    assert!(
        printed == kept,
        "write it again: tailwater config reference > assets/configuration.md"
    );
    for key in [
        "listen",
        "otlp_grpc",
        "tls_client_ca",
        "durability",
        "mouse",
        "bytes",
    ] {
        assert!(printed.contains(&format!("| `{key}` |")), "{key}");
    }
}

#[test]
fn the_doctor_tells_what_is_wrong() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let data = service.data.to_str().expect("a path").to_owned();
    let address = service.url.trim_start_matches("http://").to_owned();
    let made = std::cell::Cell::new(0);
    let config = |text: &str| {
        made.set(made.get() + 1);
        let path = home.path().join(format!("{}.toml", made.get()));
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let doctor = |config: &str, data: &str| {
        let asked = [
            "doctor", "--config", config, "--data", data, "--output", "json",
        ];
        let run = run(home.path(), &asked);
        let told: serde_json::Value = serde_json::from_str(&run.out).expect(&run.err);
        let bad: Vec<String> = told["data"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|of| of["mark"] == "bad")
            .map(|of| format!("{}: {}", of["about"], of["says"]))
            .collect();
        (run.code, bad.join("; "))
    };
    let well = doctor(
        &config(&format!(
            "url = \"{}\"\n[serve]\nlisten = \"{address}\"\n",
            service.url
        )),
        &data,
    );
    assert_eq!(well, (Some(0), String::new()));
    let other = home.path().join("other");
    let other = other.to_str().expect("a path");
    let taken = config(&format!("[serve]\nlisten = \"{address}\"\n"));
    for (config, data, part) in [
        (taken, other, "in use"),
        (
            config("[serve]\nlisten = \"127.0.0.1:0\"\nauth = \"always\"\n"),
            other,
            "token create",
        ),
        (
            config(
                "[serve]\nlisten = \"127.0.0.1:0\"\ntls_cert = \"/none\"\ntls_key = \"/none\"\n",
            ),
            other,
            "TLS",
        ),
        (
            config("[serve]\nlisten = \"127.0.0.1:0\"\n"),
            "/proc/1",
            "cannot be written",
        ),
        (
            config("[streams.redis]\nurl = \"redis://127.0.0.1:1\"\n"),
            other,
            "Redis: ",
        ),
        (
            config("[blobs.s3]\nbucket = \"logs\"\nendpoint = \"http://127.0.0.1:1\"\n"),
            other,
            "the bucket logs: ",
        ),
    ] {
        let (code, bad) = doctor(&config, data);
        assert_eq!(code, Some(1), "{part}: {bad}");
        assert!(bad.contains(part), "{part}: {bad}");
    }
}
