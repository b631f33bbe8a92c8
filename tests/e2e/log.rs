//! The embedded log's files: read by others, looked after by `tailwater log`, carried off and explored elsewhere.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Lines, Screen, Service, python, run};

/// A data directory with 6,001 sealed entries.
fn sealed(home: &Path) -> PathBuf {
    let mut service = Service::start(home);
    let extra =
        r#"{"msg":"with fields","namespace":"odd","status":502,"path":"/v1","user":{"id":"U7"}}"#;
    // All at once: what comes long after the rest is not enough to be sealed.
    let body = Lines { count: 6_000 }.body(0..6_000) + extra;
    assert_eq!(service.post("/api/v2/logs", body).json()["accepted"], 6_001);
    assert!(service.stop().success());
    service.data.clone()
}

fn segments(data: &Path) -> Vec<PathBuf> {
    let items = std::fs::read_dir(data.join("log")).expect("listed");
    let paths = items.map(|item| item.expect("an item").path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "parquet")
        })
        .collect()
}

/// What an independent reader of Parquet, `DuckDB`, answers; `tests/run` installs it.
fn duckdb(sql: &str) -> Vec<Value> {
    let script = "import duckdb, json, sys; print(json.dumps(duckdb.sql(sys.argv[1]).fetchall(), default=str))";
    serde_json::from_str(&python(&["-c", script, sql])).expect("JSON")
}

#[test]
fn others_read_our_segments() {
    let home = tempfile::tempdir().expect("a home");
    let data = sealed(home.path());
    let files = format!("{}/log/segment-*.parquet", data.display());
    let readme = include_str!("../../README.md");
    let query = readme
        .split("```sql\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the README has a query");
    let query = query.replace("DIR/log/segment-*.parquet", &files);
    let rows = duckdb(&query);
    assert!(
        rows.iter()
            .any(|row| row[0] == "odd" && row[1] == "INFO" && row[2] == 1),
        "{rows:?}"
    );
    let counted: u64 = rows.iter().filter_map(|row| row[2].as_u64()).sum();
    assert_eq!(counted, 6_001);
    let rows = duckdb(&format!(
        "SELECT text, fields, epoch_ns(time) > 0, position FROM read_parquet('{files}', union_by_name = true) WHERE namespace = 'odd'"
    ));
    assert_eq!(rows[0][0], "with fields");
    assert_eq!(
        rows[0][1],
        r#"{"status":502,"path":"/v1","user":{"id":"U7"}}"#
    );
    assert_eq!(
        (&rows[0][2], &rows[0][3]),
        (&Value::Bool(true), &Value::from(6_001))
    );
    let unsorted = duckdb(&format!(
        "SELECT count(*) FROM (SELECT time, lag(time) OVER () AS before FROM '{files}') WHERE time < before"
    ));
    assert_eq!(unsorted[0][0], 0, "rows are sorted by time");
}

#[test]
fn the_log_is_listed_verified_and_exported() {
    let home = tempfile::tempdir().expect("a home");
    let data = sealed(home.path());
    let dir = data.to_str().expect("a path");
    let stat = run(
        home.path(),
        &["log", "stat", "--data", dir, "--output", "json"],
    );
    let stat: Value = serde_json::from_str(&stat.out).expect("JSON");
    assert_eq!(stat["head"], 6_001);
    assert_eq!(stat["segments"].as_array().map(Vec::len), Some(1));
    let table = run(home.path(), &["log", "stat", dir]);
    assert!(
        table.out.contains("6,001") && table.code == Some(0),
        "{}{}",
        table.out,
        table.err
    );
    let verified = run(home.path(), &["log", "verify", dir]);
    assert_eq!(
        (
            verified.code,
            verified.out.contains("6,001 entries are whole")
        ),
        (Some(0), true),
        "{}",
        verified.out
    );

    let lines = run(
        home.path(),
        &[
            "log", "export", "--ndjson", "--query", "ns:odd", "--from", dir,
        ],
    );
    let line: Value = serde_json::from_str(&lines.out).expect("one line of JSON");
    assert_eq!(
        (&line["id"], &line["fields"]["user"]["id"]),
        (&Value::from(6_001), &Value::from("U7"))
    );
    let file = home.path().join("errors.parquet");
    let file = file.to_str().expect("a path");
    let exported = run(
        home.path(),
        &[
            "log",
            "export",
            "--parquet",
            file,
            "--query",
            "level>=error",
            "--data",
            dir,
        ],
    );
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let counted = run(
        home.path(),
        &["query", "level>=error", dir, "--limit", "100000"],
    );
    let rows = duckdb(&format!(
        "SELECT count(*), count(DISTINCT position) FROM '{file}' WHERE level IN ('ERROR', 'FATAL')"
    ));
    assert_eq!(
        rows[0][0].as_u64(),
        Some(counted.out.lines().count() as u64)
    );
    assert_eq!(rows[0][0], rows[0][1]);
    let none = run(
        home.path(),
        &[
            "log",
            "export",
            "--ndjson",
            "--query",
            "nosuchword",
            "--data",
            dir,
        ],
    );
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""));
    let neither = run(home.path(), &["log", "export", "--data", dir]);
    assert_eq!(neither.code, Some(2));

    let segment = segments(&data).remove(0);
    let mut bytes = std::fs::read(&segment).expect("read");
    let middle = bytes.len() / 3;
    bytes[middle] ^= 4;
    std::fs::write(&segment, bytes).expect("written");
    let damaged = run(home.path(), &["log", "verify", dir]);
    assert_eq!(damaged.code, Some(2), "{}", damaged.out);
    assert!(damaged.out.contains("damaged at byte"), "{}", damaged.out);
}

#[test]
fn small_segments_are_merged_on_demand() {
    let home = tempfile::tempdir().expect("a home");
    let mut data = PathBuf::new();
    for _ in 0..3 {
        data = sealed(home.path());
    }
    assert_eq!(segments(&data).len(), 3);
    let dir = data.to_str().expect("a path");
    let compacted = run(home.path(), &["log", "compact", "--data", dir]);
    assert!(
        compacted.out.contains("3 segments before, 1 now"),
        "{}{}",
        compacted.out,
        compacted.err
    );
    assert_eq!(segments(&data).len(), 1);
    let verified = run(home.path(), &["log", "verify", dir]);
    assert!(
        verified.out.contains("18,003 entries are whole"),
        "{}",
        verified.out
    );
    let service = Service::start(home.path());
    let busy = run(home.path(), &["log", "compact", "--data", dir]);
    assert_eq!(
        (busy.code, busy.err.contains("in use by another process")),
        (Some(2), true),
        "{}",
        busy.err
    );
    // Reading asks nobody: what was just acknowledged is in the write-ahead log.
    let late = r#"{"msg":"just arrived","namespace":"late"}"#;
    assert_eq!(service.post("/api/v2/logs", late).json()["accepted"], 1);
    let export = [
        "log", "export", "--ndjson", "--query", "ns:late", "--from", dir,
    ];
    let read = run(home.path(), &export);
    assert!(
        read.out.contains("just arrived"),
        "{}{}",
        read.out,
        read.err
    );
    let verified = run(home.path(), &["log", "verify", dir]);
    assert_eq!(verified.code, Some(0), "{}{}", verified.out, verified.err);
    drop(service);
}

#[test]
fn segments_that_were_carried_off_are_explored_and_left_as_they_are() {
    let home = tempfile::tempdir().expect("a home");
    let data = sealed(home.path());
    let away = home.path().join("incident");
    std::fs::create_dir(&away).expect("created");
    for path in segments(&data) {
        std::fs::copy(&path, away.join(path.file_name().expect("a name"))).expect("copied");
    }
    let listing = |dir: &Path| {
        let items = std::fs::read_dir(dir).expect("listed");
        let mut names: Vec<_> = items
            .map(|item| item.expect("an item").file_name())
            .collect();
        names.sort();
        names
    };
    let before = (listing(&away), listing(&data), listing(&data.join("log")));
    for dir in [&away, &data] {
        let dir = dir.to_str().expect("a path");
        let found = run(home.path(), &["query", "ns:odd", dir, "--output", "json"]);
        assert!(
            found.out.contains("with fields"),
            "{}{}",
            found.out,
            found.err
        );
        let mut screen = Screen::start(home.path(), &[dir, "--query", "ns:odd"]);
        screen.see("with fields");
        screen.keys("q");
        assert_eq!(screen.ended(), 0);
    }
    assert_eq!(
        (listing(&away), listing(&data), listing(&data.join("log"))),
        before
    );
}
