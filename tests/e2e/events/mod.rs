//! Events and what waits for them, as clients of Direktiv's gateway use them.

mod conformance;
mod doing;

use serde_json::{Value, json};

use crate::support::{Events, Service, run, tailwater, wait_for};

const BASE: &str = "/api/v2/namespaces/test/events";

struct Stage {
    service: Service,
    home: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a home");
        let service = Service::start(home.path());
        Self { service, home }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let json = [("content-type", "application/json")];
        let reply = self
            .service
            .ask(method, &format!("{BASE}{path}"), &json, body.to_owned());
        let value = serde_json::from_str(&reply.body).unwrap_or(Value::Null);
        (reply.status, value)
    }

    fn send(&self, kind: &str, body: &str) -> u16 {
        let headers = [("content-type", kind)];
        let path = format!("{BASE}/broadcast");
        self.service
            .ask("POST", &path, &headers, body.to_owned())
            .status
    }

    fn history(&self, query: &str) -> Vec<Value> {
        let (status, page) = self.ask("GET", &format!("/history{query}"), "");
        assert_eq!(status, 200, "{page}");
        page["data"].as_array().expect("events").clone()
    }

    fn listen(&self, form: &Value) -> String {
        let (status, made) = self.ask("POST", "/listeners", &form.to_string());
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().expect("an id").to_owned()
    }

    /// The texts of what listeners wrote into the log.
    fn told(&self) -> Vec<String> {
        let page = self
            .service
            .get("/api/v2/logs?query=source:events&namespace=test")
            .json();
        let entries = page["data"].as_array().expect("entries").iter();
        entries
            .map(|entry| entry["msg"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn event(id: &str, kind: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "here", "type": kind})
}

#[test]
fn events_are_taken_listed_and_found() {
    let stage = Stage::new();
    let first = event("123", "testerDuplicate").to_string();
    // V1 to V5.
    assert_eq!(stage.send("application/json", &first), 200);
    assert_eq!(stage.send("application/cloudevents+json", &first), 400);
    assert_eq!(stage.send("application/bad-header", &first), 415);
    let history = stage.history("");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["namespace"], "test");
    assert_eq!(history[0]["event"]["id"], "123");
    assert_eq!(stage.ask("GET", "/history/123", "").0, 200);
    assert_eq!(stage.ask("GET", "/history/124", "").0, 404);
    // V8 to V11.
    let worded = json!({"specversion": "1.0", "source": "here", "type": "testerJSON", "data": {"hello": "world"}});
    assert_eq!(
        stage.send("application/cloudevents+json", &worded.to_string()),
        200
    );
    let xml = json!({"specversion": "1.0", "source": "here", "type": "testerXML",
        "datacontenttype": "text/xml", "data": "<a>123</a>"});
    assert_eq!(
        stage.send("application/cloudevents+json", &xml.to_string()),
        200
    );
    assert_eq!(
        stage.send("application/cloudevents+json", "NON-COMPLIANT"),
        400
    );
    assert_eq!(
        stage.history("?limit=1&offset=7&filter.field=x").len(),
        3,
        "newest first, all of them"
    );
    assert_eq!(stage.history("")[0]["event"]["type"], "testerXML");
    for (query, count) in [
        ("?eventContains=dfda", 0),
        ("?eventContains=world", 1),
        ("?typeContains=testerJSON", 1),
        ("?receivedAfter=2100-01-01T00:00:00Z", 0),
        ("?before=2000-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(stage.history(query).len(), count, "{query}");
    }
    assert_eq!(stage.ask("GET", "/history?before=yesterdayish", "").0, 400);
    // A batch is taken whole or not at all; what is wrong is named.
    let batch = json!([event("b1", "t"), event("123", "t")]).to_string();
    assert_eq!(
        stage.send("application/cloudevents-batch+json", &batch),
        400
    );
    assert_eq!(stage.send("application/cloudevents-batch+json", "[]"), 200);
    let (status, refused) = stage.ask(
        "POST",
        "/broadcast",
        r#"{"specversion":"1.0","id":"1","source":""}"#,
    );
    assert_eq!(status, 400);
    assert!(
        refused["error"]["message"]
            .as_str()
            .expect("words")
            .contains("source"),
        "{refused}"
    );
    assert_eq!(stage.history("").len(), 3);
    // In headers.
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", "h1"),
        ("ce-source", "here"),
        ("ce-type", "inHeaders"),
        ("content-type", "application/json"),
    ];
    let path = format!("{BASE}/broadcast");
    assert_eq!(
        stage
            .service
            .ask("POST", &path, &headers, r#"{"a":1}"#)
            .status,
        200
    );
    assert_eq!(stage.history("")[0]["event"]["data"]["a"], 1);
    // Namespaces never leak.
    let other = "/api/v2/namespaces/other/events";
    assert_eq!(
        stage.service.get(&format!("{other}/history/123")).status,
        404
    );
    let empty = stage.service.get(&format!("{other}/history")).json();
    assert_eq!(empty["data"], json!([]));
    assert_eq!(empty["meta"]["previousPage"], Value::Null);
}

#[test]
fn listeners_start_and_survive_a_restart() {
    let mut stage = Stage::new();
    let started = |state: &str, text: &str| {
        json!({"triggerType": "StartSimple", "listeningForEventTypes": ["car"],
            "eventContextFilters": [{"type": "car", "context": {"State": state}}],
            "action": {"type": "log", "text": text}})
    };
    stage.listen(&started("started", "it drives"));
    stage.listen(&started("stop*", "it stands"));
    let both = stage.listen(
        &json!({"triggerType": "StartAnd", "listeningForEventTypes": ["a", "b"],
        "action": {"type": "log", "text": "both"}}),
    );
    let (_, listed) = stage.ask("GET", "/listeners?limit=2&offset=1", "");
    assert_eq!(listed["meta"]["total"], 3);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));
    let mut stopped = event("1", "car");
    stopped["state"] = "stopped".into();
    assert_eq!(stage.send("application/json", &stopped.to_string()), 200);
    wait_for("it stands", || {
        (stage.told() == ["it stands"]).then_some(())
    });
    assert_eq!(
        stage.send("application/json", &event("2", "a").to_string()),
        200
    );
    let (_, one) = stage.ask("GET", &format!("/listeners/{both}"), "");
    assert_eq!(one["stillWaitingFor"], json!(["b"]));
    assert_eq!(one["receivedEventsForAndTrigger"][0]["id"], "2");
    stage.service.kill();
    stage.service.restart();
    assert_eq!(
        stage.send("application/json", &event("3", "b").to_string()),
        200
    );
    wait_for("both", || {
        stage.told().contains(&"both".to_owned()).then_some(())
    });
    let (_, one) = stage.ask("GET", &format!("/listeners/{both}"), "");
    assert_eq!(
        (&one["fired"], &one["stillWaitingFor"]),
        (&json!(1), &json!(["a", "b"]))
    );
    // Once more, without another row of history.
    assert_eq!(stage.ask("POST", "/history/replay/1", "").0, 200);
    wait_for("again", || {
        let stands = stage.told().into_iter().filter(|text| text == "it stands");
        (stands.count() == 2).then_some(())
    });
    assert_eq!(stage.history("").len(), 3);
    assert_eq!(
        stage.ask("DELETE", &format!("/listeners/{both}"), "").0,
        204
    );
    assert_eq!(stage.ask("GET", &format!("/listeners/{both}"), "").0, 404);
    let bad = json!({"triggerType": "StartSometimes", "listeningForEventTypes": ["a"]});
    let (status, refused) = stage.ask("POST", "/listeners", &bad.to_string());
    assert_eq!(status, 400);
    assert!(
        refused["error"]["message"]
            .as_str()
            .expect("words")
            .contains("StartSometimes")
    );
}

#[test]
fn who_waits_is_told_once() {
    let stage = Stage::new();
    let path = format!("{BASE}/wait?type=a.b&type=c&mode=all&filter=a.b.source=h*");
    let waiting = Events::follow(&stage.service.url, &path, &[]);
    let armed = waiting.next();
    assert_eq!(armed.name, "armed");
    assert_eq!(
        stage.send("application/json", &event("1", "c").to_string()),
        200
    );
    let mut elsewhere = event("2", "a.b");
    elsewhere["source"] = "elsewhere".into();
    assert_eq!(stage.send("application/json", &elsewhere.to_string()), 200);
    assert_eq!(
        stage.send("application/json", &event("3", "a.b").to_string()),
        200
    );
    let fired = waiting.next();
    assert_eq!(fired.name, "fired");
    let events: Value = serde_json::from_str(&fired.data).expect("events");
    let ids: Vec<&str> = events
        .as_array()
        .expect("several")
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    assert_eq!(ids, ["1", "3"]);
    let (_, listed) = stage.ask("GET", "/listeners", "");
    assert_eq!(listed["meta"]["total"], 0, "it has ended");
}

#[test]
fn events_are_followed_from_where_one_was() {
    let stage = Stage::new();
    assert_eq!(
        stage.send("application/json", &event("1", "a").to_string()),
        200
    );
    assert_eq!(
        stage.send("application/json", &event("2", "a").to_string()),
        200
    );
    let path = format!("{BASE}/history/subscribe");
    let following = Events::follow(&stage.service.url, &path, &[("last-event-id", "1")]);
    let second = following.next();
    assert_eq!(second.id, "2");
    assert_eq!(
        stage.send("application/json", &event("3", "a").to_string()),
        200
    );
    let third = following.next();
    let told: Value = serde_json::from_str(&third.data).expect("an event");
    assert_eq!(
        (third.id.as_str(), &told["event"]["id"]),
        ("3", &json!("3"))
    );
    // What is not due yet is not there yet, and comes once.
    let later = stage.service.ask(
        "POST",
        &format!("{BASE}/broadcast?delay=5s"),
        &[("content-type", "application/json")],
        event("4", "a").to_string(),
    );
    assert_eq!(later.status, 200);
    assert_eq!(stage.history("").len(), 3);
    assert_eq!(following.next().id, "4");
    assert_eq!(stage.history("").len(), 4);
}

#[test]
fn the_commands_send_list_and_wait() {
    let stage = Stage::new();
    let home = stage.home.path();
    let events = |arguments: &[&str]| {
        let more = ["--namespace", "test", "--server", &stage.service.url];
        run(home, &[&["events"], arguments, &more[..]].concat())
    };
    assert_eq!(events(&["history"]).code, Some(1), "there are none");
    assert_eq!(events(&["listeners"]).code, Some(1));
    let made = events(&[
        "listen",
        "--type",
        "a",
        "--type",
        "b",
        "--all",
        "--log",
        "both came",
    ]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let listed = events(&["listeners"]).out;
    assert!(
        listed.contains("StartAnd  a, b  still waits for a, b"),
        "{listed}"
    );
    let late = events(&["wait", "--type", "a", "--timeout", "200ms"]);
    assert_eq!((late.code, late.out.as_str()), (Some(1), ""));
    let waiting = tailwater(home)
        .args([
            "events",
            "wait",
            "--type",
            "a",
            "--type",
            "b",
            "--all",
            "--filter",
            "a.source=src/*",
        ])
        .args([
            "--timeout",
            "10m",
            "--namespace",
            "test",
            "--server",
            &stage.service.url,
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    wait_for("it is armed", || {
        let listed = events(&["listeners"]).out;
        listed.contains("WaitAnd").then_some(())
    });
    let sent = events(&[
        "send",
        "--type",
        "a",
        "--source",
        "src/1",
        "--id",
        "e1",
        r#"{"n":1}"#,
    ]);
    assert_eq!(sent.code, Some(0), "{}", sent.err);
    let again = events(&["send", "--type", "a", "--source", "src/1", "--id", "e1"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("already"), "{}", again.err);
    let sent = events(&[
        "send",
        "--type",
        "b",
        "--attribute",
        "state=on",
        "--id",
        "e2",
    ]);
    assert_eq!(sent.code, Some(0), "{}", sent.err);
    let waited = waiting.wait_with_output().expect("it ends");
    assert_eq!(waited.status.code(), Some(0));
    let lines = String::from_utf8(waited.stdout).expect("text");
    let events_of: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(
        (&events_of[0]["data"]["n"], &events_of[1]["state"]),
        (&json!(1), &json!("on"))
    );
    wait_for("it is told", || {
        (stage.told() == ["both came"]).then_some(())
    });
    assert_eq!(events(&["replay", "e1"]).code, Some(0));
    let history = events(&["history", "--type", "a"]).out;
    assert!(
        history.lines().count() == 1 && history.contains("a  src/1  e1"),
        "{history}"
    );
    let id = made.out.trim().to_owned();
    assert_eq!(events(&["listeners", "--delete", &id]).code, Some(0));
    assert_eq!(events(&["listeners"]).code, Some(1));
}
