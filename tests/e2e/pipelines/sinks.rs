//! Where entries go, and what happens to them on the way.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use super::{Stage, files_to, lines, numbered};
use crate::support::{Events, Taker, free_port, wait_for};

#[test]
fn files_are_rotated_compressed_and_bounded() {
    let sink = "type = \"file\"\ndirectory = \"HOME/out\"\nfile_name = \"app\"\nmax_size = \"10KiB\"\ncompression = \"gzip\"";
    let stage = Stage::new(&files_to(sink));
    let text = lines(0..5_000);
    stage.append("a.log", &text);
    stage.delivered("app", 0, 5_000);
    let out = stage.home.path().join("out");
    let names = || {
        let items = fs::read_dir(&out).expect("listed").flatten();
        let mut names: Vec<_> = items
            .map(|item| item.file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    };
    let expected = text.len() / (10 << 10);
    let packed = wait_for("rotated files to be compressed", || {
        // Of one look: until the next, what is being compressed may get its name.
        let is_packed = |name: &String| {
            let ending = std::path::Path::new(name).extension();
            ending.is_some_and(|ending| ending == "gz")
        };
        let (packed, others): (Vec<_>, Vec<_>) = names().into_iter().partition(is_packed);
        let is_done = !others.iter().any(|name| name.contains(".new"));
        (packed.len() >= expected && is_done).then_some(packed)
    });
    let mut all = String::new();
    for name in packed {
        let file = fs::File::open(out.join(name)).expect("opened");
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut all)
            .expect("read");
    }
    all.push_str(&fs::read_to_string(out.join("app.log")).expect("read"));
    assert_eq!(all, text);

    let bounded = sink.replace("\ncompression = \"gzip\"", "\nmax_total_size = \"30KiB\"");
    let stage = Stage::new(&files_to(&bounded));
    stage.append("a.log", &text);
    stage.delivered("app", 0, 5_000);
    let out = stage.home.path().join("out");
    let bytes = || -> u64 {
        let items = fs::read_dir(&out).expect("listed").flatten();
        items
            .map(|item| item.metadata().map_or(0, |file| file.len()))
            .sum()
    };
    assert!(bytes() <= 41 << 10, "{}", bytes());
}

#[test]
fn a_full_disk_is_waited_for() {
    let sink = "type = \"file\"\ndirectory = \"HOME/out\"\nmin_disk_free = \"1000TiB\"";
    let stage = Stage::new(&files_to(sink));
    stage.append("a.log", &lines(0..3));
    let trouble = wait_for("the trouble", || {
        let trouble = stage.status("app")["sinks"][0]["trouble"].clone();
        trouble.is_object().then_some(trouble)
    });
    assert!(
        trouble["text"]
            .as_str()
            .expect("words")
            .contains("bytes free"),
        "{trouble}"
    );
    stage.configure(&files_to(&sink.replace("1000TiB", "1KiB")));
    let path = stage.home.path().join("out/tailwater.log");
    wait_for("the lines", || {
        (fs::read_to_string(&path).ok()? == lines(0..3)).then_some(())
    });
}

#[test]
fn lines_go_to_everybody_who_connects_and_to_who_listens() {
    let port = free_port();
    let far = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = far.local_addr().expect("an address");
    let sinks = format!(
        "type = \"tcp\"\nport = {port}\nformat = \"logfmt\"\n[[pipelines.sinks]]\ntype = \"tcp_client\"\naddress = \"{address}\"\nformat = \"text\"\ntemplate = \"{{{{ level }}}}: {{{{ msg }}}}\"\nreconnect_delay = \"10ms\"\nmax_reconnect_delay = \"20ms\""
    );
    let stage = Stage::new(&files_to(&sinks));
    let clients: Vec<_> = (0..2)
        .map(|_| BufReader::new(TcpStream::connect(("127.0.0.1", port)).expect("connected")))
        .collect();
    wait_for("clients to be known", || {
        (stage.status("app")["sinks"][0]["clients"] == 2).then_some(())
    });
    stage.append(
        "a.log",
        "2026-03-14 09:00:00 ERROR boom\n2026-03-14 09:00:01 INFO fine\n",
    );
    for client in clients {
        let lines: Vec<String> = client
            .lines()
            .take(2)
            .map(|line| line.expect("a line"))
            .collect();
        assert!(
            lines[0].contains("level=error") && lines[0].contains("msg=boom"),
            "{lines:?}"
        );
        assert!(lines[1].contains("msg=fine"), "{lines:?}");
    }
    let (connection, _) = far.accept().expect("connected");
    let mut reader = BufReader::new(connection);
    let mut said = String::new();
    while said.lines().count() < 2 {
        reader.read_line(&mut said).expect("a line");
    }
    assert_eq!(said, "ERROR: boom\nINFO: fine\n");
    // The peer goes and comes again: what was not taken comes again.
    drop(reader);
    stage.append(
        "a.log",
        "2026-03-14 09:00:02 WARN again\n2026-03-14 09:00:03 INFO end\n",
    );
    let (connection, _) = far.accept().expect("connected again");
    let mut said = String::new();
    BufReader::new(connection)
        .read_line(&mut said)
        .expect("a line");
    assert_eq!(said, "WARN: again\n");
}

#[test]
fn the_console_is_split_by_level() {
    let home = tempfile::tempdir().expect("a home");
    fs::create_dir(home.path().join("logs")).expect("a folder");
    let config = files_to("type = \"console\"\ntarget = \"split\"");
    let stage = Stage::within(home, &config);
    stage.append(
        "a.log",
        "2026-03-14 09:00:00 ERROR boom\n2026-03-14 09:00:01 INFO fine\n",
    );
    assert_eq!(stage.service.line(), "2026-03-14 09:00:01 INFO fine\n");
    stage.service.logged("2026-03-14 09:00:00 ERROR boom");
}

/// A preset, the path it posts to, and what is to be found in a body: the message.
type Check = (&'static str, &'static str, fn(&str) -> String);

#[test]
fn services_elsewhere_get_what_they_speak() {
    let checks: [Check; 5] = [
        ("loki", "/loki/api/v1/push", |body| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let stream = &body["streams"][0];
            assert_eq!(stream["stream"]["level"], "error");
            assert_eq!(stream["stream"]["team"], "a");
            assert_eq!(stream["values"][0][0], "1773478800000000000");
            let line = stream["values"][0][1].as_str().expect("a line");
            serde_json::from_str::<Value>(line).expect("JSON")["msg"].to_string()
        }),
        ("otlp", "/v1/logs", |body| {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let resource = &body["resourceLogs"][0];
            assert_eq!(resource["resource"]["attributes"][0]["key"], "team");
            let record = &resource["scopeLogs"][0]["logRecords"][0];
            assert_eq!(record["severityNumber"], 17);
            record["body"]["stringValue"].to_string()
        }),
        ("victorialogs", "/insert/jsonline", |body| {
            serde_json::from_str::<Value>(body).expect("a line")["msg"].to_string()
        }),
        ("elasticsearch", "/_bulk", |body| {
            let (action, document) = body.split_once('\n').expect("two lines");
            assert_eq!(action, "{\"create\":{\"_index\":\"logs\"}}");
            let document: Value = serde_json::from_str(document).expect("JSON");
            assert_eq!(document["@timestamp"], "2026-03-14T09:00:00Z");
            document["msg"].to_string()
        }),
        ("json", "/", |body| {
            serde_json::from_str::<Value>(body).expect("JSON")[0]["msg"].to_string()
        }),
    ];
    for (preset, path, check) in checks {
        let taker = Taker::new();
        let sink = format!(
            "type = \"http_client\"\nurl = \"{}\"\npreset = \"{preset}\"\nlabels = {{ team = \"a\" }}\nheaders = {{ x-own = \"yes\" }}\ntoken = \"secret\"\nbatch_delay = \"10ms\"",
            taker.url()
        );
        let stage = Stage::new(&files_to(&sink));
        stage.append("a.log", "2026-03-14 09:00:00 ERROR boom\n");
        let posted = wait_for("a post", || taker.posted().into_iter().next());
        assert!(posted.path.starts_with(path), "{preset}: {}", posted.path);
        assert_eq!(check(&posted.body), "\"boom\"", "{preset}");
        let head = posted.head.to_lowercase();
        for header in [
            "x-own: yes",
            "authorization: bearer secret",
            "content-encoding: gzip",
        ] {
            assert!(head.contains(header), "{preset}: {head}");
        }
    }
}

#[test]
fn filters_do_what_they_are_told() {
    let filters = r#"
[[pipelines.filters]]
type = "exclude"
patterns = ["^noise"]
[[pipelines.filters]]
type = "include"
query = "level>=info"
[[pipelines.filters]]
type = "redact"
builtin = ["token", "email", "card"]
[[pipelines.filters]]
type = "set"
fields = { env = "prod" }
[[pipelines.filters]]
type = "rename"
fields = { uid = "user" }
[[pipelines.filters]]
type = "remove"
fields = ["secret"]
[[pipelines.filters]]
type = "namespace"
field = "team"
value = "nobody"
"#;
    let stage = Stage::new(&(files_to("type = \"http\"") + filters));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.next().name, "connected");
    stage.append(
        "a.log",
        concat!(
            "{\"msg\":\"noise at the beginning\"}\n",
            "{\"msg\":\"low\",\"level\":\"debug\"}\n",
            "{\"msg\":\"a noise mail to bob@example.com, password=hunter22, card 4111 1111 1111 1111, order 4111111111111112\",\"uid\":7,\"secret\":\"x\",\"team\":\"pay\"}\n",
            "{\"msg\":\"plain\"}\n",
        ),
    );
    let entry: Value = serde_json::from_str(&events.entry().data).expect("JSON");
    let text = entry["msg"].as_str().expect("a message");
    assert_eq!(
        text,
        "a noise mail to [redacted], [redacted], card [redacted], order 4111111111111112"
    );
    assert_eq!(entry["namespace"], "pay");
    assert_eq!(entry["fields"]["user"], 7);
    assert_eq!(entry["fields"]["env"], "prod");
    assert!(entry["fields"]["secret"].is_null() && entry["fields"]["uid"].is_null());
    let entry: Value = serde_json::from_str(&events.entry().data).expect("JSON");
    assert_eq!(
        (entry["msg"].as_str(), entry["namespace"].as_str()),
        (Some("plain"), Some("nobody"))
    );
    let filters = stage.status("app")["filters"].clone();
    assert_eq!(
        (
            &filters[0]["dropped"]["filtered"],
            &filters[1]["dropped"]["filtered"]
        ),
        (&1.into(), &1.into())
    );
}

#[test]
fn rates_and_samples_drop_and_say_so() {
    let filters = "[[pipelines.filters]]\ntype = \"rate\"\nrate = 100\nsummary = \"100ms\"\n";
    let stage = Stage::new(&(files_to("type = \"http\"") + filters));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.next().name, "connected");
    stage.append("a.log", &lines(0..10_000));
    let (mut passed, mut told) = (0, 0);
    while passed + told < 10_000 {
        let entry: Value = serde_json::from_str(&events.entry().data).expect("JSON");
        match entry["fields"]["dropped"].as_u64() {
            Some(dropped) => told += dropped,
            None => passed += 1,
        }
    }
    assert_eq!(passed + told, 10_000);
    assert!(passed >= 100 && told > 5_000, "{passed} {told}");
    let dropped = || stage.status("app")["filters"][0]["dropped"]["rate"].as_u64();
    wait_for("the count", || (dropped()? >= told).then_some(()));

    let filters = "[[pipelines.filters]]\ntype = \"sample\"\none_in = 10\n";
    let stage = Stage::new(&(files_to("type = \"store\"") + filters));
    let text: String = (0..3_000_u64)
        .map(|number| {
            format!(
                "{{\"msg\":\"line {number}\",\"trace\":\"t{}\"}}\n",
                number % 1_000
            )
        })
        .collect();
    stage.append("a.log", &(text + &lines(0..1_000)));
    let filtered = wait_for("all to be sampled", || {
        let filter = stage.status("app")["filters"][0].clone();
        (filter["taken"] == 4_000).then_some(filter)
    });
    let kept = filtered["given"].as_u64().expect("a number");
    // A tenth of the lines without a trace, and whole traces.
    assert_eq!((kept - 100) % 3, 0);
    assert!((150..650).contains(&kept), "{kept}");
}

#[test]
fn what_is_redacted_is_so_in_lines_as_they_came() {
    let sink = "type = \"file\"\ndirectory = \"HOME/out\"\n[[pipelines.filters]]\ntype = \"redact\"\npatterns = [\"hunter[0-9]+\"]\nmask = \"***\"";
    let stage = Stage::new(&files_to(sink).replace("pattern =", "keep_raw = true\npattern ="));
    stage.append("a.log", "2026-03-14 09:00:00 INFO password hunter22\n");
    let path = stage.home.path().join("out/tailwater.log");
    let line = wait_for("the line", || {
        fs::read_to_string(&path)
            .ok()
            .filter(|text| text.ends_with('\n'))
    });
    assert_eq!(line, "2026-03-14 09:00:00 INFO password ***\n");
}

#[test]
fn a_peer_that_hangs_up_is_noticed() {
    let far = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = far.local_addr().expect("an address");
    let sink = format!(
        "type = \"tcp_client\"\naddress = \"{address}\"\nformat = \"raw\"\nreconnect_delay = \"10ms\""
    );
    let stage = Stage::new(&files_to(&sink));
    stage.append("a.log", "line 0\nend\n");
    let (mut first, _) = far.accept().expect("connected");
    first.write_all(b"we do not listen\n").expect("said");
    let mut said = String::new();
    let mut reader = BufReader::new(first);
    while said.lines().count() < 2 {
        reader.read_line(&mut said).expect("a line");
    }
    drop(reader);
    stage.append("a.log", &lines(1..3));
    let (second, _) = far.accept().expect("connected again");
    let mut lines = BufReader::new(second)
        .lines()
        .map(|line| line.expect("a line"));
    assert_eq!(
        [lines.next(), lines.next()],
        [1, 2].map(|at| numbered(at..at + 1).pop())
    );
}
