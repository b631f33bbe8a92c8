//! What other senders speak: their own libraries, and bodies written by hand.

use serde_json::{Value, json};

use crate::support::{Service, python, python_with, run};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn service() -> (tempfile::TempDir, Service) {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    (home, service)
}

fn data(service: &Service, path: &str) -> Vec<Value> {
    let list = service.get(path).json();
    list["data"].as_array().cloned().unwrap_or_default()
}

/// The three records that `tests/senders/send.py` sends, however they came.
fn check_sent(service: &Service, sender: &str) {
    let entries = data(service, "/api/v2/namespaces/checkout/logs");
    let said: Vec<_> = entries
        .iter()
        .map(|entry| (entry["level"].as_str(), entry["msg"].as_str()))
        .collect();
    let expected = [
        (Some("INFO"), Some("request 1 completed")),
        (Some("WARN"), Some("request 2 was slow")),
        (Some("ERROR"), Some("request 3 failed: naïve “quote”")),
    ];
    assert_eq!(said, expected, "{sender}");
    for entry in &entries {
        assert_eq!(entry["trace"], TRACE, "{sender}: {entry}");
        assert_eq!(entry["workflow"]["instance"], "pod-7", "{sender}: {entry}");
    }
}

fn send(sender: &str, address: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/senders/send.py");
    python(&[script, sender, address]);
}

#[test]
fn real_senders_lines_arrive_complete() {
    for sender in ["otlp-http", "loki", "elasticsearch"] {
        let (_home, service) = service();
        send(sender, &service.url);
        check_sent(&service, sender);
        if sender != "loki" {
            let first = &data(&service, "/api/v2/logs")[0];
            assert_eq!(first["time"], "2026-03-14T09:00:00.000000001Z", "{sender}");
        }
    }
}

#[test]
fn opentelemetry_sends_over_grpc() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--otlp-grpc", "127.0.0.1:0"]);
    let line = service.line();
    let address = line.strip_prefix("taking OTLP over gRPC on http://");
    send("otlp-grpc", address.expect("an address").trim());
    check_sent(&service, "otlp-grpc");
    let first = &data(&service, "/api/v2/logs")[0];
    assert_eq!(first["span"], "00f067aa0ba902b7");
    assert_eq!(first["fields"]["user.id"], "u-1");
    assert_eq!(first["fields"]["otel.scope.name"], "shop.cart");
}

#[test]
fn grpc_asks_for_tokens_too() {
    let home = tempfile::tempdir().expect("a home");
    let data_dir = home.path().join("data");
    let data_dir = data_dir.to_str().expect("a path");
    let create = |rights: &[&str]| {
        let create = ["token", "create", "--data", data_dir];
        let made = run(home.path(), &[&create, rights].concat());
        made.out.trim().to_owned()
    };
    let (reader, writer) = (create(&["--read"]), create(&["--write"]));
    let flags = ["--auth", "--otlp-grpc", "127.0.0.1:0"];
    let service = Service::start_with(home.path(), "127.0.0.1:0", &flags);
    let line = service.line();
    let address = line
        .trim()
        .rsplit('/')
        .next()
        .expect("an address")
        .to_owned();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/senders/send.py");
    let bearer = format!("Bearer {reader}");
    let count = || {
        let headers = [("authorization", bearer.as_str())];
        let page = service.ask("GET", "/api/v2/logs", &headers, "").json();
        page["data"].as_array().map_or(0, Vec::len)
    };
    for (token, expected) in [
        ("", 0),
        ("tw_0_0", 0),
        (reader.as_str(), 0),
        (writer.as_str(), 3),
    ] {
        python_with(&[("TOKEN", token)], &[script, "otlp-grpc", &address]);
        assert_eq!(count(), expected, "{token}");
    }
}

#[test]
fn the_services_own_log_names_requests() {
    let home = tempfile::tempdir().expect("a home");
    let flags = ["--log-format", "json", "--log-level", "debug"];
    let service = Service::start_with(home.path(), "127.0.0.1:0", &flags);
    service.ask("GET", "/api/v2/logs/1", &[("x-request-id", "mine-7")], "");
    let log = service.logged("mine-7");
    let line = log
        .lines()
        .find(|line| line.contains("mine-7"))
        .expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["span"]["id"], "mine-7", "{line}");
    assert_eq!(
        (&line["status"], &line["route"]),
        (&json!(404), &json!("/api/v2/logs/{id}")),
        "{line}"
    );
}

#[test]
fn text_is_taken_by_the_line_and_traces_are_joined() {
    let (_home, service) = service();
    let text = "2026-03-14 09:00:00 ERROR boom\njava.lang.Error: x\n\tat a.b(C.java:1)\n2026-03-14 09:00:01 WARN next\r\n";
    let reply = service.post_as(
        "/api/v2/namespaces/a/logs",
        "text/plain; charset=utf-8",
        text,
    );
    assert_eq!(
        (reply.status, reply.json()["accepted"].as_u64()),
        (202, Some(2))
    );
    let entries = data(&service, "/api/v2/namespaces/a/logs");
    assert_eq!(
        entries[0]["msg"],
        "boom\njava.lang.Error: x\n\tat a.b(C.java:1)"
    );
    assert_eq!(entries[0]["level"], "ERROR");
    assert_eq!(entries[1]["time"], "2026-03-14T09:00:01Z");
    assert_eq!(entries[1]["msg"], "next");
    // However large the body is: where its pieces meet, nothing is added.
    let many: String = (0..20_000)
        .map(|at| format!("2026-03-14 09:00:00 INFO line {at}\n"))
        .collect();
    let reply = service.post_as("/api/v2/namespaces/b/logs", "text/plain", many);
    assert_eq!(reply.json()["accepted"], 20_000);
    let broken = service
        .get("/api/v2/namespaces/b/logs/facets?field=text&limit=1000&query=%2F%5Cn%2F")
        .json();
    assert_eq!(broken["data"]["values"], json!([]), "{broken}");
}

#[test]
fn exports_in_json_are_answered_as_the_protocol_says() {
    let (_home, service) = service();
    let export = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1", "body": {"stringValue": "kept"}},
    ]}]}]});
    let reply = service.post_as("/v1/logs", "application/json", export.to_string());
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, "{\"partialSuccess\":null}")
    );
    for (kind, body, status) in [
        ("application/json", "{\"resourceLogs\":1}", 400),
        ("application/x-protobuf", "\u{7}\u{7}", 400),
        ("text/html", "x", 415),
    ] {
        let reply = service.post_as("/v1/logs", kind, body);
        assert_eq!(reply.status, status, "{kind}: {}", reply.body);
    }
    assert_eq!(data(&service, "/api/v2/logs").len(), 1);
}

#[test]
fn loki_pushes_are_checked_line_by_line() {
    let (_home, service) = service();
    let push = |body: &Value| {
        let kind = [
            ("content-type", "application/json"),
            ("x-scope-orgid", "shop"),
        ];
        service.ask("POST", "/loki/api/v1/push", &kind, body.to_string())
    };
    let reply = push(&json!({"streams": [{
        "stream": {"app": "web", "detected_level": "error"},
        "values": [
            ["1773478800000000001", "plain words", {"trace_id": TRACE}],
            ["1773478800000000002", "{\"msg\":\"in JSON\",\"amount\":2}"],
        ],
    }]}));
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let entries = data(&service, "/api/v2/namespaces/shop/logs");
    assert_eq!(entries[0]["msg"], "plain words");
    assert_eq!(entries[0]["trace"], TRACE);
    assert_eq!(entries[1]["fields"], json!({"amount": 2, "app": "web"}));
    assert_eq!(entries[1]["level"], "ERROR");
    assert_eq!(entries[1]["time"], "2026-03-14T09:00:00.000000002Z");
    let reply = push(&json!({"streams": [{"stream": {}, "values": [["1", "a"], ["soon", "b"]]}]}));
    assert_eq!(reply.status, 400);
    let message = reply.json()["error"]["message"].to_string();
    assert!(
        message.contains("1 lines were accepted, 1 were not; line 2"),
        "{message}"
    );
    assert_eq!(push(&json!([1])).status, 400);
    let reply = service.post_as("/loki/api/v1/push", "application/x-protobuf", "not snappy");
    assert_eq!(reply.status, 400, "{}", reply.body);
}

#[test]
fn bulk_tells_what_became_of_each_document() {
    let (_home, service) = service();
    let body = "{\"create\":{\"_index\":\"shop\",\"_id\":\"7\"}}\n{\"message\":\"a\"}\n\
        {\"delete\":{\"_index\":\"shop\",\"_id\":\"1\"}}\n\
        {\"index\":{}}\n{\"message\":\"b\",\"namespace\":\"own\"}\n\
        {\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}\n\
        {\"index\":{}}\nno object\n\
        {\"index\":{}}\n{\"message\":\"c\"}\n";
    let reply = service.post("/logs-app/_bulk", body).json();
    assert_eq!(reply["errors"], true);
    let items = reply["items"].as_array().expect("items");
    let statuses: Vec<_> = items
        .iter()
        .filter_map(|item| item.as_object()?.iter().next())
        .map(|(verb, outcome)| (verb.as_str(), outcome["status"].as_u64().unwrap_or(0)))
        .collect();
    let expected = [
        ("create", 201),
        ("delete", 400),
        ("index", 201),
        ("update", 400),
        ("index", 400),
        ("index", 201),
    ];
    assert_eq!(statuses, expected);
    let messages = |namespace: &str| -> Vec<Value> {
        let path = format!("/api/v2/namespaces/{namespace}/logs");
        data(&service, &path)
            .iter()
            .map(|entry| entry["msg"].clone())
            .collect()
    };
    assert_eq!(messages("shop"), ["a"]);
    assert_eq!(messages("own"), ["b"]);
    assert_eq!(messages("logs-app"), ["c"]);
    let hello = service.get("/");
    assert_eq!(hello.header("x-elastic-product"), "Elasticsearch");
    let broken = service
        .post(
            "/_bulk",
            "{\"create\":{\"_index\":\"x\"}}\n{\"message\":\"d\"}\nwhat\n{}\n",
        )
        .json();
    assert_eq!(broken["items"][0]["create"]["status"], 201);
    assert_eq!(broken["items"][1]["index"]["status"], 400);
}

#[test]
fn a_token_of_a_namespace_writes_nowhere_else() {
    let home = tempfile::tempdir().expect("a home");
    let data_dir = home.path().join("data");
    let data_dir = data_dir.to_str().expect("a path");
    let create = [
        "token",
        "create",
        "--write",
        "--read",
        "--namespace",
        "pay",
        "--data",
        data_dir,
    ];
    let token = run(home.path(), &create).out;
    let bearer = format!("Bearer {}", token.trim());
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let own = json!({"msg": "own"}).to_string();
    let body = format!(
        "{own}\n{}\n",
        json!({"msg": "foreign", "namespace": "auth"})
    );
    let reply = service.ask("POST", "/api/v2/logs", &headers, body);
    assert_eq!(reply.status, 202);
    let rejected = reply.json()["rejected"].clone();
    assert_eq!(rejected[0]["line"], 2);
    assert!(
        rejected[0]["reason"]
            .to_string()
            .contains("the token is for namespace"),
        "{rejected}"
    );
    let export = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"body": {"stringValue": "record"}},
        {"body": {"stringValue": "x"}, "attributes": [{"key": "namespace", "value": {"stringValue": "auth"}}]},
    ]}]}]});
    let reply = service
        .ask("POST", "/v1/logs", &headers, export.to_string())
        .json();
    assert_eq!(reply["partialSuccess"]["rejectedLogRecords"], 1, "{reply}");
    let page = service
        .ask("GET", "/api/v2/namespaces/pay/logs", &headers, "")
        .json();
    let texts: Vec<_> = page["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|entry| entry["msg"].clone())
        .collect();
    assert_eq!(texts, ["own", "record"]);
}
