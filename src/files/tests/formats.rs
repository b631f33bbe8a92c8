//! The corpus: samples of real formats, each with the entries that a perfect reader gives.

use std::path::PathBuf;

use serde_json::Value;

use super::{all, open, open_with};
use crate::base::Zone;
use crate::entry::{Entry, json};
use crate::files::Options;
use crate::query::Direction;

fn corpus() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/formats");
    let items = std::fs::read_dir(folder).expect("the corpus");
    let paths = items.filter_map(|item| Some(item.ok()?.path()));
    let mut logs: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .collect();
    logs.sort();
    logs
}

/// What is wrong with an entry, if anything is.
fn difference(entry: &Entry, wanted: &Value) -> Option<String> {
    let shown: Value = serde_json::from_str(&json::to_line(entry)).expect("JSON");
    for (key, wanted) in wanted.as_object()? {
        let is_right = match key.as_str() {
            "contains" => wanted
                .as_str()
                .is_some_and(|part| entry.text.contains(part)),
            "fields" => wanted.as_object().is_some_and(|fields| {
                fields
                    .iter()
                    .all(|(name, value)| shown["fields"].get(name) == Some(value))
            }),
            key => shown.get(key) == Some(wanted),
        };
        if !is_right {
            let shown = if key == "fields" {
                &shown["fields"]
            } else {
                &shown[key.as_str()]
            };
            return Some(format!("{key}: expected {wanted}, found {shown}"));
        }
    }
    None
}

#[test]
fn times_without_a_zone_are_of_the_zone_that_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, cache) = (dir.path().join("app.log"), dir.path().join("cache"));
    // Two hours are one in the morning, when clocks go back: the order is that of the file.
    let text = "\
2026-10-25 00:30:00 INFO summer
2026-10-25 02:30:00 INFO twice
2026-10-25 03:30:00 INFO winter
2026-10-25T03:30:00Z INFO told
";
    std::fs::write(&path, text).expect("written");
    for (zone, times) in [
        ("UTC", ["00:30", "02:30", "03:30", "03:30"]),
        ("Europe/Berlin", ["22:30", "00:30", "02:30", "03:30"]),
        ("-02:00", ["02:30", "04:30", "05:30", "03:30"]),
    ] {
        let options = Options {
            zone: Zone::named(zone).ok(),
            cache: Some(cache.clone()),
            ..Options::default()
        };
        let files = open_with(&[&path], options);
        files.take_whole();
        let mut entries = all(&files, "", Direction::Older, 10);
        entries.sort_by_key(|entry| entry.position);
        let clock = |entry: &Entry| entry.time.to_string()[11..16].to_owned();
        let found: Vec<String> = entries.iter().map(clock).collect();
        assert_eq!(found, times, "{zone}");
    }
}

#[test]
fn every_format_is_read_as_it_is_meant() {
    let corpus = corpus();
    assert!(corpus.len() >= 30, "{} samples", corpus.len());
    let mut wrong = Vec::new();
    for log in &corpus {
        let name = log
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        // Times without a year are of the one that puts them before the file was written.
        let copy = tempfile::tempdir().expect("a directory");
        let path = copy.path().join(format!("{name}.log"));
        std::fs::copy(log, &path).expect("copied");
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_hours(498_840);
        let file = std::fs::File::options()
            .append(true)
            .open(&path)
            .expect("opened");
        file.set_modified(written).expect("a time");
        let expected = std::fs::read_to_string(log.with_extension("expected.jsonl")).expect("read");
        let expected: Vec<Value> = expected
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let files = open(&[&path]);
        let mut entries = all(&files, "", Direction::Newer, 1_000);
        entries.sort_by_key(|entry| entry.position);
        let format = files.standing()[0].format.clone();
        if entries.len() != expected.len() {
            let found: Vec<_> = entries.iter().map(|entry| entry.text.as_str()).collect();
            wrong.push(format!(
                "{name} ({format}): expected {} entries, found {}: {found:#?}",
                expected.len(),
                entries.len()
            ));
            continue;
        }
        for (number, (entry, wanted)) in entries.iter().zip(&expected).enumerate() {
            if let Some(difference) = difference(entry, wanted) {
                wrong.push(format!(
                    "{name} ({format}), entry {}: {difference}",
                    number + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
