//! The store against a naive one: a sorted list of all entries.

mod crash;
mod damage;
mod faulty;
mod retention;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::{Durability, Options, Store};
use crate::base::Time;
use crate::entry::{Entry, Fields, Key, Level, Position, Scope};
use crate::query::{
    ContextRequest, Direction, FacetsRequest, Field, FollowRequest, HistogramRequest, Matcher,
    Page, PageRequest, Query, Start, Ties, ValuesRequest,
};

const NAMESPACES: [&str; 3] = ["pay", "auth", "search"];

fn entry(time: i64, kind: u8) -> Entry {
    Entry {
        time: Time(time),
        level: Level::from_code(kind % 6).unwrap_or_default(),
        scope: Scope {
            namespace: NAMESPACES[usize::from(kind % 3)].to_owned(),
            trace: kind.is_multiple_of(5).then(|| {
                let word = ["trace", "TRACE", "Trace"][usize::from(kind % 3)];
                format!("{word}{}", kind % 4)
            }),
            ..Scope::default()
        },
        text: format!("entry of kind {kind}"),
        error: kind
            .is_multiple_of(11)
            .then(|| format!("Failed with code {kind}")),
        source: (kind % 7 == 3).then(|| "host-a".to_owned()),
        fields: fields(kind),
        ..Entry::default()
    }
}

/// Fields of many shapes: frequent ones with a column of their own, of another type now and then, nested and rare ones.
fn fields(kind: u8) -> Fields {
    let value = match kind % 8 {
        0 => return Fields::new(),
        1 => json!({"status": 500 + i64::from(kind % 4), "path": format!("/v1/{}", kind % 5)}),
        2 => json!({"path": "/v1/1", "status": "501", "ratio": 0.25 + f64::from(kind % 3)}),
        3 => json!({"user": {"id": format!("U{}", kind % 6), "tags": ["a", "B"]}, "status": 502}),
        4 => json!({"status": null, "ok": kind.is_multiple_of(3), "user.id": "flat"}),
        5 => json!({"big": u64::MAX, "n": -1, "ratio": 1.0, "trace": "among fields"}),
        6 => json!({"user": "U1", "list": [1, "two", null], "path": "/v1/2"}),
        _ => json!({"rare": kind, "status": 503, "text": "x"}),
    };
    value.as_object().cloned().unwrap_or_default()
}

fn page_request(query: &Query, start: Start, direction: Direction, limit: usize) -> PageRequest {
    PageRequest {
        query: query.clone(),
        now: Time(0),
        start,
        direction,
        limit,
        ties: Ties::Split,
    }
}

/// Reads page after page to the end, as a client does.
fn walk(store: &Store, query: &Query, direction: Direction, limit: usize) -> Vec<Entry> {
    let mut pages: Vec<Vec<Entry>> = Vec::new();
    let mut start = Start::End;
    loop {
        let Page {
            entries,
            older,
            newer,
            partial,
            ..
        } = store
            .page(&page_request(query, start, direction, limit))
            .expect("a page");
        assert!(entries.len() <= limit);
        let next = if direction == Direction::Older {
            older
        } else {
            newer
        };
        assert!(
            entries.len() == limit || partial || next.is_none(),
            "a short page has a reason"
        );
        pages.push(entries);
        match next {
            Some(cursor) => start = Start::Beyond(cursor.key),
            None => break,
        }
    }
    if direction == Direction::Older {
        pages.reverse();
    }
    pages.concat()
}

fn check_answers(store: &Store, all: &[Entry]) {
    for text in [
        "",
        "level>=warn",
        "ns:pay",
        "ns:pay since:1970-01-01T00:00:00.00000006Z",
        "ns:pay before:1970-01-01T00:00:00.00000004Z",
        "ns:pay (before:1970-01-01T00:00:00.00000002Z OR since:1970-01-01T00:00:00.00000008Z)",
        "trace:trace1",
        "\"kind 7\"",
        "-ns:auth level:info,error",
        "since:1970-01-01T00:00:00.00000005Z",
        "absent",
        "OF kind",
        "/kind \\d*7$/",
        "/^entry/ -\"kind 1\"",
        "code",
        "error:code",
        "error:*",
        "-error:* ns:search",
        "source:host-a",
        "trace:TRACE2 OR source:HOST-A",
        "trace:*",
        "status:501",
        "status>=502",
        "status:*",
        "-status:*",
        "path:/v1/*",
        "path:/v1/1",
        "user.id:u1",
        "user.id:*",
        "user.tags:b",
        "list:two",
        "ok:true",
        "ratio>0.5",
        "ratio:1.0",
        "big:*",
        "n<0",
        "rare:*",
        "nosuchfield:*",
        "trace:\"among fields\"",
        "text:x",
        "since:1970-01-01T00:00:00.00000002Z before:1970-01-01T00:00:00.00000006Z level>=info ns:pay",
    ] {
        let query: Query = text.parse().expect(text);
        let matcher = Matcher::compile(&query, Time(0));
        let mut wanted: Vec<Entry> = all
            .iter()
            .filter(|entry| matcher.matches(entry))
            .cloned()
            .collect();
        wanted.sort_by_key(Entry::key);
        for (direction, limit) in [
            (Direction::Older, 7),
            (Direction::Newer, 7),
            (Direction::Older, 1_000),
        ] {
            assert_eq!(
                walk(store, &query, direction, limit),
                wanted,
                "{text} {direction:?}"
            );
        }
        let request = HistogramRequest {
            query: query.clone(),
            now: Time(0),
            after: None,
            before: None,
            buckets: 20,
        };
        let histogram = store.histogram(&request, &|| false).expect("a histogram");
        let counted: u64 = histogram.buckets.iter().flatten().sum();
        assert_eq!(counted, wanted.len() as u64, "{text}");
        for name in [
            "namespace",
            "level",
            "trace",
            "source",
            "status",
            "user.id",
            "ratio",
            "list",
        ] {
            let request = FacetsRequest {
                query: query.clone(),
                now: Time(0),
                field: Field::named(name),
                limit: 1_000,
            };
            let mut counted: BTreeMap<String, u64> = BTreeMap::new();
            for value in wanted.iter().filter_map(|entry| request.field.value(entry)) {
                *counted.entry(value.into_owned()).or_default() += 1;
            }
            let facets = store.facets(&request, &|| false).expect("facets");
            assert_eq!(
                facets.covered,
                counted.values().sum::<u64>(),
                "{text} {name}"
            );
            let found: BTreeMap<_, _> = facets
                .values
                .into_iter()
                .map(|facet| (facet.value, facet.count))
                .collect();
            assert_eq!(found, counted, "{text} {name}");
        }
    }
}

fn append(store: &Store, entries: Vec<Entry>) -> Vec<Entry> {
    let range = store
        .appender()
        .submit(entries.clone())
        .wait()
        .expect("appended");
    entries
        .into_iter()
        .zip(range)
        .map(|(entry, position)| Entry {
            position: Position(position),
            ..entry
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_answer_is_the_naive_one(
        batches in prop::collection::vec(prop::collection::vec((0..100_i64, any::<u8>()), 1..60), 1..6),
        memtable_bytes in prop::sample::select(vec![1_usize, 20_000, 1 << 20]),
        scan_budget in prop::sample::select(vec![1_u64, 50, 100_000]),
        group_rows in prop::sample::select(vec![7_usize, 64, 65_536]),
        cache_bytes in prop::sample::select(vec![0_u64, 20_000, 1 << 24]),
        then in 0..4_u8,
    ) {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options { durability: Durability::None, memtable_bytes, scan_budget, group_rows, cache_bytes, ..Options::default() };
        let (mut store, _) = Store::open(dir.path(), options.clone()).expect("opened");
        let mut all = Vec::new();
        for batch in batches {
            all.extend(append(&store, batch.into_iter().map(|(time, kind)| entry(time, kind)).collect()));
        }
        match then {
            0 => {}
            1 => {
                store.close();
                store = Store::open(dir.path(), options).expect("opened again").0;
            }
            2 => store.seal(),
            _ => {
                store.compact().expect("compacted");
                prop_assert_eq!(store.shared.tables().segments.len(), 1);
            }
        }
        check_answers(&store, &all);
        check_order(&store, &all);
        prop_assert_eq!(store.count(), all.len() as u64);
        for entry in all.iter().step_by(17) {
            let found = store.entry(entry.position).expect("read");
            prop_assert_eq!(found.as_ref(), Some(entry));
        }
    }
}

/// Equal maps may differ in the order of their keys; ours keep it.
fn check_order(store: &Store, all: &[Entry]) {
    for entry in walk(store, &Query::default(), Direction::Older, 500) {
        let wanted = all
            .iter()
            .find(|other| other.position == entry.position)
            .expect("one of ours");
        assert!(
            entry.fields.keys().eq(wanted.fields.keys()),
            "{:?} {:?}",
            entry.fields,
            wanted.fields
        );
    }
}

async fn follow_all(store: &Store, after: u64, until: u64) -> Vec<u64> {
    let mut feed = store.follow(&FollowRequest {
        query: Query::default(),
        now: Time(0),
        after: Position(after),
    });
    let mut positions = Vec::new();
    loop {
        let batch = feed.next().await.expect("alive").expect("read");
        positions.extend(batch.entries.iter().map(|entry| entry.position.0));
        if batch.at.0 >= until {
            return positions;
        }
    }
}

#[tokio::test]
async fn a_feed_gives_every_position_once_across_seals() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        durability: Durability::None,
        memtable_bytes: 100_000,
        ..Options::default()
    };
    let (store, _) = Store::open(dir.path(), options).expect("opened");
    let appending = store.clone();
    let writer = tokio::task::spawn_blocking(move || {
        for round in 0..200_i64 {
            append(
                &appending,
                (0..20).map(|n| entry(1_000 - round, n)).collect(),
            );
        }
    });
    let live = follow_all(&store, 0, 4_000).await;
    writer.await.expect("written");
    assert_eq!(live, (1..=4_000).collect::<Vec<_>>());
    assert_eq!(
        follow_all(&store, 1_234, 4_000).await,
        (1_235..=4_000).collect::<Vec<_>>()
    );
    // Not the segments that there are: meanwhile they may be merged.
    assert!(
        store.figures().sealed > 2,
        "the test is about sealed runs too"
    );
}

#[test]
fn acknowledged_entries_survive_without_closing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(dir.path(), Options::default()).expect("opened");
    let all = append(&store, (0..50).map(|n| entry(i64::from(n), n)).collect());
    // What a crash leaves: the files as they are now, and half a frame.
    let copy = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(copy.path().join("log")).expect("created");
    for item in std::fs::read_dir(dir.path().join("log")).expect("listed") {
        let path = item.expect("an item").path();
        let mut bytes = std::fs::read(&path).expect("read");
        bytes.extend_from_slice(&[0xB7, 0x57, 0x41, 0x4C, 9, 0, 0]);
        std::fs::write(
            copy.path()
                .join("log")
                .join(path.file_name().expect("a name")),
            bytes,
        )
        .expect("written");
    }
    let (again, recovery) = Store::open(copy.path(), Options::default()).expect("opened");
    assert_eq!(
        (recovery.replayed, recovery.torn, recovery.damage.len()),
        (50, 1, 0)
    );
    assert_eq!(walk(&again, &Query::default(), Direction::Older, 100), all);
    let more = append(&again, vec![entry(7, 7)]);
    assert_eq!(more[0].position, Position(51));
}

#[test]
fn ties_are_kept_whole_when_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(
        dir.path(),
        Options {
            durability: Durability::None,
            ..Options::default()
        },
    )
    .expect("opened");
    append(
        &store,
        (0..30).map(|n| entry(i64::from(n / 10), n)).collect(),
    );
    let mut request = page_request(&Query::default(), Start::End, Direction::Older, 15);
    assert_eq!(store.page(&request).expect("a page").entries.len(), 15);
    request.ties = Ties::Whole;
    assert_eq!(store.page(&request).expect("a page").entries.len(), 20);
}

#[test]
fn context_is_what_stands_around() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(
        dir.path(),
        Options {
            durability: Durability::None,
            ..Options::default()
        },
    )
    .expect("opened");
    append(&store, (0..30).map(|n| entry(i64::from(n), n)).collect());
    let request = ContextRequest {
        position: Position(10),
        query: Query::default(),
        now: Time(0),
        before: 2,
        after: 3,
    };
    let page = store.context(&request).expect("read").expect("kept");
    assert_eq!(
        page.entries
            .iter()
            .map(|entry| entry.position.0)
            .collect::<Vec<_>>(),
        [8, 9, 10, 11, 12, 13]
    );
    assert_eq!(page.older.map(|cursor| cursor.key.time), Some(Time(6)));
    let gone = ContextRequest {
        position: Position(99),
        ..request
    };
    assert_eq!(store.context(&gone).expect("read"), None);
}

#[test]
fn completions_come_from_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(
        dir.path(),
        Options {
            durability: Durability::None,
            ..Options::default()
        },
    )
    .expect("opened");
    let mut with_field = entry(1, 1);
    with_field
        .fields
        .insert("trail".into(), serde_json::json!("x"));
    append(&store, vec![with_field, entry(2, 0)]);
    assert_eq!(
        store
            .values(&ValuesRequest::Names("tra".into()))
            .expect("names"),
        ["trace", "track", "trail"]
    );
    assert_eq!(
        store
            .values(&ValuesRequest::Of(Field::Namespace, "p".into()))
            .expect("values"),
        ["pay"]
    );
    assert_eq!(
        store
            .values(&ValuesRequest::Of(Field::Trace, String::new()))
            .expect("values"),
        ["trace0"]
    );
    assert_eq!(
        store
            .values(&ValuesRequest::Of(Field::Level, "e".into()))
            .expect("values"),
        ["error"]
    );
}

#[test]
fn a_damaged_segment_costs_itself_and_its_positions_are_not_given_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        durability: Durability::None,
        memtable_bytes: 1,
        ..Options::default()
    };
    let (store, _) = Store::open(dir.path(), options.clone()).expect("opened");
    append(&store, vec![entry(1, 1)]);
    append(&store, vec![entry(2, 2)]);
    store.close();
    let log = dir.path().join("log");
    let damaged = log.join(super::segment::name_of(Position(2), Position(2)));
    std::fs::write(&damaged, b"PAR1 and nothing that follows").expect("written");
    let (store, recovery) = Store::open(dir.path(), options).expect("opened");
    assert_eq!(recovery.damage.len(), 1);
    assert_eq!(append(&store, vec![entry(3, 3)])[0].position, Position(3));
    assert_eq!(
        walk(&store, &Query::default(), Direction::Newer, 10).len(),
        2
    );
    assert_eq!(
        store
            .page(&page_request(
                &Query::default(),
                Start::Beyond(Key::MAX),
                Direction::Newer,
                1
            ))
            .expect("a page")
            .newer,
        None
    );
}

#[test]
fn a_memtable_that_cannot_be_sealed_is_bounded_and_tried_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        durability: Durability::None,
        memtable_bytes: 1 << 20,
        ..Options::default()
    };
    let (store, _) = Store::open(dir.path(), options).expect("opened");
    // A segment cannot be written where a directory stands in its way.
    let blocked = dir
        .path()
        .join("log")
        .join(format!("segment-{:020}.tmp", 1));
    std::fs::create_dir(&blocked).expect("created");
    let batch = || (0..200).map(|n| entry(1, n)).collect::<Vec<_>>();
    let mut refused = None;
    for _ in 0..60 {
        if let Err(error) = store.appender().submit(batch()).wait() {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(super::Error::Full)), "{refused:?}");
    std::fs::remove_dir(&blocked).expect("removed");
    append(&store, batch());
    assert_eq!(store.health(), super::Health::Good);
    let all = walk(&store, &Query::default(), Direction::Newer, 1_000);
    assert_eq!(all.len() as u64, store.count());
}
