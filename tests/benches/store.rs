//! The embedded log: how fast it takes entries, and what questions cost it, as counts and as times of one run.
//!
//! `cargo bench --bench store [-- ENTRIES]`

use std::time::{Duration, Instant};

use tailwater::base::Time;
use tailwater::entry::{Entry, Level, Scope};
use tailwater::query::{
    Direction, FacetsRequest, Field, HistogramRequest, PageRequest, Query, Start, Ties,
};
use tailwater::store::{Durability, Options, Store};

const NAMESPACES: [&str; 8] = [
    "gateway",
    "auth",
    "orders",
    "payments",
    "inventory",
    "search",
    "billing",
    "notify",
];

fn entry(n: usize) -> Entry {
    let namespace = NAMESPACES[(n * n + n / 7) % 8];
    Entry {
        time: Time(1_773_478_800_000_000_000 + i64::try_from(n).unwrap_or(0) * 1_000_000),
        level: if n % 40 == 13 {
            Level::Error
        } else {
            Level::Info
        },
        scope: Scope {
            namespace: namespace.to_owned(),
            trace: Some(format!("{:032x}", n / 9 + 1)),
            span: Some(format!("{:016x}", n + 1)),
            instance: Some(format!("{namespace}-{}", n % 3)),
            ..Scope::default()
        },
        text: format!(
            "request {n} completed method=GET path=/v1/orders status=200 duration_ms={}",
            n % 97
        ),
        ..Entry::default()
    }
}

fn report(name: &str, took: Duration, what: &str) {
    println!("{name:<28} {:>10.3} ms  {what}", took.as_secs_f64() * 1e3);
}

/// Reads on over partial pages, as every reader does.
fn page(store: &Store, query: &str, start: Start) -> (usize, u64, u32) {
    let query: Query = query.parse().expect("a query");
    let (mut found, mut scanned, mut steps, mut start) = (0, 0, 0, start);
    loop {
        let request = PageRequest {
            query: query.clone(),
            now: Time::now(),
            start,
            direction: Direction::Older,
            limit: 200 - found,
            ties: Ties::Split,
        };
        let page = store.page(&request).expect("a page");
        found += page.entries.len();
        scanned += page.progress.scanned;
        steps += 1;
        match page.older {
            Some(cursor) if found < 200 => start = Start::Beyond(cursor.key),
            _ => return (found, scanned, steps),
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one measurement after the other")]
fn main() {
    let count: usize = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_000_000);
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(
        dir.path(),
        Options {
            durability: Durability::Sync,
            ..Options::default()
        },
    )
    .expect("opened");
    let started = Instant::now();
    let appender = store.appender();
    let mut pending = std::collections::VecDeque::new();
    for start in (0..count).step_by(1_000) {
        pending
            .push_back(appender.submit((start..(start + 1_000).min(count)).map(entry).collect()));
        if pending.len() > 8 {
            pending.pop_front().expect("one").wait().expect("appended");
        }
    }
    for pending in pending {
        pending.wait().expect("appended");
    }
    let took = started.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    report(
        "append, durable",
        took,
        &format!(
            "{count} entries, {:.0} per second",
            count as f64 / took.as_secs_f64()
        ),
    );
    store.close();
    drop(store);
    let bytes: u64 = std::fs::read_dir(dir.path().join("log"))
        .expect("listed")
        .filter_map(|item| item.ok()?.metadata().ok())
        .map(|file| file.len())
        .sum();
    println!(
        "{:<28} {bytes:>10} bytes on disk, {} per entry",
        "",
        bytes / count as u64
    );

    let started = Instant::now();
    let (store, _) = Store::open(dir.path(), Options::default()).expect("opened");
    report("open", started.elapsed(), "");
    let middle = entry(count / 2).key();
    let trace = format!("trace:{:032x}", count / 18);
    let questions = [
        ("newest page", "", Start::End),
        ("page in the middle", "", Start::Beyond(middle)),
        ("newest of a namespace", "ns:payments", Start::End),
        ("newest errors", "level>=error", Start::End),
        ("a trace", trace.as_str(), Start::End),
        ("a rare word", "\"request 77 completed\"", Start::End),
        ("a word that is not there", "nosuchword", Start::End),
        (
            "a regular expression",
            "/request \\d*777 .*ms=5$/",
            Start::End,
        ),
    ];
    for (name, query, start) in questions {
        let started = Instant::now();
        let (found, scanned, steps) = page(&store, query, start);
        report(
            name,
            started.elapsed(),
            &format!("{found} found, {scanned} entries scanned, {steps} steps"),
        );
    }
    let now = Time::now();
    for (name, query) in [
        ("histogram of everything", ""),
        ("histogram of a word", "\"duration_ms=5\""),
    ] {
        let started = Instant::now();
        let request = HistogramRequest {
            query: query.parse().expect("a query"),
            now,
            after: None,
            before: None,
            buckets: 120,
        };
        let histogram = store.histogram(&request, &|| false).expect("a histogram");
        let counted: u64 = histogram.buckets.iter().flatten().sum();
        report(
            name,
            started.elapsed(),
            &format!("{counted} counted in {} buckets", histogram.buckets.len()),
        );
    }
    for (name, field) in [
        ("facets of namespaces", Field::Namespace),
        ("facets of instances", Field::Instance),
    ] {
        let started = Instant::now();
        let request = FacetsRequest {
            query: Query::default(),
            now,
            field,
            limit: 10,
        };
        let facets = store.facets(&request, &|| false).expect("facets");
        report(
            name,
            started.elapsed(),
            &format!("{} values", facets.values.len()),
        );
    }
}
