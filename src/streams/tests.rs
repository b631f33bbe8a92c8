//! The contract of every place: the same tests over the disk and over Redis.

use std::time::Duration;

use super::*;
use crate::blobs;

// The allocator of the end-to-end tests.
#[cfg(feature = "redis")]
#[path = "../../tests/e2e/support/ports.rs"]
mod ports;

/// A machine under load needs patience; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(1);

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

/// Lines `from` to `to`, each saying its number.
fn lines(numbers: std::ops::RangeInclusive<u64>) -> Lines {
    let mut lines = Lines::bounded(1 << 20);
    for number in numbers {
        let words = format!("line {number}\n");
        lines.push_words(&words, Time(0)).expect("words");
    }
    lines
}

async fn push(streams: &Streams, name: &str, numbers: std::ops::RangeInclusive<u64>) -> Pushed {
    let pushed = streams.push(&key(name), lines(numbers), None).await;
    pushed.expect("pushed")
}

async fn tail(streams: &Streams, name: &str, from: From, follow: bool) -> Tail {
    let request = TailRequest { from, follow };
    streams.tail(&key(name), request).await.expect("a tail")
}

/// Everything that a tail gives until it ends, or waits for more than a moment.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    numbers: Vec<u64>,
    gaps: Vec<(u64, u64)>,
    end: Option<(Reason, u64)>,
}

impl Seen {
    fn all(numbers: std::ops::RangeInclusive<u64>) -> Self {
        Self {
            numbers: numbers.collect(),
            ..Self::default()
        }
    }

    fn ended(self, last: u64) -> Self {
        Self {
            end: Some((Reason::Closed, last)),
            ..self
        }
    }

    /// Takes a piece; each line has to say its number.
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Lines(parts) => {
                for (number, line) in parts.iter().flat_map(Part::lines) {
                    let line = Line::parse(line);
                    assert_eq!(line.out, format!("line {number}\n"));
                    self.numbers.push(number);
                }
            }
            Piece::Gap(first, last) => self.gaps.push((first, last)),
            Piece::End(end) => self.end = Some((end.reason, end.last)),
        }
    }

    /// Reads until the end of what there is.
    async fn rest(tail: &mut Tail) -> Self {
        let mut seen = Self::default();
        while let Some(piece) = tail.next().await.expect("read") {
            seen.take(piece);
        }
        seen
    }

    /// Reads until a line has come.
    async fn until(tail: &mut Tail, number: u64) -> Self {
        let mut seen = Self::default();
        while seen.numbers.last() != Some(&number) {
            let piece = tokio::time::timeout(PATIENCE, tail.next()).await;
            let piece = piece.unwrap_or_else(|_| panic!("waited in vain for {number}: {seen:?}"));
            seen.take(piece.expect("read").expect("more"));
        }
        seen
    }
}

/// What every place does.
async fn contract(streams: &Streams) {
    opening(streams).await;
    numbers(streams).await;
    repeated_pushes(streams).await;
    following(streams).await;
    closing_drains(streams).await;
    beginning_anew(streams).await;
    listing(streams).await;
    silence(streams).await;
    uploads_stay(streams).await;
}

async fn opening(streams: &Streams) {
    let name = key("o/1");
    let unknown = streams.push(&name, lines(1..=1), None).await;
    assert!(matches!(unknown, Err(Error::NotOpen(_))), "{unknown:?}");
    let tail = streams.tail(&name, TailRequest::default()).await;
    assert!(matches!(tail, Err(Error::NotOpen(_))));
    let state = streams
        .begin(&name, Opening::default())
        .await
        .expect("opened");
    assert_eq!((state.first, state.last), (1, 0));
    push(streams, "o/1", 1..=3).await;
    // Opening what is open wipes nothing.
    let again = Opening {
        again: true,
        ..Opening::default()
    };
    let state = streams.begin(&name, again).await.expect("opened");
    assert_eq!((state.first, state.last, state.end), (1, 3, None));
    streams
        .close(&name, Overwrite::Always)
        .await
        .expect("closed");
    let closed = streams.push(&name, lines(4..=4), None).await;
    assert!(matches!(closed, Err(Error::Closed(_))), "{closed:?}");
    // Closing what is closed is told, and so is what never was.
    assert!(matches!(
        streams.close(&name, Overwrite::Always).await,
        Err(Error::NotOpen(_))
    ));
}

async fn numbers(streams: &Streams) {
    streams
        .begin(&key("n"), Opening::default())
        .await
        .expect("opened");
    let first = push(streams, "n", 1..=5).await;
    assert_eq!((first.first, first.last, first.is_repeated), (1, 5, false));
    let none = streams
        .push(&key("n"), Lines::bounded(9), None)
        .await
        .expect("pushed");
    assert_eq!((none.first, none.last), (6, 5));
    assert_eq!(push(streams, "n", 6..=6).await.last, 6);
    push(streams, "n", 7..=1_000).await;
    for (from, first) in [
        (From::Oldest, 1),
        (From::After(0), 1),
        (From::After(3), 4),
        (From::After(700), 701),
        (From::Newest(10), 991),
        (From::Newest(5_000), 1),
    ] {
        let mut tail = tail(streams, "n", from, false).await;
        assert_eq!(
            Seen::rest(&mut tail).await,
            Seen::all(first..=1_000),
            "{from:?}"
        );
    }
    for from in [From::After(1_000), From::After(9_999), From::Newest(0)] {
        let mut tail = tail(streams, "n", from, false).await;
        assert_eq!(Seen::rest(&mut tail).await, Seen::default());
    }
    streams
        .close(&key("n"), Overwrite::Always)
        .await
        .expect("closed");
    // The address goes on working, served from the blob.
    for (from, first) in [
        (From::Oldest, 1),
        (From::After(998), 999),
        (From::Newest(2), 999),
    ] {
        let mut tail = tail(streams, "n", from, true).await;
        assert_eq!(
            Seen::rest(&mut tail).await,
            Seen::all(first..=1_000).ended(1_000)
        );
    }
    let state = streams.state(&key("n")).await.expect("known");
    assert_eq!((state.first, state.last), (1, 1_000));
    assert_eq!(state.end.map(|end| end.reason), Some(Reason::Closed));
}

async fn repeated_pushes(streams: &Streams) {
    streams
        .begin(&key("r"), Opening::default())
        .await
        .expect("opened");
    let named = |name: &'static str, numbers| async move {
        let pushed = streams.push(&key("r"), lines(numbers), Some(name)).await;
        pushed.expect("pushed")
    };
    named("a", 1..=10).await;
    push(streams, "r", 11..=12).await;
    named("b", 13..=13).await;
    let again = named("a", 1..=10).await;
    assert_eq!((again.first, again.last, again.is_repeated), (1, 10, true));
    assert_eq!(named("b", 13..=13).await.last, 13);
    assert_eq!(push(streams, "r", 14..=14).await.first, 14);
    streams
        .close(&key("r"), Overwrite::Always)
        .await
        .expect("closed");
    let mut tail = tail(streams, "r", From::Oldest, true).await;
    assert_eq!(Seen::rest(&mut tail).await, Seen::all(1..=14).ended(14));
}

async fn following(streams: &Streams) {
    streams
        .begin(&key("f"), Opening::default())
        .await
        .expect("opened");
    push(streams, "f", 1..=100).await;
    let mut stalled = tail(streams, "f", From::Oldest, true).await;
    let mut late = tail(streams, "f", From::After(50), true).await;
    let mut from_now = tail(streams, "f", From::Newest(0), true).await;
    let pushing = async {
        for at in (101..40_000).step_by(100) {
            push(streams, "f", at..=at + 99).await;
        }
    };
    let reading = async { Seen::until(&mut late, 40_000).await };
    let (seen, ()) = tokio::join!(reading, pushing);
    assert_eq!(seen, Seen::all(51..=40_000));
    assert_eq!(
        Seen::until(&mut from_now, 40_000).await,
        Seen::all(101..=40_000)
    );
    // Who stood still gets everything all the same.
    assert_eq!(
        Seen::until(&mut stalled, 40_000).await,
        Seen::all(1..=40_000)
    );
    let waiting = tokio::spawn(async move { Seen::rest(&mut late).await });
    streams
        .close(&key("f"), Overwrite::Always)
        .await
        .expect("closed");
    let ended = tokio::time::timeout(PATIENCE, waiting).await;
    let ended = ended.expect("ends at once").expect("joined");
    assert_eq!(ended, Seen::default().ended(40_000));
}

async fn closing_drains(streams: &Streams) {
    for trial in 0..20 {
        let name = format!("c/{trial}");
        streams
            .begin(&key(&name), Opening::default())
            .await
            .expect("opened");
        let mut early = tail(streams, &name, From::Oldest, true).await;
        push(streams, &name, 1..=3_000).await;
        streams
            .close(&key(&name), Overwrite::Always)
            .await
            .expect("closed");
        assert_eq!(
            Seen::rest(&mut early).await,
            Seen::all(1..=3_000).ended(3_000)
        );
        let mut late = tail(streams, &name, From::Oldest, true).await;
        assert_eq!(
            Seen::rest(&mut late).await,
            Seen::all(1..=3_000).ended(3_000)
        );
    }
}

async fn beginning_anew(streams: &Streams) {
    streams
        .begin(&key("a"), Opening::default())
        .await
        .expect("opened");
    push(streams, "a", 1..=5).await;
    streams
        .close(&key("a"), Overwrite::Always)
        .await
        .expect("closed");
    let closed = streams.begin(&key("a"), Opening::default()).await;
    assert!(matches!(closed, Err(Error::Closed(_))), "{closed:?}");
    let again = Opening {
        again: true,
        ..Opening::default()
    };
    let state = streams.begin(&key("a"), again).await.expect("opened");
    assert_eq!((state.first, state.last), (6, 5));
    push(streams, "a", 6..=8).await;
    let mut tail = tail(streams, "a", From::After(2), true).await;
    streams
        .close(&key("a"), Overwrite::Always)
        .await
        .expect("closed");
    // Lines of the stream before are told as missing, never passed over in silence.
    let seen = Seen::rest(&mut tail).await;
    let expected = Seen {
        gaps: vec![(3, 5)],
        ..Seen::all(6..=8).ended(8)
    };
    assert_eq!(seen, expected);
}

async fn listing(streams: &Streams) {
    for name in ["run/2/a", "run/2/b", "run/22/c", "run/2"] {
        streams
            .begin(&key(name), Opening::default())
            .await
            .expect("opened");
    }
    push(streams, "run/2/a", 1..=2).await;
    let names = |prefix: &'static str, after: Option<Key>, limit| async move {
        let prefix = Prefix::parse(prefix).expect("a prefix");
        let listed = streams.list(&prefix, after.as_ref(), limit).await;
        let name = |state: StreamState| state.key.to_string();
        listed
            .expect("listed")
            .into_iter()
            .map(name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("run/2", None, 10).await,
        ["run/2", "run/2/a", "run/2/b"]
    );
    assert_eq!(names("run/2", None, 2).await, ["run/2", "run/2/a"]);
    assert_eq!(names("run/2", Some(key("run/2/a")), 2).await, ["run/2/b"]);
    assert_eq!(
        names("", None, 10).await,
        ["run/2", "run/2/a", "run/2/b", "run/22/c"]
    );
    assert_eq!(names("none", None, 10).await, Vec::<String>::new());
    let state = streams.state(&key("run/2/a")).await.expect("known");
    assert_eq!((state.last, state.end), (2, None));
    assert!(state.bytes > 0);
    for name in ["run/2/a", "run/2/b", "run/22/c", "run/2"] {
        streams
            .close(&key(name), Overwrite::Always)
            .await
            .expect("closed");
    }
    assert_eq!(names("", None, 10).await, Vec::<String>::new());
}

async fn silence(streams: &Streams) {
    let opening = Opening {
        ttl: Some(Duration::from_hours(1)),
        again: false,
    };
    streams.begin(&key("s"), opening).await.expect("opened");
    push(streams, "s", 1..=2).await;
    let mut tail = tail(streams, "s", From::Oldest, true).await;
    let now = Time::now();
    streams.round(now.later(Duration::from_mins(59))).await;
    assert_eq!(streams.state(&key("s")).await.expect("known").end, None);
    streams.round(now.later(Duration::from_mins(61))).await;
    let seen = Seen::rest(&mut tail).await;
    let expected = Seen {
        end: Some((Reason::Expired, 2)),
        ..Seen::all(1..=2)
    };
    assert_eq!(seen, expected);
    let found = streams.0.blobs.head(&key("s")).await.expect("looked");
    assert!(found.is_some(), "a final snapshot");
}

async fn uploads_stay(streams: &Streams) {
    let name = key("u");
    let blobs = &streams.0.blobs;
    let upload = || blobs.put(&name, blobs::NewBlob::default(), "whole log".into());
    // One that was there before the stream is that of an earlier run; one that came after it was opened is not, whatever
    // it holds and whatever the clocks of service and bucket say.
    for comes_after in [true, false] {
        blobs.delete(&name).await.expect("deleted");
        upload().await.expect("stored");
        let opening = Opening {
            again: true,
            ..Opening::default()
        };
        streams.begin(&name, opening).await.expect("opened");
        push(streams, "u", 1..=2).await;
        if comes_after {
            upload().await.expect("stored");
        }
        let closed = streams.close(&name, Overwrite::Older).await;
        closed.expect("closed");
        let found = blobs.head(&name).await.expect("looked");
        let found = found.expect("a blob");
        assert_eq!(found.size == 9, comes_after, "{found:?}");
    }
}

/// Streams of a directory, and their blobs.
fn on_disk(dir: &Path, options: Options) -> Streams {
    let blobs = Blobs::open(blobs::Options::default(), &dir.join("blobs"));
    let blobs = blobs.expect("blobs");
    let streams = Streams::open(options, &dir.join("streams"), blobs);
    streams.expect("opened")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("a directory");
    contract(&on_disk(dir.path(), Options::default())).await;
    // Nothing is left of what is a blob.
    let left = std::fs::read_dir(dir.path().join("streams")).expect("listed");
    assert_eq!(left.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_survive_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let streams = on_disk(dir.path(), Options::default());
    streams
        .begin(&key("a/b"), Opening::default())
        .await
        .expect("opened");
    streams
        .push(&key("a/b"), lines(1..=7), Some("first"))
        .await
        .expect("pushed");
    push(&streams, "a/b", 8..=9).await;
    drop(streams);
    let streams = on_disk(dir.path(), Options::default());
    let again = streams.push(&key("a/b"), lines(1..=7), Some("first")).await;
    let again = again.expect("pushed");
    assert_eq!((again.first, again.last, again.is_repeated), (1, 7, true));
    assert_eq!(push(&streams, "a/b", 10..=10).await.first, 10);
    let mut tail = tail(&streams, "a/b", From::Oldest, false).await;
    assert_eq!(Seen::rest(&mut tail).await, Seen::all(1..=10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_was_interrupted_is_finished() {
    let dir = tempfile::tempdir().expect("a directory");
    let streams = on_disk(dir.path(), Options::default());
    streams
        .begin(&key("a"), Opening::default())
        .await
        .expect("opened");
    push(&streams, "a", 1..=7).await;
    streams.end(&key("a"), Reason::Closed).await.expect("ended");
    drop(streams);
    let streams = on_disk(dir.path(), Options::default());
    let closed = streams.push(&key("a"), lines(8..=8), None).await;
    assert!(matches!(closed, Err(Error::Closed(_))), "{closed:?}");
    streams.round(Time::now()).await;
    assert!(
        streams
            .0
            .blobs
            .head(&key("a"))
            .await
            .expect("looked")
            .is_some()
    );
    let mut tail = tail(&streams, "a", From::Oldest, true).await;
    assert_eq!(Seen::rest(&mut tail).await, Seen::all(1..=7).ended(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_behind_the_history_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        history: 200_000,
        ..Options::default()
    };
    let streams = on_disk(dir.path(), options);
    streams
        .begin(&key("a"), Opening::default())
        .await
        .expect("opened");
    let mut behind = tail(&streams, "a", From::Oldest, true).await;
    for at in (1..20_000).step_by(1_000) {
        push(&streams, "a", at..=at + 999).await;
    }
    let first = streams.state(&key("a")).await.expect("known").first;
    assert!(first > 1);
    let mut seen = Seen::until(&mut behind, 20_000).await;
    let gaps = std::mem::take(&mut seen.gaps);
    let given = gaps
        .iter()
        .map(|(first, last)| last - first + 1)
        .sum::<u64>();
    assert_eq!(given + seen.numbers.len() as u64, 20_000);
    assert_eq!(gaps.len(), 1);
    streams
        .close(&key("a"), Overwrite::Always)
        .await
        .expect("closed");
    let mut tail = tail(&streams, "a", From::After(5), true).await;
    let seen = Seen::rest(&mut tail).await;
    assert_eq!(seen.gaps, [(6, first - 1)]);
    assert_eq!(seen.numbers, (first..=20_000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_a_gap_also_in_the_blob() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options {
        history: 1 << 20,
        ..Options::default()
    };
    let streams = on_disk(dir.path(), options.clone());
    streams
        .begin(&key("a"), Opening::default())
        .await
        .expect("opened");
    for at in (1..4_000).step_by(10) {
        push(&streams, "a", at..=at + 9).await;
    }
    drop(streams);
    let folder = std::fs::read_dir(dir.path().join("streams"))
        .expect("listed")
        .next();
    let folder = folder.expect("one").expect("read").path();
    let file = folder.join(format!("{:020}.spool", 1));
    let mut bytes = std::fs::read(&file).expect("read");
    bytes[30_000] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let streams = on_disk(dir.path(), options);
    let mut tail = tail(&streams, "a", From::Oldest, false).await;
    let seen = Seen::rest(&mut tail).await;
    assert_eq!(seen.gaps.len(), 1);
    streams
        .close(&key("a"), Overwrite::Always)
        .await
        .expect("closed");
    let mut tail = self::tail(&streams, "a", From::Oldest, true).await;
    assert_eq!(Seen::rest(&mut tail).await, seen.ended(4_000));
}

#[cfg(feature = "redis")]
mod in_redis {
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;

    /// A Redis of our own, on a free port.
    struct Server {
        process: Child,
        port: u16,
        dir: tempfile::TempDir,
    }

    impl Server {
        async fn start() -> Self {
            let port = ports::free_port();
            let dir = tempfile::tempdir().expect("a directory");
            let process = Self::run(port, dir.path());
            let server = Self { process, port, dir };
            server.is_up().await;
            server
        }

        fn run(port: u16, dir: &Path) -> Child {
            Command::new("redis-server")
                .args([
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    &port.to_string(),
                    "--appendonly",
                    "yes",
                    // What was answered was written, and survives the kill; nobody waits for the disk.
                    "--appendfsync",
                    "no",
                ])
                .current_dir(dir)
                .stdout(Stdio::null())
                .spawn()
                .expect("redis-server (Debian package redis-server) is installed")
        }

        async fn is_up(&self) {
            let client = ::redis::Client::open(self.url()).expect("an address");
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                    && ::redis::cmd("PING")
                        .query_async::<()>(&mut connection)
                        .await
                        .is_ok()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            panic!("redis-server does not come up");
        }

        fn url(&self) -> String {
            format!("redis://127.0.0.1:{}", self.port)
        }

        fn stop(&mut self) {
            self.process.kill().expect("killed");
            self.process.wait().expect("gone");
        }

        async fn start_again(&mut self) {
            self.process = Self::run(self.port, self.dir.path());
            self.is_up().await;
        }

        /// A service that shares it, with the blobs of a directory.
        fn streams(&self, dir: &Path) -> Streams {
            let redis = RedisOptions {
                url: self.url(),
                prefix: "tw:".to_owned(),
                history_lines: 1_000_000,
            };
            let options = Options {
                redis: Some(redis),
                ..Options::default()
            };
            on_disk(dir, options)
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn redis_keeps_the_contract() {
        let server = Server::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        contract(&server.streams(dir.path())).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn services_share_streams() {
        let server = Server::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        let (one, other) = (server.streams(dir.path()), server.streams(dir.path()));
        one.begin(&key("s"), Opening::default())
            .await
            .expect("opened");
        let mut tails = Vec::new();
        for streams in [&one, &one, &other] {
            tails.push(tail(streams, "s", From::Oldest, true).await);
        }
        for at in (1..1_000).step_by(20) {
            let streams = if at % 40 == 1 { &one } else { &other };
            push(streams, "s", at..=at + 19).await;
        }
        let readers: Vec<_> = tails
            .into_iter()
            .map(|mut tail| tokio::spawn(async move { Seen::rest(&mut tail).await }))
            .collect();
        let (first, second) = (key("s"), key("s"));
        // Closed by one, it ends everywhere at once; closed by both, it ends once.
        let (closed, also) = tokio::join!(
            one.close(&first, Overwrite::Always),
            other.close(&second, Overwrite::Always)
        );
        assert!(closed.is_ok() || also.is_ok(), "{closed:?} {also:?}");
        for reader in readers {
            let seen = tokio::time::timeout(PATIENCE, reader).await;
            let seen = seen.expect("ends at once").expect("joined");
            assert_eq!(seen, Seen::all(1..=1_000).ended(1_000));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tails_go_on_when_redis_returns() {
        let mut server = Server::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        let streams = server.streams(dir.path());
        streams
            .begin(&key("s"), Opening::default())
            .await
            .expect("opened");
        push(&streams, "s", 1..=100).await;
        let mut tail = tail(&streams, "s", From::Oldest, true).await;
        assert_eq!(Seen::until(&mut tail, 100).await, Seen::all(1..=100));
        server.stop();
        let refused = streams
            .push(&key("s"), lines(101..=101), Some("retry"))
            .await;
        assert!(matches!(refused, Err(Error::Place(_))), "{refused:?}");
        server.start_again().await;
        let (mut pushed, deadline) = (refused, Instant::now() + PATIENCE);
        while pushed.is_err() && Instant::now() < deadline {
            pushed = streams
                .push(&key("s"), lines(101..=101), Some("retry"))
                .await;
        }
        assert_eq!(pushed.expect("pushed").last, 101);
        assert_eq!(Seen::until(&mut tail, 101).await, Seen::all(101..=101));
    }
}
