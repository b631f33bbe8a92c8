//! Pages, counts and lookups against what a reader of the whole would say.

use std::path::Path;

use proptest::prelude::*;

use super::{all, index, open, open_with, page, request};
use crate::base::Time;
use crate::entry::{Entry, Key};
use crate::files::Options;
use crate::files::selection::Selection;
use crate::query::{
    ContextRequest, Direction, FacetsRequest, Field, HistogramRequest, Matcher, Query, Start,
};

/// Lines of JSON whose times step back and forth, with some that continue others, in several blocks.
fn lines(seed: u64, count: u64, disorder: i64) -> String {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut text = String::new();
    let mut time = 1_773_478_800_000_i64;
    for number in 0..count {
        time += dice.i64(0..40);
        let told = time
            - if dice.u8(0..20) == 0 {
                dice.i64(0..=disorder)
            } else {
                0
            };
        let level = ["info", "info", "info", "warn", "error"][dice.usize(0..5)];
        let namespace = ["shop", "pay", "mail"][dice.usize(0..3)];
        let padding = "x".repeat(dice.usize(0..200));
        text.push_str(&format!(
            "{{\"ts\":{told},\"level\":\"{level}\",\"ns\":\"{namespace}\",\"msg\":\"entry {number} {padding}\",\"trace\":\"t{}\"}}\n",
            number / 3
        ));
        if dice.u8(0..50) == 0 {
            text.push_str("\tat frame\n\tat frame\n");
        }
    }
    text
}

fn written(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn keys(entries: &[Entry]) -> Vec<Key> {
    entries.iter().map(Entry::key).collect()
}

#[test]
fn pages_of_all_sizes_give_every_entry_once_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let a = written(dir.path(), "a.log", &lines(1, 9_000, 3_000));
    let b = written(dir.path(), "b.log", &lines(2, 4_000, 3_000));
    let files = open(&[&a, &b]);
    for is_indexed in [false, true] {
        if is_indexed {
            index(&files);
        }
        let whole = all(&files, "", Direction::Newer, 1_000);
        assert_eq!(whole.len(), 13_000);
        assert!(
            keys(&whole).is_sorted_by(|a, b| a < b),
            "in order, none twice"
        );
        for limit in [1_000, 77] {
            let older = all(&files, "", Direction::Older, limit);
            assert!(
                keys(&older) == keys(&whole),
                "the same both ways: {is_indexed}"
            );
        }
        for query in [
            "level:error",
            "ns:pay",
            "trace:t77",
            "\"entry 88\"",
            "level:warn ns:mail",
            "-level:info",
        ] {
            let matcher = Matcher::compile(&query.parse().expect(query), Time(0));
            let wanted: Vec<_> = whole
                .iter()
                .filter(|entry| matcher.matches(entry))
                .cloned()
                .collect();
            assert!(!wanted.is_empty(), "{query}");
            for direction in [Direction::Older, Direction::Newer] {
                let found = all(&files, query, direction, 100);
                assert!(
                    keys(&found) == keys(&wanted),
                    "{query} {direction:?} {is_indexed}"
                );
            }
        }
    }
}

#[test]
fn clocks_that_step_far_back_are_put_right_by_the_index() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = written(dir.path(), "a.log", &lines(3, 12_000, 3_000_000));
    let files = open(&[&path]);
    index(&files);
    let whole = all(&files, "", Direction::Newer, 1_000);
    assert_eq!(whole.len(), 12_000);
    assert!(keys(&whole).is_sorted_by(|a, b| a < b));
    assert!(keys(&all(&files, "", Direction::Older, 500)) == keys(&whole));
    let middle = whole[6_000].key();
    let around = page(
        &files,
        &request("", Start::Beyond(middle), Direction::Older, 3),
    );
    assert!(keys(&around.entries) == keys(&whole[5_997..6_000]));
}

#[test]
fn counts_are_those_of_the_entries() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = written(dir.path(), "a.log", &lines(4, 12_000, 20_000));
    let files = open(&[&path]);
    index(&files);
    let whole = all(&files, "", Direction::Newer, 1_000);
    for query in [
        "",
        "level:error",
        "ns:shop",
        "trace:t900",
        "level:warn ns:pay",
    ] {
        let query: Query = query.parse().expect(query);
        let matcher = Matcher::compile(&query, Time(0));
        let request = HistogramRequest {
            query: query.clone(),
            now: Time(0),
            after: None,
            before: None,
            buckets: 60,
        };
        let counted = files.histogram(&request, &|| false).expect("counted");
        assert!(!counted.partial, "{query}");
        let mut wanted = vec![[0_u64; 6]; counted.buckets.len()];
        for entry in whole.iter().filter(|entry| matcher.matches(entry)) {
            let at = (entry.time.0 - counted.start) / counted.width;
            wanted[usize::try_from(at).expect("within")][entry.level as usize] += 1;
        }
        assert_eq!(counted.buckets, wanted, "{query}");
        let facets = FacetsRequest {
            query: query.clone(),
            now: Time(0),
            field: Field::Namespace,
            limit: 10,
        };
        let facets = files.facets(&facets, &|| false).expect("counted");
        let wanted = whole.iter().filter(|entry| matcher.matches(entry)).count() as u64;
        assert_eq!(
            facets.values.iter().map(|facet| facet.count).sum::<u64>(),
            wanted,
            "{query}"
        );
    }
    let namespaces = files.namespaces();
    let total: u64 = namespaces
        .iter()
        .map(crate::query::NamespaceCount::total)
        .sum();
    assert_eq!(total, 12_000);
}

#[test]
fn an_entry_is_shown_as_it_was_written_and_with_its_neighbours() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = written(dir.path(), "a.log", &lines(5, 3_000, 0));
    let files = open(&[&path]);
    let whole = all(&files, "", Direction::Newer, 1_000);
    let wanted = &whole[1_500];
    let found = files.entry(wanted.position).expect("read").expect("there");
    let text = std::fs::read_to_string(&path).expect("read");
    let line = found.fields["line"].as_str().expect("the line");
    let offset = found.fields["offset"].as_u64().expect("the place");
    assert!(text[usize::try_from(offset).expect("small")..].starts_with(line));
    assert_eq!(found.fields["file"], path.display().to_string());
    assert!(
        files
            .entry(crate::entry::Position(wanted.position.0 + 1))
            .expect("read")
            .is_none()
    );
    let request = ContextRequest {
        position: wanted.position,
        query: Query::default(),
        now: Time(0),
        before: 2,
        after: 2,
    };
    let around = files
        .context(&request, &|| false)
        .expect("read")
        .expect("there");
    assert!(keys(&around.entries) == keys(&whole[1_498..=1_502]));
}

#[test]
fn an_index_that_is_kept_is_read_again_but_not_for_another_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = || Options {
        cache: Some(dir.path().join("cache")),
        ..Options::default()
    };
    // More blocks than are worth an index.
    let path = written(dir.path(), "a.log", &lines(6, 90_000, 0));
    let first = open_with(&[&path], options());
    index(&first);
    let is_kept =
        || std::fs::read_dir(dir.path().join("cache")).is_ok_and(|items| items.count() == 1);
    super::wait("the index on disk", is_kept);
    let wanted = first.standing()[0].indexed.expect("an index");
    drop(first);
    let again = open_with(&[&path], options());
    let known = again.gauge().reading();
    assert!(
        known.is_none_or(|(known, _)| known >= wanted),
        "{known:?}, {wanted}"
    );
    drop(again);
    let size = std::fs::metadata(&path).expect("there").len();
    let kept = std::fs::read_dir(dir.path().join("cache"))
        .expect("read")
        .flatten();
    let kept: u64 = kept.map(|item| item.metadata().expect("there").len()).sum();
    assert!(kept * 100 < size, "{kept} bytes of index for {size}");
    // The same number on disk, other content.
    let text = lines(7, 90_000, 0);
    std::fs::write(&path, &text).expect("written");
    let other = open_with(&[&path], options());
    index(&other);
    let total: u64 = other
        .namespaces()
        .iter()
        .map(crate::query::NamespaceCount::total)
        .sum();
    let entries = all(&other, "", Direction::Newer, 1_000);
    assert_eq!(entries.len(), 90_000);
    assert_eq!(total, 90_000);
}

#[test]
fn compressed_generations_are_read_behind_the_live_file() {
    use std::io::Write;

    let dir = tempfile::tempdir().expect("a directory");
    let text = lines(8, 6_000, 0);
    let cut = |share: usize| text[..text.len() * share / 3].rfind('\n').expect("a line") + 1;
    let parts = [&text[..cut(1)], &text[cut(1)..cut(2)], &text[cut(2)..]];
    let old = std::fs::File::create(dir.path().join("a.log.2.gz")).expect("created");
    let mut packed = flate2::write::GzEncoder::new(&old, flate2::Compression::fast());
    packed.write_all(parts[0].as_bytes()).expect("written");
    packed.finish().expect("written");
    let age = |path: &Path, seconds| {
        let file = std::fs::File::options()
            .append(true)
            .open(path)
            .expect("opened");
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
        file.set_modified(time).expect("a time");
    };
    age(&dir.path().join("a.log.2.gz"), 300);
    age(&written(dir.path(), "a.log.1", parts[1]), 200);
    let live = written(dir.path(), "a.log", parts[2]);
    age(&live, 100);
    let whole: Vec<String> = {
        let one = written(dir.path(), "whole.txt", &text);
        age(&one, 100);
        all(&open(&[&one]), "", Direction::Newer, 1_000)
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    };
    assert_eq!(whole.len(), 6_000);
    for direction in [Direction::Older, Direction::Newer] {
        let files = open(&[&live]);
        let newest = page(&files, &request("", Start::End, Direction::Older, 10));
        assert_eq!(newest.entries.len(), 10);
        assert_eq!(
            files.standing()[0].bytes,
            0,
            "nothing is unpacked before it is needed"
        );
        let found = all(&files, "", direction, 700);
        let texts: Vec<String> = found.iter().map(|entry| entry.text.clone()).collect();
        assert!(texts == whole, "{direction:?}");
        let selection = Selection::new(&Query::default(), Time(0), files.options());
        let new = files.read_after(&files.places_of(newest.head), &selection);
        assert_eq!(new.expect("read").0, [], "what was unpacked is not new");
        assert!(
            found
                .iter()
                .all(|entry| entry.source == Some(live.display().to_string()))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever bytes a file holds, nothing panics, and every line can be shown as it was written.
    #[test]
    fn any_bytes_can_be_shown(bytes in prop::collection::vec(any::<u8>(), 1..2_000), is_json in any::<bool>()) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        let mut text = bytes.clone();
        if is_json {
            text.splice(0..0, *b"{\"msg\":\"a\",\"time\":\"2026-03-14T09:00:00Z\"}\n");
        }
        // What is full of NULs is taken for something else than text.
        text.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'0');
        std::fs::write(&path, &text).expect("written");
        let aged = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
        std::fs::File::options().append(true).open(&path).expect("opened").set_modified(aged).expect("a time");
        let Ok(files) = crate::files::LogFiles::open(std::slice::from_ref(&path), Options::default()) else {
            return Ok(());
        };
        let mut entries = all(&files, "", Direction::Newer, 50);
        entries.sort_by_key(|entry| entry.position);
        let mut shown = String::new();
        for entry in &entries {
            let found = files.entry(entry.position).expect("read").expect("there");
            let line = found.fields.get("line").and_then(|line| line.as_str()).map(str::to_owned);
            shown.push_str(&line.unwrap_or(found.text));
            shown.push('\n');
        }
        let wanted = crate::entry::bytes::decode(&text).into_owned();
        let squeezed = |text: &str| text.split(['\n', '\r']).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(squeezed(&shown), squeezed(&wanted));
    }
}
