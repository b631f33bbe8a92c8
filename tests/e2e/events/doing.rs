//! What listeners do, and entries of the log that become events.

use serde_json::{Value, json};

use super::{Stage, event};
use crate::support::{Events, Screen, Service, Taker, run, wait_for};

/// A service with this in its configuration.
fn with_config(text: &str) -> Stage {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("c.toml");
    let text = text.replace("HOME", &home.path().display().to_string());
    std::fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--config", &path]);
    Stage { service, home }
}

const COMMANDS: &str = r#"
[events.commands.keep]
command = ["sh", "-c", "echo $TAILWATER_FIRING $TAILWATER_NAMESPACE >> HOME/names; cat >> HOME/kept; echo >> HOME/kept"]

[events.commands.hang]
command = ["sh", "-c", "touch HOME/began; sleep 600 & wait"]
timeout = "200ms"
"#;

fn does(action: &Value) -> Value {
    json!({"triggerType": "StartSimple", "listeningForEventTypes": ["a"], "action": action})
}

#[test]
fn a_command_of_the_configuration_gets_the_events() {
    let stage = with_config(COMMANDS);
    let id = stage.listen(&does(&json!({"type": "command", "name": "keep"})));
    // Only what is named may run.
    let bad = does(&json!({"type": "command", "name": "rm"})).to_string();
    let (status, refused) = stage.ask("POST", "/listeners", &bad);
    assert_eq!(status, 400);
    let words = refused["error"]["message"].as_str().expect("words");
    assert!(words.contains("there are hang, keep"), "{words}");
    assert_eq!(
        stage.send("application/json", &event("1", "a").to_string()),
        200
    );
    let kept = wait_for("the command", || {
        let text = std::fs::read_to_string(stage.home.path().join("kept")).ok()?;
        text.ends_with('\n').then_some(text)
    });
    let events: Value = serde_json::from_str(&kept).expect("a batch");
    assert_eq!(events[0]["id"], "1");
    let names = std::fs::read_to_string(stage.home.path().join("names")).expect("names");
    assert_eq!(names, format!("{id}-1 test\n"));
    // What takes too long is ended, with all that it started, and begun again.
    stage.listen(&does(&json!({"type": "command", "name": "hang"})));
    assert_eq!(
        stage.send("application/json", &event("2", "a").to_string()),
        200
    );
    let began = stage.home.path().join("began");
    for _ in 0..2 {
        wait_for("it begins", || began.exists().then_some(()));
        std::fs::remove_file(&began).expect("removed");
    }
    let metrics = stage.service.get("/metrics").body;
    assert!(
        metrics.contains("tailwater_event_firings_pending 1"),
        "{metrics}"
    );
    assert!(metrics.contains("tailwater_event_listeners 2"), "{metrics}");
}

#[test]
fn a_webhook_is_signed_retried_and_given_up_on_what_is_refused_for_good() {
    let stage = Stage::new();
    let taker = Taker::new();
    taker.refuse(true);
    let url = format!("{}/hook", taker.url());
    let id = stage.listen(&does(
        &json!({"type": "webhook", "url": url, "secret": "s"}),
    ));
    assert_eq!(
        stage.send("application/json", &event("1", "a").to_string()),
        200
    );
    wait_for("it is pending", || {
        let metrics = stage.service.get("/metrics").body;
        metrics
            .contains("tailwater_event_firings_pending 1")
            .then_some(())
    });
    taker.refuse(false);
    let posted = wait_for("it is posted", || taker.posted().into_iter().next());
    let head = posted.head.to_lowercase();
    assert!(
        head.contains(&format!("x-tailwater-firing: {id}-1")),
        "{head}"
    );
    assert!(head.contains("x-tailwater-signature: sha256="), "{head}");
    let body: Value = serde_json::from_str(&posted.body).expect("a batch");
    assert_eq!(body[0]["id"], "1");
    // The secret is told to nobody.
    let (_, one) = stage.ask("GET", &format!("/listeners/{id}"), "");
    assert_eq!(one["action"], json!({"type": "webhook", "url": url}));
    // What is no address is refused at once.
    let bad = does(&json!({"type": "webhook", "url": "nowhere"})).to_string();
    assert_eq!(stage.ask("POST", "/listeners", &bad).0, 400);
    // What is refused for good is kept aside, and can be tried again.
    let gone = format!("{}/api/v2/none", stage.service.url);
    let dead = stage.listen(&does(&json!({"type": "webhook", "url": gone})));
    assert_eq!(
        stage.send("application/json", &event("2", "a").to_string()),
        200
    );
    let letter = wait_for("a dead letter", || {
        let (_, letters) = stage.ask("GET", "/dead", "");
        letters["data"].get(0).cloned()
    });
    assert_eq!(letter["firing"]["id"], format!("{dead}-1"));
    assert!(
        letter["reason"].as_str().expect("words").contains("404"),
        "{letter}"
    );
    let home = stage.home.path();
    let events = |arguments: &[&str]| {
        let more = ["--namespace", "test", "--server", &stage.service.url];
        run(home, &[&["events", "dead"], arguments, &more[..]].concat())
    };
    let listed = events(&[]);
    assert!(listed.out.contains(&format!("{dead}-1")), "{}", listed.out);
    let name = format!("{dead}-1");
    let other = format!("/api/v2/namespaces/other/events/dead/{name}");
    assert_eq!(
        stage.service.post(&other, "").status,
        404,
        "namespaces never leak"
    );
    assert_eq!(events(&["--retry", &name]).code, Some(0));
    wait_for("it is given up again", || {
        let (_, letters) = stage.ask("GET", "/dead", "");
        letters["data"].get(0).cloned()
    });
    assert_eq!(events(&["--delete", &name]).code, Some(0));
    assert_eq!(events(&[]).code, Some(1), "there are none");
}

const RULES: &str = r#"
[[events.rules]]
name = "errors"
query = "ns:pay level>=error"
type = "log.error"
namespace = "test"
per_minute = 3
extensions = { code = "http.status" }
"#;

#[test]
fn entries_of_the_log_become_events_once() {
    let mut stage = with_config(RULES);
    let trace = "ab".repeat(16);
    let push = |stage: &Stage, text: &str, level: &str| {
        let entry = json!({"namespace": "pay", "level": level, "msg": text, "trace": trace, "http": {"status": 502}});
        assert_eq!(
            stage.service.post("/api/v2/logs", entry.to_string()).status,
            202
        );
    };
    // With an event from elsewhere: it takes both, and says the trace.
    stage.listen(
        &json!({"triggerType": "StartAnd", "listeningForEventTypes": ["deploy", "log.error"],
        "action": {"type": "log", "text": "after the deployment"}}),
    );
    push(&stage, "fine", "info");
    push(&stage, "first", "error");
    wait_for("the first", || (stage.history("").len() == 1).then_some(()));
    let first = stage.history("")[0].clone();
    assert_eq!(first["event"]["type"], "log.error");
    assert_eq!(first["event"]["code"], "502");
    assert_eq!(first["event"]["source"], "/logs/pay");
    assert_eq!(first["event"]["data"]["msg"], "first");
    assert_eq!(first["trace"], trace.as_str());
    assert_eq!(
        stage.send("application/json", &event("d", "deploy").to_string()),
        200
    );
    wait_for("both", || {
        (stage.told() == ["after the deployment"]).then_some(())
    });
    // What was written while nobody could look becomes one, what was one does not again.
    stage.service.kill();
    stage.service.restart();
    push(&stage, "second", "error");
    wait_for("the second", || {
        (stage.history("").len() == 3).then_some(())
    });
    // More than a few a minute are left out, and the next one says so.
    for n in 0..10 {
        push(&stage, &format!("more {n}"), "fatal");
    }
    wait_for("as many as may be", || {
        (stage.history("").len() == 5).then_some(())
    });
    assert!(stage.service.logged("too many a minute").contains("errors"));
    let ids = |event: &Value| event["event"]["id"].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<String> = stage.history("").iter().map(ids).collect();
    names.dedup();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn a_rule_that_could_never_be_is_told_with_its_place() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("c.toml");
    std::fs::write(&path, RULES.replace("level>=error", "level>=")).expect("written");
    let path = path.display().to_string();
    for arguments in [
        &["config", "check"][..],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let told = run(home.path(), &[arguments, &["--config", &path]].concat());
        assert_eq!(told.code, Some(2), "{}", told.out);
        let place = format!("{path}:4: events.rules.0.query: expected a query");
        assert!(told.err.contains(&place), "{}", told.err);
    }
}

#[test]
fn whoever_looks_on_is_told_and_led_there() {
    let stage = Stage::new();
    let firings = Events::follow(&stage.service.url, "/api/v2/events/firings", &[]);
    let entry = |n: u32, ns: &str| json!({"time": format!("2026-03-14T10:00:{n:02}Z"), "namespace": ns, "msg": format!("entry {n} of {ns}")});
    let entries: Vec<Value> = (0..60)
        .map(|n| entry(n, ["pay", "auth"][n as usize % 2]))
        .collect();
    assert_eq!(
        stage
            .service
            .post("/api/v2/logs", json!(entries).to_string())
            .status,
        202
    );
    let view = json!({"triggerType": "StartAnd", "listeningForEventTypes": ["failover", "errors"],
        "action": {"type": "view", "query": "ns:pay", "text": "failover and errors"}});
    stage.listen(&view);
    let bad = json!({"triggerType": "StartSimple", "listeningForEventTypes": ["a"], "action": {"type": "view", "query": "level>="}});
    assert_eq!(stage.ask("POST", "/listeners", &bad.to_string()).0, 400);
    let mut screen = Screen::start(stage.home.path(), &[&stage.service.url]);
    screen.see("entry 59 of auth");
    screen.keys("V\t");
    screen.see("failover & errors");
    let mut first = event("1", "failover");
    first["time"] = "2026-03-14T10:00:20Z".into();
    assert_eq!(stage.send("application/json", &first.to_string()), 200);
    screen.see("✓ failover & errors");
    screen.keys("q");
    let mut second = event("2", "errors");
    second["time"] = "2026-03-14T10:00:30Z".into();
    assert_eq!(stage.send("application/json", &second.to_string()), 200);
    screen.see("⚑ failover and errors in test · V and enter lead there");
    let told: Value = serde_json::from_str(&firings.next().data).expect("a firing");
    assert_eq!(told["action"]["text"], "failover and errors");
    assert_eq!(told["events"].as_array().map(Vec::len), Some(2));
    screen.keys("V");
    screen.see("[Fired]");
    screen.keys("\r");
    screen.wait("the moment", |_| {
        let selected = screen.selected();
        selected.is_some_and(|(_, row)| row.contains("entry 30 of pay"))
    });
    assert!(!screen.text().contains("of auth"), "{}", screen.text());
    screen.keys("\x7f");
    screen.see("entry 59 of auth");
}

#[test]
fn an_explorer_takes_events_and_leaves_what_is_to_be_done_to_a_service() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data").display().to_string();
    let mut screen = Screen::start(home.path(), &["--data", &data]);
    screen.wait("the explorer", |rows| {
        rows.iter().any(|row| row.contains("LIVE"))
    });
    let of = |arguments: &[&str]| {
        let told = run(
            home.path(),
            &[&["events"], arguments, &["--data", &data]].concat(),
        );
        assert_eq!(told.code, Some(0), "{}", told.err);
        told.out
    };
    of(&["listen", "--type", "a", "--log", "done by the service"]);
    of(&["send", "--type", "a", "--source", "here"]);
    screen.see("⚑ done by the service");
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    let service = Service::start(home.path());
    wait_for("it is done", || {
        let page = service.get("/api/v2/logs?query=source:events").json();
        let found = page["data"].as_array().map(Vec::len);
        (found == Some(1)).then_some(())
    });
}
