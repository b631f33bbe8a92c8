//! A directory that grows, step by step as it grew under the real reader.

use std::fs;
use std::io::Write;

use serde_json::Value;
use tokio_stream::StreamExt;

use super::*;

/// Cuts or extends the files of a copy to what the step says.
fn grow(dir: &Path, files: &Value) {
    let logs = fixture("rotated/logs");
    for (name, size) in files.as_object().expect("sizes") {
        let size = usize::try_from(size.as_u64().expect("a size")).expect("small");
        let bytes = fs::read(logs.join(name)).expect("read");
        fs::write(dir.join(name), &bytes[..size]).expect("written");
    }
}

#[test]
fn a_growing_directory_is_followed_as_the_original_does() {
    let text = fs::read_to_string(fixture("rotated/expected/tail.json")).expect("read");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let steps = expected["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 56);
    let middle = number(&expected, "tailFromMiddleMinTimestamp");
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path();
    grow(dir, &steps[0]["files"]);
    let polling = || {
        let source = LogDirectorySource::new(dir).poll_interval(Duration::from_nanos(1));
        LogReader::new(source.expect("an interval"))
    };
    let (mut readers, mut bulk_reader) = ([polling(), polling()], polling());
    let [first, second] = &mut readers;
    let mut tails = [
        (first.tail(0).expect("opened"), Vec::new(), "tailEntries"),
        (
            second.tail(middle).expect("opened"),
            Vec::new(),
            "tailFromMiddleEntries",
        ),
    ];
    let mut bulk = bulk_reader.bulk_tail(0).expect("opened");
    let mut sent: Vec<u8> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        grow(dir, &step["files"]);
        for (tail, entries, key) in &mut tails {
            while let Some(more) = tail.poll().expect("read") {
                entries.extend(more);
            }
            assert_eq!(entries.len(), count(step, key), "step {at}");
            assert_eq!(tail.damage().count(), 0);
        }
        while let Some(piece) = bulk.poll().expect("read") {
            sent.extend(piece);
        }
        // The original once held half a block back until the rest was there.
        let (sent, expected) = (sent.len(), count(step, "bulkTailBytes"));
        let inside = step["endsInsideABlock"] == true;
        assert!(sent == expected || inside && sent > expected, "step {at}");
        for (mode, immutable) in [("default", false), ("immutable", true)] {
            let source = LogDirectorySource::new(dir).immutable(immutable);
            let mut reader = LogReader::new(source);
            let seen = reader.range(0, FOREVER).expect("opened").count();
            assert_eq!(seen, count(&step[mode], "entries"), "step {at}");
        }
    }
    let all = range(&fixture("rotated/logs"), 0, FOREVER);
    assert_eq!(tails[0].1, all);
    let since: Vec<LogEntry> = all
        .iter()
        .filter(|entry| i64::try_from(entry.timestamp).expect("48 bits") >= middle)
        .cloned()
        .collect();
    assert_eq!(tails[1].1, since);
    let blocks = BulkParser::read([Ok::<_, Error>(sent)]);
    let parsed = blocks.flat_map(|block| BulkParser::parse(&block.expect("bytes")).expect("whole"));
    assert_eq!(parsed.collect::<Vec<_>>(), all);
}

#[test]
fn a_bulk_tail_parts_a_file_that_was_cut_off_from_the_next() {
    let home = tempfile::tempdir().expect("a directory");
    let files = ["01714780800000.log", "01714781045000.log"];
    let bytes = files.map(|name| fs::read(fixture("rotated/logs").join(name)).expect("read"));
    // The first ends inside a block and all of it was sent before the second is there.
    fs::write(home.path().join(files[0]), &bytes[0][..bytes[0].len() - 3]).expect("written");
    let source = LogDirectorySource::new(home.path()).poll_interval(Duration::from_nanos(1));
    let mut reader = LogReader::new(source.expect("an interval"));
    let mut tail = reader.bulk_tail(0).expect("opened");
    let mut sent = Vec::new();
    while let Some(piece) = tail.poll().expect("read") {
        sent.extend(piece);
    }
    assert_eq!(sent.len(), bytes[0].len() - 3);
    fs::write(home.path().join(files[1]), &bytes[1]).expect("written");
    while let Some(piece) = tail.poll().expect("read") {
        sent.extend(piece);
    }
    let blocks: Vec<Vec<u8>> = BulkParser::read([Ok::<_, Error>(sent)])
        .collect::<Result<_, _>>()
        .expect("bytes");
    let damaged = blocks
        .iter()
        .filter(|block| BulkParser::parse(block).is_err());
    assert_eq!(damaged.count(), 1);
    let parsed: Vec<LogEntry> = blocks
        .iter()
        .filter_map(|block| BulkParser::parse(block).ok())
        .flatten()
        .collect();
    assert_eq!(parsed, range(home.path(), 0, FOREVER));
}

#[tokio::test]
async fn streams_give_what_is_there_and_what_is_written_later() {
    let home = tempfile::tempdir().expect("a directory");
    let name = "01714780800000.log";
    let bytes = fs::read(fixture("rotated/logs").join(name)).expect("read");
    fs::write(home.path().join(name), &bytes[..2537]).expect("written");
    let polling = || {
        let source = LogDirectorySource::new(home.path()).poll_interval(Duration::from_nanos(1));
        LogReader::new(source.expect("an interval"))
    };
    let interval = Duration::from_millis(1);
    assert!(tail_stream(polling(), 0, Duration::ZERO).is_err());
    let mut entries = tail_stream(polling(), 0, interval).expect("an interval");
    let mut pieces = bulk_tail_stream(polling(), 0, interval).expect("an interval");
    let mut found = Vec::new();
    while found.len() < 100 {
        found.push(entries.next().await.expect("one").expect("read"));
    }
    let mut sent = pieces.next().await.expect("one").expect("read");
    assert_eq!(sent, bytes[..2537]);
    append(&home.path().join(name), &bytes[2537..]);
    let all = range(home.path(), 0, FOREVER);
    while found.len() < all.len() {
        found.push(entries.next().await.expect("one").expect("read"));
    }
    assert_eq!(found, all);
    while sent.len() < bytes.len() {
        sent.extend(pieces.next().await.expect("one").expect("read"));
    }
    assert_eq!(sent, bytes);
    // A bound that is none is the first item, and the last.
    let mut wrong = tail_stream(polling(), -1, interval).expect("an interval");
    assert!(matches!(wrong.next().await, Some(Err(Error::Time(-1)))));
    assert!(wrong.next().await.is_none());
}

#[test]
fn without_an_interval_a_source_is_a_picture() {
    let home = tempfile::tempdir().expect("a directory");
    let name = "01714780800000.log";
    let bytes = fs::read(fixture("rotated/logs").join(name)).expect("read");
    fs::write(home.path().join(name), &bytes[..2537]).expect("written");
    let mut reader = reader(home.path());
    let mut tail = reader.tail(0).expect("opened");
    let mut seen = 0;
    while let Some(entries) = tail.poll().expect("read") {
        seen += entries.len();
    }
    assert_eq!(seen, 100);
    fs::write(home.path().join(name), &bytes[..5074]).expect("written");
    assert_eq!(tail.poll().expect("read"), None);
}

#[test]
fn waiting_ends_the_thread_s_sleep_when_something_is_written() {
    let home = tempfile::tempdir().expect("a directory");
    let name = "01714780800000.log";
    let bytes = fs::read(fixture("rotated/logs").join(name)).expect("read");
    fs::write(home.path().join(name), &bytes[..2537]).expect("written");
    let source = LogDirectorySource::new(home.path()).poll_interval(Duration::from_millis(1));
    let mut reader = LogReader::new(source.expect("an interval"));
    let tail = reader.tail(0).expect("opened");
    assert!(matches!(
        reader_of(home.path())
            .tail(0)
            .expect("opened")
            .wait(Duration::ZERO),
        Err(Error::Option { .. })
    ));
    let mut entries = tail.wait(Duration::from_millis(1)).expect("an interval");
    assert_eq!(entries.by_ref().take(100).flatten().count(), 100);
    let file = home.path().join(name);
    std::thread::scope(|scope| {
        scope.spawn(|| append(&file, &bytes[2537..5074]));
        assert_eq!(entries.by_ref().take(87).flatten().count(), 87);
    });
}

fn reader_of(dir: &Path) -> LogReader<LogDirectorySource> {
    reader(dir)
}

/// A file that is emptied and written anew is seen empty in between.
fn append(path: &Path, bytes: &[u8]) {
    let file = fs::OpenOptions::new().append(true).open(path);
    file.expect("opened").write_all(bytes).expect("written");
}
