//! The HTTP contract, asked by a real client.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Reply, Service};

fn service() -> (tempfile::TempDir, Service) {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    (home, service)
}

fn texts(reply: &Reply) -> Vec<String> {
    let page = reply.json();
    let data = page["data"].as_array().expect("data").clone();
    data.iter()
        .map(|entry| entry["msg"].as_str().expect("a message").to_owned())
        .collect()
}

/// The events of a stream's text: id and data.
fn events(text: &str) -> Vec<(u64, Value)> {
    text.split("\n\n")
        .filter_map(|block| {
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            Some((
                line("id: ")?.parse().ok()?,
                serde_json::from_str(line("data: ")?).ok()?,
            ))
        })
        .collect()
}

#[test]
fn pages_walk_back_as_direktivs_clients_do() {
    let (_home, service) = service();
    let body: String = (1..=450)
        .map(|n| {
            format!(
                "{{\"time\":\"2024-09-12T08:00:{:02}.{:03}001Z\",\"msg\":\"line {n}\"}}\n",
                n / 100,
                n % 100 * 10
            )
        })
        .collect();
    assert_eq!(
        service.post("/api/v2/namespaces/demo/logs", body).status,
        202
    );
    let path = "/api/v2/namespaces/demo/logs";
    let newest = service.get(path);
    assert_eq!(
        texts(&newest),
        (251..=450).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
    let first = newest.json()["data"][0].clone();
    let wanted = json!({"id": 251, "time": "2024-09-12T08:00:02.510001Z", "level": "INFO", "namespace": "demo", "trace": null,
        "span": null, "msg": "line 251", "error": null});
    assert_eq!(first, wanted);
    assert_eq!(
        newest.json()["meta"]["previousPage"],
        "2024-09-12T08:00:02.510001Z"
    );
    let second = service.get(&format!("{path}?before=2024-09-12T08:00:02.510001Z"));
    assert_eq!(
        texts(&second),
        (51..=250).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
    let third = service.get(&format!(
        "{path}/?before={}",
        second.json()["meta"]["previousPage"]
            .as_str()
            .expect("a time")
    ));
    assert_eq!(
        texts(&third),
        (1..=50).map(|n| format!("line {n}")).collect::<Vec<_>>()
    );
    assert_eq!(third.json()["meta"]["previousPage"], Value::Null);
    let empty = service
        .get(&format!("{path}?before=2024-09-12T08:00:00.010001Z"))
        .json();
    assert_eq!(
        (
            &empty["data"],
            &empty["meta"]["previousPage"],
            &empty["meta"]["startingFrom"]
        ),
        (&json!([]), &Value::Null, &Value::Null)
    );
}

#[test]
fn ties_are_neither_lost_nor_doubled() {
    let (_home, service) = service();
    let body: String = (0..6_500)
        .map(|n| format!("{{\"time\":\"2024-09-12T08:00:00Z\",\"msg\":\"tie {n}\"}}\n"))
        .collect();
    assert_eq!(
        service.post("/api/v2/namespaces/demo/logs", body).json()["accepted"],
        6_500
    );
    let mut seen: Vec<String> = Vec::new();
    let mut before = String::new();
    loop {
        let reply = service.get(&format!("/api/v2/namespaces/demo/logs?limit=100{before}"));
        let mut page = texts(&reply);
        page.append(&mut seen);
        seen = page;
        match reply.json()["meta"]["previousPage"].as_str() {
            Some(place) => before = format!("&before={place}"),
            None => break,
        }
    }
    assert_eq!(
        seen,
        (0..6_500).map(|n| format!("tie {n}")).collect::<Vec<_>>()
    );
}

#[test]
fn streams_resume_without_loss_and_without_doubles() {
    let push = |service: &Service, range: std::ops::Range<u32>| {
        let body: String = range
            .map(|n| format!("{{\"namespace\":\"demo\",\"msg\":\"live {n}\"}}\n"))
            .collect();
        assert_eq!(service.post("/api/v2/logs", body).status, 202);
    };
    let path = "/api/v2/namespaces/demo/logs/subscribe";
    // Without an id, what happened in the last seconds comes first. Who is answered later than that begins anew.
    let in_time = (0..20).find_map(|_| {
        let ((home, service), pushed) = (service(), Instant::now());
        push(&service, 0..300);
        let text = service.stream(path, &[], |text| {
            let is_late = text.is_empty() && pushed.elapsed() > Duration::from_secs(2);
            is_late || text.contains("live 299\"")
        });
        (!text.is_empty()).then_some((home, service, text))
    });
    let (_home, service, text) = in_time.expect("an answer in time");
    assert!(
        text.starts_with(":\n"),
        "headers and a comment come at once"
    );
    assert!(
        !text.contains(":\n\n"),
        "a comment never ends in a blank line"
    );
    assert_eq!(events(&text).len(), 300);
    // By header or parameter, what came after the id; the header goes before.
    push(&service, 300..1_500);
    for (path, headers) in [
        (path.to_owned(), vec![("Last-Event-ID", "250")]),
        (format!("{path}?lastEventId=250"), vec![]),
        (
            format!("{path}?lastEventId=9"),
            vec![("Last-Event-ID", "250")],
        ),
    ] {
        let text = service.stream(&path, &headers, |text| text.contains("live 1499\""));
        let ids: Vec<u64> = events(&text).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, (251..=1_500).collect::<Vec<_>>(), "{path}");
    }
    // Late entries, older than all others, are delivered too.
    let late = "{\"namespace\":\"demo\",\"time\":\"2001-01-01T00:00:00Z\",\"msg\":\"late\"}\n";
    assert_eq!(service.post("/api/v2/logs", late).status, 202);
    let text = service.stream(&format!("{path}?lastEventId=1500"), &[], |text| {
        text.contains("late")
    });
    assert_eq!(events(&text)[0].0, 1_501);
    // A query narrows a stream as it narrows a list.
    let text = service.stream(
        "/api/v2/logs/subscribe?lastEventId=0&query=%22live%207%22",
        &[],
        |text| text.contains("live 799\""),
    );
    assert!(events(&text).iter().all(|(_, data)| {
        data["msg"]
            .as_str()
            .is_some_and(|text| text.contains("live 7"))
    }));
}

#[test]
fn pushes_are_taken_in_every_form_and_honestly_answered() {
    let (_home, service) = service();
    let accepted = |reply: &Reply| {
        (
            reply.status,
            reply.json()["accepted"].as_u64().unwrap_or(99),
        )
    };
    assert_eq!(
        accepted(&service.post_as("/api/v2/logs", "application/json", r#"{"msg":"one"}"#)),
        (202, 1)
    );
    assert_eq!(
        accepted(&service.post_as(
            "/api/v2/logs",
            "application/json",
            "{\n  \"msg\": \"pretty\"\n}\n"
        )),
        (202, 1)
    );
    assert_eq!(
        accepted(&service.post_as(
            "/api/v2/logs",
            "application/json",
            r#"[{"msg":"a"},{"msg":"b"}]"#
        )),
        (202, 2)
    );
    let mixed = service.post(
        "/api/v2/logs",
        "{\"msg\":\"good\"}\nnot json\n\n[1]\n{\"msg\":\"good too\"}",
    );
    assert_eq!(accepted(&mixed), (202, 2));
    let lines: Vec<_> = mixed.json()["rejected"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|rejection| rejection["line"].as_u64())
        .collect();
    assert_eq!(lines, [Some(2), Some(4)]);
    let none = service.post("/api/v2/logs", "nothing\n");
    assert_eq!(accepted(&none), (400, 0));
    let foreign = service.post(
        "/api/v2/namespaces/demo/logs",
        "{\"namespace\":\"other\",\"msg\":\"x\"}\n{\"msg\":\"y\"}\n",
    );
    assert_eq!(accepted(&foreign), (202, 1));
    assert!(
        foreign.json()["rejected"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("other"))
    );
    let bytes = service.post("/api/v2/logs", b"{\"msg\":\"bad \xff byte\"}\n".to_vec());
    assert_eq!(accepted(&bytes), (202, 1));
}

#[test]
fn bodies_come_compressed_and_leave_compressed() {
    let (_home, service) = service();
    let lines: String = (0..500)
        .map(|n| format!("{{\"msg\":\"line {n}\",\"namespace\":\"packed\"}}\n"))
        .collect();
    let packed = |write: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        bytes
    };
    let gzip = packed(&mut |out| {
        let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        encoder.write_all(lines.as_bytes()).expect("written");
        encoder.finish().expect("finished");
    });
    let deflate = packed(&mut |out| {
        let mut encoder = flate2::write::ZlibEncoder::new(out, flate2::Compression::fast());
        encoder.write_all(lines.as_bytes()).expect("written");
        encoder.finish().expect("finished");
    });
    let zstd = zstd::encode_all(lines.as_bytes(), 1).expect("encoded");
    let push = |encoding: &str, body: Vec<u8>| {
        service.ask(
            "POST",
            "/api/v2/logs",
            &[("content-encoding", encoding)],
            body,
        )
    };
    for (encoding, body) in [("gzip", &gzip), ("deflate", &deflate), ("zstd", &zstd)] {
        let reply = push(encoding, body.clone());
        assert_eq!(
            (reply.status, &reply.json()["accepted"]),
            (202, &json!(500)),
            "{encoding}: {}",
            reply.body
        );
    }
    let mut broken = gzip.clone();
    broken.truncate(gzip.len() / 2);
    let reply = push("gzip", broken);
    let taken = reply.json()["accepted"].as_u64().expect("a count");
    assert!(taken < 500, "{}", reply.body);
    assert!(
        reply.json()["rejected"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.starts_with("the body ends here")),
        "{}",
        reply.body
    );
    let reply = push("br", gzip);
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (415, &json!("request_encoding_unknown"))
    );
    let list = "/api/v2/namespaces/packed/logs?limit=1000";
    let plain = service.ask("GET", list, &[("accept-encoding", "identity")], "");
    assert_eq!(plain.header("content-encoding"), "");
    let asked = service.ask("GET", list, &[("accept-encoding", "zstd")], "");
    assert_eq!(asked.header("content-encoding"), "zstd");
    let stream = "/api/v2/namespaces/packed/logs/subscribe?lastEventId=0";
    let live = service.stream(stream, &[("accept-encoding", "gzip, zstd")], |text| {
        text.contains("line 499\"")
    });
    assert!(live.starts_with(":\n"), "streams are never compressed");
}

#[test]
fn every_generations_parameters_are_understood() {
    let (_home, service) = service();
    let body: String = (0..30)
        .map(|n| format!("{{\"time\":\"2024-09-12T08:00:{n:02}Z\",\"msg\":\"line {n}\",\"branch\":{},\"instance\":\"i1\"}}\n", n % 2))
        .collect();
    let path = "/api/v2/namespaces/demo/logs";
    assert_eq!(service.post(path, body).status, 202);
    let lines = |range: std::ops::Range<u32>| -> Vec<String> {
        range.map(|n| format!("line {n}")).collect()
    };
    let reversed = |range| lines(range).into_iter().rev().collect::<Vec<_>>();
    let after = "after=2024-09-12T08:00:09Z";
    let before = "before=2024-09-12T08:00:20Z";
    for (parameters, wanted) in [
        ("last=3".to_owned(), lines(27..30)),
        ("first=3".to_owned(), lines(0..3)),
        ("first=3&direction=desc".to_owned(), reversed(0..3)),
        ("last=3&direction=desc".to_owned(), reversed(27..30)),
        ("limit=2&first=5&last=9".to_owned(), lines(28..30)),
        ("first=2&last=9".to_owned(), lines(0..2)),
        (format!("{before}&last=2"), lines(18..20)),
        (format!("{after}&first=2"), lines(10..12)),
        (format!("{after}&last=2"), lines(28..30)),
        (format!("{after}&{before}"), lines(10..20)),
        (format!("{after}&{before}&first=2"), lines(10..12)),
        (
            "branch=1&first=2".to_owned(),
            vec!["line 1".into(), "line 3".into()],
        ),
        ("instance=i1&last=1".to_owned(), lines(29..30)),
        ("instance=i%25".to_owned(), Vec::new()),
        ("stream=message&unknown=1&last=1".to_owned(), lines(29..30)),
    ] {
        assert_eq!(
            texts(&service.get(&format!("{path}?{parameters}"))),
            wanted,
            "{parameters}"
        );
    }
    for parameters in [
        "last=0",
        "first=x",
        "limit=1&last=1001",
        "branch=1&level=loud",
    ] {
        let reply = service.get(&format!("{path}?{parameters}"));
        assert_eq!(reply.status, 400, "{parameters}");
    }
    let text = service.stream(&format!("{path}/subscribe?{after}"), &[], |text| {
        text.contains("line 29\"")
    });
    let streamed: Vec<String> = events(&text)
        .iter()
        .map(|(_, data)| data["msg"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(streamed, lines(10..30));
}

#[test]
fn requests_have_ids() {
    let (_home, service) = service();
    let path = "/api/v2/namespaces/nope/logs";
    let reply = service.ask("GET", path, &[("x-request-id", "mine-7")], "");
    assert_eq!(reply.header("x-request-id"), "mine-7");
    assert_eq!(reply.json()["error"]["requestId"], "mine-7");
    let [one, two] = [0, 1].map(|_| service.get("/healthz"));
    assert_eq!(one.header("x-request-id").len(), 32);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    let long = "x".repeat(200);
    let reply = service.ask("GET", path, &[("x-request-id", &long)], "");
    assert_eq!(reply.header("x-request-id").len(), 32);
}

#[test]
fn direktivs_sidecar_pushes_as_before() {
    let (_home, service) = service();
    let path = "/api/v2/namespaces/demo/logs?instance=1bdf4042";
    let good = r#"{"track":"instance.1bdf4042","namespace":"demo","msg":"hi","level":"ERROR","status":"running","workflow":"/t.yaml"}"#;
    let reply = service.post(path, good);
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    let list = service
        .get("/api/v2/namespaces/demo/logs?instance=1bdf4042")
        .json();
    assert_eq!(list["data"][0]["level"], "ERROR");
    assert_eq!(list["data"][0]["workflow"]["instance"], "1bdf4042");
    let cases = [
        (
            r#"{"namespace":"demo","msg":"hi"}"#,
            400,
            "request",
            "bad request missing 'track' field",
        ),
        (
            r#"{"track":"t","namespace":"other","msg":"hi"}"#,
            400,
            "request",
            "bad request invalid or mismatched namespace",
        ),
        (
            r#"{"track":"t","namespace":"demo"}"#,
            400,
            "request",
            "bad request missing or invalid 'msg' field",
        ),
        (
            "[]",
            400,
            "request_body_not_json",
            "expected one JSON object",
        ),
    ];
    for (body, status, code, message) in cases {
        let reply = service.post(path, body);
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["code"], &error["message"]),
            (status, &json!(code), &json!(message)),
            "{body}"
        );
    }
}

#[test]
fn failures_have_one_form() {
    let (_home, service) = service();
    let cases = [
        ("/api/v2/namespaces/nope/logs", 404, "resource_not_found"),
        ("/api/v3", 404, "request_path_not_found"),
        ("/api/v2/logs?before=soon", 400, "request_data_invalid"),
        (
            "/api/v2/logs?query=level%3E%3Dloud",
            400,
            "request_data_invalid",
        ),
        ("/api/v2/logs?limit=5000", 400, "request_data_invalid"),
        ("/api/v2/logs/12345", 404, "resource_not_found"),
    ];
    for (path, status, code) in cases {
        let reply = service.get(path);
        assert_eq!(
            (reply.status, reply.json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{path}"
        );
    }
    let reply = service.post("/healthz", "");
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].as_str()),
        (405, Some("request_method_not_allowed"))
    );
    assert_eq!(service.get("/healthz").status, 200);
}

#[test]
fn questions_are_answered_over_the_wire() {
    let (_home, service) = service();
    let body: String = (0..100)
        .map(|n| format!("{{\"time\":\"2026-03-14T09:00:{:02}Z\",\"namespace\":\"{}\",\"level\":\"{}\",\"msg\":\"m {n}\",\"n\":{n}}}\n", n % 60, ["a", "b"][n % 2], ["info", "fatal"][usize::from(n % 10 == 0)]))
        .collect();
    assert_eq!(service.post("/api/v2/logs", body).status, 202);
    let namespaces = service.get("/api/v2/namespaces").json();
    assert_eq!(namespaces["data"][0]["name"], "a");
    assert_eq!(namespaces["data"][0]["levels"], json!([0, 0, 40, 0, 0, 10]));
    let histogram = service
        .get("/api/v2/logs/histogram?buckets=10&query=level%3Afatal")
        .json();
    let counted: u64 = histogram["data"]["buckets"]
        .as_array()
        .expect("buckets")
        .iter()
        .map(|levels| levels[5].as_u64().expect("a count"))
        .sum();
    assert_eq!(counted, 10);
    let facets = service
        .get("/api/v2/logs/facets?field=namespace&query=n%3E%3D90")
        .json();
    assert_eq!(
        facets["data"]["values"],
        json!([{"value": "a", "count": 5}, {"value": "b", "count": 5}])
    );
    assert_eq!(
        service.get("/api/v2/logs/values?field=namespace").json()["data"],
        json!(["a", "b"])
    );
    assert_eq!(service.get("/api/v2/logs/7").json()["data"]["msg"], "m 6");
    let context = service.get("/api/v2/logs/30/context?before=2&after=2");
    assert_eq!(texts(&context).len(), 5);
    // Levels beyond Direktiv's four are shown as its nearest on its own routes only.
    let fatal = "query=level%3Afatal&limit=1";
    assert_eq!(
        service.get(&format!("/api/v2/logs?{fatal}")).json()["data"][0]["level"],
        "FATAL"
    );
    assert_eq!(
        service
            .get(&format!("/api/v2/namespaces/a/logs?{fatal}"))
            .json()["data"][0]["level"],
        "ERROR"
    );
    let newer = service.get("/api/v2/logs?after=2026-03-14T09:00:58Z");
    assert_eq!(texts(&newer), ["m 59"]);
    let descending = service.get("/api/v2/logs?direction=desc&limit=2&before=2026-03-14T09:00:40Z");
    assert_eq!(texts(&descending), ["m 99", "m 39"]);
}
