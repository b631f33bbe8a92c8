//! Every pane and list at three sizes, and their looks at three depths of colour: kept as they were looked at.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --lib screens`, and look at what changed.

use std::fmt::Write;

use super::*;
use crate::backend::{FileStanding, Standing, State as Answers};
use crate::entry::Fields;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// A log with something of everything.
fn log() -> Vec<Entry> {
    let texts = [
        "GET /v1/items 200 in 12ms",
        "authorizing card for order o-17",
        "connection pool exhausted, 112 requests waiting",
        "queue drained, heartbeat sent",
        "captured payment: ¥12,300 日本円 \u{1b}[31m",
        "panic at line 3\n  at payments::release\n  at main",
    ];
    let of = |n: u64| {
        let at = usize::try_from(n % 6).unwrap_or(0);
        let mut said = entry(n);
        said.text = texts[at].into();
        said.level = [
            Level::Info,
            Level::Debug,
            Level::Error,
            Level::Info,
            Level::Warn,
            Level::Fatal,
        ][at];
        said.scope.namespace = ["gateway", "payments"][usize::try_from(n % 2).unwrap_or(0)].into();
        said.scope.instance = Some(format!("{}-{}", said.scope.namespace, n % 3));
        said.scope.span = Some(format!("{n:016x}"));
        said.fields = Fields::from_iter([
            ("duration_ms".to_owned(), json!(n % 90)),
            ("region".to_owned(), json!("eu")),
        ]);
        if at == 2 {
            said.error = Some("timeout after 5s".into());
        }
        if n > 330 {
            said.time = said.time.later(std::time::Duration::from_mins(20));
        }
        said
    };
    (1..=360).map(of).collect()
}

fn begun(size: (u16, u16)) -> Harness {
    let mut harness = Harness::new(0, size);
    harness.log = log();
    harness.pipelines = told::pipelines(4_000);
    harness.streams.streams = vec![
        told::stream("ci/build/1", 5_000),
        told::stream("ci/build/2", 12),
    ];
    harness.blobs = BlobsAnswer {
        blobs: vec![told::blob("core")],
        folders: vec!["ci".into()],
        next: None,
    };
    harness.events.data = vec![
        told::event(30, "deploy.failed", None),
        told::event(20, "alert", Some("t21")),
    ];
    harness.listeners.data = vec![told::listener()];
    harness.tell(Message::Clock(Time(2_000_000_000_000)));
    let effects = start(&mut harness.state, None);
    harness.take(effects);
    harness.settle();
    harness.press("g G ctrl-l");
    harness
}

/// Each pane and list: its name, and the keys that lead there.
const PANES: [(&str, &str); 28] = [
    ("log", ""),
    ("held", "k k k k"),
    ("wrapped", "ctrl-w"),
    ("deltas", "."),
    ("selection", "k k v k k k"),
    ("context", "5 k k z"),
    ("details", "k k k k enter tab"),
    ("beside", "k k \\ tab"),
    ("sources", "S"),
    ("values", "S tab tab"),
    ("filters", "5 + enter S tab"),
    ("timeline", "H [ [ v ]"),
    ("query", "f n s : p"),
    ("search", "/ p o o l enter"),
    ("help", "?"),
    ("palette", ": t r a"),
    ("choice", "+"),
    ("ranges", "r"),
    ("patterns", "p"),
    ("differences", "k k D"),
    ("quiet", ","),
    ("fields", "I"),
    ("columns", "O"),
    ("waterfall", "T"),
    ("case", "k m a enter '"),
    ("saved", "A p o o l space > space 5 enter K"),
    ("pipelines", "P"),
    ("blobs", "B"),
];

/// What keys lead to, at each size.
fn at_each_size(keys: &str) -> String {
    let mut shown = String::new();
    for size in SIZES {
        let mut harness = begun(size);
        harness.press(keys);
        tell(&mut shown, &harness, "");
    }
    shown
}

fn tell(shown: &mut String, harness: &Harness, keys: &str) {
    let (width, height) = harness.state.size;
    let heading = format!("── {width}×{height} {keys}");
    let _ = writeln!(shown, "{}", heading.trim_end());
    for row in harness.screen() {
        let _ = writeln!(shown, "{}", row.trim_end());
    }
}

#[test]
fn every_pane_looks_as_it_was_looked_at() {
    for (name, keys) in PANES {
        insta::assert_snapshot!(name, at_each_size(keys));
    }
}

#[test]
fn lists_of_services_look_as_they_were_looked_at() {
    let lists = [
        ("streams", "L"),
        ("events", "V"),
        ("listeners", "V tab"),
        ("pipeline", "P enter"),
    ];
    for (name, keys) in lists {
        insta::assert_snapshot!(name, at_each_size(keys));
    }
}

#[test]
fn several_logs_look_as_they_were_looked_at() {
    let standing = |name: &str, state: Answers, skew: i64| Standing {
        name: name.into(),
        state,
        missed: 3,
        skew,
    };
    let failed = Answers::Failed {
        reason: "cannot reach logs:7420: connection refused".into(),
        since: Time(0),
    };
    let mut shown = String::new();
    for size in SIZES {
        let mut harness = begun(size);
        for said in &mut harness.log {
            said.position = Position(said.position.0 * 16 + said.position.0 % 3);
        }
        harness.press("g G");
        let all = vec![
            standing("~/logs", Answers::Ok, 0),
            standing("logs:7420", failed.clone(), 0),
            standing("app.log", Answers::Ok, -1_500_000_000),
        ];
        harness.tell(Message::Standing(all));
        for keys in ["", "%"] {
            harness.press(keys);
            tell(&mut shown, &harness, keys);
        }
    }
    insta::assert_snapshot!("logs", shown);
}

#[test]
fn files_look_as_they_were_looked_at() {
    let file = |path: &str, format: &str, bytes: u64| FileStanding {
        log: path.into(),
        path: path.into(),
        format: format.into(),
        bytes,
        indexed: Some(bytes),
        read: bytes / 8,
        unpacked: None,
        trouble: None,
    };
    let silent = "db-1 is not answering: ssh: connect to host db-1 port 22: No route to host";
    let mut shown = String::new();
    for size in SIZES {
        let mut harness = begun(size);
        harness.tell(Message::Files(vec![
            file("/var/log/shop/app.log", "json", 11_300_000_000),
            FileStanding {
                indexed: Some(180 << 20),
                ..file("/var/log/shop/app.log.1", "json", 900 << 20)
            },
            FileStanding {
                unpacked: Some((30 << 20, 90 << 20)),
                ..file("/var/log/shop/app.log.2.gz", "text", 400 << 20)
            },
            file(
                "/srv/a directory/with/quite/a/long/name/of/日本/access.log",
                "access",
                7_200,
            ),
            FileStanding {
                indexed: None,
                ..file("web-1:/var/log/nginx/error.log", "nginx-error", 51 << 20)
            },
            FileStanding {
                indexed: None,
                trouble: Some(silent.into()),
                ..file("db-1:/var/log/postgresql/main.log", "postgresql", 3 << 20)
            },
            FileStanding {
                trouble: Some("it was cut or removed, and no copy was made of it".into()),
                ..file("/var/log/evil\u{1b}[31m.log", "text", 0)
            },
        ]));
        for keys in ["%", "down down enter"] {
            harness.press(keys);
            tell(&mut shown, &harness, keys);
        }
    }
    insta::assert_snapshot!("files", shown);
}

#[test]
fn what_is_not_counted_is_not_said_to_be_nothing() {
    let mut harness = begun(SIZES[0]);
    assert!(harness.screen()[0].trim_end().ends_with(" 14 entries"));
    harness.tell(Message::Namespaces(Vec::new()));
    assert_eq!(harness.screen()[0].trim(), "tailwater test");
}

/// Cells beside each other that look alike, with their words.
fn looks(screen: &Buffer) -> String {
    let width = usize::from(screen.area.width);
    let mut told = String::new();
    for (y, row) in screen.content.chunks(width).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let look = |at: usize| (row[at].fg, row[at].bg, row[at].modifier);
            let (start, mut words) = (x, String::new());
            while x < row.len() && look(x) == look(start) {
                words.push_str(row[x].symbol());
                x += 1;
            }
            let (letters, ground, modifier) = look(start);
            let is_plain =
                ground == ratatui::style::Color::Reset && modifier.is_empty() && letters == ground;
            if !is_plain && !words.trim().is_empty() {
                let _ = writeln!(
                    told,
                    "{y}:{start} {letters} on {ground} {modifier:?} {:?}",
                    words.trim()
                );
            }
        }
    }
    told
}

#[test]
fn colours_are_as_they_were_looked_at() {
    for (name, depth) in [
        ("truecolor", Depth::Truecolor),
        ("256", Depth::Indexed),
        ("16", Depth::Sixteen),
        ("none", Depth::None),
    ] {
        let mut told = String::new();
        for keys in ["5 k k / p o o l enter", "S tab", "p", "k k enter tab"] {
            let mut harness = begun((80, 24));
            harness.press(keys);
            let mut screen = Buffer::empty(Rect::new(0, 0, 80, 24));
            view(
                &harness.state,
                Theme::new(depth, Palette::default()),
                &mut screen,
            );
            let _ = writeln!(told, "── {keys}\n{}", looks(&screen));
        }
        insta::assert_snapshot!(format!("looks-{name}"), told);
    }
}
