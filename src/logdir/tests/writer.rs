//! What our loggers write, read back.

use std::fs;

use serde_json::json;

use super::*;
use crate::logdir::block;

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
    let deadline = std::time::Instant::now() + Duration::from_mins(1);
    loop {
        let [of_master, of_worker] = [entries(&files[0]), entries(&files[1])];
        // A ping of before may name those that there were then.
        let since = of_master
            .iter()
            .skip_while(|entry| entry.event() != Some(Lifecycle::WorkerExited));
        let pings = since.filter_map(|entry| match &entry.body {
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
fn what_a_full_disk_refuses_is_kept() {
    let hand = Hand::at(START);
    let options = LoggerOptions {
        high_water_mark: 1,
        ..by_hand(&hand)
    };
    let home = tempfile::tempdir().expect("a directory");
    let master = MasterLogger::new(Some(Path::new("/dev/full")), options).expect("opened");
    for number in 0..3 {
        master.log(LogLevel::Info, &number).expect("taken");
    }
    let refused = master.flush().expect_err("no room");
    assert_eq!(refused.to_string(), "cannot write /dev/full");
    // A rotation writes what waits first.
    let next = home.path().join(log_name(START));
    assert!(master.rotate(&next).is_err());
    assert!(!master.is_closed(), "what waits is not given up");
    assert!(master.worker_spawned(0).is_err());
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
