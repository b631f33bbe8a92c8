//! Where entries come from beside files and HTTP.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{Stage, files_to, lines, numbered};
use crate::support::{Events, free_port, wait_for};

fn from(source: &str) -> String {
    format!(
        "[[pipelines]]\nname = \"app\"\n[[pipelines.sources]]\n{source}\n[[pipelines.sinks]]\ntype = \"http\"\n"
    )
}

fn follow(stage: &Stage) -> Events {
    Events::follow(&stage.service.url, "/app/stream?after=0", &[])
}

fn entry(events: &Events) -> Value {
    serde_json::from_str(&events.entry().data).expect("JSON")
}

#[test]
fn lines_come_over_tcp() {
    let port = free_port();
    let stage = Stage::new(&from(&format!("type = \"tcp\"\nport = {port}")));
    let events = follow(&stage);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream
        .write_all(b"{\"msg\":\"an object\",\"level\":\"warn\"}\nplain words\nhalf")
        .expect("sent");
    let object = entry(&events);
    assert_eq!(
        (object["msg"].as_str(), object["level"].as_str()),
        (Some("an object"), Some("WARN"))
    );
    assert_eq!(object["source"], "127.0.0.1");
    assert_eq!(events.texts(1), ["plain words"]);
    drop(stream);
    assert_eq!(events.texts(1), ["half"]);
}

#[test]
fn lines_go_over_tls_to_those_whom_the_roots_vouch_for() {
    use crate::transport::{Authority, write};
    let home = tempfile::tempdir().expect("a home");
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let certificate = write(home.path(), "cert.pem", &certificate);
    let key = write(home.path(), "key.pem", &key);
    let roots = write(home.path(), "roots.pem", &authority.pem());
    let port = free_port();
    let source =
        format!("type = \"tcp\"\nport = {port}\ntls_cert = \"{certificate}\"\ntls_key = \"{key}\"");
    let far = Stage::new(&from(&source));
    let events = follow(&far);
    let sink = |more: &str| {
        format!(
            "type = \"tcp_client\"\naddress = \"localhost:{port}\"\ntls = true\n{more}\nreconnect_delay = \"10ms\""
        )
    };
    let near = Stage::new(&files_to(&sink("")));
    near.append("a.log", &lines(0..3));
    wait_for("a stranger's certificate to be refused", || {
        let trouble = near.status("app")["sinks"][0]["trouble"]["text"].to_string();
        trouble.contains("UnknownIssuer").then_some(())
    });
    near.configure(&files_to(&sink(&format!("tls_ca = \"{roots}\""))));
    assert_eq!(events.texts(3), numbered(0..3));
}

#[test]
fn syslog_comes_over_both_transports() {
    let port = free_port();
    let stage = Stage::new(&from(&format!("type = \"syslog\"\nport = {port}")));
    let events = follow(&stage);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let datagram = b"<11>1 2026-03-14T09:00:00Z web shop 7 - - refused";
    socket.send_to(datagram, ("127.0.0.1", port)).expect("sent");
    let one = entry(&events);
    assert_eq!(
        (one["msg"].as_str(), one["level"].as_str()),
        (Some("refused"), Some("ERROR"))
    );
    assert_eq!(
        (&one["fields"]["host"], &one["fields"]["app"]),
        (&"web".into(), &"shop".into())
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream
        .write_all(b"<14>Mar 14 09:00:00 web shop[7]: by line\n18 <14>counted\nin two")
        .expect("sent");
    assert_eq!(events.texts(1), ["by line"]);
    assert_eq!(events.texts(1), ["counted\nin two"]);
}

#[test]
fn standard_input_is_a_source() {
    let home = tempfile::tempdir().expect("a home");
    super::configure(
        home.path(),
        &(from("type = \"console\"")
            + "[[pipelines.sinks]]\ntype = \"file\"\ndirectory = \"HOME/out\"\n"),
    );
    let config = home.path().join("c.toml");
    let data = home.path().join("data");
    let mut child = crate::support::tailwater(home.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .arg("--data")
        .arg(data)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("an input");
    stdin.write_all(lines(0..100).as_bytes()).expect("written");
    drop(stdin);
    let path = home.path().join("out/tailwater.log");
    wait_for("the lines", || {
        (std::fs::read_to_string(&path).ok()? == lines(0..100)).then_some(())
    });
    let pid = i32::try_from(child.id()).expect("a pid");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("told");
    assert!(child.wait().expect("ended").success());
}

#[test]
fn a_command_is_read_and_started_again() {
    let source = "type = \"command\"\ncommand = [\"sh\", \"-c\", \"echo out; echo err >&2\"]\nrestart_delay = \"10ms\"\nmax_restart_delay = \"10ms\"";
    let stage = Stage::new(&from(source));
    let events = follow(&stage);
    let mut seen: Vec<Value> = (0..4).map(|_| entry(&events)).collect();
    seen.sort_by_key(|entry| entry["msg"].to_string());
    let told: Vec<_> = seen
        .iter()
        .map(|entry| {
            (
                entry["msg"].as_str().expect("words"),
                entry["source"].as_str().expect("words"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("err", "sh stderr"),
            ("err", "sh stderr"),
            ("out", "sh stdout"),
            ("out", "sh stdout")
        ]
    );
    let trouble = &stage.status("app")["sources"][0]["trouble"]["text"];
    assert!(
        trouble.as_str().expect("words").contains("exit status: 0"),
        "{trouble}"
    );
}

#[test]
fn the_journal_goes_on_after_its_cursor() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::create_dir(home.path().join("logs")).expect("a folder");
    // Stands for journalctl: tells how it was asked, then gives two entries and waits.
    let program = home.path().join("journal");
    let script = r#"#!/bin/sh
echo "{\"MESSAGE\":\"asked $*\",\"PRIORITY\":\"3\",\"__CURSOR\":\"c1\",\"__REALTIME_TIMESTAMP\":\"1773478800000000\",\"_SYSTEMD_UNIT\":\"shop.service\",\"_PID\":\"7\"}"
echo '{"MESSAGE":[98,97,100,32,255],"PRIORITY":"6","__CURSOR":"c2","__REALTIME_TIMESTAMP":"1773478801000000"}'
exec sleep 60
"#;
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("allowed");
    let source = from("type = \"journald\"\nunits = [\"shop\"]\nprogram = \"HOME/journal\"");
    let mut stage = Stage::within(home, &source);
    let events = follow(&stage);
    let first = entry(&events);
    assert_eq!(first["msg"], "asked -o json -f --no-pager -n0 -u shop");
    assert_eq!(
        (first["level"].as_str(), first["source"].as_str()),
        (Some("ERROR"), Some("shop.service"))
    );
    assert_eq!(
        (first["time"].as_str(), first["fields"]["pid"].as_str()),
        (Some("2026-03-14T09:00:00Z"), Some("7"))
    );
    assert!(
        entry(&events)["msg"]
            .as_str()
            .expect("words")
            .starts_with("bad ")
    );
    stage.service.stop();
    stage.service.restart();
    let events = Events::follow(&stage.service.url, "/app/stream?after=2", &[]);
    assert_eq!(
        entry(&events)["msg"],
        "asked -o json -f --no-pager --after-cursor=c2 -nall -u shop"
    );
}

#[test]
fn binary_logs_are_a_source() {
    let home = tempfile::tempdir().expect("a home");
    let logs = home.path().join("logs");
    std::fs::create_dir(&logs).expect("a folder");
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/super-server-logs/rotated/logs"
    );
    for item in std::fs::read_dir(fixture).expect("listed").flatten() {
        let copy = logs.join(item.file_name());
        std::fs::copy(item.path(), &copy).expect("copied");
        // Nobody writes to it any more: all of it is shown.
        let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
        let file = std::fs::File::options().append(true).open(copy);
        file.expect("opened").set_modified(old).expect("set");
    }
    let source = from("type = \"logdir\"\npath = \"LOGS\"\nstart = \"beginning\"");
    let mut stage = Stage::within(home, &source);
    let events = follow(&stage);
    let logs = logs.to_str().expect("a path");
    let counted = crate::support::run(
        stage.home.path(),
        &["query", "", logs, "-n", "100000", "--output", "json"],
    );
    let expected = counted.out.lines().count();
    assert!(expected > 100);
    let ids: Vec<String> = (0..expected).map(|_| events.entry().id).collect();
    assert_eq!(ids.last(), Some(&expected.to_string()));
    // After a restart nothing comes twice.
    stage.service.stop();
    stage.service.restart();
    let status = stage.status("app");
    assert_eq!(status["sources"][0]["given"], 0);
}

#[test]
fn another_service_is_a_source_and_nothing_is_missed_while_it_is_away() {
    let far = Stage::new("");
    let post = |numbers: std::ops::Range<u64>| {
        let body: String = numbers
            .map(|number| format!("{{\"msg\":\"line {number}\",\"level\":\"error\"}}\n"))
            .collect();
        assert_eq!(far.service.post("/api/v2/logs", body).status, 202);
    };
    post(0..10);
    let source = format!(
        "type = \"sse\"\nurl = \"{}\"\nquery = \"level:error\"\nstart = \"beginning\"",
        far.service.url
    );
    let mut near = Stage::new(&from(&source));
    let events = follow(&near);
    assert_eq!(events.texts(10), numbered(0..10));
    near.service.stop();
    post(10..20);
    near.service.restart();
    let events = Events::follow(&near.service.url, "/app/stream?after=10", &[]);
    assert_eq!(events.texts(10), numbered(10..20));
    post(20..30);
    assert_eq!(events.texts(10), numbered(20..30));
}

#[test]
fn forms_are_told_and_lines_are_kept() {
    let source = "type = \"directory\"\npath = \"LOGS\"\npattern = \"*.log\"\ndecode = \"access\"\nkeep_raw = true\noffsets = true\nnamespace = \"web\"\nname = \"visits\"";
    let stage = Stage::new(&from(source));
    let events = follow(&stage);
    let line = "1.2.3.4 - - [14/Mar/2026:09:00:00 +0000] \"GET /a HTTP/1.1\" 404 12";
    stage.append("a.log", &format!("{line}\n{line}\n"));
    entry(&events);
    let second = entry(&events);
    assert_eq!(
        (second["level"].as_str(), second["namespace"].as_str()),
        (Some("WARN"), Some("web"))
    );
    assert_eq!(second["fields"]["status"], 404);
    assert_eq!(second["fields"]["raw"], line);
    assert_eq!(second["fields"]["offset"], line.len() + 1);
    assert_eq!(stage.status("app")["sources"][0]["id"], "visits");
}

#[test]
fn an_object_without_a_message_keeps_its_whole_text() {
    let stage = Stage::new(&files_to("type = \"http\""));
    let events = follow(&stage);
    stage.append("a.log", "{\"a\":1,\"level\":\"error\"}\n");
    let entry = entry(&events);
    assert_eq!(entry["msg"], "{\"a\":1,\"level\":\"error\"}");
    assert_eq!(entry["fields"]["a"], 1);
}
