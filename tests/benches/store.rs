//! The embedded log alone: how fast it takes entries, and what questions cost it, as counts and as times of one run.
//!
//! `cargo bench --bench store [-- ENTRIES]`. Each question is asked twice: of a store that was just opened, and again.

#[path = "support/lines.rs"]
mod lines;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lines::{Lines, RARE_WORD};
use tailwater::base::Time;
use tailwater::entry::{Entry, Key};
use tailwater::query::{
    Direction, FacetsRequest, Field, HistogramRequest, PageRequest, Query, Start, Ties,
};
use tailwater::store::{Options, Store};

/// Entries of one append.
const BATCH: usize = 5_000;
/// Appends on their way at once.
const PENDING: usize = 8;
/// Entries of a page.
const PAGE: usize = 200;

/// What is asked; the answer is how many entries or values it held.
enum Question {
    Page(String, Start),
    Histogram(&'static str),
    Facets(Field),
}

fn page(store: &Store, query: &str, start: Start) -> usize {
    let query: Query = query.parse().expect("a query");
    let (mut found, mut start) = (0, start);
    // Over partial pages, as every reader does.
    loop {
        let request = PageRequest {
            query: query.clone(),
            now: Time::MAX,
            start,
            direction: Direction::Older,
            limit: PAGE - found,
            ties: Ties::Split,
        };
        let page = store.page(&request).expect("a page");
        found += page.entries.len();
        match page.older {
            Some(cursor) if found < PAGE => start = Start::Beyond(cursor.key),
            _ => return found,
        }
    }
}

impl Question {
    fn ask(&self, store: &Store) -> usize {
        match self {
            Self::Page(query, start) => page(store, query, *start),
            Self::Histogram(query) => {
                let request = HistogramRequest {
                    query: query.parse().expect("a query"),
                    now: Time::MAX,
                    after: None,
                    before: None,
                    buckets: 120,
                };
                let histogram = store.histogram(&request, &|| false).expect("a histogram");
                let counted: u64 = histogram.buckets.iter().flatten().sum();
                usize::try_from(counted).expect("a count")
            }
            Self::Facets(field) => {
                let request = FacetsRequest {
                    query: Query::default(),
                    now: Time::MAX,
                    field: field.clone(),
                    limit: 10,
                };
                let facets = store.facets(&request, &|| false).expect("facets");
                facets.values.len()
            }
        }
    }
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Appends all lines and waits for every answer; the entry in the middle.
fn ingest(store: &Store, count: u64) -> Entry {
    let appender = store.appender();
    let (mut pending, mut batch, mut middle) = (VecDeque::new(), Vec::new(), None);
    for (number, entry) in Lines::new(count).enumerate() {
        let wanted = number as u64 >= count / 2 && middle.is_none();
        if wanted && entry.scope.trace.is_some() {
            middle = Some(entry.clone());
        }
        batch.push(entry);
        if batch.len() == BATCH {
            pending.push_back(appender.submit(std::mem::take(&mut batch)));
            if pending.len() > PENDING {
                let oldest = pending.pop_front().expect("one");
                oldest.wait().expect("appended");
            }
        }
    }
    pending.push_back(appender.submit(batch));
    for each in pending {
        each.wait().expect("appended");
    }
    middle.expect("an entry with a trace")
}

fn open(dir: &std::path::Path) -> Store {
    let started = Instant::now();
    let (store, _) = Store::open(dir, Options::default()).expect("opened");
    println!("cold open {:.2} ms", milliseconds(started.elapsed()));
    store
}

fn questions(middle: &Entry) -> Vec<(&'static str, Question)> {
    let older = |query: &str| Question::Page(query.to_owned(), Start::End);
    let trace = middle.scope.trace.as_deref().unwrap_or_default();
    let in_the_middle = Start::Beyond(Key {
        time: middle.time,
        ..Key::MAX
    });
    vec![
        ("newest page", older("")),
        (
            "page in the middle",
            Question::Page("ns:gateway".to_owned(), in_the_middle),
        ),
        ("newest, big namespace", older("ns:gateway")),
        ("newest, small namespace", older("ns:canary")),
        ("newest errors", older("level>=error")),
        ("trace", older(&format!("trace:{trace}"))),
        ("rare word", older(RARE_WORD)),
        ("word that is nowhere", older("nosuchword")),
        (
            "rare substring",
            older(&format!("\"{}\"", &RARE_WORD[2..8])),
        ),
        ("regex, few hits", older("/near \\w+otr/")),
        ("regex, many hits", older("/took 1?77\\d?ms/")),
        ("histogram", Question::Histogram("")),
        (
            "histogram of a namespace",
            Question::Histogram("ns:gateway"),
        ),
        ("histogram of a word", Question::Histogram("aborted")),
        ("top 10 instances", Question::Facets(Field::Instance)),
        ("top 10 traces", Question::Facets(Field::Trace)),
    ]
}

fn main() {
    let count: u64 = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_000_000);
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let started = Instant::now();
    let middle = ingest(&store, count);
    let took = started.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = count as f64 / took.as_secs_f64();
    println!("ingest, durable: {count} entries, {rate:.0}/s");
    let started = Instant::now();
    store.compact().expect("merged");
    store.close();
    println!("settling {:.0} ms", milliseconds(started.elapsed()));
    drop(store);

    let store = open(dir.path());
    let stat = store.stat().expect("a listing");
    let bytes = stat
        .segments
        .iter()
        .map(|segment| segment.bytes)
        .sum::<u64>()
        + stat.wal_bytes;
    let groups: usize = stat.segments.iter().map(|segment| segment.row_groups).sum();
    println!(
        "{bytes} bytes in {} segments of {groups} row groups, {} per entry",
        stat.segments.len(),
        bytes / count.max(1)
    );
    println!(
        "{:<26} {:>9} {:>9} {:>12} {:>7} {:>7} {:>9} {:>9}",
        "", "first ms", "again ms", "bytes read", "groups", "columns", "rows", "answer"
    );
    drop(store);
    for (name, question) in questions(&middle) {
        let (store, _) = Store::open(dir.path(), Options::default()).expect("opened");
        let started = Instant::now();
        let answer = question.ask(&store);
        let first = started.elapsed();
        let work = store.work();
        let started = Instant::now();
        assert_eq!(question.ask(&store), answer, "{name}");
        println!(
            "{name:<26} {:>9.2} {:>9.2} {:>12} {:>7} {:>7} {:>9} {answer:>9}",
            milliseconds(first),
            milliseconds(started.elapsed()),
            work.bytes,
            work.groups,
            work.columns,
            work.rows,
        );
    }
}
