//! Merged logs against the sorted union of what their members hold.

use std::net::TcpListener;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{Feed, Held, Member, Merged, Question, Standing, State, answer, member_of};
use crate::backend::{Backend, Error, FeedEvent};
use crate::base::Time;
use crate::client::{self, Client};
use crate::entry::{Entry, Key, Level, Position, Scope};
use crate::query::{
    CompareRequest, ContextRequest, Direction, FacetsRequest, Field, FollowRequest, Histogram,
    HistogramRequest, Matcher, PageRequest, PatternsRequest, Query, Start, Ties, ValuesRequest,
};
use crate::store::{Durability, Options, Store};

const MS: i64 = 1_000_000;
const NOW: Time = Time(20 * MS);
/// Nothing that is tested takes so long.
const DEADLINE: Duration = Duration::from_secs(30);

/// When an entry happened, in milliseconds, and of what kind it is.
type Row = (i64, u8);

fn entry((millis, kind): Row) -> Entry {
    Entry {
        time: Time(millis * MS),
        level: Level::from_code(kind % 6).unwrap_or_default(),
        scope: Scope {
            namespace: ["pay", "auth"][usize::from(kind % 2)].to_owned(),
            ..Scope::default()
        },
        text: match kind % 9 {
            0 => format!("rare thing {kind}"),
            _ => format!("plain thing {kind}"),
        },
        ..Entry::default()
    }
}

fn entries(rows: &[Row]) -> Vec<Entry> {
    rows.iter().copied().map(entry).collect()
}

struct Opened {
    store: Store,
    _dir: TempDir,
}

impl Opened {
    fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            durability: Durability::None,
            ..options
        };
        let (store, _) = Store::open(dir.path(), options).expect("a store");
        Self { store, _dir: dir }
    }

    /// Outside of a runtime: in batches, so that there are several segments where memtables are small.
    fn filled(rows: &[Row], options: Options, is_sealed: bool) -> Self {
        let opened = Self::with(options);
        for some in rows.chunks(7) {
            let appended = opened.store.appender().submit(entries(some));
            appended.wait().expect("appended");
        }
        if is_sealed {
            opened.store.seal();
        }
        opened
    }

    async fn holding(rows: &[Row]) -> Self {
        let opened = Self::with(Options::default());
        opened.append(rows).await;
        opened
    }

    async fn append(&self, rows: &[Row]) {
        if !rows.is_empty() {
            let appended = self.store.appender().append(entries(rows)).await;
            appended.expect("appended");
        }
    }

    fn member(&self, name: &str, skew: i64) -> Member {
        Member {
            name: name.to_owned(),
            backend: Backend::Store(self.store.clone()),
            skew,
        }
    }
}

/// A service where nobody listens.
fn nobody() -> Member {
    at("nobody", "http://127.0.0.1:1")
}

fn at(name: &str, address: &str) -> Member {
    let client = Client::new(address, &client::Options::default());
    Member {
        name: name.to_owned(),
        backend: Backend::Remote(client.expect("an address")),
        skew: 0,
    }
}

fn merged(members: Vec<Member>) -> Merged {
    Merged::new(members).expect("not too many")
}

fn query(text: &str) -> Query {
    text.parse().expect(text)
}

fn request(question: &str, start: Start, direction: Direction, limit: usize) -> PageRequest {
    PageRequest {
        query: query(question),
        now: NOW,
        start,
        direction,
        limit,
        ties: Ties::Split,
    }
}

fn newest(limit: usize) -> PageRequest {
    request("", Start::End, Direction::Older, limit)
}

fn following(after: Position) -> FollowRequest {
    FollowRequest {
        query: Query::default(),
        now: NOW,
        after,
    }
}

fn ids(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.position.0).collect()
}

/// What members hold whose clocks are corrected by so many milliseconds, as it is shown.
fn union(members: &[(Vec<Row>, i64)], query: &Query) -> Vec<Entry> {
    let matcher = Matcher::compile(query, NOW);
    let mut all = Vec::new();
    for (index, (rows, skew)) in (0..).zip(members) {
        for (position, (millis, kind)) in (1..).zip(rows) {
            let shown = Entry {
                position: Position(position * 16 + index),
                ..entry((millis + skew, *kind))
            };
            if matcher.matches(&shown) {
                all.push(shown);
            }
        }
    }
    all.sort_by_key(Entry::key);
    all
}

/// Reads page after page to the end, as the explorer does; oldest first.
async fn walk(merged: &Merged, asked: &PageRequest) -> Vec<Entry> {
    let (mut start, mut pages, mut cut) = (asked.start, Vec::new(), None);
    loop {
        let asked = PageRequest {
            start,
            ..asked.clone()
        };
        let page = merged.page(asked.clone()).await.expect("a page");
        let count = page.entries.len();
        assert!(page.entries.is_sorted_by_key(Entry::key));
        let ends = (page.entries.first(), page.entries.last());
        let (next, near, far) = match asked.direction {
            Direction::Older => (page.older, ends.1, ends.0),
            Direction::Newer => (page.newer, ends.0, ends.1),
        };
        assert!(count >= asked.limit || page.partial || next.is_none());
        assert!(!page.partial || next.is_some());
        if asked.ties == Ties::Split {
            assert!(count <= asked.limit && (!page.partial || count < asked.limit));
        } else if let Some(near) = near {
            assert_ne!(Some(near.time), cut, "no time is cut in two");
        }
        if let Some(far) = far {
            cut = (!page.partial).then_some(far.time);
        }
        pages.push(page.entries);
        let Some(cursor) = next else { break };
        assert_eq!(cursor.direction, asked.direction);
        assert_ne!(Start::Beyond(cursor.key), start, "a page moves on");
        start = Start::Beyond(cursor.key);
    }
    if asked.direction == Direction::Older {
        pages.reverse();
    }
    pages.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However the members are stored, and however early their scans stop: every entry once, in the order of corrected times.
    #[test]
    fn pages_are_the_sorted_union(
        members in prop::collection::vec((prop::collection::vec((0..24_i64, any::<u8>()), 0..30), -3..4_i64), 1..4),
        is_sealed in any::<bool>(),
        scan_budget in prop::sample::select(vec![1_u64, 6, 100_000]),
        group_rows in prop::sample::select(vec![2_usize, 5, 65_536]),
        memtable_bytes in prop::sample::select(vec![1_usize, 1 << 20]),
        limit in 1..8_usize,
        ties in prop::sample::select(vec![Ties::Split, Ties::Whole]),
        question in prop::sample::select(vec![
            "",
            "rare",
            "since:10ms",
            "-since:10ms plain",
            "after:1970-01-01T00:00:00.006Z before:1970-01-01T00:00:00.012Z level>=warn",
            "absent",
        ]),
        middle in (0..24_i64, 0..600_u64),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let options = Options { memtable_bytes, scan_budget, group_rows, ..Options::default() };
        let stores: Vec<Opened> = members
            .iter()
            .map(|(rows, _)| Opened::filled(rows, options.clone(), is_sealed))
            .collect();
        let of = |(store, (_, skew)): (&Opened, &(Vec<Row>, i64))| store.member("one", skew * MS);
        let merged = merged(stores.iter().zip(&members).map(of).collect());
        let all = union(&members, &query(question));
        let key = Key { time: Time(middle.0 * MS), position: Position(middle.1) };
        for start in [Start::End, Start::Beyond(key)] {
            for direction in [Direction::Older, Direction::Newer] {
                let is_wanted = |entry: &&Entry| match (start, direction) {
                    (Start::End, _) => true,
                    (Start::Beyond(key), Direction::Older) => entry.key() < key,
                    (Start::Beyond(key), Direction::Newer) => entry.key() > key,
                };
                let wanted: Vec<Entry> = all.iter().filter(is_wanted).cloned().collect();
                let asked = PageRequest { ties, ..request(question, start, direction, limit) };
                let found = runtime.block_on(walk(&merged, &asked));
                prop_assert_eq!(found, wanted, "{:?} {:?}", start, direction);
            }
        }
    }
}

#[tokio::test]
async fn a_page_leads_back_to_where_it_came_from() {
    let one = Opened::holding(&[(1, 1), (2, 1), (2, 1), (9, 1)]).await;
    let two = Opened::holding(&[(2, 1), (2, 1), (3, 1)]).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", 0)]);
    let page = merged.page(newest(3)).await.expect("a page");
    assert_eq!(ids(&page.entries), [48, 49, 64]);
    assert_eq!((page.newer, page.partial), (None, false));
    assert_eq!((page.progress.total, page.progress.scanned > 0), (7, true));
    let older = page.older.expect("more");
    let asked = request("", Start::Beyond(older.key), older.direction, 2);
    let page = merged.page(asked).await.expect("a page");
    assert_eq!(ids(&page.entries), [32, 33]);
    let newer = page.newer.expect("where it came from");
    let asked = request("", Start::Beyond(newer.key), newer.direction, 9);
    let page = merged.page(asked).await.expect("a page");
    assert_eq!(ids(&page.entries), [48, 49, 64]);
    assert_eq!(page.newer, None);
    // A page of nothing says where it stands.
    let page = merged.page(newest(0)).await.expect("a page");
    assert!(page.entries.is_empty() && page.older.is_some());
}

#[tokio::test]
async fn entries_and_what_surrounds_them_are_found_by_position() {
    let one = Opened::holding(&[(1, 1), (4, 2)]).await;
    let two = Opened::holding(&[(2, 3), (3, 4), (5, 5)]).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", MS)]);
    let found = merged.entry(Position(33)).await.expect("read");
    let found = found.expect("there");
    assert_eq!((found.time, found.position), (Time(4 * MS), Position(33)));
    assert_eq!(member_of(found.position), 1);
    for none in [0, 16, 80, 34, 47, u64::MAX] {
        let found = merged.entry(Position(none)).await.expect("read");
        assert_eq!(found.is_some(), none == 16, "{none}");
    }
    let asked = ContextRequest {
        position: Position(33),
        query: Query::default(),
        now: NOW,
        before: 1,
        after: 9,
    };
    let context = merged.context(asked).await.expect("read").expect("there");
    // At 4 ms there are two: that of the first member goes before.
    assert_eq!(ids(&context.entries), [32, 33, 49]);
    assert!(context.older.is_some() && context.newer.is_none());
}

fn states(merged: &Merged) -> Vec<bool> {
    let standing = merged.standing().into_iter();
    standing.map(|of| of.state == State::Ok).collect()
}

#[tokio::test]
async fn a_member_that_fails_takes_nothing_from_the_others() {
    let one = Opened::holding(&[(1, 1), (2, 2)]).await;
    let merged = merged(vec![nobody(), one.member("one", 0)]);
    assert_eq!(states(&merged), [true, true], "nobody was asked");
    let page = merged.page(newest(10)).await.expect("a page");
    assert_eq!(ids(&page.entries), [17, 33]);
    assert_eq!((page.older, page.partial), (None, false));
    let standing = merged.standing().remove(0);
    let State::Failed { reason, since } = &standing.state else {
        panic!("{standing:?}")
    };
    assert!(reason.contains("127.0.0.1:1"), "{reason}");
    assert_eq!((standing.name.as_str(), standing.missed), ("nobody", 1));
    assert_eq!(states(&merged), [false, true]);

    let asked = FacetsRequest {
        query: Query::default(),
        now: NOW,
        field: Field::Namespace,
        limit: 10,
    };
    assert_eq!(merged.facets(asked).await.expect("counted").covered, 2);
    assert_eq!(merged.namespaces().await.expect("counted").len(), 2);
    let again = merged.standing().remove(0);
    assert_eq!(again.missed, 3, "it is asked again each time");
    let State::Failed { since: later, .. } = again.state else {
        panic!("it failed again")
    };
    assert_eq!(*since, later, "it tells since when");
    // What only it can answer has no answer.
    assert!(merged.entry(Position(16)).await.is_err());
    assert!(merged.entry(Position(17)).await.expect("read").is_some());

    // When it answers, all is well.
    let member: &Held = &merged.0.members[0];
    let question: Question<()> = Box::pin(async { Ok(()) });
    assert!(answer(member, question).await.is_ok());
    assert_eq!(states(&merged), [true, true]);
}

#[tokio::test]
async fn when_all_fail_the_first_says_why() {
    let merged = merged(vec![nobody(), at("other", "http://127.0.0.1:2")]);
    let error = merged.page(newest(10)).await.expect_err("nobody is there");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(error.is_passing());
    assert!(merged.namespaces().await.is_err());
    let nothing = Merged::new(Vec::new()).expect("none are not too many");
    let page = nothing.page(newest(10)).await.expect("a page of nothing");
    assert!(page.entries.is_empty() && page.older.is_none());
    let many = vec![nobody(); 17];
    assert!(matches!(Merged::new(many), Err(Error::Said(_))));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_silent_is_not_waited_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let one = Opened::holding(&[(1, 1)]).await;
    let merged = merged(vec![one.member("one", 0), at("silent", &address)]);
    let page = merged.page(newest(10)).await.expect("a page");
    assert_eq!(ids(&page.entries), [16]);
    assert_eq!(states(&merged), [true, false]);
}

/// Entries that come until there are so many, and the place to go on after them.
async fn arrived(feed: &mut Feed, count: usize) -> (Vec<Entry>, Position) {
    let (mut entries, mut last) = (Vec::new(), Position(0));
    while entries.len() < count {
        let event = timeout(DEADLINE, feed.next_event()).await.expect("in time");
        if let FeedEvent::Entries(some, at) = event {
            entries.extend(some);
            last = at;
        }
    }
    entries.sort_by_key(Entry::key);
    (entries, last)
}

#[tokio::test]
async fn a_feed_brings_what_arrives_at_every_member() {
    let one = Opened::holding(&[(1, 1)]).await;
    let two = Opened::holding(&[(2, 1), (3, 1)]).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", MS), nobody()]);
    let page = merged.page(newest(10)).await.expect("a page");
    assert_eq!(ids(&page.entries), [16, 17, 33]);
    one.append(&[(7, 1)]).await;
    two.append(&[(5, 1)]).await;
    let mut feed = merged.follow(&following(page.head));
    let (entries, at) = arrived(&mut feed, 2).await;
    assert_eq!(
        ids(&entries),
        [49, 32],
        "those of the page do not come again"
    );
    assert_eq!(entries[0].time, Time(6 * MS));
    two.append(&[(8, 1)]).await;
    assert_eq!(ids(&arrived(&mut feed, 1).await.0), [65]);
    drop(feed);

    // The place of a feed goes on with it; that of a page stays.
    one.append(&[(9, 1)]).await;
    let mut feed = merged.follow(&following(at));
    assert_eq!(ids(&arrived(&mut feed, 1).await.0), [48]);
    let mut feed = merged.follow(&following(page.head));
    assert_eq!(ids(&arrived(&mut feed, 4).await.0), [49, 32, 48, 65]);
    let mut feed = merged.follow(&following(Position(0)));
    assert_eq!(arrived(&mut feed, 7).await.0.len(), 7);
}

#[tokio::test]
async fn a_lost_member_is_told_and_the_others_go_on() {
    let one = Opened::holding(&[(1, 1)]).await;
    let merged = merged(vec![nobody(), one.member("one", 0)]);
    let mut feed = merged.follow(&following(Position(0)));
    let (mut has_lost, mut has_entries) = (false, false);
    while !has_lost || !has_entries {
        match timeout(DEADLINE, feed.next_event()).await.expect("in time") {
            FeedEvent::Lost(error, _) => {
                has_lost = true;
                assert!(error.to_string().starts_with("nobody: "), "{error}");
            }
            FeedEvent::Entries(..) => has_entries = true,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(states(&merged), [false, true]);
    assert_eq!(merged.standing()[0].missed, 0, "a feed misses nothing");
}

#[tokio::test]
async fn who_follows_from_nowhere_follows_from_now() {
    let one = Opened::holding(&[(1, 1), (2, 1)]).await;
    let two = Opened::holding(&[(3, 1)]).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", 0)]);
    let mut feed = merged.follow(&following(Position(1_000_000)));
    for _ in 0..2 {
        let event = timeout(DEADLINE, feed.next_event()).await.expect("in time");
        assert!(matches!(event, FeedEvent::Entries(entries, _) if entries.is_empty()));
    }
    one.append(&[(4, 1)]).await;
    two.append(&[(5, 1)]).await;
    assert_eq!(ids(&arrived(&mut feed, 2).await.0), [48, 33]);
}

#[tokio::test]
async fn heads_are_tokens_that_stand_for_those_of_all() {
    let one = Opened::holding(&[(1, 1)]).await;
    let merged = merged(vec![one.member("one", 0)]);
    let head = async || merged.page(newest(1)).await.expect("a page").head;
    let first = head().await;
    assert_eq!(head().await, first, "nothing arrived");
    one.append(&[(2, 1)]).await;
    let second = head().await;
    assert_ne!(second, first);
    let _feed = merged.follow(&following(second));
    assert_ne!(head().await, second, "a feed's place is its own");
}

/// How often entries fall into each bucket, counted one by one.
fn counted(all: &[Entry], histogram: &Histogram) -> Vec<[u64; 6]> {
    let mut buckets = vec![[0; 6]; histogram.buckets.len()];
    for entry in all {
        let bucket = (entry.time.0 - histogram.start).div_euclid(histogram.width);
        buckets[usize::try_from(bucket).expect("within")][entry.level as usize] += 1;
    }
    buckets
}

fn every(millis: i64, count: i64, from: i64) -> Vec<Row> {
    let kind = |n: i64| u8::try_from(n % 50).unwrap_or_default();
    (0..count).map(|n| (from + n * millis, kind(n))).collect()
}

#[tokio::test]
async fn counts_over_time_are_those_of_the_union() {
    // A long log and a short one; and two whose own widths, 15 s and 10 s, do not fit into each other.
    let cases = [
        ((every(10_000, 400, 7), every(20, 300, 3_000_000)), 60_000),
        ((every(1_000, 1_100, 3), every(1_000, 700, 5)), 30_000),
        ((every(1_000, 1_100, 3), Vec::new()), 15_000),
    ];
    for ((first, second), width) in cases {
        let one = Opened::holding(&first).await;
        let two = Opened::holding(&second).await;
        let merged = merged(vec![one.member("one", 0), two.member("two", 0)]);
        let asked = HistogramRequest {
            query: query("level>=info"),
            now: NOW,
            after: None,
            before: None,
            buckets: 80,
        };
        let histogram = merged.histogram(asked).await.expect("counted");
        let all = union(&[(first, 0), (second, 0)], &query("level>=info"));
        assert_eq!(histogram.width, width * MS);
        assert!(histogram.buckets.len() <= 80 && !histogram.partial);
        assert_eq!(histogram.buckets, counted(&all, &histogram));
    }
}

#[tokio::test]
async fn corrected_times_are_asked_for_and_counted() {
    let rows = every(1_000, 300, 0);
    let one = Opened::holding(&rows).await;
    let two = Opened::holding(&rows).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", 0)]);
    let hour = 3_600_000;
    merged.set_skew(1, hour * MS);
    merged.set_skew(7, 1);
    let skews: Vec<i64> = merged.standing().iter().map(|of| of.skew).collect();
    assert_eq!(skews, [0, hour * MS]);
    let page = merged.page(newest(1)).await.expect("a page");
    assert_eq!(page.entries[0].time, Time((hour + 299_000) * MS));

    let members = [(rows.clone(), 0), (rows, hour)];
    let question = "since:1970-01-01T00:01:00Z before:1970-01-01T01:02:00Z";
    let all = union(&members, &query(question));
    assert_eq!(all.len(), 240 + 120);
    let asked = request(question, Start::End, Direction::Newer, 50);
    assert_eq!(walk(&merged, &asked).await, all);
    let asked = HistogramRequest {
        query: query(question),
        now: NOW,
        after: Some(Time(120_000 * MS)),
        before: None,
        buckets: 40,
    };
    let histogram = merged.histogram(asked).await.expect("counted");
    let sum: u64 = histogram.buckets.iter().flatten().sum();
    assert_eq!(sum, 180 + 120);
    assert!(histogram.buckets.len() <= 40);
    let counts = merged.namespaces().await.expect("counted");
    let newest = counts.iter().map(|count| count.newest).max();
    assert_eq!(newest, Some((hour + 299_000) * MS));
}

#[tokio::test]
async fn values_and_patterns_are_those_of_all() {
    let (first, second) = (every(1_000, 300, 0), every(1_000, 100, 500));
    let one = Opened::holding(&first).await;
    let two = Opened::holding(&second).await;
    let merged = merged(vec![one.member("one", 0), two.member("two", 0)]);
    let all = union(&[(first, 0), (second, 0)], &Query::default());

    let asked = FacetsRequest {
        query: Query::default(),
        now: NOW,
        field: Field::Namespace,
        limit: 1,
    };
    let facets = merged.facets(asked).await.expect("counted");
    let of = |name: &str| {
        let all = all.iter();
        all.filter(|entry| entry.scope.namespace == name).count() as u64
    };
    assert_eq!((facets.values.len(), facets.covered), (1, 400));
    assert_eq!(facets.values[0].count, of("pay").max(of("auth")));
    let counts = merged.namespaces().await.expect("counted");
    let told = counts.iter().map(|of| (of.name.as_str(), of.total()));
    let told: Vec<(&str, u64)> = told.collect();
    assert_eq!(told, [("auth", of("auth")), ("pay", of("pay"))]);
    let asked = ValuesRequest::Of(Field::Namespace, String::new());
    assert_eq!(merged.values(asked).await.expect("values"), ["auth", "pay"]);

    for (sample, looked_at) in [(1_000, 400), (150, 150)] {
        let asked = PatternsRequest {
            query: Query::default(),
            now: NOW,
            sample,
            limit: 10,
        };
        let told = merged.patterns(asked).await.expect("patterns");
        assert_eq!((told.looked_at, told.partial), (looked_at, looked_at < 400));
        let from = all[400 - usize::try_from(looked_at).unwrap_or(0)].time;
        assert_eq!((told.from, told.to), (from.0, 299_000 * MS));
        let texts: Vec<&str> = told.templates.iter().map(|of| of.text.as_str()).collect();
        assert_eq!(texts, ["plain thing <*>", "rare thing <*>"]);
    }
    let asked = CompareRequest {
        query: Query::default(),
        now: NOW,
        from: Time(50_000 * MS),
        to: Time(60_000 * MS),
        sample: 1_000,
        limit: 10,
    };
    let told = merged.compare(asked).await.expect("compared");
    assert_eq!((told.inside, told.outside, told.partial), (20, 100, false));
}

#[test]
fn how_it_is_with_members_is_told_of_each() {
    let standing = merged(vec![nobody()]).standing();
    let expected = Standing {
        name: "nobody".to_owned(),
        state: State::Ok,
        missed: 0,
        skew: 0,
    };
    assert_eq!(standing, [expected]);
}
