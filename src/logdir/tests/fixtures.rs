//! The fixtures: what the real reader returned for what the real writers wrote.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;
use crate::logdir::block;
use crate::logdir::entry::{Body, Request};
use crate::logdir::scan::Blocks;
use crate::logdir::wire;
use crate::query::Direction;

const FOLDERS: [&str; 7] = [
    "all-types",
    "all-types-uncompressed",
    "mid-rotation",
    "restart-after-power-failure",
    "rotated",
    "rotation-without-workers",
    "worker-only",
];

/// The modes of a folder and what its files are called in each.
fn modes(folder: &str) -> Vec<(bool, &'static str)> {
    let immutable = fixture(folder).join("expected/range-immutable.jsonl");
    let mut modes = vec![(false, "")];
    if immutable.exists() {
        modes.push((true, "-immutable"));
    }
    modes
}

fn opened(folder: &str, immutable: bool) -> LogReader<LogDirectorySource> {
    let source = LogDirectorySource::new(fixture(folder).join("logs")).immutable(immutable);
    LogReader::new(source)
}

#[test]
fn every_entry_is_read_in_both_directions() {
    for folder in FOLDERS {
        for (immutable, suffix) in modes(folder) {
            let mut reader = opened(folder, immutable);
            let forward: Vec<_> = reader.range(0, FOREVER).expect("opened").collect();
            let backward: Vec<_> = reader.range_reversed(0, FOREVER).expect("again").collect();
            assert_eq!(reader.damage_count(), 0, "{folder}");
            let source = LogDirectorySource::new(fixture(folder).join("logs")).immutable(immutable);
            let stat = Stat::of(source).expect("read");
            assert_eq!((stat.clock_step, stat.entries), (0, forward.len() as u64));
            let mut found: Vec<Vec<LogEntry>> = Vec::new();
            for entries in [forward, backward] {
                found.push(entries.into_iter().collect::<Result<_, _>>().expect("read"));
            }
            for (entries, file) in found.iter().zip(["range", "range-reversed"]) {
                let path = fixture(folder).join(format!("expected/{file}{suffix}.jsonl"));
                if path.exists() {
                    compare(entries, &lines(&path), folder);
                }
            }
            found[1].reverse();
            assert_eq!(found[0], found[1], "{folder}: the mirror");
        }
    }
}

fn compare(entries: &[LogEntry], expected: &[String], folder: &str) {
    for (entry, line) in entries.iter().zip(expected) {
        let (head, json) = line.split_once("\"toJSON\":").expect("toJSON");
        let json = json.strip_suffix('}').expect("the line's end");
        assert_eq!(entry.to_json(), json, "{folder}");
        // The head is cut inside its line: what is left of it is whole but for its end.
        let head: Value =
            serde_json::from_str(&format!("{}}}", head.trim_end_matches(','))).expect("the fields");
        assert_eq!(head["level"], entry.level.number(), "{line}");
        assert_eq!(head["type"], entry.log_type().number(), "{line}");
        let raw = head.get("raw").unwrap_or(&head);
        let event = entry.event().map(Lifecycle::number);
        assert_eq!(raw.get("event"), event.map(Value::from).as_ref(), "{line}");
        let ping = match &entry.body {
            Body::MasterPing { worker_ids } => Some(Value::from(worker_ids.clone())),
            _ => None,
        };
        assert_eq!(raw.get("workerIds"), ping.as_ref(), "{line}");
        if let Some(getters) = head.get("getters") {
            compare_raw(entry, raw, getters);
        }
    }
    assert_eq!(entries.len(), expected.len(), "{folder}");
}

/// The fields as they are stored, and what the getters say.
fn compare_raw(entry: &LogEntry, raw: &Value, getters: &Value) {
    let text = |value: Option<&str>| value.map(Value::from);
    let stored = |key: &str| raw.get(key).filter(|value| !value.is_null()).cloned();
    let got = |key: &str| getters.get(key).filter(|value| !value.is_null()).cloned();
    assert_eq!(text(entry.data()), stored("data"));
    assert_eq!(text(entry.error_text()), stored("error"));
    let request_id = entry.request_id().map(|id| id.to_string());
    assert_eq!(text(request_id.as_deref()), got("requestId"));
    assert_eq!(text(entry.ip_address().as_deref()), got("ipAddress"));
    assert_eq!(text(entry.http_version().as_deref()), got("httpVersion"));
    let method = entry
        .http_method()
        .map(|method| serde_json::to_value(method).expect("JSON"));
    assert_eq!(method, got("httpMethod"));
    if let Body::Request(request) = &entry.body {
        let Request {
            http_version: (major, minor),
            url,
            ..
        } = request.as_ref();
        assert_eq!(raw["httpVersionMajor"], *major);
        assert_eq!(raw["httpVersionMinor"], *minor);
        assert_eq!(raw["url"], url.as_str());
    }
    if let Body::Response { status_code, .. } = &entry.body {
        assert_eq!(raw["statusCode"], *status_code);
    }
}

#[test]
fn ranges_and_bulk_hold_what_the_original_found() {
    for folder in FOLDERS {
        for (immutable, suffix) in modes(folder) {
            let path = fixture(folder).join(format!("expected/queries{suffix}.json"));
            let text = std::fs::read_to_string(path).expect("read");
            let queries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
            assert_eq!(queries.is_empty(), folder == "worker-only" && !immutable);
            for query in &queries {
                let (min, max) = (number(query, "min"), number(query, "max"));
                let name = format!("{folder}{suffix}: {}", query["name"]);
                if min > max {
                    let mut reader = opened(folder, immutable);
                    assert!(matches!(reader.range(min, max), Err(Error::Order { .. })));
                    continue;
                }
                ranges(folder, immutable, query, &name);
                bulk(folder, immutable, query, &name);
            }
        }
    }
}

fn ranges(folder: &str, immutable: bool, query: &Value, name: &str) {
    let (min, max) = (number(query, "min"), number(query, "max"));
    for exhaustive in [false, true] {
        let mut reader = opened(folder, immutable).exhaustive(exhaustive);
        let forward = reader.range(min, max).expect("opened");
        let forward: Vec<LogEntry> = forward.collect::<Result<_, _>>().expect("read");
        assert_eq!(sha256_of_ids(&forward), query["idsSha256"], "{name}");
        assert_eq!(forward.len(), count(query, "count"), "{name}");
        let backward = reader.range_reversed(min, max).expect("opened");
        let mut backward: Vec<LogEntry> = backward.collect::<Result<_, _>>().expect("read");
        backward.reverse();
        assert_eq!(forward, backward, "{name}");
    }
}

fn bulk(folder: &str, immutable: bool, query: &Value, name: &str) {
    let (min, max) = (number(query, "min"), number(query, "max"));
    let mut reader = opened(folder, immutable);
    let all: Vec<LogEntry> = reader
        .range(min, max)
        .expect("opened")
        .collect::<Result<_, _>>()
        .expect("read");
    let inside =
        |entry: &LogEntry| (min..=max).contains(&i64::try_from(entry.timestamp).expect("48 bits"));
    let pieces: Vec<Vec<u8>> = reader
        .bulk_range(min, max)
        .expect("opened")
        .collect::<Result<_, _>>()
        .expect("read");
    let whole = name.ends_with("\"everything\"");
    if whole {
        let forward = &query["bulk"]["forward"];
        assert_eq!(hex(&Sha256::digest(pieces.concat())), forward["sha256"]);
    }
    let full = pieces.split_last().map_or(&[][..], |(_, full)| full);
    assert!(full.iter().all(|piece| piece.len() == 32_768), "{name}");
    let blocks = BulkParser::read(pieces.into_iter().map(Ok::<_, Error>));
    let mut found: Vec<LogEntry> = blocks
        .flat_map(|block| BulkParser::parse(&block.expect("read")).expect("whole"))
        .collect();
    found.retain(inside);
    assert_eq!(found, all, "{name}");

    let pieces: Vec<Vec<u8>> = reader
        .bulk_range_reversed(min, max)
        .expect("opened")
        .collect::<Result<_, _>>()
        .expect("read");
    if whole {
        let reversed = &query["bulk"]["reversed"];
        assert_eq!(hex(&Sha256::digest(pieces.concat())), reversed["sha256"]);
    }
    let blocks = BulkParser::read_reversed(pieces.into_iter().map(Ok::<_, Error>));
    let mut found: Vec<LogEntry> = blocks
        .flat_map(|block| {
            let entries = BulkParser::parse(&block.expect("read")).expect("whole");
            entries.rev()
        })
        .collect();
    found.retain(inside);
    found.reverse();
    assert_eq!(found, all, "{name}");
}

#[test]
fn blocks_lie_where_an_independent_decoder_found_them() {
    for folder in FOLDERS {
        let expected = lines(&fixture(folder).join("expected/blocks.jsonl"));
        let source = LogDirectorySource::new(fixture(folder).join("logs")).immutable(true);
        let mut blocks = Blocks::new(source);
        blocks.open().expect("opened");
        let mut edge = 0;
        for line in &expected {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let block = blocks.next(&mut edge, Direction::Newer).expect("read");
            let block = block.unwrap_or_else(|| panic!("{folder}: {line}"));
            assert_eq!(block.entries.len(), count(&line, "entries"));
            let length = i64::try_from(block.place.end - block.place.start).expect("small");
            assert_eq!(length, number(&line, "length"), "{folder}: {line}");
        }
        assert!(
            blocks
                .next(&mut edge, Direction::Newer)
                .expect("read")
                .is_none()
        );
    }
}

/// What is decoded is encoded to the very bytes, but for compression, which differs among builds of zlib.
#[test]
fn entries_are_written_as_the_original_writes_them() {
    let mut count = 0;
    for folder in FOLDERS {
        let logs = fixture(folder).join("logs");
        for file in std::fs::read_dir(logs).expect("listed").flatten() {
            let bytes = std::fs::read(file.path()).expect("read");
            let mut blocks: Vec<&[u8]> = bytes.split(|byte| *byte == block::SEPARATOR).collect();
            // What follows the last separator is no block.
            blocks.pop();
            for stored in blocks {
                let mut entries = Vec::new();
                let mut decoder = block::Decoder::default();
                decoder.decode(stored, &mut entries).expect("whole");
                let body = entries
                    .iter()
                    .flat_map(|entry| wire::encode(entry).expect("an entry"));
                let body: Vec<u8> = body.collect();
                let unescaped = block::unescape(stored).expect("whole");
                if unescaped[0] & 0x80 == 0 {
                    assert_eq!(body, *unescaped, "{folder}");
                    let escaped = block::escape(&body);
                    assert!(stored.ends_with(&escaped), "{folder}");
                } else {
                    let mut again = Vec::new();
                    let compressed = block::escape(&block::compress(&body).expect("small"));
                    decoder.decode(&compressed, &mut again).expect("whole");
                    assert_eq!(entries, again);
                }
                count += entries.len();
            }
        }
    }
    assert_eq!(count, 253 + 253 + 137 + 202 + 2237 + 6 + 5);
}

#[test]
fn bounds_are_checked_before_anything_is_touched() {
    let mut reader = reader(Path::new("/nowhere"));
    assert!(matches!(reader.range(-1, 5), Err(Error::Time(-1))));
    assert!(matches!(reader.range_reversed(0, -7), Err(Error::Time(-7))));
    assert!(matches!(
        reader.range(6, 5),
        Err(Error::Order { min: 6, max: 5 })
    ));
    assert!(matches!(reader.bulk_range(6, 5), Err(Error::Order { .. })));
    assert!(matches!(
        reader.bulk_range_reversed(6, 5),
        Err(Error::Order { .. })
    ));
    assert!(matches!(reader.tail(-1), Err(Error::Time(-1))));
    assert!(matches!(reader.bulk_tail(-1), Err(Error::Time(-1))));
    let Err(missing) = reader.range(0, 5) else {
        panic!("a directory that is not there")
    };
    assert_eq!(missing.to_string(), "cannot list /nowhere");
    let source = LogDirectorySource::new("/nowhere");
    let zero = source.clone().poll_interval(Duration::ZERO);
    assert!(matches!(zero, Err(Error::Option { .. })));
    let long = source.poll_interval(Duration::from_millis(2_147_483_648));
    assert!(matches!(long, Err(Error::Option { .. })));
}

#[test]
fn times_beyond_both_ends_find_what_lies_between() {
    let dir = fixture("rotated/logs");
    let all = range(&dir, 0, FOREVER);
    assert_eq!(range(&dir, 0, i64::MAX), all);
    let newest = all.iter().map(|entry| entry.timestamp).max();
    let after = i64::try_from(newest.expect("some") + 1).expect("48 bits");
    assert_eq!(range(&dir, after, FOREVER), []);
    assert_eq!(reversed(&dir, after, FOREVER), []);
}
