//! What our loggers write, read back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::logdir::block;

/// A clock that is moved by hand.
#[derive(Clone)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    pub fn at(millis: u64) -> Self {
        Self(Arc::new(AtomicU64::new(millis)))
    }

    pub fn add(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.now())
    }
}

pub const START: u64 = 1_714_521_600_000;

/// Loggers that write when they are told to.
pub fn by_hand(hand: &Hand) -> LoggerOptions {
    LoggerOptions {
        output_delay: Duration::from_secs(1_000_000),
        ping_delay: Duration::from_secs(1_000_000),
        clock: hand.clock(),
        ..LoggerOptions::default()
    }
}

fn json_of(entries: &[LogEntry]) -> Vec<serde_json::Value> {
    let text = entries.iter().map(LogEntry::to_json);
    text.map(|text| serde_json::from_str(&text).expect("JSON"))
        .collect()
}

#[test]
fn every_kind_of_entry_comes_back() {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let file = home.path().join(log_name(START));
    let options = LoggerOptions {
        debug_log_limit: 2,
        ..by_hand(&hand)
    };
    let master = MasterLogger::new(Some(&file), options.clone()).expect("opened");
    master.starting_up().expect("written");
    // The very bytes of the original: a slice marker, the event, the time, the nonce, a separator.
    assert_eq!(
        fs::read(&file).expect("read"),
        [0xF8, 3, 0x28, 1, 0x8F, 0x31, 0x73, 0x70, 0, 0, 0, 0xFA]
    );
    master.worker_spawned(3).expect("written");
    master
        .log(LogLevel::Warn, &json!({"a": [1, null]}))
        .expect("taken");
    for step in 0..3 {
        master.debug(&json!({ "step": step })).expect("kept");
    }
    let boom = Failure::error("Error: boom\n    at f").with("code", "E_X");
    for _ in 0..2 {
        master.uncaught_exception(&boom).expect("taken");
    }
    let worker = WorkerLogger::new(Some(&file), 3, options.clone()).expect("opened");
    worker.event(Lifecycle::WorkerStarted).expect("written");
    assert!(worker.event(Lifecycle::MasterPing).is_err());
    let mut request = worker.new_request();
    let id = request.request_id();
    assert_eq!(id.get_version_num(), 4);
    assert_ne!(id, worker.new_request().request_id());
    let address = "1234:5678:90::abcd:ef".parse().expect("an address");
    request
        .request(address, (1, 0), "WEIRD", "/x?y")
        .expect("taken");
    request.meta(&"meta").expect("taken");
    request.debug(&1).expect("kept");
    request.response(200, None, false).expect("taken");
    request
        .log(LogLevel::Critical, &"in a request")
        .expect("taken");
    request.response(500, Some(&boom), false).expect("taken");
    request
        .response(404, Some(&Failure::value("gone")), true)
        .expect("taken");
    request
        .response_finished(Some(&Failure::value("null")))
        .expect("taken");
    request.response_finished(None).expect("taken");
    drop(request);
    worker.close().expect("written");
    assert!(worker.is_closed());
    worker.log(LogLevel::Info, &"never").expect("ignored");
    for (code, signal) in [
        (Some(0), None),
        (Some(47), Some("SIGINT")),
        (Some(-1), None),
        (None, Some("SIGKILL")),
        (None, Some("SIGTERM")),
        (None, None),
    ] {
        master.worker_exited(3, code, signal).expect("written");
    }
    master.shutting_down_completed().expect("written");
    drop(master);

    let found = range(home.path(), 0, FOREVER);
    assert_eq!(json_of(&found), expected(&id.to_string()));
}

/// What the test above wrote.
fn expected(id: &str) -> Vec<serde_json::Value> {
    let head = |level, kind, worker: Option<u32>, nonce| json!({"timestamp": START, "nonce": nonce, "level": level, "type": kind, "workerId": worker});
    let with = |mut head: serde_json::Value, more: serde_json::Value| {
        let more = more.as_object().expect("an object").clone();
        head.as_object_mut().expect("an object").extend(more);
        head
    };
    let exit = |level, nonce, code: Option<u32>, signal: Option<&str>| {
        with(
            head(level, "LIFECYCLE", Some(3), nonce),
            json!({"event": "WORKER_EXITED", "exitCode": code, "signal": signal}),
        )
    };
    let debug = |steps: &[i32]| -> Vec<_> {
        let steps = steps.iter();
        steps
            .map(|step| json!({"timestamp": START, "data": {"step": step}}))
            .collect()
    };
    let boom = |debug: Vec<serde_json::Value>| json!({"stack": "Error: boom\n    at f", "properties": {"code": "E_X"}, "debug": debug});
    let value = |text| json!({"value": text, "properties": {}, "debug": []});
    vec![
        with(
            head("INFO", "LIFECYCLE", None, 0),
            json!({"event": "STARTING_UP"}),
        ),
        with(
            head("INFO", "LIFECYCLE", Some(3), 1),
            json!({"event": "WORKER_SPAWNED"}),
        ),
        with(
            head("INFO", "LIFECYCLE", Some(3), 0),
            json!({"event": "WORKER_STARTED"}),
        ),
        with(
            head("INFO", "REQUEST", Some(3), 1),
            json!({"requestId": id, "ipAddress": "1234:5678:90::abcd:ef", "httpVersion": "1.0", "url": "/x?y", "method": "WEIRD"}),
        ),
        with(
            head("INFO", "REQUEST_META", Some(3), 2),
            json!({"requestId": id, "data": "meta"}),
        ),
        with(
            head("INFO", "RESPONSE", Some(3), 3),
            json!({"requestId": id, "error": null, "statusCode": 200}),
        ),
        with(
            head("CRITICAL", "LOG", Some(3), 4),
            json!({"requestId": id, "data": "in a request"}),
        ),
        with(
            head("ERROR", "RESPONSE", Some(3), 5),
            json!({"requestId": id, "error": boom(vec![json!({"timestamp": START, "data": 1})]), "statusCode": 500}),
        ),
        with(
            head("INFO", "RESPONSE", Some(3), 6),
            json!({"requestId": id, "error": value("gone"), "statusCode": 404}),
        ),
        with(
            head("ERROR", "RESPONSE_FINISHED", Some(3), 7),
            json!({"requestId": id, "error": value("null")}),
        ),
        with(
            head("INFO", "RESPONSE_FINISHED", Some(3), 8),
            json!({"requestId": id, "error": null}),
        ),
        with(
            head("WARN", "LOG", None, 2),
            json!({"requestId": null, "data": {"a": [1, null]}}),
        ),
        with(
            head("CRITICAL", "UNCAUGHT_EXCEPTION", None, 3),
            json!({"error": boom(debug(&[1, 2]))}),
        ),
        with(
            head("CRITICAL", "UNCAUGHT_EXCEPTION", None, 4),
            json!({"error": boom(vec![])}),
        ),
        exit("INFO", 5, Some(0), None),
        exit("WARN", 6, Some(47), Some("SIGINT")),
        exit("WARN", 7, Some(u32::MAX), None),
        exit("WARN", 8, None, Some("SIGKILL")),
        exit("INFO", 9, None, Some("SIGTERM")),
        exit("WARN", 10, None, None),
        with(
            head("INFO", "LIFECYCLE", None, 11),
            json!({"event": "SHUTTING_DOWN_COMPLETED"}),
        ),
    ]
}

/// The blocks of a file, unescaped.
fn blocks(file: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(file).expect("read");
    assert!(bytes.is_empty() || bytes.last() == Some(&block::SEPARATOR));
    let mut blocks: Vec<&[u8]> = bytes.split(|byte| *byte == block::SEPARATOR).collect();
    blocks.pop();
    let blocks = blocks.into_iter();
    blocks
        .map(|stored| block::unescape(stored).expect("ours").into_owned())
        .collect()
}

#[test]
fn blocks_are_cut_and_compressed_as_the_original_does() {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let is_compressed = |block: &Vec<u8>| block[0] & 0x80 != 0;
    let file = home.path().join("waits");
    let master = MasterLogger::new(Some(&file), by_hand(&hand)).expect("opened");
    master.log(LogLevel::Info, &"small").expect("taken");
    assert_eq!(blocks(&file), [[0; 0]; 0]);
    master.flush().expect("written");
    master.log(LogLevel::Info, &"x".repeat(400)).expect("taken");
    master.flush().expect("written");
    for _ in 0..2 {
        master.log(LogLevel::Info, &"two").expect("taken");
    }
    master.flush().expect("written");
    let found = blocks(&file);
    assert_eq!(
        found.iter().map(is_compressed).collect::<Vec<_>>(),
        [false, true, true]
    );
    // More than the mark is written at once, as one block.
    for _ in 0..2 {
        master
            .log(LogLevel::Info, &"y".repeat(20_480))
            .expect("taken");
    }
    assert_eq!(blocks(&file).len(), 4);

    let file = home.path().join("plain");
    let plain = LoggerOptions {
        output_delay: Duration::ZERO,
        compression: false,
        ..by_hand(&hand)
    };
    let master = MasterLogger::new(Some(&file), plain).expect("opened");
    for _ in 0..3 {
        master
            .log(LogLevel::Info, &"z".repeat(500))
            .expect("written");
    }
    assert_eq!(
        blocks(&file).iter().map(is_compressed).collect::<Vec<_>>(),
        [false; 3]
    );
}

#[test]
fn what_waits_is_written_in_time_and_processes_say_that_they_live() {
    let home = tempfile::tempdir().expect("a directory");
    let files = ["master", "worker"].map(|name| home.path().join(name));
    let options = LoggerOptions {
        output_delay: Duration::from_millis(5),
        ping_delay: Duration::from_millis(20),
        ..LoggerOptions::default()
    };
    let master = MasterLogger::new(Some(&files[0]), options.clone()).expect("opened");
    for id in [23, 95, 400] {
        master.worker_spawned(id).expect("written");
    }
    master.worker_exited(95, Some(0), None).expect("written");
    let worker = WorkerLogger::new(Some(&files[1]), 23, options).expect("opened");
    let entries = |file: &Path| {
        let mut entries = Vec::new();
        let mut decoder = block::Decoder::default();
        for block in fs::read(file)
            .expect("read")
            .split(|byte| *byte == block::SEPARATOR)
        {
            // What follows the last separator is empty, or a block that is just being written.
            let _ = decoder.decode(block, &mut entries);
        }
        entries
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let [of_master, of_worker] = [entries(&files[0]), entries(&files[1])];
        let pings = of_master.iter().filter_map(|entry| match &entry.body {
            Body::MasterPing { worker_ids } => Some(worker_ids.clone()),
            _ => None,
        });
        let pings: Vec<_> = pings.collect();
        assert!(pings.iter().all(|ids| ids == &[23, 400]));
        let alive = of_worker
            .iter()
            .filter(|entry| entry.event() == Some(Lifecycle::WorkerPing))
            .count();
        if pings.len() > 1 && alive > 1 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{pings:?}, {alive}");
        std::thread::yield_now();
    }
    drop(worker);
}

#[test]
fn a_new_file_begins_with_a_ping() {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let files = [START, START + 5].map(|time| home.path().join(log_name(time)));
    let master = MasterLogger::new(Some(&files[0]), by_hand(&hand)).expect("opened");
    master.starting_up().expect("written");
    master.worker_spawned(1).expect("written");
    let worker = WorkerLogger::new(Some(&files[0]), 1, by_hand(&hand)).expect("opened");
    worker.log(LogLevel::Info, &"before").expect("taken");
    hand.add(5);
    master.rotate(&files[1]).expect("rotated");
    // The worker has not rotated: the new file is hidden, but not to those who know better.
    assert_eq!(range(home.path(), 0, FOREVER).len(), 2);
    let source = LogDirectorySource::new(home.path()).immutable(true);
    assert_eq!(
        LogReader::new(source)
            .range(0, FOREVER)
            .expect("opened")
            .count(),
        3
    );
    worker.rotate(&files[1]).expect("rotated");
    worker.log(LogLevel::Info, &"after").expect("taken");
    worker.flush().expect("written");
    let all = range(home.path(), 0, FOREVER);
    let kinds: Vec<_> = all
        .iter()
        .map(|entry| (entry.event(), entry.data()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some(Lifecycle::StartingUp), None),
            (Some(Lifecycle::WorkerSpawned), None),
            (None, Some("\"before\"")),
            (Some(Lifecycle::MasterPing), None),
            (Some(Lifecycle::WorkerPing), None),
            (None, Some("\"after\"")),
        ]
    );
    let gone = home.path().join("nowhere/x.log");
    assert!(worker.rotate(&gone).is_err());
    assert!(worker.is_closed());
}

#[test]
fn options_out_of_bounds_are_refused_and_without_a_file_nothing_happens() {
    let options = LoggerOptions::default();
    for wrong in [
        LoggerOptions {
            ping_delay: Duration::ZERO,
            ..options.clone()
        },
        LoggerOptions {
            output_delay: Duration::from_millis(2_147_483_648),
            ..options.clone()
        },
    ] {
        let refused = MasterLogger::new(None, wrong);
        assert!(matches!(refused, Err(Error::Option { .. })));
    }
    assert!(matches!(
        WorkerLogger::new(None, 0, options.clone()),
        Err(Error::Option { .. })
    ));
    let master = MasterLogger::new(None, options.clone()).expect("disabled");
    assert!(master.is_closed());
    master.starting_up().expect("ignored");
    master.rotate(Path::new("/nowhere/x")).expect("ignored");
    let worker = WorkerLogger::new(None, 1, options).expect("disabled");
    let mut request = worker.new_request();
    request.response_finished(None).expect("ignored");
    assert_eq!(request.request_id().get_version_num(), 4);
}

#[test]
fn the_manager_rotates_and_deletes() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("a/b");
    let hand = Hand::at(START);
    let options = ManagerOptions {
        log_size_limit: 3 << 20,
        log_age_limit: Duration::from_mins(1),
        granularity: 3,
        clock: hand.clock(),
        ..ManagerOptions::default()
    };
    let mut manager = LogManager::new(Some(&dir), options.clone()).expect("made");
    let mode = fs::metadata(&dir).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(manager.file(), Some(dir.join(log_name(START))));
    assert_eq!(manager.poll().expect("looked"), None);
    let fill = |manager: &LogManager| {
        fs::write(manager.file().expect("a file"), vec![0; 1 << 20]).expect("written");
    };
    let names = || {
        let mut names = Folder(dir.clone()).list().expect("listed");
        names.sort();
        names
    };
    let mut all = vec![log_name(START)];
    for _ in 0..4 {
        fill(&manager);
        hand.add(1);
        let next = manager.poll().expect("looked").expect("too large");
        assert_eq!(manager.file().as_ref(), Some(&next));
        all.push(
            next.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
        );
    }
    fill(&manager);
    // Of five the two oldest are gone: the rest is below the limit.
    assert_eq!(names(), all[2..]);
    // Another manager goes on with the newest; a file too old is left at once, one far too old is deleted.
    hand.add(20_001);
    let again = LogManager::new(Some(&dir), options.clone()).expect("opened");
    assert_eq!(again.file(), Some(dir.join(log_name(hand.now()))));
    hand.add(60_000);
    let mut last = LogManager::new(Some(&dir), options.clone()).expect("opened");
    assert_eq!(names(), [] as [String; 0]);
    // The clock steps back: names rise all the same.
    let late = last.file().expect("a file");
    hand.0.store(START, Ordering::SeqCst);
    fill(&last);
    assert!(last.poll().expect("looked") > Some(late));
    // A directory that is gone is trouble, and no end.
    fs::remove_dir_all(&dir).expect("removed");
    assert_eq!(last.poll().expect("nothing to ask"), None);

    for wrong in [
        ManagerOptions {
            granularity: 1,
            ..options.clone()
        },
        ManagerOptions {
            log_size_limit: 1000,
            ..options.clone()
        },
        ManagerOptions {
            log_age_limit: Duration::from_secs(59),
            ..options.clone()
        },
        ManagerOptions {
            granularity: 61,
            ..options.clone()
        },
    ] {
        let refused = LogManager::new(Some(&dir), wrong);
        assert!(matches!(refused, Err(Error::Option { .. })));
    }
    let nothing = LogManager::new(None, options).expect("disabled");
    assert_eq!((nothing.file(), nothing.dir()), (None, None));
}

#[derive(Clone, Debug)]
pub enum Step {
    Wait(u64),
    Log(usize, usize),
    Flush(usize),
    Spawn(u32),
    Exit(u32),
    Ping,
    Rotate,
    Restart,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0_u64..500).prop_map(Step::Wait),
        20 => (0_usize..4, 1_usize..600).prop_map(|(who, much)| Step::Log(who, much)),
        6 => (0_usize..4).prop_map(Step::Flush),
        2 => (1_u32..4).prop_map(Step::Spawn),
        1 => (1_u32..4).prop_map(Step::Exit),
        3 => Just(Step::Ping),
        2 => Just(Step::Rotate),
        1 => Just(Step::Restart),
    ]
}

/// A cluster that does what the steps say; every process's clock is the same and never steps back.
pub struct Cluster<'d> {
    dir: &'d Path,
    hand: Hand,
    file: PathBuf,
    master: MasterLogger,
    workers: Vec<(u32, WorkerLogger)>,
}

impl<'d> Cluster<'d> {
    pub fn start(dir: &'d Path, hand: Hand) -> Self {
        let file = dir.join(log_name(hand.now()));
        let master = MasterLogger::new(Some(&file), by_hand(&hand)).expect("opened");
        master.starting_up().expect("written");
        Self {
            dir,
            hand,
            file,
            master,
            workers: Vec::new(),
        }
    }

    pub fn log(&self, text: &str) {
        self.master.log(LogLevel::Info, &text).expect("taken");
    }

    pub fn flush(&self) {
        self.master.flush().expect("written");
    }

    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(millis) => self.hand.add(*millis),
            Step::Log(0, much) => {
                let text = "m".repeat(*much);
                self.master.log(LogLevel::Info, &text).expect("taken");
            }
            Step::Log(who, much) => {
                if let Some((_, worker)) = self.workers.get(who - 1) {
                    worker
                        .log(LogLevel::Warn, &"w".repeat(*much))
                        .expect("taken");
                }
            }
            Step::Flush(0) => self.master.flush().expect("written"),
            Step::Flush(who) => {
                if let Some((_, worker)) = self.workers.get(who - 1) {
                    worker.flush().expect("written");
                }
            }
            Step::Spawn(id) => {
                if self.workers.iter().all(|(worker, _)| worker != id) {
                    self.master.worker_spawned(*id).expect("written");
                    let options = by_hand(&self.hand);
                    let worker = WorkerLogger::new(Some(&self.file), *id, options);
                    self.workers.push((*id, worker.expect("opened")));
                }
            }
            Step::Exit(id) => {
                let before = self.workers.len();
                self.workers.retain(|(worker, _)| worker != id);
                if self.workers.len() < before {
                    self.master
                        .worker_exited(*id, Some(0), None)
                        .expect("written");
                }
            }
            // A rotation to the same file is a ping and nothing else.
            Step::Ping => self.master.rotate(&self.file).expect("written"),
            Step::Rotate => {
                self.hand.add(1);
                self.file = self.dir.join(log_name(self.hand.now()));
                self.master.rotate(&self.file).expect("rotated");
                for (_, worker) in &self.workers {
                    worker.rotate(&self.file).expect("rotated");
                }
            }
            Step::Restart => {
                self.workers.clear();
                let options = by_hand(&self.hand);
                self.master = MasterLogger::new(Some(&self.file), options).expect("opened");
                self.master.starting_up().expect("written");
            }
        }
    }
}

fn filtered(all: &[LogEntry], min: i64, max: i64) -> Vec<LogEntry> {
    let inside =
        |entry: &&LogEntry| (min..=max).contains(&i64::try_from(entry.timestamp).expect("48 bits"));
    all.iter().filter(inside).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ranges_are_filtered_scans_and_bulk_is_cut_anywhere(
        steps in prop::collection::vec(step(), 1..300),
        bounds in prop::collection::vec((0_i64..110, 0_i64..30), 6),
        cuts in prop::collection::vec(1_usize..5000, 1..40),
    ) {
        let home = tempfile::tempdir().expect("a directory");
        let hand = Hand::at(START);
        let mut cluster = Cluster::start(home.path(), hand.clone());
        for step in &steps {
            cluster.take(step);
        }
        drop(cluster);

        let mut reader = reader(home.path());
        let all = reader.range(0, FOREVER).expect("opened");
        let all: Vec<LogEntry> = all.collect::<Result<_, _>>().expect("read");
        prop_assert_eq!(reader.damage_count(), 0);
        let span = i64::try_from(hand.now() - START).expect("48 bits");
        for (from, length) in bounds {
            let min = i64::try_from(START).expect("48 bits") + from * span / 100;
            let max = min + length * span / 100;
            let expected = filtered(&all, min, max);
            prop_assert_eq!(range(home.path(), min, max), expected.clone());
            let mut mirror = reversed(home.path(), min, max);
            mirror.reverse();
            prop_assert_eq!(&mirror, &expected);
            for older in [false, true] {
                let pieces = if older {
                    reader.bulk_range_reversed(min, max)
                } else {
                    reader.bulk_range(min, max)
                };
                let pieces = pieces.expect("opened").collect::<Result<Vec<_>, _>>();
                let bytes = pieces.expect("read").concat();
                let mut cuts = cuts.iter().cycle();
                let mut rest = bytes.as_slice();
                let pieces = std::iter::from_fn(|| {
                    let cut = rest.len().min(*cuts.next()?);
                    let (piece, more) = rest.split_at(cut);
                    rest = more;
                    (!piece.is_empty()).then_some(Ok::<_, Error>(piece))
                });
                let mut found = Vec::new();
                if older {
                    for block in BulkParser::read_reversed(pieces) {
                        found.extend(BulkParser::parse(&block.expect("read")).expect("whole").rev());
                    }
                    found.reverse();
                } else {
                    for block in BulkParser::read(pieces) {
                        found.extend(BulkParser::parse(&block.expect("read")).expect("whole"));
                    }
                }
                prop_assert_eq!(&filtered(&found, min, max), &expected);
            }
        }
    }
}
