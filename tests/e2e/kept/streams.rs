//! The native routes of live streams.

use crate::support::{Events, wait_for};

use super::{Stage, files_below, lines, numbers};

const PATH: &str = "/api/v2/streams/acme/build/1";

#[test]
fn a_stream_lives_and_is_a_blob_afterwards() {
    let stage = Stage::new();
    stage.expect(404, "PUT", PATH, &lines(1..=1));
    let opened = stage.expect(200, "POST", PATH, "");
    assert!(
        opened.contains("\"state\":\"open\"") && opened.contains("\"last\":0"),
        "{opened}"
    );
    let events = stage.follow(PATH);
    assert_eq!(events.status, 200);
    let pushed = stage.expect(200, "PUT", PATH, &lines(1..=3));
    assert_eq!(
        pushed,
        "{\"accepted\":3,\"first\":1,\"last\":3,\"repeated\":false}"
    );
    let event = events.next();
    assert_eq!(event.id, "1");
    assert_eq!(event.data, "{\"pos\":1,\"out\":\"line 1\\n\",\"time\":1}");
    // Opening it again wipes nothing, and who reads it reads on.
    assert!(stage.expect(200, "POST", PATH, "").contains("\"last\":3"));
    stage.expect(200, "PUT", PATH, &lines(4..=5));
    stage.expect(204, "DELETE", PATH, "");
    let (seen, end) = numbers(&events);
    assert_eq!(seen, [2, 3, 4, 5]);
    assert_eq!(end, "{\"reason\":\"closed\",\"last\":5}");
    stage.expect(409, "PUT", PATH, &lines(6..=6));
    stage.expect(409, "POST", PATH, "");
    stage.expect(404, "DELETE", PATH, "");
    let (again, _) = numbers(&stage.follow(PATH));
    assert_eq!(again, [1, 2, 3, 4, 5]);
    let blob = stage.expect(200, "GET", "/api/v2/blobs/acme/build/1", "");
    assert_eq!(blob.lines().count(), 5);
    assert!(
        stage
            .expect(200, "GET", &format!("{PATH}?info"), "")
            .contains("\"state\":\"closed\"")
    );
    let anew = stage.expect(200, "POST", &format!("{PATH}?restart=true"), "");
    assert!(anew.contains("\"first\":6"), "{anew}");
}

#[test]
fn lines_are_taken_in_every_form_and_read_in_every_form() {
    let stage = Stage::new();
    stage.expect(200, "POST", PATH, "");
    let push = |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        let reply = stage.service.ask("PUT", PATH, &headers, body.to_owned());
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["accepted"].as_u64().expect("a count")
    };
    assert_eq!(
        push(
            "application/json",
            "{\"out\":\"one\\n\",\"level\":\"info\"}"
        ),
        1
    );
    assert_eq!(
        push(
            "application/x-ndjson",
            "{\"out\":\"two\\n\"}\n\n\"three\"\n"
        ),
        2
    );
    assert_eq!(push("text/plain", "ERROR four\nfive"), 2);
    assert_eq!(push("application/json", "null"), 0);
    let get = |parameters: &str| {
        let path = format!("{PATH}?follow=false&{parameters}");
        stage.expect(200, "GET", &path, "")
    };
    assert_eq!(get("format=text"), "one\ntwo\nthree\nERROR four\nfive\n");
    assert_eq!(get("format=text&tail=2"), "ERROR four\nfive\n");
    assert_eq!(get("format=text&from=5"), "five\n");
    assert_eq!(get("format=text&level=error"), "ERROR four\n");
    assert_eq!(get("format=text&query=three"), "three\n");
    assert_eq!(get("format=text&since=2200-01-01T00:00:00Z"), "");
    assert!(get("format=json&tail=1").starts_with("{\"seq\":5,\"out\":\"five\","));
    assert!(get("format=sse&tail=1").contains("id: 5\ndata: {\"out\":\"five\""));
    for bad in [
        "format=xml",
        "from=x",
        "tail=-1",
        "since=soon-ish",
        "level=loud",
        "follow=maybe",
        "query=((",
    ] {
        stage.expect(400, "GET", &format!("{PATH}?{bad}"), "");
    }
    for bad in ["[{]", "[{\"out\":1}]", "{\"pos\":1}", "x"] {
        stage.expect(400, "PUT", PATH, bad);
    }
    stage.expect(400, "POST", &format!("{PATH}x?ttl=9d"), "");
    let gzip = [("content-type", "text/plain"), ("content-encoding", "zstd")];
    let body = zstd::encode_all(&b"six\n"[..], 1).expect("compressed");
    assert_eq!(stage.service.ask("PUT", PATH, &gzip, body).status, 200);
    assert_eq!(get("format=text&tail=1"), "six\n");
}

#[test]
fn a_push_that_is_sent_again_is_not_taken_again() {
    let stage = Stage::new();
    stage.expect(200, "POST", PATH, "");
    let push = |name: &str, body: String| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", name),
        ];
        stage.service.ask("PUT", PATH, &headers, body).body
    };
    push("one", lines(1..=3));
    push("two", lines(4..=4));
    assert_eq!(
        push("one", lines(1..=3)),
        "{\"accepted\":3,\"first\":1,\"last\":3,\"repeated\":true}"
    );
    let path = format!("{PATH}?batch={}", "x".repeat(129));
    stage.expect(400, "PUT", &path, &lines(1..=1));
    stage.expect(204, "DELETE", PATH, "");
    assert_eq!(numbers(&stage.follow(PATH)).0, [1, 2, 3, 4]);
}

#[test]
fn a_reader_that_stands_still_gets_everything() {
    let stage = Stage::new();
    stage.expect(200, "POST", PATH, "");
    let (socket, reader) = crate::support::stalled(&stage.service.url, PATH);
    for at in (1..40_000).step_by(500) {
        stage.expect(200, "PUT", PATH, &lines(at..=at + 499));
    }
    let new = stage.follow(&format!("{PATH}?from=28001"));
    stage.expect(204, "DELETE", PATH, "");
    assert_eq!(numbers(&new).0, (28_001..=40_000).collect::<Vec<_>>());
    // It wakes up, and reads.
    let mut seen = Vec::new();
    for line in std::io::BufRead::lines(reader).map_while(Result::ok) {
        if let Some(id) = line.strip_prefix("id: ") {
            seen.push(id.parse::<u64>().expect("a number"));
        }
        if line == "event: end" {
            break;
        }
    }
    drop(socket);
    assert_eq!(seen, (1..=40_000).collect::<Vec<_>>());
}

#[test]
fn closing_at_once_loses_nothing() {
    let stage = Stage::new();
    for trial in 0..20 {
        let path = format!("/api/v2/streams/t/{trial}");
        stage.expect(200, "POST", &path, "");
        let events = stage.follow(&path);
        stage.expect(200, "PUT", &path, &lines(1..=3_000));
        stage.expect(204, "DELETE", &path, "");
        assert_eq!(numbers(&events).0.len(), 3_000);
    }
    wait_for("no stream is left", || {
        (files_below(&stage.data().join("streams")) == 0).then_some(())
    });
}

#[test]
fn what_was_answered_survives_kill_9() {
    let mut stage = Stage::new();
    stage.expect(200, "POST", PATH, "");
    for at in 1..=200 {
        stage.expect(200, "PUT", PATH, &lines(at..=at));
    }
    stage.service.kill();
    stage.service.restart();
    stage.expect(200, "PUT", PATH, &lines(201..=201));
    // A reader goes on where it was.
    let events = Events::follow(&stage.service.url, PATH, &[("last-event-id", "150")]);
    stage.expect(204, "DELETE", PATH, "");
    assert_eq!(numbers(&events).0, (151..=201).collect::<Vec<_>>());
}

#[test]
fn kill_9_amid_closing_leaves_the_stream_or_the_whole_blob() {
    for wait in [0, 1, 2, 4, 8, 16, 32] {
        let mut stage = Stage::new();
        stage.expect(200, "POST", PATH, "");
        for at in (1..60_000).step_by(1_000) {
            stage.expect(200, "PUT", PATH, &lines(at..=at + 999));
        }
        let url = format!("{}{PATH}", stage.service.url);
        let closing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            // It is cut off, or was in time.
            let _ = runtime.block_on(reqwest::Client::new().delete(url).send());
        });
        // Somewhere between the request and the answer.
        std::thread::sleep(std::time::Duration::from_millis(wait));
        stage.service.kill();
        closing.join().expect("ended");
        stage.service.restart();
        let (status, _) = stage.ask("DELETE", PATH, "");
        assert!([204, 404].contains(&status), "{status}");
        assert_eq!(
            numbers(&stage.follow(PATH)).0.len(),
            60_000,
            "after {wait} ms"
        );
        let blob = stage.expect(200, "GET", "/api/v2/blobs/acme/build/1", "");
        assert_eq!(blob.lines().count(), 60_000);
    }
}

#[test]
fn silent_streams_are_closed_and_kept() {
    let stage = Stage::new();
    stage.expect(200, "POST", &format!("{PATH}?ttl=10s"), "");
    stage.expect(200, "PUT", PATH, &lines(1..=2));
    let (seen, end) = numbers(&stage.follow(PATH));
    assert_eq!(
        (seen.len(), end.as_str()),
        (2, "{\"reason\":\"expired\",\"last\":2}")
    );
    wait_for("its lines are a blob", || {
        let (status, _) = stage.ask("GET", "/api/v2/blobs/acme/build/1", "");
        (status == 200).then_some(())
    });
}

#[test]
fn open_streams_are_listed_below_prefixes() {
    let stage = Stage::new();
    for name in ["run/2/a", "run/2/b", "run/22/c"] {
        stage.expect(200, "POST", &format!("/api/v2/streams/{name}"), "");
    }
    let names = |parameters: &str| {
        let path = format!("/api/v2/streams?{parameters}");
        let listed: serde_json::Value =
            serde_json::from_str(&stage.expect(200, "GET", &path, "")).expect("JSON");
        let streams = listed["streams"].as_array().expect("streams").iter();
        let names: Vec<String> = streams.map(|one| one["key"].to_string()).collect();
        (names.join(" "), listed["next"].as_str().map(str::to_owned))
    };
    assert_eq!(names("prefix=run/2").0, "\"run/2/a\" \"run/2/b\"");
    let (first, next) = names("limit=2");
    assert_eq!(first, "\"run/2/a\" \"run/2/b\"");
    let next = next.expect("more");
    assert_eq!(
        names(&format!("limit=2&cursor={next}")),
        ("\"run/22/c\"".to_owned(), None)
    );
    stage.expect(400, "GET", "/api/v2/streams?prefix=a//b", "");
    for bad in ["a%2F..%2Fb", "a//b", ".uploads/x", "a%0Ab"] {
        stage.expect(400, "POST", &format!("/api/v2/streams/{bad}"), "");
    }
}

#[test]
fn readers_are_told_when_the_service_goes_away() {
    let mut stage = Stage::new();
    stage.expect(200, "POST", PATH, "");
    stage.expect(200, "PUT", PATH, &lines(1..=1));
    let events = stage.follow(PATH);
    assert_eq!(events.next().id, "1");
    stage.service.stop();
    assert_eq!(events.next().name, "disconnect");
}
