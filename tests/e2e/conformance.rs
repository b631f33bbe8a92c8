//! Direktiv's contract and what is done instead of its defects, row by row: D and S are the known defects, L the tests
//! of its own that can be replayed, U-L those of its UI.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Service, python};

const LOGS: &str = "/api/v2/namespaces/demo/logs";
const SUBSCRIBE: &str = "/api/v2/namespaces/demo/logs/subscribe";
const INSTANCE: &str = "1bdf4042-1708-4212-b21d-7240f4685e4a";
const CHILD: &str = "7777aaaa-0000-4000-8000-000000000001";

fn service() -> (tempfile::TempDir, Service) {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    (home, service)
}

fn push(service: &Service, namespace: &str, entries: &[Value]) {
    let body: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    let reply = service.post(&format!("/api/v2/namespaces/{namespace}/logs"), body);
    assert_eq!(reply.json()["accepted"], entries.len(), "{}", reply.body);
}

/// The rows of a list, each as Direktiv's UI wants it.
fn rows(service: &Service, parameters: &str) -> Vec<Value> {
    let reply = service.get(&format!("{LOGS}?{parameters}"));
    assert_eq!(reply.status, 200, "{parameters}: {}", reply.body);
    let page = reply.json();
    for key in ["previousPage", "startingFrom"] {
        let value = page["meta"].get(key).expect(key);
        assert!(value.is_null() || value.as_str().is_some_and(|time| time.contains('T')));
    }
    let rows = page["data"].as_array().expect("data").clone();
    rows.iter().for_each(ui_accepts);
    rows
}

fn messages(service: &Service, parameters: &str) -> Vec<String> {
    let rows = rows(service, parameters);
    let message = |row: &Value| row["msg"].as_str().expect("a message").to_owned();
    rows.iter().map(message).collect()
}

/// The UI's schema: one bad row makes its whole page fail.
fn ui_accepts(row: &Value) {
    let is_word = |value: &Value| value.as_str().is_some_and(|word| !word.is_empty());
    let is_word_or_null =
        |value: Option<&Value>| value.is_some_and(|value| value.is_null() || is_word(value));
    assert!(row["id"].as_u64().is_some_and(|id| id >= 1), "{row}");
    assert!(is_word(&row["time"]) && is_word(&row["msg"]), "{row}");
    assert!(
        ["DEBUG", "INFO", "WARN", "ERROR"].contains(&row["level"].as_str().expect("a level")),
        "{row}"
    );
    for key in ["namespace", "trace", "span", "error"] {
        assert!(is_word_or_null(row.get(key)), "{key}: {row}");
    }
    if let Some(workflow) = row.get("workflow") {
        for key in ["status", "state", "calledAs"] {
            assert!(is_word_or_null(workflow.get(key)), "{key}: {row}");
        }
        assert!(
            workflow
                .get("branch")
                .is_some_and(|branch| branch.is_null() || branch.is_number()),
            "{row}"
        );
        assert!(
            is_word(&workflow["workflow"]) && is_word(&workflow["instance"]),
            "{row}"
        );
    }
    if let Some(route) = row.get("route") {
        assert!(is_word(&route["path"]), "{row}");
    }
}

/// The events of a stream, read as strictly as the strictest client does: a comment ends with one newline, an event has
/// one id, one type and one line of data, and is smaller than 64 KiB.
fn events(text: &str) -> Vec<(u64, Value)> {
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    let blocks = whole.split("\n\n").filter(|block| !block.is_empty());
    blocks
        .map(|block| {
            assert!(block.len() < 64 << 10, "an event of {} bytes", block.len());
            let lines: Vec<_> = block
                .lines()
                .filter(|line| !line.starts_with(':'))
                .collect();
            let [id, kind, data] = lines.as_slice() else {
                panic!("no event, or more than one: {block:?}");
            };
            assert_eq!(*kind, "event: message");
            let id = id
                .strip_prefix("id: ")
                .and_then(|id| id.parse().ok())
                .expect("an id");
            let data: Value =
                serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
            ui_accepts(&data);
            (id, data)
        })
        .collect()
}

fn streamed(
    service: &Service,
    path: &str,
    headers: &[(&str, &str)],
    count: usize,
) -> Vec<(u64, Value)> {
    let text = service.stream(path, headers, |text| text.matches("\n\n").count() >= count);
    events(&text)
}

fn ids(events: &[(u64, Value)]) -> Vec<u64> {
    events.iter().map(|(id, _)| *id).collect()
}

fn old(count: usize) -> Vec<Value> {
    let entry = |at| json!({"time": format!("2024-09-12T08:{:02}:{:02}Z", at / 60, at % 60), "msg": format!("line {at}")});
    (1..=count).map(entry).collect()
}

#[test]
fn d1_to_d3_streams_resume_and_repeat_nothing() {
    let (_home, service) = service();
    push(&service, "demo", &old(500));
    let with = |id: &str, count| streamed(&service, SUBSCRIBE, &[("last-event-id", id)], count);
    assert_eq!(ids(&with("480", 20)), (481..=500).collect::<Vec<_>>());
    // D2: in the query, as the UI's polyfill sends it; the header goes before it.
    let query = format!("{SUBSCRIBE}?lastEventId=490");
    assert_eq!(
        ids(&streamed(&service, &query, &[], 10)),
        (491..=500).collect::<Vec<_>>()
    );
    let both = streamed(&service, &query, &[("last-event-id", "497")], 3);
    assert_eq!(ids(&both), [498, 499, 500]);
    // Unparsable or unknown ids are as none: what is new comes.
    for id in ["2024-09-12T08:00:00.000000000Z", "x", "99999999", "-1"] {
        let pushed = std::cell::Cell::new(false);
        let text = service.stream(SUBSCRIBE, &[("last-event-id", id)], |text| {
            if text.starts_with(':') && !pushed.replace(true) {
                let more = json!({"msg": "fresh", "time": "2024-01-01T00:00:00Z"});
                std::thread::scope(|scope| {
                    let pushing =
                        scope.spawn(|| push_beside(&service.url, LOGS, &more.to_string()));
                    pushing.join().expect("pushed");
                });
            }
            text.contains("\n\n")
        });
        // D3: and nothing of before.
        let found = events(&text);
        assert!(
            found
                .iter()
                .all(|(id, data)| *id > 500 && data["msg"] == "fresh"),
            "{id}: {text}"
        );
    }
}

/// A push beside a stream that is being read.
fn push_beside(url: &str, path: &str, body: &str) {
    use std::io::{Read, Write};
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("connected");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

#[test]
fn d4_to_d7_ties_late_rows_and_floods_are_streamed_whole() {
    let (_home, service) = service();
    push(&service, "demo", &[json!({"msg": "first"})]);
    let tie = json!({"time": "2024-09-12T08:00:00Z", "msg": "tie"});
    push(&service, "demo", &vec![tie; 250]);
    // D4, D5: all of one time on one page, in the order of their arrival.
    let page = rows(&service, "limit=100&before=2025-01-01T00:00:00Z");
    let order: Vec<_> = page
        .iter()
        .map(|row| row["id"].as_u64().expect("an id"))
        .collect();
    assert_eq!(order, (2..=251).collect::<Vec<_>>());
    // D6: what comes late is streamed when it comes. D7: however much it is.
    push(&service, "demo", &old(5_000));
    let all = streamed(&service, SUBSCRIBE, &[("last-event-id", "0")], 5_251);
    assert_eq!(ids(&all), (1..=5_251).collect::<Vec<_>>());
}

#[test]
fn d8_d9_parameters_are_filters_that_all_hold() {
    let (_home, service) = service();
    let entry = |at: u32, more: Value| {
        let mut entry =
            json!({"time": format!("2024-09-12T08:00:{at:02}Z"), "msg": format!("m{at}")});
        entry
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        entry
    };
    let workflow =
        |branch: i64| json!({"workflow": "/t.yaml", "instance": INSTANCE, "branch": branch});
    push(
        &service,
        "demo",
        &[
            entry(1, json!({"level": "debug"})),
            entry(2, json!({"level": "error", "trace": "aa11", "span": "b1"})),
            entry(
                3,
                json!({"workflow": workflow(1), "trace": "aa11", "span": "b2"}),
            ),
            entry(4, json!({"workflow": workflow(2), "route": "/test"})),
            entry(5, json!({"activity": {"id": "sync-1"}})),
        ],
    );
    let instance = format!("instance={INSTANCE}");
    for (parameters, expected) in [
        ("level=warn".to_owned(), vec!["m2"]),
        ("trace=aa11".to_owned(), vec!["m2", "m3"]),
        ("span=b2".to_owned(), vec!["m3"]),
        ("after=2024-09-12T08:00:03Z".to_owned(), vec!["m4", "m5"]),
        (instance.clone(), vec!["m3", "m4"]),
        (format!("{instance}&branch=2"), vec!["m4"]),
        (format!("{instance}&route=%2Ftest"), vec!["m4"]),
        (format!("{instance}&activity=sync-1"), vec![]),
        (
            format!("{instance}&trace=aa11&level=info&branch=1&after=2024-09-12T08:00:02Z"),
            vec!["m3"],
        ),
        ("activity=sync-1".to_owned(), vec!["m5"]),
        ("scope=namespace".to_owned(), vec!["m1", "m2"]),
    ] {
        assert_eq!(messages(&service, &parameters), expected, "{parameters}");
    }
}

#[test]
fn d10_to_d12_places_are_times_in_utc() {
    let (_home, service) = service();
    push(&service, "demo", &old(10));
    let nine: Vec<String> = (1..=8).map(|at| format!("line {at}")).collect();
    for before in [
        "2024-09-12T08:00:09Z",
        "2024-09-12T10:00:09%2B02:00",
        "2024-09-12T10:00:09+02:00",
        "2024-09-12T03:00:09-05:00",
    ] {
        assert_eq!(
            messages(&service, &format!("before={before}")),
            nine,
            "{before}"
        );
    }
    let bad = service.get(&format!("{LOGS}?before=yesterday-ish"));
    let code = &bad.json()["error"]["code"];
    assert_eq!((bad.status, code), (400, &json!("request_data_invalid")));
    // D12: nothing older means null, and no further request.
    let whole = service
        .get(&format!("{LOGS}?before=2024-09-12T10:00:09%2B02:00"))
        .json();
    assert_eq!(whole["meta"]["previousPage"], Value::Null);
    let from = whole["meta"]["startingFrom"].as_str().expect("a time");
    assert!(from.ends_with('Z'), "{from}");
}

#[test]
fn d13_to_d18_scopes_are_exact_and_namespaces_are_never_crossed() {
    let (_home, service) = service();
    let deep: Vec<String> = (0..12)
        .map(|at| format!("00000000-0000-4000-8000-{at:012}"))
        .collect();
    let last = deep.last().expect("an id");
    push(
        &service,
        "demo",
        &[
            json!({"msg": "parent", "workflow": {"workflow": "/p.yaml", "instance": INSTANCE}}),
            json!({"msg": "child", "workflow": {"workflow": "/c.yaml", "instance": CHILD, "callpath": format!("{INSTANCE}/{CHILD}")}}),
            json!({"msg": "deep", "workflow": {"workflow": "/d.yaml", "instance": last, "callpath": deep.join("/")}}),
        ],
    );
    push(
        &service,
        "other",
        &[
            json!({"msg": "foreign", "workflow": {"workflow": "/p.yaml", "instance": INSTANCE}}),
            json!({"msg": "foreign sync", "activity": {"id": "sync-1"}}),
        ],
    );
    for (parameters, expected) in [
        (format!("instance={INSTANCE}"), vec!["parent", "child"]),
        (format!("instance={CHILD}"), vec!["child"]),
        ("instance=%25".to_owned(), vec![]),
        ("instance=1bdf4042%25".to_owned(), vec![]),
        ("instance=1bdf4042".to_owned(), vec![]),
        ("instance=_".to_owned(), vec![]),
        ("activity=sync-1".to_owned(), vec![]),
        (format!("instance={}", deep[0]), vec!["deep"]),
        (format!("instance={}", deep[6]), vec!["deep"]),
        (format!("instance={last}"), vec!["deep"]),
    ] {
        assert_eq!(messages(&service, &parameters), expected, "{parameters}");
    }
}

#[test]
fn d16_whatever_was_sent_the_ui_can_read_it() {
    let (_home, service) = service();
    push(
        &service,
        "demo",
        &[
            json!({"msg": null}),
            json!({"msg": ""}),
            json!({"msg": 5, "level": "loud", "trace": "", "span": "", "error": ""}),
            json!({"msg": ["a"], "level": "TRACE", "trace": "00000000000000000000000000000000"}),
            json!({"msg": "m", "level": "fatal", "workflow": {"workflow": "", "instance": INSTANCE, "status": "", "branch": "x"}}),
            json!({"msg": "m", "workflow": {"workflow": "/w.yaml", "state": ""}}),
            json!({"msg": "m", "instance": INSTANCE, "route": "", "activity": ""}),
            json!({"msg": "m", "workflow": 5, "route": {"path": ""}, "activity": {"id": null}}),
            json!({}),
        ],
    );
    let all = rows(&service, "");
    assert_eq!(all.len(), 9);
    assert_eq!(all[4]["level"], "ERROR");
    assert_eq!(all[3]["trace"], Value::Null);
    let live = streamed(&service, SUBSCRIBE, &[("last-event-id", "0")], 9);
    assert_eq!(ids(&live), (1..=9).collect::<Vec<_>>());
}

#[test]
fn d20_to_d23_the_sidecars_push_is_taken_at_its_word() {
    let (_home, service) = service();
    let path = format!("{LOGS}?instance={INSTANCE}");
    let line = |more: Value| {
        let mut line =
            json!({"track": format!("instance.{INSTANCE}"), "namespace": "demo", "msg": "m"});
        line.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        line.to_string()
    };
    for (level, expected) in [
        (json!("Warning"), "WARN"),
        (json!("error"), "ERROR"),
        (json!(0), "DEBUG"),
        (json!(3), "ERROR"),
        (json!("unheard of"), "INFO"),
        (Value::Null, "INFO"),
    ] {
        let reply = service.post(&path, line(json!({"level": level, "msg": expected})));
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{level}");
    }
    let parameters = format!("instance={INSTANCE}");
    for row in rows(&service, &parameters) {
        assert_eq!(row["level"], row["msg"], "{row}");
    }
    // D21: its time counts.
    service.post(
        &path,
        line(json!({"time": "2024-09-12T08:00:00.5Z", "msg": "earlier"})),
    );
    assert_eq!(
        rows(&service, &format!("{parameters}&first=1"))[0]["time"],
        "2024-09-12T08:00:00.5Z"
    );
    // D22: a track of elsewhere leads nowhere else.
    let foreign = json!({"track": "namespace.other", "namespace": "demo", "msg": "astray"});
    service.post(&path, foreign.to_string());
    assert_eq!(service.get("/api/v2/namespaces/other/logs").status, 404);
    assert!(messages(&service, &parameters).contains(&"astray".to_owned()));
    // D23: what is no JSON, and what is too long.
    let broken = service.post(&path, "{\"track\":");
    assert_eq!(
        (broken.status, &broken.json()["error"]["code"]),
        (400, &json!("request_body_not_json"))
    );
    // All of it is sent when it is too long: nobody hangs up on who still sends.
    let around = line(json!({"msg": ""})).len();
    let long = line(json!({"msg": "x".repeat((4 << 20) + 1 - around)}));
    assert_eq!(service.post(&path, long).status, 413);
}

#[test]
fn s1_to_s8_streams_are_safe_with_every_client() {
    let (_home, service) = service();
    // S1: headers at once, though nothing happened, even of a namespace that nobody knows yet. S6: the right ones.
    let idle = service.stream(SUBSCRIBE, &[], |text| !text.is_empty());
    assert_eq!(idle, ":\n", "a comment that ends with one newline");
    let head = service.headers_of(SUBSCRIBE);
    let header = |name: &str| head.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("text/event-stream"));
    assert_eq!(header("cache-control"), Some("no-cache"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    assert_eq!(header("connection"), None);
    // S7: long texts are cut here and whole in the list.
    let long = "é\u{1}".repeat(60_000);
    push(&service, "demo", &[json!({"msg": long, "error": long})]);
    let cut = streamed(&service, SUBSCRIBE, &[("last-event-id", "0")], 1);
    assert_eq!(cut[0].1["truncated"], true);
    assert_eq!(messages(&service, ""), [long]);
    // S8: without an id the last three seconds come first; with one, only what is after it.
    // Who is answered when these are over asks again.
    let in_time = (0..20).find_map(|attempt| {
        let (now, asked) = (jiff::Timestamp::now(), Instant::now());
        let ago = |seconds: i64| (now - jiff::SignedDuration::from_secs(seconds)).to_string();
        let just_now = format!("just now {attempt}");
        push(
            &service,
            "demo",
            &[
                json!({"msg": "long ago", "time": ago(60)}),
                json!({"msg": just_now, "time": ago(1)}),
            ],
        );
        let text = service.stream(SUBSCRIBE, &[], |text| {
            let is_late = text.is_empty() && asked.elapsed() > Duration::from_millis(1_500);
            is_late || text.contains(&just_now) && text.ends_with("\n\n")
        });
        (!text.is_empty()).then(|| events(&text))
    });
    let filled = in_time.expect("an answer in time");
    assert!(!filled.iter().any(|(_, row)| row["msg"] == "long ago"));
    let (last, _) = filled.last().expect("what was just now");
    // S5: a finished instance does not end the stream.
    let done = json!({"msg": "done", "workflow": {"workflow": "/w.yaml", "instance": INSTANCE, "status": "completed"}});
    push(&service, "demo", &[done, json!({"msg": "and on"})]);
    let last = last.to_string();
    let on = streamed(&service, SUBSCRIBE, &[("last-event-id", &last)], 2);
    assert_eq!(on[0].1["workflow"]["status"], "completed");
    assert_eq!(on[1].1["msg"], "and on");
}

#[test]
fn l1_to_l7_what_direktivs_own_tests_ask_for() {
    let (_home, service) = service();
    let of = |instance: &str, more: Value| {
        let mut entry = json!({"workflow": {"workflow": "/test.yaml", "instance": instance, "status": "running"}});
        entry
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        entry
    };
    push(
        &service,
        "demo",
        &[
            json!({"msg": "Workflow has been triggered"}),
            json!({"msg": "Workflow failed with an error.", "level": "ERROR", "error": "jq: no input"}),
            of(INSTANCE, json!({"msg": "Running state logic"})),
            of(INSTANCE, json!({"msg": "\"This Is A Test\""})),
            of(INSTANCE, json!({"msg": "Workflow completed."})),
            of("jq", json!({"msg": "x", "level": "ERROR"})),
            json!({"msg": "can not process plugin", "level": "ERROR", "route": {"path": "/test"}, "error": "forbidden"}),
            json!({"msg": "sync started", "activity": {"id": "29960091"}}),
            json!({"msg": "sync done", "activity": {"id": "29960091"}}),
        ],
    );
    // L1, U-L1: the namespace, and no doubles of list and stream together.
    let coarse = rows(&service, "scope=namespace");
    assert_eq!(coarse.len(), 2);
    assert!(coarse.iter().any(|row| row["level"] == "ERROR"));
    assert!(messages(&service, "").contains(&"Workflow has been triggered".to_owned()));
    let live = streamed(
        &service,
        &format!("{SUBSCRIBE}?scope=namespace&lastEventId=0"),
        &[],
        2,
    );
    let listed: Vec<_> = coarse
        .iter()
        .map(|row| row["id"].as_u64().expect("an id"))
        .collect();
    assert_eq!(ids(&live), listed);
    // L2, U-L3: an instance, its user's text with its quotes.
    let instance = messages(&service, &format!("instance={INSTANCE}"));
    assert_eq!(
        instance,
        [
            "Running state logic",
            "\"This Is A Test\"",
            "Workflow completed."
        ]
    );
    // L3, L4: an instance that failed.
    assert_eq!(rows(&service, "instance=jq")[0]["level"], "ERROR");
    // L5, L6: a route, an activity.
    assert_eq!(rows(&service, "route=%2Ftest")[0]["error"], "forbidden");
    assert_eq!(rows(&service, "activity=29960091").len(), 2);
}

#[test]
fn the_description_and_the_answers_agree() {
    let (_home, service) = service();
    push(&service, "demo", &old(20));
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    let schema = format!("{}/api/v2/openapi.json", service.url);
    let script = "import sys; from schemathesis.cli import schemathesis; sys.argv[0] = 'schemathesis'; schemathesis()";
    let report = python(&[
        "-c",
        script,
        "run",
        &schema,
        "--exclude-path-regex",
        "subscribe",
        "--checks",
        checks,
        "--max-time",
        "15",
        "--no-color",
        "--generation-database",
        "none",
        "--seed",
        "1",
    ]);
    assert!(report.contains("Test cases:"), "{report}");
    assert_eq!(service.get("/healthz").status, 200);
}

/// The reference's worked examples: rows as they are stored there, and as they are listed.
#[test]
fn worked_examples_are_answered_as_they_were() {
    let (_home, service) = service();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let email = "'direktiv.schema.*': email is not valid";
    push(
        &service,
        "demo",
        &[
            json!({"time": "2024-09-12T08:10:00.1Z", "msg": "Workflow has been triggered", "level": "INFO", "trace": trace,
            "span": "00f067aa0ba902b7", "status": "running", "workflow": "/test.yaml", "instance": INSTANCE, "callpath": INSTANCE}),
            json!({"time": "2024-09-12T08:10:00.2Z", "msg": "Workflow failed with an error.", "level": "ERROR", "status": "unknown",
            "state": "a", "workflow": "/test.yaml", "instance": INSTANCE, "error": email}),
            json!({"time": "2024-09-12T08:10:00.15Z", "msg": "child line", "level": "INFO", "status": "running",
            "workflow": "/child.yaml", "instance": CHILD, "callpath": format!("{INSTANCE}/{CHILD}")}),
            json!({"time": "2024-09-12T08:11:00Z", "msg": "can not process plugin", "level": "ERROR", "route": "/test", "error": "forbidden"}),
            json!({"time": "2024-09-12T09:00:00.5Z", "msg": "tie 200", "level": "INFO", "activity": "29960091-2797-493e-a262-1a7765146cd4"}),
        ],
    );
    let workflow = |status: &str, state: Value, path: &str, instance: &str| json!({"status": status, "state": state, "branch": null, "workflow": path, "calledAs": null, "instance": instance});
    let instance = [
        json!({"id": 1, "time": "2024-09-12T08:10:00.1Z", "msg": "Workflow has been triggered", "level": "INFO",
            "namespace": "demo", "trace": trace, "span": "00f067aa0ba902b7",
            "workflow": workflow("running", Value::Null, "/test.yaml", INSTANCE), "error": null}),
        json!({"id": 3, "time": "2024-09-12T08:10:00.15Z", "msg": "child line", "level": "INFO", "namespace": "demo",
            "trace": null, "span": null, "workflow": workflow("running", Value::Null, "/child.yaml", CHILD), "error": null}),
        json!({"id": 2, "time": "2024-09-12T08:10:00.2Z", "msg": "Workflow failed with an error.", "level": "ERROR",
            "namespace": "demo", "trace": null, "span": null,
            "workflow": workflow("unknown", json!("a"), "/test.yaml", INSTANCE), "error": email}),
    ];
    let route = [
        json!({"id": 4, "time": "2024-09-12T08:11:00Z", "msg": "can not process plugin", "level": "ERROR",
        "namespace": "demo", "trace": null, "span": null, "route": {"path": "/test"}, "error": "forbidden"}),
    ];
    let activity = [
        json!({"id": 5, "time": "2024-09-12T09:00:00.5Z", "msg": "tie 200", "level": "INFO", "namespace": "demo",
        "trace": null, "span": null, "activity": {"id": "29960091-2797-493e-a262-1a7765146cd4"}, "error": null}),
    ];
    for (parameters, golden) in [
        (format!("instance={INSTANCE}"), instance.as_slice()),
        ("route=%2Ftest".to_owned(), &route),
        (
            "activity=29960091-2797-493e-a262-1a7765146cd4".to_owned(),
            &activity,
        ),
    ] {
        let rows = rows(&service, &parameters);
        assert_eq!(rows.len(), golden.len(), "{parameters}");
        for (row, golden) in rows.iter().zip(golden) {
            // Beside them we may tell more, as the call path; what the original tells, we tell the same.
            for (key, value) in golden.as_object().expect("an object") {
                if key == "workflow" {
                    for (key, value) in value.as_object().expect("an object") {
                        assert_eq!(&row["workflow"][key], value, "{parameters}: {key}: {row}");
                    }
                } else {
                    assert_eq!(&row[key], value, "{parameters}: {key}: {row}");
                }
            }
        }
    }
}
