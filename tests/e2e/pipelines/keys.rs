//! Keys of the configuration that no other test here sees at work: each makes a difference.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use super::{Stage, files_to, lines};
use crate::support::{PATIENCE, Taker, free_port, wait_for};

const FILE: &str = "type = \"file\"\ndirectory = \"HOME/out\"";

/// Waits until the sink's file says this.
fn says(stage: &Stage, expected: &str) {
    let path = stage.home.path().join("out/tailwater.log");
    let mut last = String::new();
    wait_for(&format!("{expected:?}"), || {
        last = fs::read_to_string(&path).unwrap_or_default();
        (last == expected).then_some(())
    });
}

#[test]
fn keys_of_files_make_a_difference() {
    let text = "2026-03-14 09:00:00 A\n  and more\n";
    let json = "format = \"text\"\ntemplate = \"<{{ msg }}>\"";
    let cases = [
        ("exclude = [\"b*\"]", "", "a.log", text, text),
        (
            "multiline = false",
            json,
            "a.log",
            text,
            "<A>\n<  and more>\n",
        ),
        ("multiline = true", json, "a.log", text, "<A\n  and more>\n"),
        (
            "zone = \"+05:45\"",
            "format = \"text\"\ntemplate = \"{{ time }} {{ msg }}\"",
            "a.log",
            "2026-03-14 05:45:00 A\n2026-03-14T05:45:00Z B\n",
            "2026-03-14T00:00:00Z A\n2026-03-14T05:45:00Z B\n",
        ),
        (
            "max_line = \"4\"",
            json,
            "a.log",
            "123456789\n",
            "<1234>\n<5678>\n<9>\n",
        ),
        (
            "partial_timeout = \"50ms\"",
            json,
            "a.log",
            "no newline",
            "<no newline>\n",
        ),
        ("recursive = true", "", "sub/a.log", "deep\n", "deep\n"),
        ("check_interval = \"20ms\"", "", "a.log", "soon\n", "soon\n"),
        (
            "decode = \"raw\"",
            json,
            "a.log",
            "{\"msg\":1}\n",
            "<{\"msg\":1}>\n",
        ),
    ];
    for (key, more, name, text, expected) in cases {
        let config = files_to(&format!("{FILE}\n{more}"));
        let stage = Stage::new(&config.replace("\npattern", &format!("\n{key}\npattern")));
        if let Some((folder, _)) = name.split_once('/') {
            fs::create_dir(stage.logs(folder)).expect("a folder");
        }
        stage.append(
            "b.log",
            if key.starts_with("exclude") {
                "excluded\n"
            } else {
                ""
            },
        );
        stage.append(name, text);
        says(&stage, expected);
    }
}

#[test]
fn keys_of_filters_make_a_difference() {
    let text = "{\"msg\":\"a b\",\"level\":\"warn\",\"k\":\"x\"}\n{\"msg\":\"a\",\"k\":\"x\"}\n{\"msg\":\"b\",\"k\":\"y\"}\n";
    let cases = [
        ("type = \"level\"\nmin = \"warn\"", "a b\n"),
        (
            "type = \"include\"\npatterns = [\"^a\", \"b$\"]\nlogic = \"or\"",
            "a b\na\nb\n",
        ),
        (
            "type = \"include\"\npatterns = [\"^a\", \"b$\"]\nlogic = \"and\"",
            "a b\n",
        ),
        (
            "type = \"include\"\npatterns = [\"y\"]\nfield = \"k\"",
            "b\n",
        ),
        ("type = \"exclude\"\nquery = \"k:x\"", "b\n"),
        (
            "type = \"rate\"\nrate = 1\nby = \"k\"\nsummary = \"1h\"",
            "a b\nb\n",
        ),
        (
            "type = \"rate\"\nrate = 1\nburst = 2\nsummary = \"1h\"",
            "a b\na\n",
        ),
        ("type = \"sample\"\none_in = 3", "a b\n"),
        (
            "type = \"set\"\nfields = { msg = \"set\" }",
            "set\nset\nset\n",
        ),
    ];
    for (filter, expected) in cases {
        let sink = format!("{FILE}\nformat = \"text\"\ntemplate = \"{{{{ msg }}}}\"");
        let config = files_to(&sink) + &format!("[[pipelines.filters]]\n{filter}\n");
        let stage = Stage::new(&config);
        stage.append("a.log", text);
        says(&stage, expected);
        let filter = &stage.status("app")["filters"][0];
        assert_eq!(filter["taken"], 3);
    }
}

#[test]
fn keys_of_ports_make_a_difference() {
    for (key, opened) in [
        ("allow = [\"10.0.0.0/8\"]", 0),
        ("deny = [\"127.0.0.1\"]", 0),
        ("connections = 1", 1),
        ("connections_per_address = 1", 1),
        ("idle_timeout = \"300ms\"", 0),
    ] {
        let port = free_port();
        let stage = Stage::new(&format!(
            "[[pipelines]]\nname = \"app\"\n[[pipelines.sources]]\ntype = \"tcp\"\nport = {port}\n{key}\n[[pipelines.sinks]]\ntype = \"store\"\n"
        ));
        let connect = || {
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
            stream.set_read_timeout(Some(PATIENCE)).expect("set");
            stream
        };
        let kept: Vec<TcpStream> = (0..opened).map(|_| connect()).collect();
        wait_for("those who may", || {
            (stage.status("app")["sources"][0]["clients"] == opened).then_some(())
        });
        // One more is let go.
        let ended = connect().read(&mut [0; 8]);
        assert!(matches!(ended, Ok(0) | Err(_)), "{key}: {ended:?}");
        for stream in kept {
            stream
                .set_read_timeout(Some(Duration::from_millis(1)))
                .expect("set");
            let waiting = (&stream).read(&mut [0; 8]).expect_err("nothing to be read");
            assert_eq!(waiting.kind(), std::io::ErrorKind::WouldBlock, "{key}");
        }
    }
}

#[test]
fn keys_of_sinks_make_a_difference() {
    let taker = Taker::new();
    let sink = format!(
        "type = \"http_client\"\nurl = \"{}\"\npreset = \"elasticsearch\"\nindex = \"mine\"\ncompression = \"none\"\nbatch_size = 2\nbatch_delay = \"10ms\"",
        taker.url()
    );
    let stage = Stage::new(&files_to(&sink));
    // The last line waits for what may continue it: four go at once.
    stage.append("a.log", &lines(0..5));
    let posted = wait_for("two posts", || {
        Some(taker.posted()).filter(|posted| posted.len() >= 2)
    });
    for one in posted.iter().take(2) {
        assert!(
            !one.head.to_lowercase().contains("content-encoding"),
            "{}",
            one.head
        );
        assert!(
            one.body.starts_with("{\"create\":{\"_index\":\"mine\"}}"),
            "{}",
            one.body
        );
        assert_eq!(one.body.lines().count(), 4);
    }
    let stage = Stage::new(&files_to(&format!("{FILE}\nmax_age = \"50ms\"")));
    for at in 0..2 {
        stage.append("a.log", &lines(at..at + 1));
        stage.delivered("app", 0, at + 1);
        let out = stage.home.path().join("out/tailwater.log");
        wait_for("the file to be old", || {
            let age = fs::metadata(&out).ok()?.created().ok()?.elapsed().ok()?;
            (age > Duration::from_millis(50)).then_some(())
        });
    }
    let items = fs::read_dir(stage.home.path().join("out")).expect("listed");
    assert_eq!(items.count(), 2, "one is rotated away");
    let stage = Stage::new(&files_to("type = \"console\"\ntarget = \"stderr\""));
    stage.append("a.log", "to the side\n");
    stage.service.logged("to the side");
}
