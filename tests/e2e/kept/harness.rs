//! Both generations of the Harness log service, byte by byte where their clients look.

use serde_json::{Value, json};

use super::{Stage, lines};

const STEP: &str = "/api/accounts/a/orgs/o/projects/p/builds/1/logs/st/sp";

fn later(path: &str, key: &str) -> String {
    format!("{path}?accountID=blah&key={key}")
}

#[test]
fn the_worked_example_of_the_first_generation() {
    let stage = Stage::new();
    let stream = format!("{STEP}/stream");
    stage.expect(204, "POST", &stream, "");
    let pushed = r#"[{"pos":0,"out":"echo hello\n","time":1},{"pos":1,"out":"<b>&\n","time":2}]"#;
    stage.expect(204, "PUT", &stream, pushed);
    stage.expect(204, "PUT", &format!("{stream}/"), "null");
    let refused: Value =
        serde_json::from_str(&stage.expect(400, "PUT", &stream, "[1]")).expect("JSON");
    assert_eq!(refused["string"], refused["message"]);
    assert!(
        refused["string"]
            .as_str()
            .expect("a reason")
            .starts_with("line 1: expected")
    );
    let info: Value =
        serde_json::from_str(&stage.expect(200, "GET", "/ci/streams", "")).expect("JSON");
    assert_eq!(
        info,
        json!({"streams": {"/a/o/p/1/st/sp": {"size": 2, "subscribers": 0}}})
    );
    let text = stage
        .service
        .stream(&stream, &[], |text| text.matches("data:").count() == 2);
    assert_eq!(
        text,
        ": ping\n\nid: 1\ndata: {\"pos\":0,\"out\":\"echo hello\\n\",\"time\":1}\n\nid: 2\ndata: {\"pos\":1,\"out\":\"<b>&\\n\",\"time\":2}\n\n"
    );
    let head = stage.service.headers_of(&stream);
    assert_eq!(head["content-type"], "text/event-stream");
    let events = stage.follow(&stream);
    stage.expect(204, "DELETE", &stream, "");
    let rest = events.rest();
    let names: Vec<_> = rest.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["", "", "end", "error"]);
    assert_eq!(rest[3].data, "eof");
    stage.expect(404, "DELETE", &stream, "");
    // The lines are the blob of the same name.
    let blob = stage.expect(200, "GET", &format!("{STEP}/blob"), "");
    assert_eq!(
        blob,
        "{\"pos\":0,\"out\":\"echo hello\\n\",\"time\":1}\n{\"pos\":1,\"out\":\"<b>&\\n\",\"time\":2}\n"
    );
}

#[test]
fn a_stream_that_there_is_not_ends_at_once() {
    let stage = Stage::new();
    let text = stage
        .service
        .stream(&format!("{STEP}/stream"), &[], |_| false);
    assert_eq!(text, ": ping\n\nevent: error\ndata: eof\n\n");
}

#[test]
fn identifiers_stay_as_they_stand() {
    let stage = Stage::new();
    let path = "/api/accounts/a%2Fb/orgs/o/projects/p/builds/1/logs/st/s%20p/stream";
    stage.expect(204, "POST", path, "");
    let info = stage.expect(200, "GET", "/ci/streams", "");
    assert!(info.contains("\"/a%2Fb/o/p/1/st/s%20p\""), "{info}");
}

#[test]
fn blobs_of_the_first_generation() {
    let stage = Stage::new();
    let blob = format!("{STEP}/blob");
    stage.expect(404, "GET", &blob, "");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = "accountID=other&key=x";
    assert_eq!(stage.service.ask("POST", &blob, &form, body).status, 204);
    assert_eq!(stage.expect(200, "GET", &blob, ""), body);
    let link: Value =
        serde_json::from_str(&stage.expect(200, "POST", &format!("{blob}/link/download"), ""))
            .expect("JSON");
    assert_eq!(link["expires"], 3_600_000_000_000_u64);
    let url = link["link"].as_str().expect("a link");
    let path = url
        .strip_prefix(&stage.service.url)
        .expect("an address of the service");
    assert_eq!(stage.service.get(path).body, body);
    let link: Value =
        serde_json::from_str(&stage.expect(200, "POST", &format!("{blob}/link/upload"), ""))
            .expect("JSON");
    let url = link["link"].as_str().expect("a link");
    let path = url
        .strip_prefix(&stage.service.url)
        .expect("an address of the service");
    assert_eq!(stage.service.ask("PUT", path, &[], "new").status, 201);
    assert_eq!(stage.expect(200, "GET", &blob, ""), "new");
    stage.expect(204, "DELETE", &blob, "");
    stage.expect(204, "DELETE", &blob, "");
    stage.expect(404, "GET", &blob, "");
}

#[test]
fn the_worked_example_of_the_later_generation() {
    let stage = Stage::new();
    let token = stage.expect(200, "GET", "/token?accountID=blah", "");
    assert!(
        token.len() == 56 && token.contains("YmxhaA") || token.contains("Jsb") || token.len() > 50
    );
    stage.expect(204, "POST", &later("/stream", "run/1/step"), "");
    let line = r#"[{"level":"INFO","pos":1,"out":"Cloning\n","time":"2020-09-23T12:38:18+05:30","args":{"a":"b"}}]"#;
    stage.expect(204, "PUT", &later("/stream", "run/1/step"), line);
    let text = stage
        .service
        .stream(&later("/stream", "run/1/step"), &[], |text| {
            text.contains("data:")
        });
    assert!(text.ends_with("data: {\"level\":\"INFO\",\"pos\":1,\"out\":\"Cloning\\n\",\"time\":\"2020-09-23T12:38:18+05:30\",\"args\":{\"a\":\"b\"}}\n\n"), "{text}");
    let info: Value =
        serde_json::from_str(&stage.expect(200, "GET", &later("/stream/info", "x"), ""))
            .expect("JSON");
    assert_eq!(info["streams"]["blah/run/1/step"]["size"], 1);
    assert!(
        info["streams"]["blah/run/1/step"]["ttl"]
            .as_str()
            .expect("a time")
            .ends_with('s')
    );
    stage.expect(
        204,
        "DELETE",
        &format!("{}&snapshot=true", later("/stream", "run/1/step")),
        "",
    );
    let blob = stage.expect(200, "GET", &later("/blob", "run/1/step"), "");
    assert_eq!(blob.lines().count(), 1);
    stage.expect(
        404,
        "DELETE",
        &format!("{}&snapshot=true", later("/stream", "run/1/step")),
        "",
    );
    for (path, reason) in [
        ("/stream?key=k", "no accountID exists in the URL"),
        ("/stream?accountID=blah", "no key exists in the URL"),
        (
            "/stream?accountID=blah&key=k&timeout_seconds=-1",
            "timeout_seconds: expected",
        ),
    ] {
        let refused: Value =
            serde_json::from_str(&stage.expect(400, "POST", path, "")).expect("JSON");
        assert!(
            refused["error_msg"]
                .as_str()
                .expect("a reason")
                .starts_with(reason),
            "{refused}"
        );
    }
    assert_eq!(stage.expect(200, "GET", "/ready/healthz", ""), "OK");
}

#[test]
fn prefixes_and_lists_close_what_they_name() {
    let stage = Stage::new();
    for key in ["run/2/a", "run/2/b", "run/22/c", "x", "y", "z"] {
        stage.expect(204, "POST", &later("/stream", key), "");
        stage.expect(204, "PUT", &later("/stream", key), &lines(1..=2));
    }
    stage.expect(
        204,
        "DELETE",
        &format!("{}&prefix=true&snapshot=true", later("/stream", "run/2")),
        "",
    );
    stage.expect(
        204,
        "DELETE",
        &format!("{}&prefix=true", later("/stream", "nothing")),
        "",
    );
    stage.expect(204, "DELETE", "/stream?accountID=blah&keyList=x,y", "");
    let info: Value =
        serde_json::from_str(&stage.expect(200, "GET", "/stream/info?accountID=blah", ""))
            .expect("JSON");
    let left: Vec<_> = info["streams"]
        .as_object()
        .expect("streams")
        .keys()
        .collect();
    assert_eq!(left, ["blah/run/22/c", "blah/z"]);
    assert_eq!(
        stage.expect(200, "GET", &later("/blob/exists", "run/2"), ""),
        "true"
    );
    assert_eq!(
        stage.expect(200, "GET", &later("/blob/exists", "run/22"), ""),
        "false"
    );
    let zip: Value = serde_json::from_str(&stage.expect(
        200,
        "POST",
        "/blob/download?accountID=blah&prefix=run",
        "",
    ))
    .expect("JSON");
    assert_eq!(zip["status"], "success");
    let url = zip["link"].as_str().expect("a link");
    let path = url
        .strip_prefix(&stage.service.url)
        .expect("an address of the service");
    let archive = stage.service.ask("GET", path, &[], "");
    assert_eq!(
        (archive.status, archive.header("content-type")),
        (200, "application/zip")
    );
    stage.expect(
        404,
        "POST",
        "/blob/download?accountID=blah&prefix=nothing",
        "",
    );
    stage.expect(204, "DELETE", &later("/internal/blob", "run/2"), "");
    assert_eq!(
        stage.expect(200, "GET", &later("/blob/exists", "run/2"), ""),
        "false"
    );
}

#[test]
fn what_an_agent_uploads_itself_is_not_replaced() {
    let stage = Stage::new();
    stage.expect(204, "POST", &later("/stream", "k"), "");
    stage.expect(204, "PUT", &later("/stream", "k"), &lines(1..=2));
    stage.expect(204, "POST", &later("/blob", "k"), "the whole log");
    stage.expect(204, "DELETE", &later("/stream", "k"), "");
    assert_eq!(
        stage.expect(200, "GET", &later("/blob", "k"), ""),
        "the whole log"
    );
    // The same step runs again: what it says takes the place of the old.
    stage.expect(204, "POST", &later("/stream", "k"), "");
    stage.expect(204, "PUT", &later("/stream", "k"), &lines(1..=2));
    stage.expect(204, "DELETE", &later("/stream", "k"), "");
    assert_eq!(
        stage
            .expect(200, "GET", &later("/blob", "k"), "")
            .lines()
            .count(),
        2
    );
}
