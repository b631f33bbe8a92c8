//! Services that share a Redis and a bucket; lines that enter the embedded log; tokens of accounts.

use crate::support::{Bucket, Events, Redis, run, wait_for};

use super::{Stage, lines, numbers};

const PATH: &str = "/api/v2/streams/acme/build/1";

#[test]
fn services_share_streams_in_redis_and_blobs_in_a_bucket() {
    let mut redis = Redis::start();
    let bucket = Bucket::start();
    let config = format!(
        "[streams.redis]\nurl = \"{}\"\n{}",
        redis.url(),
        bucket.config()
    );
    let (one, other) = (Stage::with(&config), Stage::with(&config));
    one.expect(200, "POST", PATH, "");
    let readers = [&one, &other].map(|stage| stage.follow(PATH));
    for at in (1..2_000).step_by(200) {
        one.expect(200, "PUT", PATH, &lines(at..=at + 99));
        other.expect(200, "PUT", PATH, &lines(at + 100..=at + 199));
    }
    // Redis goes away: pushes are told to come again, and tails go on when it is back.
    redis.stop();
    let json = [
        ("content-type", "application/json"),
        ("idempotency-key", "again"),
    ];
    let refused = one.service.ask("PUT", PATH, &json, lines(2_001..=2_100));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
    redis.start_again();
    wait_for("the push is taken", || {
        let reply = one.service.ask("PUT", PATH, &json, lines(2_001..=2_100));
        (reply.status == 200).then_some(())
    });
    other.expect(204, "DELETE", PATH, "");
    for reader in readers {
        let (seen, end) = numbers(&reader);
        assert_eq!(seen, (1..=2_100).collect::<Vec<_>>());
        assert_eq!(end, "{\"reason\":\"closed\",\"last\":2100}");
    }
    // Both serve it from the bucket, and know that it is closed.
    for stage in [&one, &other] {
        assert_eq!(numbers(&stage.follow(PATH)).0.len(), 2_100);
        stage.expect(409, "PUT", PATH, &lines(1..=1));
    }
    blobs_in_the_bucket(&one, &other);
}

fn blobs_in_the_bucket(one: &Stage, other: &Stage) {
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(20_000_000)
        .collect();
    one.expect(201, "PUT", "/api/v2/blobs/acme/big%20one+%C3%BC", &noise);
    assert!(other.expect(200, "GET", "/api/v2/blobs/acme/big%20one+%C3%BC", "") == noise);
    let only_new = [("if-none-match", "*")];
    let again = other
        .service
        .ask("PUT", "/api/v2/blobs/acme/big%20one+%C3%BC", &only_new, "x");
    assert_eq!(again.status, 412);
    let range = [("range", "bytes=19999990-")];
    let part = other
        .service
        .ask("GET", "/api/v2/blobs/acme/big%20one+%C3%BC", &range, "");
    assert_eq!(
        (part.status, part.body.as_str()),
        (206, &noise[19_999_990..])
    );
    // A name within another, and prefixes.
    one.expect(201, "PUT", "/api/v2/blobs/acme/a", "outer");
    one.expect(201, "PUT", "/api/v2/blobs/acme/a/b", "inner");
    let listed = other.expect(200, "GET", "/api/v2/blobs?prefix=acme/a", "");
    assert_eq!(listed.matches("\"key\"").count(), 2, "{listed}");
    let link = one
        .service
        .ask("POST", "/api/v2/blobs/acme/a?link=download", &[], "")
        .json();
    let url = link["link"].as_str().expect("a link").to_owned();
    assert!(
        !url.starts_with(&one.service.url),
        "past the service: {url}"
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let read = |url: String| {
        runtime.block_on(async {
            let answer = reqwest::get(url).await.expect("an answer");
            (
                answer.status().as_u16(),
                answer.text().await.expect("a body"),
            )
        })
    };
    assert_eq!(read(url.clone()), (200, "outer".to_owned()));
    assert_eq!(read(url.replace("acme/a?", "acme/a/b?")).0, 403);
    let link = one
        .service
        .ask("POST", "/api/v2/blobs/acme/new?link=upload", &[], "")
        .json();
    let url = link["link"].as_str().expect("a link").to_owned();
    let sent = runtime.block_on(reqwest::Client::new().put(url).body("past it").send());
    assert_eq!(sent.expect("an answer").status().as_u16(), 200);
    assert_eq!(
        other.expect(200, "GET", "/api/v2/blobs/acme/new", ""),
        "past it"
    );
    assert_eq!(
        one.expect(200, "DELETE", "/api/v2/blobs/acme/a?prefix=true", ""),
        "{\"deleted\":2}"
    );
}

#[test]
fn lines_enter_the_embedded_log_once() {
    let mut stage = Stage::with("[streams]\nto_log = true\n");
    stage.expect(200, "POST", PATH, "");
    let logged = |stage: &Stage| {
        let path = "/api/v2/namespaces/acme/logs?limit=1000&full=true&direction=asc";
        let reply = stage.service.get(path);
        if reply.status == 404 {
            return Vec::new();
        }
        let data = reply.json()["data"].as_array().expect("data").clone();
        let number = |entry: &serde_json::Value| {
            assert_eq!(entry["source"], "acme/build/1");
            assert_eq!(entry["msg"], format!("line {}", entry["fields"]["seq"]));
            entry["fields"]["seq"].as_u64().expect("a number")
        };
        let mut numbers: Vec<u64> = data.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    };
    let mut last = 0;
    for round in 1..=3 {
        for at in 0..20 {
            let from = last + at * 10 + 1;
            stage.expect(200, "PUT", PATH, &lines(from..=from + 9));
        }
        last += 200;
        if round < 3 {
            stage.service.kill();
            stage.service.restart();
        }
    }
    stage.expect(204, "DELETE", PATH, "");
    assert_eq!(logged(&stage), (1..=last).collect::<Vec<_>>());
}

#[test]
fn tokens_are_for_accounts_and_prefixes() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let make = |arguments: &[&str]| {
        let create = ["token", "create", "--data", data];
        run(home.path(), &[&create, arguments].concat())
            .out
            .trim()
            .to_owned()
    };
    let of_build = make(&["--write", "--prefix", "acme/build"]);
    let of_acme = make(&["--read", "--write", "--prefix", "acme"]);
    let service = crate::support::Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let ask = |method: &str, path: &str, token: &str| {
        let headers = [("x-harness-token", token)];
        service.ask(method, path, &headers, "[]").status
    };
    assert_eq!(ask("POST", PATH, &of_build), 200);
    assert_eq!(ask("PUT", PATH, &of_build), 200);
    assert_eq!(ask("GET", PATH, &of_build), 403, "it may not read");
    assert_eq!(ask("POST", "/api/v2/streams/acme/builds/1", &of_build), 403);
    let headers = [("x-harness-token", of_acme.as_str())];
    let account = service.ask("GET", "/token?accountID=acme", &headers, "");
    assert_eq!(account.status, 200);
    assert_eq!(
        service
            .ask("GET", "/token?accountID=other", &headers, "")
            .status,
        403
    );
    let only_writes = make(&["--write", "--prefix", "acme"]);
    assert_eq!(
        ask("GET", "/token?accountID=acme", &only_writes),
        403,
        "it may not read"
    );
    let handed_on = ask("GET", "/token?accountID=acme", &account.body);
    assert_eq!(handed_on, 403, "it would never end");
    // It is used as clients of the original do: in the header, or in the address.
    let account = account.body;
    assert_eq!(ask("POST", "/stream?accountID=acme&key=k", &account), 204);
    assert_eq!(ask("POST", "/stream?accountID=other&key=k", &account), 403);
    assert_eq!(ask("GET", "/api/v2/logs", &account), 403);
    let path = format!("/stream?accountID=acme&key=k&X-Harness-Token={account}");
    let events = Events::follow(&service.url, &path, &[]);
    assert_eq!(events.status, 200);
    assert_eq!(ask("DELETE", "/stream?accountID=acme&key=k", &account), 204);
    assert_eq!(events.next().name, "end");
    let headers = [("x-harness-token", account.as_str())];
    let info = service.ask("GET", "/ci/streams", &headers, "").body;
    assert!(info.contains("/acme/build/1"), "{info}");
    assert_eq!(ask("GET", "/ci/streams", "nonsense"), 401);
}
