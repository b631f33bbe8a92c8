//! The native routes of blobs.

use serde_json::Value;

use super::{Stage, files_below};

#[test]
fn blobs_are_stored_read_in_part_and_deleted() {
    let stage = Stage::new();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &'static str| {
        stage.service.ask(method, path, headers, body)
    };
    let path = "/api/v2/blobs/acme/a%20b+%C3%BC/log.txt";
    let stored = ask("PUT", path, &[("content-type", "text/x-log")], "0123456789");
    assert_eq!(stored.status, 201);
    assert_eq!(stored.json()["key"], "acme/a b+ü/log.txt");
    let digest = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
    assert_eq!(stored.json()["sha256"], digest);
    let whole = ask("GET", path, &[], "");
    assert_eq!((whole.status, whole.body.as_str()), (200, "0123456789"));
    assert_eq!(whole.header("content-type"), "text/x-log");
    let tag = whole.header("etag").to_owned();
    assert_eq!(tag, format!("\"{digest}\""));
    for (range, status, body, told) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=8-", 206, "89", "bytes 8-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=5-99", 206, "56789", "bytes 5-9/10"),
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("lines=1-2", 200, "0123456789", ""),
        ("bytes=10-", 416, "", "bytes */10"),
    ] {
        let part = ask("GET", path, &[("range", range)], "");
        assert_eq!((part.status, part.body.as_str()), (status, body), "{range}");
        assert_eq!(part.header("content-range"), told, "{range}");
    }
    assert_eq!(ask("GET", path, &[("if-none-match", &tag)], "").status, 304);
    assert_eq!(
        ask("GET", path, &[("if-match", "\"other\"")], "").status,
        412
    );
    let of_other = [("range", "bytes=0-3"), ("if-range", "\"other\"")];
    assert_eq!(ask("GET", path, &of_other, "").status, 200);
    let head = ask("HEAD", path, &[], "");
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, "10", 0)
    );
    assert_eq!(ask("PUT", path, &[("if-none-match", "*")], "x").status, 412);
    assert_eq!(ask("DELETE", path, &[], "").status, 204);
    assert_eq!(ask("DELETE", path, &[], "").status, 404);
    assert_eq!(ask("GET", path, &[], "").status, 404);
}

#[test]
fn digests_are_checked() {
    let stage = Stage::new();
    let put = |name: &str, value: &str| {
        let headers = [(name, value)];
        stage
            .service
            .ask("PUT", "/api/v2/blobs/x", &headers, "abc")
            .status
    };
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let base64 = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
    assert_eq!(put("x-checksum-sha256", hex), 201);
    assert_eq!(put("repr-digest", base64), 201);
    assert_eq!(put("x-checksum-sha256", &hex.replace('b', "c")), 400);
    assert_eq!(put("repr-digest", &base64.replace("ung", "unh")), 400);
    assert_eq!(put("repr-digest", "sha-256=:short:"), 400);
    assert_eq!(put("repr-digest", "md5=:AAAA:"), 201);
    assert_eq!(put("if-none-match", "\"tag\""), 400);
}

#[test]
fn an_upload_that_is_cut_leaves_nothing() {
    use std::io::Write;
    let stage = Stage::new();
    stage.expect(201, "PUT", "/api/v2/blobs/a", "old");
    let staging = stage.data().join("blobs/data/.uploads");
    let address = stage.service.url.trim_start_matches("http://").to_owned();
    let mut socket = std::net::TcpStream::connect(address).expect("connected");
    let head =
        "PUT /api/v2/blobs/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000000\r\n\r\n";
    socket.write_all(head.as_bytes()).expect("sent");
    let mut dice = fastrand::Rng::with_seed(1);
    let noise: Vec<u8> = (0..20_000_000).map(|_| dice.u8(..)).collect();
    socket.write_all(&noise).expect("sent");
    crate::support::wait_for("it is being stored", || {
        (files_below(&staging) == 1).then_some(())
    });
    assert_eq!(stage.expect(200, "GET", "/api/v2/blobs/a", ""), "old");
    drop(socket);
    crate::support::wait_for("nothing of it is left", || {
        (files_below(&staging) == 0).then_some(())
    });
    assert_eq!(stage.expect(200, "GET", "/api/v2/blobs/a", ""), "old");
}

#[test]
fn links_need_no_token_and_are_for_what_they_say() {
    let stage = Stage::new();
    stage.expect(201, "PUT", "/api/v2/blobs/a/b", "value");
    let link = |way: &str, more: &str| -> Value {
        let path = format!("/api/v2/blobs/a/b?link={way}{more}");
        serde_json::from_str(&stage.expect(200, "POST", &path, "")).expect("JSON")
    };
    let path = |link: &Value| {
        let url = link["link"].as_str().expect("a link");
        url.strip_prefix(&stage.service.url)
            .expect("of the service")
            .to_owned()
    };
    let download = path(&link("download", "&expires=5m"));
    assert_eq!(stage.service.get(&download).body, "value");
    let upload = path(&link("upload", ""));
    assert_eq!(stage.service.ask("PUT", &upload, &[], "new").status, 201);
    assert_eq!(stage.service.get(&download).body, "new");
    for wrong in [
        upload.clone(),
        download.replace("/a/b?", "/a/c?"),
        download.replace("expires=1", "expires=2"),
        format!("{download}&zip"),
        format!("{download}x"),
    ] {
        assert_eq!(stage.service.get(&wrong).status, 403, "{wrong}");
    }
    assert_eq!(stage.service.ask("PUT", &download, &[], "x").status, 403);
    assert_eq!(stage.service.ask("DELETE", &download, &[], "").status, 403);
    stage.expect(400, "POST", "/api/v2/blobs/a/b?link=both", "");
    stage.expect(
        400,
        "POST",
        "/api/v2/blobs/a/b?link=upload&expires=long",
        "",
    );
    let short = path(&link("download", "&expires=1s"));
    crate::support::wait_for("its time is over", || {
        (stage.service.get(&short).status == 403).then_some(())
    });
}

#[test]
fn archives_are_made_as_they_are_read() {
    let stage = Stage::new();
    for name in ["run/2/a", "run/2/b/c", "run/22/d"] {
        stage.expect(201, "PUT", &format!("/api/v2/blobs/{name}"), name);
    }
    let reply = stage.service.ask("GET", "/api/v2/blobs/run/2?zip", &[], "");
    assert_eq!(
        reply.header("content-disposition"),
        "attachment; filename=\"2.zip\""
    );
    assert_eq!(reply.status, 200);
    stage.expect(404, "GET", "/api/v2/blobs/nothing?zip", "");
    let listed = stage.expect(200, "GET", "/api/v2/blobs?prefix=run/2", "");
    assert!(
        listed.contains("run/2/b/c") && !listed.contains("run/22"),
        "{listed}"
    );
    let deleted = stage.expect(200, "DELETE", "/api/v2/blobs/run/2?prefix=true", "");
    assert_eq!(deleted, "{\"deleted\":2}");
    assert!(
        stage
            .expect(200, "GET", "/api/v2/blobs", "")
            .contains("run/22/d")
    );
}

#[test]
fn sizes_are_bounded() {
    let stage = Stage::with("[blobs]\nmost = \"1KiB\"\nquota = \"600\"\n");
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(1_024)
        .collect();
    stage.expect(413, "PUT", "/api/v2/blobs/a/1", &format!("{noise}x"));
    stage.expect(507, "PUT", "/api/v2/blobs/a/1", &noise);
    stage.expect(201, "PUT", "/api/v2/blobs/a/1", &noise[..100]);
    stage.expect(404, "GET", "/api/v2/blobs/a/2", "");
}
