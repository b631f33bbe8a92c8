//! What is promised of delivery: nothing is lost, and what is dropped is counted.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Stage, files_to, lines, numbered};
use crate::support::{Events, Taker, wait_for};

#[test]
fn kill_9_loses_nothing_and_the_log_takes_nothing_twice() {
    let mut stage = Stage::new(&files_to("type = \"store\""));
    let mut written = 0;
    for _ in 0..4 {
        let next = written + 20_000;
        stage.append("a.log", &lines(written..next));
        written = next;
        // Amid delivery, sooner or later.
        stage.delivered("app", 0, 2_000);
        stage.service.kill();
        stage.service.restart();
    }
    let stored = wait_for("all lines", || {
        Some(stage.stored()).filter(|stored| stored.len() as u64 >= written)
    });
    let mut counts = BTreeMap::new();
    for text in &stored {
        *counts.entry(text.clone()).or_insert(0) += 1;
    }
    assert_eq!(counts.len() as u64, written, "lines are missing");
    assert!(
        counts.values().all(|count| *count == 1),
        "lines are doubled"
    );
}

#[test]
fn a_sink_that_is_down_holds_up_nobody_else_and_gets_everything() {
    let taker = Taker::new();
    taker.refuse(true);
    let sinks = format!(
        "type = \"http\"\n[[pipelines.sinks]]\ntype = \"http_client\"\nurl = \"{}\"\nretry_delay = \"20ms\"\nmax_retry_delay = \"50ms\"\nbatch_delay = \"10ms\"",
        taker.url()
    );
    let stage = Stage::new(&files_to(&sinks));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.next().name, "connected");
    stage.append("a.log", &lines(0..30_000));
    assert_eq!(events.texts(30_000), numbered(0..30_000));
    let status = wait_for("the trouble to be told", || {
        let status = stage.status("app");
        status["sinks"][1]["trouble"].is_object().then_some(status)
    });
    assert_eq!(status["sinks"][1]["given"], 0);
    assert_eq!(status["sinks"][1]["trouble"]["is_over"], false);
    taker.refuse(false);
    assert_eq!(taker.texts(30_000), numbered(0..30_000));
    wait_for("the trouble to be over", || {
        let trouble = &stage.status("app")["sinks"][1]["trouble"];
        (trouble["is_over"] == true).then_some(())
    });
}

#[test]
fn what_waits_on_disk_survives_kill_9() {
    let taker = Taker::new();
    taker.refuse(true);
    let config = format!(
        "[[pipelines]]\nname = \"in\"\n[[pipelines.sources]]\ntype = \"http\"\n[[pipelines.sinks]]\ntype = \"http_client\"\nurl = \"{}\"\nretry_delay = \"20ms\"\nmax_retry_delay = \"50ms\"\nbatch_delay = \"10ms\"\n",
        taker.url()
    );
    let mut stage = Stage::new(&config);
    for part in 0..10_u64 {
        let body: String = (part * 100..(part + 1) * 100)
            .map(|number| json!({"msg": format!("line {number}")}).to_string() + "\n")
            .collect();
        let reply = stage.service.post("/in/ingest", body);
        assert_eq!(
            (reply.status, &reply.json()["accepted"]),
            (202, &json!(100))
        );
    }
    assert!(stage.status("in")["sinks"][0]["waiting"].as_u64() >= Some(900));
    stage.service.kill();
    taker.is_left();
    taker.refuse(false);
    stage.service.restart();
    assert_eq!(taker.texts(1_000), numbered(0..1_000));
}

#[test]
fn received_and_dropped_are_what_was_sent() {
    for buffer in ["drop_newest", "drop_oldest"] {
        let taker = Taker::new();
        taker.refuse(true);
        let sink = format!(
            "type = \"http_client\"\nurl = \"{}\"\nbuffer = \"{buffer}\"\nbuffer_size = 5000\nretry_delay = \"20ms\"\nmax_retry_delay = \"50ms\"\nbatch_delay = \"10ms\"",
            taker.url()
        );
        let stage = Stage::new(&files_to(&sink));
        stage.append("a.log", &lines(0..100_000));
        let full = || {
            let source = &stage.status("app")["sources"][0];
            (source["given"] == 100_000).then_some(())
        };
        wait_for("everything to be read", full);
        taker.refuse(false);
        let dropped = wait_for("the rest to be delivered", || {
            let sink = &stage.status("app")["sinks"][0];
            let dropped = sink["dropped"]["buffer_full"].as_u64()?;
            (sink["given"].as_u64()? + dropped == 100_000).then_some(dropped)
        });
        let received = taker.texts(usize::try_from(100_000 - dropped).expect("few"));
        assert!(
            dropped > 80_000 && !received.is_empty(),
            "{buffer}: {dropped}"
        );
        let newest = received.last().map(String::as_str) == Some("line 99999");
        assert_eq!(newest, buffer == "drop_oldest", "{buffer}");
    }
}

#[test]
fn a_chain_keeps_order_time_level_and_fields() {
    let far = Stage::new(
        "[[pipelines]]\nname = \"in\"\n[[pipelines.sources]]\ntype = \"http\"\n[[pipelines.sinks]]\ntype = \"store\"\n",
    );
    let sink = format!(
        "type = \"http_client\"\nurl = \"{}/in/ingest\"\nbatch_size = 7\nbatch_delay = \"10ms\"",
        far.service.url
    );
    let near = Stage::new(&files_to(&sink));
    let line = |number: u64| {
        json!({"time": format!("2026-03-14T09:00:00.{number:09}Z"), "level": "warn", "msg": format!("line {number}"), "trace": "t1", "n": number})
            .to_string()
            + "\n"
    };
    let text: String = (0..100).map(line).collect();
    near.append("a.log", &text);
    far.delivered("in", 0, 100);
    assert_eq!(far.stored(), numbered(0..100));
    let entry = &far.service.get("/api/v2/logs?query=n:42").json()["data"][0];
    assert_eq!(entry["time"], "2026-03-14T09:00:00.000000042Z");
    assert_eq!(
        (&entry["level"], &entry["trace"]),
        (&json!("WARN"), &json!("t1"))
    );
    assert_eq!(entry["fields"]["n"], 42);
    assert!(entry["source"].as_str().expect("one").ends_with("a.log"));
}
