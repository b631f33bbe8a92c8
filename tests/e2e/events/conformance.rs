//! The rows V14 to V24 of what Direktiv's own tests ask of events, with listeners in the place of workflows.

use serde_json::{Value, json};

use super::{BASE, Stage, event};
use crate::support::{Events, wait_for};

/// An event: `type name=value…`, each with an id of its own.
fn of(text: &str, id: &mut u32) -> String {
    *id += 1;
    let mut words = text.split(' ');
    let mut event = event(&id.to_string(), words.next().expect("a type"));
    for word in words {
        let (name, value) = word.split_once('=').expect("name=value");
        event[name] = value.into();
    }
    event.to_string()
}

fn starts(trigger: &str, types: &[&str], filters: &Value, text: &str) -> Value {
    json!({"triggerType": trigger, "listeningForEventTypes": types, "eventContextFilters": filters,
        "action": {"type": "log", "text": text}})
}

/// Waits, and says how to look whether it is over: with which events, by their types.
fn wait(stage: &Stage, query: &str) -> Events {
    let waiting = Events::follow(&stage.service.url, &format!("{BASE}/wait?{query}"), &[]);
    assert_eq!(waiting.next().name, "armed");
    waiting
}

fn fired(waiting: &Events) -> Vec<Value> {
    let fired = waiting.next();
    assert_eq!(fired.name, "fired");
    serde_json::from_str(&fired.data).expect("events")
}

impl Stage {
    fn says(&self, texts: &[&str], id: &mut u32) {
        for text in texts {
            let sent = self.send("application/json", &of(text, id));
            assert_eq!(sent, 200, "{text}");
        }
    }

    /// What was started, once it is so many.
    fn started(&self, count: usize) -> Vec<String> {
        wait_for("what was started", || {
            let told = self.told();
            (told.len() == count).then_some(told)
        })
    }
}

#[test]
fn starts_are_chosen_by_their_context() {
    let (stage, mut id) = (Stage::new(), 0);
    let state = |state: &str| json!([{"type": "machine", "context": {"state": state}}]);
    stage.listen(&starts(
        "StartSimple",
        &["machine"],
        &state("started"),
        "first",
    ));
    stage.listen(&starts(
        "StartSimple",
        &["machine"],
        &state("stopped"),
        "second",
    ));
    // V14.
    stage.says(&["machine state=stopped"], &mut id);
    assert_eq!(stage.started(1), ["second"]);
    // V17.
    let hello = json!([{"type": "greet", "context": {"hello": "world"}}]);
    stage.listen(&starts("StartSimple", &["greet"], &hello, "greeted"));
    stage.says(&["greet", "greet hello=moon", "greet hello=world"], &mut id);
    assert_eq!(stage.started(2), ["second", "greeted"]);
    // V21: 9 (world1) and 10 (world3) do not start it, 10 (world2) does.
    let both = json!([{"type": "nine", "context": {"hello": "world1"}}, {"type": "ten", "context": {"hello": "world2"}}]);
    stage.listen(&starts("StartAnd", &["nine", "ten"], &both, "both"));
    stage.says(&["nine hello=world1", "ten hello=world3"], &mut id);
    assert_eq!(stage.started(2).len(), 2);
    stage.says(&["ten hello=world2"], &mut id);
    assert_eq!(stage.started(3).last().map(String::as_str), Some("both"));
    // V23: once for each event.
    stage.listen(&starts("StartOR", &["one", "two"], &json!([]), "either"));
    stage.says(&["one", "two"], &mut id);
    assert_eq!(stage.started(5)[3..], ["either", "either"]);
}

#[test]
fn listeners_have_direktivs_shape() {
    let stage = Stage::new();
    let none = json!([{"type": "a", "context": {}}, {"type": "b", "context": {}}]);
    stage.listen(&starts("StartAnd", &["a", "b"], &none, "both"));
    let (_, listed) = stage.ask("GET", "/listeners?limit=10&offset=0", "");
    assert_eq!(listed["meta"]["total"], 1);
    let _waiting = wait(&stage, "type=c");
    let (_, listed) = stage.ask("GET", "/listeners?limit=10&offset=0", "");
    // V15 and V20.
    assert_eq!(listed["meta"]["total"], 2);
    let (start, wait) = (&listed["data"][0], &listed["data"][1]);
    assert_eq!(start["triggerType"], "StartAnd");
    assert_eq!(start["triggerWorkflow"], "log both");
    assert_eq!(start["triggerInstance"], Value::Null);
    assert_eq!(start["eventContextFilters"], none);
    assert_eq!(start["namespace"], "test");
    assert_eq!(wait["triggerType"], "WaitSimple");
    assert_eq!(wait["triggerInstance"], wait["id"]);
    assert_eq!(wait["eventContextFilters"], json!([]));
    for one in [start, wait] {
        for name in ["createdAt", "updatedAt"] {
            let text = one[name].as_str().expect("a time");
            assert!(text.starts_with("20") && text.ends_with('Z'), "{text}");
        }
        // By its id, in its namespace only.
        let id = one["id"].as_str().expect("an id");
        assert_eq!(
            stage.ask("GET", &format!("/listeners/{id}"), "").1["id"],
            *id
        );
        let other = format!("/api/v2/namespaces/other/events/listeners/{id}");
        assert_eq!(stage.service.get(&other).status, 404);
    }
    let all = stage.service.get("/api/v2/events/listeners").json();
    assert_eq!(all["meta"]["total"], 2, "of every namespace");
}

#[test]
fn waits_end_by_the_right_events() {
    let (stage, mut id) = (Stage::new(), 0);
    // V16: another type leaves it pending.
    let waiting = wait(&stage, "type=greeting");
    stage.says(&["other", "greeting hello=world"], &mut id);
    assert_eq!(fired(&waiting)[0]["hello"], "world");
    // V18: what is waited for is taken from the event that started it.
    let first = wait(&stage, "type=start");
    stage.says(&["start condition=condition1"], &mut id);
    let condition = fired(&first)[0]["condition"].clone();
    let query = format!(
        "type=next&filter=next.condition={}",
        condition.as_str().expect("text")
    );
    let second = wait(&stage, &query);
    stage.says(
        &["next condition=condition2", "next condition=condition1"],
        &mut id,
    );
    assert_eq!(fired(&second)[0]["condition"], "condition1");
    // V19: both keys have to be there.
    let both = wait(&stage, "type=keys&filter=keys.a=1&filter=keys.b=2");
    stage.says(&["keys a=1", "keys a=1 b=2"], &mut id);
    assert_eq!(fired(&both)[0]["b"], "2");
    // V20 and V22: one of each; wrong values do not count.
    let all = wait(&stage, "type=x&type=y&mode=all&filter=x.v=1&filter=y.v=2");
    stage.says(&["x v=1", "y v=1", "x v=2", "y v=2"], &mut id);
    let kinds: Vec<Value> = fired(&all).iter().map(|of| of["type"].clone()).collect();
    assert_eq!(kinds, ["x", "y"]);
    // V23: the first of either; what does not come in time ends the wait.
    let either = wait(&stage, "type=p&type=q");
    stage.says(&["q", "p"], &mut id);
    assert_eq!(fired(&either)[0]["type"], "q");
    let (_, listed) = stage.ask("GET", "/listeners", "");
    assert_eq!(listed["meta"]["total"], 0, "all of them have ended");
}

#[test]
fn correlated_waits_run_beside_each_other() {
    // V24.
    let (stage, mut id) = (Stage::new(), 0);
    let waits = ["a", "b", "c"].map(|stream| {
        wait(
            &stage,
            &format!("type=second&filter=second.stream={stream}"),
        )
    });
    for (at, stream) in [(1, "b"), (2, "c"), (0, "a")] {
        stage.says(&[&format!("second stream={stream}")], &mut id);
        assert_eq!(fired(&waits[at])[0]["stream"], stream);
        let (_, listed) = stage.ask("GET", "/listeners", "");
        let left = listed["meta"]["total"].as_u64().expect("a count");
        assert_eq!(left, 3 - u64::from(id), "the others wait on");
    }
}
