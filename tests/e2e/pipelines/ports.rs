//! What comes in over HTTP, and who may send it.

use base64::Engine;
use serde_json::json;

use super::{Stage, numbered};
use crate::support::{Events, free_port};

const IN: &str = "[[pipelines]]\nname = \"in\"\n[[pipelines.sources]]\ntype = \"http\"\n[[pipelines.sinks]]\ntype = \"store\"\n";

#[test]
fn whatever_is_posted_gets_its_answer() {
    let stage = Stage::new(IN);
    let deep = "[".repeat(100_000);
    let cases: [(&str, &[u8], u16, u64); 10] = [
        ("application/json", b"{\"msg\":\"one\"}", 202, 1),
        (
            "application/json",
            b"[{\"msg\":\"a\"},{\"msg\":\"b\"}]",
            202,
            2,
        ),
        (
            "application/x-ndjson",
            b"{\"msg\":\"a\"}\r\n\r\n{\"msg\":\"b\"}\n",
            202,
            2,
        ),
        ("text/plain", b"first\nsecond\n", 202, 2),
        ("application/json", b"[]", 202, 0),
        ("application/json", b"{}", 202, 1),
        ("application/json", b"", 202, 0),
        ("application/json", b"nonsense", 400, 0),
        ("application/json", deep.as_bytes(), 400, 0),
        ("text/plain", b"bad \xff byte\n", 202, 1),
    ];
    let mut total = 0;
    for (kind, body, status, accepted) in cases {
        let reply = stage.service.post_as("/in/ingest", kind, body.to_vec());
        let told = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(reply.status, status, "{told}: {}", reply.body);
        assert_eq!(reply.json()["accepted"], accepted, "{told}");
        total += accepted;
    }
    let reply = stage
        .service
        .post("/in/ingest", "{\"msg\":\"ok\"}\n5\n{\"msg\":\"fine\"}\n");
    assert_eq!((reply.status, &reply.json()["accepted"]), (202, &json!(2)));
    let rejected = &reply.json()["rejected"][0];
    assert_eq!(rejected["line"], 2);
    assert!(
        rejected["reason"]
            .as_str()
            .expect("words")
            .contains("expected a JSON object")
    );
    total += 2;
    stage.delivered("in", 0, total);
    let status = stage.status("in");
    assert_eq!(status["sources"][0]["dropped"]["invalid"], 3);
    assert_eq!(stage.stored().len() as u64, total);
    assert_eq!(stage.service.get("/in/ingest").status, 405);
    // A line that does not end is not kept in memory. All of it is sent by then: nobody hangs up on who still sends.
    let endless = vec![b'x'; (4 << 20) + 1];
    let reply = stage.service.post_as("/in/ingest", "text/plain", endless);
    assert_eq!(reply.status, 413, "{}", reply.body);
}

#[test]
fn compressed_bodies_are_taken() {
    use std::io::Write;
    let stage = Stage::new(IN);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"msg\":\"line 0\"}\n").expect("packed");
    let gzip = gzip.finish().expect("packed");
    let zstd = zstd::encode_all(&b"{\"msg\":\"line 1\"}\n"[..], 1).expect("packed");
    for (encoding, body) in [("gzip", gzip), ("zstd", zstd)] {
        let headers = [("content-encoding", encoding)];
        let reply = stage.service.ask("POST", "/in/ingest", &headers, body);
        assert_eq!(reply.status, 202, "{encoding}");
    }
    stage.delivered("in", 0, 2);
    assert_eq!(stage.stored(), numbered(0..2));
}

#[test]
fn tokens_networks_and_rates_hold_for_pipelines_too() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::create_dir(home.path().join("logs")).expect("a folder");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let token = |rights: &[&str]| {
        let create = [&["token", "create", "--data", data], rights].concat();
        let made = crate::support::run(home.path(), &create);
        made.out.trim().to_owned()
    };
    let (reader, writer) = (token(&["--read"]), token(&["--write"]));
    let config = IN.replace("type = \"store\"", "type = \"http\"");
    let stage = Stage::within(home, &format!("[serve]\nauth = \"always\"\n{config}"));
    let bearer = |token: &str| format!("Bearer {token}");
    let status = |method: &str, path: &str, authorization: &str| {
        let headers = [("authorization", authorization)];
        stage
            .service
            .status_of(method, path, &headers, "{\"msg\":\"x\"}")
    };
    assert_eq!(status("GET", "/in/status", "nothing"), 401);
    for (token, reads, writes) in [(&reader, 200, 403), (&writer, 403, 202)] {
        assert_eq!(status("GET", "/in/stream", &bearer(token)), reads);
        assert_eq!(status("GET", "/pipelines", &bearer(token)), reads);
        assert_eq!(status("POST", "/in/ingest", &bearer(token)), writes);
    }
    // Whoever knows only names and passwords gives the token as the password.
    let pair = base64::prelude::BASE64_STANDARD.encode(format!("anybody:{reader}"));
    assert_eq!(status("GET", "/in/status", &format!("Basic {pair}")), 200);
    assert_eq!(status("GET", "/in/status", "Basic bm90aGluZw=="), 401);

    let denied = Stage::new(&format!("[serve]\ndeny = [\"127.0.0.0/8\"]\n{IN}"));
    let reply = denied.service.get("/in/status");
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (403, &json!("access_address"))
    );
    let slow = Stage::new(&format!("[serve]\nrate = 1\n{IN}"));
    let statuses: Vec<u16> = (0..20)
        .map(|_| slow.service.get("/in/status").status)
        .collect();
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );
}

#[test]
fn a_port_of_its_own_answers_for_its_pipeline_alone() {
    let port = free_port();
    let config = IN.replace(
        "type = \"http\"",
        &format!("type = \"http\"\nport = {port}"),
    ) + &IN.replace("\"in\"", "\"other\"");
    let stage = Stage::new(&config);
    let url = format!("http://127.0.0.1:{port}");
    let post = |path: &str| {
        let reply = crate::support::run(stage.home.path(), &["ingest", "--url", &url]);
        drop(reply);
        Events::follow(&url, path, &[]).status
    };
    assert_eq!(post("/status"), 200);
    assert_eq!(post("/in/status"), 200);
    assert_eq!(post("/api/v2/logs"), 404);
    let told = stage.status("in")["endpoints"].to_string();
    assert!(told.contains(&format!("{url}/in/ingest")), "{told}");
    // Gone with its pipeline.
    stage.configure(&IN.replace("\"in\"", "\"other\""));
    stage.service.signal(rustix::process::Signal::HUP);
    stage.service.logged("stopped pipeline=in");
    crate::support::wait_for("the port to be closed", || {
        std::net::TcpStream::connect(("127.0.0.1", port))
            .is_err()
            .then_some(())
    });
}
