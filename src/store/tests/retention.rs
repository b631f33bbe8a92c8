//! What is too old or too much goes, nothing else, and its positions are not given again.

use std::time::Duration;

use super::{append, page_request, walk};
use crate::base::Time;
use crate::entry::{Entry, Level, Position, Scope};
use crate::query::{Direction, Query, Start};
use crate::store::{Durability, Limits, Options, Retention, Store, retention};

const HOUR: i64 = 3_600_000_000_000;
const NOW: Time = Time(1_000 * HOUR);

fn entry(namespace: &str, hours_ago: i64, number: usize) -> Entry {
    Entry {
        time: Time(NOW.0 - hours_ago * HOUR),
        level: Level::Info,
        scope: Scope {
            namespace: namespace.to_owned(),
            ..Scope::default()
        },
        text: format!("entry {number} of {namespace}, {hours_ago} h old"),
        ..Entry::default()
    }
}

/// A store of one segment for each age, 50 entries of each namespace in each.
fn store(dir: &tempfile::TempDir) -> (Store, Vec<Entry>) {
    let options = Options {
        durability: Durability::None,
        memtable_bytes: 1,
        ..Options::default()
    };
    let (store, _) = Store::open(dir.path(), options).expect("opened");
    let mut all = Vec::new();
    for hours_ago in [40, 30, 20, 10] {
        let of = |namespace: &'static str| (0..50).map(move |n| entry(namespace, hours_ago, n));
        all.extend(append(&store, of("pay").chain(of("audit")).collect()));
    }
    store.seal();
    assert_eq!(store.shared.tables().segments.len(), 4);
    (store, all)
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

fn check(store: &Store, all: &[Entry], kept: impl Fn(&Entry) -> bool) {
    let wanted: Vec<Entry> = all.iter().filter(|entry| kept(entry)).cloned().collect();
    assert_eq!(
        walk(store, &Query::default(), Direction::Newer, 1_000),
        wanted
    );
    assert_eq!(store.count(), wanted.len() as u64);
}

#[test]
fn entries_go_by_age() {
    let dir = tempfile::tempdir().expect("a directory");
    let limits = Limits {
        age: Some(hours(25)),
        bytes: None,
    };
    let retention = Retention {
        all: limits,
        ..Retention::default()
    };
    let (store, all) = store(&dir);
    retention::apply(&store.shared, &retention, NOW).expect("applied");
    check(&store, &all, |entry| entry.time.0 >= NOW.0 - 25 * HOUR);
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, all) = store(&dir);
    let bytes: Vec<u64> = store
        .shared
        .tables()
        .segments
        .iter()
        .map(|segment| segment.bytes)
        .collect();
    let limits = Limits {
        age: None,
        bytes: Some(bytes[2] + bytes[3] + bytes[1] / 2),
    };
    let retention = Retention {
        all: limits,
        ..Retention::default()
    };
    retention::apply(&store.shared, &retention, NOW).expect("applied");
    check(&store, &all, |entry| entry.time.0 >= NOW.0 - 25 * HOUR);
}

#[test]
fn a_namespace_has_limits_of_its_own() {
    let by_age = Limits {
        age: Some(hours(15)),
        bytes: None,
    };
    let by_bytes = Limits {
        age: None,
        bytes: Some(1),
    };
    for (limits, oldest) in [(by_age, Some(10)), (by_bytes, None)] {
        let dir = tempfile::tempdir().expect("a directory");
        let retention = Retention {
            namespaces: [("audit".to_owned(), limits)].into(),
            ..Retention::default()
        };
        let (store, all) = store(&dir);
        let kept = |entry: &Entry| {
            entry.scope.namespace == "pay"
                || oldest.is_some_and(|hours| entry.time.0 >= NOW.0 - hours * HOUR)
        };
        for _ in 0..2 {
            retention::apply(&store.shared, &retention, NOW).expect("applied");
            check(&store, &all, kept);
        }
        store.close();
        let (store, _) = Store::open(dir.path(), Options::default()).expect("opened again");
        check(&store, &all, kept);
    }
}

#[test]
fn positions_outlive_their_entries_and_readers_what_they_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let limits = Limits {
        age: Some(hours(1)),
        bytes: None,
    };
    let retention = Retention {
        all: limits,
        ..Retention::default()
    };
    let (store, all) = store(&dir);
    let opened = store.shared.tables();
    retention::apply(&store.shared, &retention, NOW).expect("applied");
    check(&store, &all, |_| false);
    let first = page_request(&Query::default(), Start::End, Direction::Newer, 10);
    assert_eq!(store.page(&first).expect("a page").entries, []);
    let rows: Vec<u32> = (0..100).collect();
    for (segment, wanted) in opened.segments.iter().zip(all.chunks(100)) {
        assert_eq!(segment.entries(0, &rows).expect("still read"), wanted);
    }
    store.close();
    let (store, _) = Store::open(dir.path(), Options::default()).expect("opened again");
    let more = append(&store, vec![entry("pay", 0, 0)]);
    assert_eq!(more[0].position, Position(401));
    check(&store, &more, |_| true);
}
