//! Log directories explored: every page, count and feed holds what a full scan finds.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::place::position;
use super::*;
use crate::base::Time;
use crate::entry::{Entry, Key};
use crate::logdir::scan::Blocks;
use crate::logdir::tests::{Cluster, Hand, START, Step, step, stepping};
use crate::query::{
    ContextRequest, Direction, FacetsRequest, Field, FollowRequest, HistogramRequest, PageRequest,
    Query, Start, Ties, ValuesRequest,
};

fn rotated() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/super-server-logs/rotated/logs")
}

fn opened(dir: &Path) -> LogDirectory {
    LogDirectory::open(LogDirectorySource::new(dir), false).expect("opened")
}

fn query(text: &str) -> Query {
    text.parse().expect("a query")
}

/// What a full scan finds, in the order of pages.
fn expected(dir: &Path, question: &str) -> Vec<Entry> {
    let question = query(question);
    let selection = select::Selection::new(&question, Time::MAX);
    let mut blocks = Blocks::new(LogDirectorySource::new(dir));
    blocks.open().expect("opened");
    let (mut edge, mut entries) = (0, Vec::new());
    while let Some(block) = blocks.next(&mut edge, Direction::Newer).expect("read") {
        for (number, entry) in block.entries.iter().enumerate() {
            entries.extend(selection.pick(entry, position(block.place.start, number)));
        }
    }
    entries.sort_by_key(Entry::key);
    entries
}

fn request(question: &str, start: Start, direction: Direction, limit: usize) -> PageRequest {
    PageRequest {
        query: query(question),
        now: Time::MAX,
        start,
        direction,
        limit,
        ties: Ties::Split,
    }
}

/// Reads page after page to the end, oldest first.
fn paged(
    log: &LogDirectory,
    question: &str,
    start: Start,
    direction: Direction,
    limit: usize,
    budget: u64,
) -> Vec<Entry> {
    let (mut start, mut pages) = (start, Vec::new());
    loop {
        let request = request(question, start, direction, limit);
        let page = log.page_within(&request, budget).expect("a page");
        assert!(page.entries.len() <= limit);
        assert!(page.entries.is_sorted_by_key(Entry::key));
        let cursor = match direction {
            Direction::Older => page.older,
            Direction::Newer => page.newer,
        };
        pages.push(page.entries);
        match cursor {
            Some(cursor) => {
                assert_ne!(Start::Beyond(cursor.key), start, "a page moves on");
                start = Start::Beyond(cursor.key);
            }
            None => break,
        }
    }
    if direction == Direction::Older {
        pages.reverse();
    }
    pages.concat()
}

#[test]
fn pages_hold_everything_once_in_the_order_of_times() {
    let log = opened(&rotated());
    for question in [
        "",
        "level:>=warn",
        "instance:4 type:REQUEST",
        "event:WORKER_PING",
        "nothing-of-the-kind",
        "after:2024-05-04T00:03:00Z before:2024-05-04T00:03:30Z",
    ] {
        let all = expected(&rotated(), question);
        for direction in [Direction::Older, Direction::Newer] {
            for (limit, budget) in [(100, u64::MAX), (7, 50), (3_000, 1)] {
                let found = paged(&log, question, Start::End, direction, limit, budget);
                assert_eq!(found, all, "{question:?} {direction:?} {limit}");
            }
        }
    }
    assert_eq!(
        expected(&rotated(), "").len(),
        2237 - 34,
        "pings are hidden"
    );
    assert_eq!(
        expected(&rotated(), "level:trace").len(),
        34,
        "unless asked for"
    );
}

#[test]
fn pages_with_whole_ties_hold_everything_once() {
    let log = opened(&rotated());
    let all = expected(&rotated(), "");
    for direction in [Direction::Older, Direction::Newer] {
        for (limit, budget) in [(5, u64::MAX), (50, 10), (5, 10), (3, 200)] {
            let (mut start, mut pages) = (Start::End, Vec::new());
            loop {
                let request = PageRequest {
                    ties: Ties::Whole,
                    ..request("", start, direction, limit)
                };
                let page = log.page_within(&request, budget).expect("a page");
                let cursor = match direction {
                    Direction::Older => page.older,
                    Direction::Newer => page.newer,
                };
                pages.push(page.entries);
                let Some(cursor) = cursor else { break };
                start = Start::Beyond(cursor.key);
            }
            if direction == Direction::Older {
                pages.reverse();
            }
            // No time is cut in two.
            for pair in pages.windows(2) {
                let edge = pair[0].last().zip(pair[1].first());
                assert!(edge.is_none_or(|(last, first)| last.time < first.time));
            }
            assert_eq!(pages.concat(), all, "{direction:?} {limit}");
        }
    }
}

#[test]
fn a_quiet_directory_is_shown_whole_and_followed_as_ever() {
    let logs = rotated().join("../../worker-only/logs");
    assert!(expected(&logs, "").is_empty());
    let log = LogDirectory::open(LogDirectorySource::new(&logs), true).expect("opened");
    let request = request("", Start::End, Direction::Older, 100);
    assert_eq!(log.page(&request).expect("a page").entries.len(), 5);

    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let mut cluster = Cluster::start(home.path(), hand.clone());
    cluster.take(&Step::Spawn(1));
    cluster.flush();
    let source = LogDirectorySource::new(home.path()).poll_interval(Duration::from_nanos(1));
    let log = LogDirectory::open(source.expect("an interval"), true).expect("opened");
    // Only the master goes on to the next file: what the worker still writes to the first must not be missed.
    hand.add(1);
    let next = home.path().join(crate::logdir::log_name(hand.now()));
    cluster.master.rotate(&next).expect("rotated");
    let texts = || -> Vec<String> {
        let page = log.page(&request).expect("a page");
        page.entries.into_iter().map(|entry| entry.text).collect()
    };
    let before = texts();
    cluster.take(&Step::Log(1, 3));
    cluster.take(&Step::Flush(1));
    assert_eq!(texts().len(), before.len() + 1);
    assert_eq!(texts().last().map(String::as_str), Some("www"));
}

#[test]
fn a_page_in_the_middle_reads_little() {
    let log = opened(&rotated());
    let all = expected(&rotated(), "");
    let key = all[1100].key();
    let older = log.page(&request("", Start::Beyond(key), Direction::Older, 20));
    let older = older.expect("a page");
    assert_eq!(older.entries, all[1080..1100]);
    assert_eq!(older.newer.map(|cursor| cursor.key), Some(all[1099].key()));
    let newer = log.page(&request("", Start::Beyond(key), Direction::Newer, 20));
    let newer = newer.expect("a page");
    assert_eq!(newer.entries, all[1101..1121]);
    assert!(older.progress.scanned < 1_500 && newer.progress.scanned < 1_500);
    // The newest page proves that it is by reading back to a ping, not to the beginning.
    let newest = log.page(&request("", Start::End, Direction::Older, 20));
    let newest = newest.expect("a page");
    assert_eq!(newest.entries, all[all.len() - 20..]);
    assert_eq!(newest.newer, None);
    assert!(newest.progress.scanned < 500, "{:?}", newest.progress);
}

#[test]
fn counts_are_those_of_a_full_scan() {
    let log = opened(&rotated());
    for question in ["", "level:>=warn", "type:RESPONSE status:>=500"] {
        let all = expected(&rotated(), question);
        let request = HistogramRequest {
            query: query(question),
            now: Time::MAX,
            after: None,
            before: None,
            buckets: 40,
        };
        let histogram = log.histogram(&request, &|| false).expect("counted");
        assert!(histogram.buckets.len() <= 40 && !histogram.partial);
        let mut counts = vec![[0; 6]; histogram.buckets.len()];
        for entry in &all {
            let bucket = (entry.time.0 - histogram.start) / histogram.width;
            counts[usize::try_from(bucket).expect("inside")][entry.level as usize] += 1;
        }
        assert_eq!(histogram.buckets, counts, "{question:?}");
        let facets = FacetsRequest {
            query: query(question),
            now: Time::MAX,
            field: Field::Instance,
            limit: 3,
        };
        let facets = log.facets(&facets, &|| false).expect("counted");
        assert_eq!(facets.covered, all.len() as u64);
        for facet in facets.values {
            let with = |entry: &&Entry| entry.scope.instance.as_ref() == Some(&facet.value);
            assert_eq!(facet.count, all.iter().filter(with).count() as u64);
        }
    }
    let stopped = log.histogram(
        &HistogramRequest {
            query: query(""),
            now: Time::MAX,
            after: None,
            before: None,
            buckets: 40,
        },
        &|| true,
    );
    assert!(stopped.expect("given up").partial);
    for _ in 0..2 {
        let namespaces = log.namespaces(&|| false).expect("counted");
        assert_eq!(namespaces[0].total(), 2237 - 34);
        assert_eq!(namespaces[0].errors(), 111);
    }
    let names = log
        .values(&ValuesRequest::Names("ht".into()))
        .expect("names");
    assert_eq!(names, ["httpVersion"]);
    let events = ValuesRequest::Of(Field::Other("event".into()), "WORKER_S".into());
    let mut events = log.values(&events).expect("values");
    events.sort();
    assert_eq!(events, ["WORKER_SPAWNED", "WORKER_STARTED"]);
}

#[test]
fn a_response_is_joined_with_its_request() {
    let log = opened(&rotated());
    let finished = expected(&rotated(), "type:RESPONSE_FINISHED level:info");
    let last = finished.last().expect("one");
    let joined = log.entry(last.position).expect("read").expect("there");
    assert_eq!((&joined.text, joined.key()), (&last.text, last.key()));
    let of_request = |kind: &str| {
        let trace = last.scope.trace.as_deref().expect("a request");
        expected(&rotated(), &format!("trace:{trace} type:{kind}")).remove(0)
    };
    let (request, response) = (of_request("REQUEST"), of_request("RESPONSE"));
    for (name, of) in [
        ("method", &request),
        ("url", &request),
        ("status", &response),
    ] {
        assert_eq!(joined.fields.get(name), of.fields.get(name), "{name}");
        assert!(joined.fields.contains_key(name));
    }
    let millis = last.time.since(request.time).as_millis();
    assert_eq!(joined.fields["duration"], format!("{millis} ms"));
    let of_request = log.entry(request.position).expect("read").expect("there");
    assert_eq!(of_request.fields["status"], response.fields["status"]);
    // No entry lies there, or no block begins there.
    for position in [
        Position(0),
        Position(5),
        Position(last.position.0 + (1 << 22)),
        Position(u64::MAX),
    ] {
        assert_eq!(log.entry(position).expect("read"), None, "{position:?}");
    }
    let context = ContextRequest {
        position: last.position,
        query: query(""),
        now: Time::MAX,
        before: 3,
        after: 2,
    };
    let context = log.context(&context).expect("read").expect("there");
    assert_eq!(context.entries[3], joined);
    assert_eq!(context.entries.len(), 6);
}

#[tokio::test]
async fn a_feed_goes_on_where_a_page_ended() {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let cluster = Cluster::start(home.path(), hand.clone());
    for number in 0..40 {
        cluster.log(&format!("old {number}"));
    }
    cluster.flush();
    let source = LogDirectorySource::new(home.path());
    let source = source
        .poll_interval(Duration::from_millis(1))
        .expect("an interval");
    let log = LogDirectory::open(source, false).expect("opened");
    let page = log
        .page(&request("", Start::End, Direction::Older, 5))
        .expect("a page");
    assert_eq!(page.entries[4].text, "old 39");
    let follow = |after| FollowRequest {
        query: query("new"),
        now: Time::MAX,
        after,
    };
    let mut feed = log.follow(&follow(page.head));
    for number in 0..3 {
        hand.add(5);
        cluster.log(&format!("new {number}"));
        cluster.log("other");
    }
    cluster.flush();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(feed.next().await.expect("read").entries);
    }
    let texts: Vec<&str> = seen.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["new 0", "new 1", "new 2"]);
    // In the middle of a block, too.
    let mut feed = log.follow(&follow(seen[0].position));
    let batch = feed.next().await.expect("read");
    assert_eq!(batch.entries, seen[1..]);
}

#[test]
fn after_a_clock_stepped_back_pages_are_complete_once_it_is_known() {
    let times: Vec<u64> = (1000..1300).chain(700..800).chain(1400..1500).collect();
    let home = stepping(&times);
    let log = opened(home.path());
    log.namespaces(&|| false).expect("counted");
    let all = expected(home.path(), "");
    assert_eq!(all.len(), 501);
    for direction in [Direction::Older, Direction::Newer] {
        for (limit, budget) in [(30, u64::MAX), (7, 20)] {
            let found = paged(&log, "", Start::End, direction, limit, budget);
            assert_eq!(found, all, "{direction:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_of_any_directory_hold_everything_once(
        steps in prop::collection::vec(step(), 1..200),
        limit in 1_usize..60,
        budget in 1_u64..200,
        place in any::<prop::sample::Index>(),
    ) {
        let home = tempfile::tempdir().expect("a directory");
        let mut cluster = Cluster::start(home.path(), Hand::at(START));
        for step in &steps {
            cluster.take(step);
        }
        drop(cluster);
        let log = opened(home.path());
        let all = expected(home.path(), "");
        for direction in [Direction::Older, Direction::Newer] {
            let found = paged(&log, "", Start::End, direction, limit, budget);
            prop_assert_eq!(&found, &all);
        }
        let middle = place.index(all.len());
        let start = Start::Beyond(all[middle].key());
        let older = paged(&log, "", start, Direction::Older, limit, budget);
        prop_assert_eq!(&older, &all[..middle]);
        let newer = paged(&log, "", start, Direction::Newer, limit, budget);
        prop_assert_eq!(&newer, &all[middle + 1..]);
        let before = Start::Beyond(Key { time: Time(0), ..Key::MIN });
        let from_the_start = paged(&log, "", before, Direction::Newer, limit, budget);
        prop_assert_eq!(&from_the_start, &all);
    }
}
