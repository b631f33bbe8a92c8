//! Direktiv's three generations as they are, explored over a bad network.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{Direktiv, Generation, Proxy, Screen, Tail, run};

const TOKEN: &str = "s3cret";
const GENERATIONS: [Generation; 3] = [Generation::First, Generation::Second, Generation::Third];

fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).expect("a time")
}

#[test]
fn every_row_of_every_generation_comes_once_over_a_bad_network() {
    for generation in GENERATIONS {
        let direktiv = Direktiv::start(generation, TOKEN);
        let (past, live) = (1_300, 600);
        let first = now() - 3_600_000_000_000;
        direktiv.write(first, (0..past).map(|at| json!(format!("row {at}"))));
        let proxy = Proxy::start(&direktiv.url, 60_000);
        let home = tempfile::tempdir().expect("a home");
        let arguments = ["--url", &proxy.url, "--token", TOKEN, "--namespace", "demo"];
        let tail = Tail::start(
            home.path(),
            &[&arguments[..], &["--limit", "1000"]].concat(),
        );
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut written = 0;
        while seen.len() < past + written.max(live) || proxy.cuts() == 0 {
            let entry = tail.entry().unwrap_or_else(|| {
                let of = |kind: &'static str, count| {
                    (0..count).map(move |at: usize| format!("{kind} {at}"))
                };
                let all = of("row", past).chain(of("live", written));
                let missing: Vec<_> = all.filter(|row| !seen.contains_key(row)).collect();
                panic!("{generation:?}: {} cuts, missing {missing:?}", proxy.cuts())
            });
            assert_eq!(entry["namespace"], "demo");
            *seen
                .entry(entry["msg"].as_str().expect("words").to_owned())
                .or_default() += 1;
            // Rows arrive while the past is fetched and afterwards, and until something was cut.
            if (written < live || proxy.cuts() == 0) && seen.len() > 50 + written {
                direktiv.write(now(), [json!(format!("live {written}"))]);
                written += 1;
            }
        }
        let doubled: Vec<_> = seen.iter().filter(|(_, count)| **count != 1).collect();
        assert!(doubled.is_empty(), "{generation:?}: {doubled:?}");
    }
}

#[test]
fn instances_are_fetched_when_they_are_named() {
    for generation in GENERATIONS {
        let direktiv = Direktiv::start(generation, TOKEN);
        let at = now() - 60_000_000_000;
        direktiv.write(
            at,
            [
                json!("workflow has been triggered"),
                json!({"not": "a word"}),
                json!(7),
            ],
        );
        direktiv.write_row(at + 5, json!("parent line"), &["parent-1"]);
        direktiv.write_row(at + 6, json!("child line"), &["child-1", "parent-1"]);
        let home = tempfile::tempdir().expect("a home");
        let mut screen = Screen::start(
            home.path(),
            &[&direktiv.url, "--token", TOKEN, "--namespace", "demo"],
        );
        screen.see("workflow has been triggered");
        let shown = screen.see("LIVE");
        assert!(!shown.iter().any(|row| row.contains("parent line")));
        screen.keys("finstance:parent-1\r");
        screen.see("parent line");
        let query = run(
            home.path(),
            &[
                "query",
                "instance:parent-1",
                &direktiv.url,
                "--token",
                TOKEN,
                "--namespace",
                "demo",
            ],
        );
        assert!(
            query.out.contains("parent line"),
            "{generation:?}: {query:?}"
        );
        assert!(!query.out.contains("notset"), "{generation:?}: {query:?}");
    }
}

#[test]
fn a_direktiv_that_refuses_is_understood() {
    for generation in GENERATIONS {
        let direktiv = Direktiv::start(generation, TOKEN);
        let home = tempfile::tempdir().expect("a home");
        let ask = |token: &str, namespace: &[&str]| {
            let query = ["query", "", &direktiv.url, "--token", token];
            run(home.path(), &[&query, namespace].concat())
        };
        let refused = ask("wrong", &["--namespace", "demo"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains("401"), "{refused:?}");
        let unknown = ask(TOKEN, &["--namespace", "nowhere"]);
        assert!(
            unknown
                .err
                .contains("requested resource(namespace) is not found"),
            "{unknown:?}"
        );
        let unnamed = ask(TOKEN, &[]);
        assert!(unnamed.err.contains("--namespace"), "{unnamed:?}");
    }
}
