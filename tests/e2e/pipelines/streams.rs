//! What comes out as events.

use crate::support::{Events, stalled, text, wait_for};

use super::{Stage, files_to, lines, numbered};

#[test]
fn the_example_of_the_contract_works_as_it_stands() {
    let stage = Stage::new(&files_to("type = \"http\""));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.status, 200);
    assert!(
        events
            .head
            .to_lowercase()
            .contains("content-type: text/event-stream")
    );
    let hello = events.next();
    assert_eq!(hello.name, "connected");
    assert!(
        hello.data.contains("\"pipeline\":\"app\""),
        "{}",
        hello.data
    );
    stage.append("a.log", "2026-03-14 09:00:00 ERROR boom\n");
    let entry = events.entry();
    assert_eq!(entry.id, "1");
    assert!(entry.data.contains("\"level\":\"ERROR\"") && text(&entry) == "boom");
    let status = stage.status("app");
    assert_eq!(status["sinks"][0]["clients"], 1);
    assert_eq!(status["endpoints"][1], "/app/stream");
}

#[test]
fn every_client_gets_every_line_in_order() {
    let stage = Stage::new(&files_to("type = \"http\""));
    let clients: Vec<Events> = (0..3)
        .map(|_| Events::follow(&stage.service.url, "/app/stream", &[]))
        .collect();
    for client in &clients {
        assert_eq!(client.next().name, "connected");
    }
    stage.append("a.log", &lines(0..100_000));
    for client in &clients {
        assert_eq!(client.texts(100_000), numbered(0..100_000));
    }
}

#[test]
fn a_client_goes_on_where_it_stopped_also_after_a_restart() {
    let mut stage = Stage::new(&files_to("type = \"http\""));
    stage.append("a.log", &lines(0..100));
    stage.delivered("app", 0, 100);
    let after = [("Last-Event-ID", "40")];
    let events = Events::follow(&stage.service.url, "/app/stream", &after);
    assert_eq!(events.texts(60), numbered(40..100));
    drop(events);
    stage.service.stop();
    stage.append("a.log", &lines(100..150));
    stage.service.restart();
    let events = Events::follow(&stage.service.url, "/app/stream?after=90", &[]);
    assert_eq!(events.texts(60), numbered(90..150));
    let all = Events::follow(&stage.service.url, "/app/stream?after=0", &[]);
    assert_eq!(all.texts(150), numbered(0..150));
}

#[test]
fn a_stalled_client_is_told_of_its_gap_and_harms_nobody() {
    let stage = Stage::new(&files_to("type = \"http\"\nretention = \"1MiB\""));
    let (_kept, mut reader) = stalled(&stage.service.url, "/app/stream");
    let live = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(live.next().name, "connected");
    let line = "x".repeat(1_000);
    for part in 0..40_u64 {
        let some: String = (part * 1_000..(part + 1) * 1_000)
            .map(|number| format!("{number} {line}\n"))
            .collect();
        stage.append("a.log", &some);
        // Who keeps up gets everything.
        for number in part * 1_000..(part + 1) * 1_000 {
            let entry = live.entry();
            assert_eq!(entry.id, (number + 1).to_string());
        }
    }
    // The buffers between us held some; what was dropped meanwhile is told by its ids.
    let (mut seen, mut gap) = (0_u64, None);
    let mut line = String::new();
    while gap.is_none() {
        line.clear();
        std::io::BufRead::read_line(&mut reader, &mut line).expect("a line");
        if let Some(id) = line.strip_prefix("id: ") {
            assert_eq!(id.trim().parse(), Ok(seen + 1));
            seen += 1;
        }
        if line.contains("\"missing\":") {
            gap = line.strip_prefix("data: ").map(str::to_owned);
        }
    }
    let gap: serde_json::Value = serde_json::from_str(&gap.expect("a gap")).expect("JSON");
    assert_eq!(gap["first"], seen + 1);
    let last = gap["last"].as_u64().expect("a number");
    assert_eq!(gap["missing"], last - seen);
    assert!(last < 40_000);
}

#[test]
fn streams_of_an_address_are_counted_as_long_as_they_live() {
    let stage = Stage::new(&files_to("type = \"http\"\nconnections_per_address = 1"));
    let first = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(first.status, 200);
    let second = stage.service.get("/app/stream");
    assert_eq!(second.status, 429);
    assert_eq!(second.header("retry-after"), "2");
    assert_eq!(second.json()["error"]["code"], "stream_connections");
    drop(first);
    wait_for("the place to be free", || {
        let again = Events::follow(&stage.service.url, "/app/stream", &[]);
        (again.status == 200).then_some(())
    });
}

#[test]
fn silence_is_broken_by_heartbeats() {
    for (format, is_event) in [("comment", false), ("json", true)] {
        let sink =
            format!("type = \"http\"\nheartbeat = \"50ms\"\nheartbeat_format = \"{format}\"");
        let stage = Stage::new(&files_to(&sink));
        let events = Events::follow(&stage.service.url, "/app/stream", &[]);
        assert_eq!(events.next().name, "connected");
        if is_event {
            let beat = events.next();
            assert_eq!(beat.name, "heartbeat");
            assert!(beat.data.contains("\"active_clients\":1"), "{}", beat.data);
        } else {
            let (_kept, mut reader) = stalled(&stage.service.url, "/app/stream");
            let mut line = String::new();
            while !line.starts_with(": heartbeat ") {
                line.clear();
                std::io::BufRead::read_line(&mut reader, &mut line).expect("a line");
            }
            assert!(line.contains("clients=2"), "{line}");
        }
        stage.append("a.log", "one\n");
        assert_eq!(events.texts(1), ["one"]);
    }
}

#[test]
fn clients_are_told_when_the_service_ends_and_have_everything() {
    let mut stage = Stage::new(&files_to("type = \"http\""));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.next().name, "connected");
    stage.append("a.log", &lines(0..5_000));
    assert_eq!(events.texts(1), numbered(0..1));
    let status = stage.service.stop();
    assert!(status.success());
    let rest = events.rest();
    let (last, entries) = rest.split_last().expect("events");
    assert_eq!(last.name, "disconnect");
    assert_eq!(last.data, "{\"reason\":\"server_shutdown\"}");
    let texts: Vec<String> = entries.iter().map(text).collect();
    assert_eq!(texts, numbered(1..1 + texts.len() as u64));
}

#[test]
fn pipelines_share_the_port_and_unknown_names_are_told() {
    let config = files_to("type = \"http\"")
        + &files_to("type = \"store\"").replace("\"app\"", "\"application\"");
    let stage = Stage::new(&config);
    let names: Vec<_> = stage.service.get("/pipelines").json()["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, ["app", "application"]);
    assert_eq!(stage.status("application")["name"], "application");
    for path in [
        "/appl/status",
        "/appl/stream",
        "/application/stream",
        "/app/ingest",
    ] {
        let method = if path.ends_with("ingest") {
            "POST"
        } else {
            "GET"
        };
        let reply = stage.service.ask(method, path, &[], "{}");
        assert_eq!(reply.status, 404, "{path}");
        let message = reply.json()["error"]["message"].clone();
        let message = message.as_str().expect("words");
        let is_named = message.contains("app, application") || message.contains("has no");
        assert!(is_named, "{message}");
    }
    assert_eq!(stage.service.get("/app/other").status, 404);
    // The command line finds the service by its data.
    let listed = |arguments: &[&str]| {
        let data = stage.service.data.to_str().expect("a path");
        let ran = crate::support::run(
            stage.home.path(),
            &[&["pipelines", "--data", data], arguments].concat(),
        );
        (ran.code, ran.out)
    };
    let (code, text) = listed(&[]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("application  since ") && text.contains("  sink    store · 0"),
        "{text}"
    );
    let (_, json) = listed(&["app", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (json[0]["name"].as_str(), json.as_array().map(Vec::len)),
        (Some("app"), Some(1))
    );
    assert_eq!(listed(&["nobody"]).0, Some(1));
    let metrics = stage.service.get("/metrics").body;
    assert!(
        metrics.contains(
            "tailwater_pipeline_entries_total{pipeline=\"application\",kind=\"sink\",id=\"store\"}"
        ),
        "{metrics}"
    );
}
