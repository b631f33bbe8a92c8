//! What is appended, through every kind of rotation.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{all, open, page, request, wait};
use crate::base::Time;
use crate::entry::Entry;
use crate::files::{Feed, LogFiles};
use crate::query::{Direction, FollowRequest, Query, Start};

/// A log that is being written, and whoever follows it.
struct Written {
    dir: tempfile::TempDir,
    path: PathBuf,
    number: u64,
    rotations: u64,
}

impl Written {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("app.log");
        let mut written = Self {
            path,
            dir,
            number: 0,
            rotations: 0,
        };
        written.write(10);
        written
    }

    fn write(&mut self, count: u64) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(&self.path)
            .expect("opened");
        for _ in 0..count {
            let second = self.number / 60;
            let line = format!(
                "2026-03-14 09:{:02}:{:02} INFO entry {}\n",
                second / 60,
                second % 60,
                self.number
            );
            file.write_all(line.as_bytes()).expect("written");
            self.number += 1;
        }
    }

    fn rotate(&mut self, kind: &str) {
        self.rotations += 1;
        let old = self
            .dir
            .path()
            .join(format!("app.log.{}", 10_000 - self.rotations));
        match kind {
            "rename" => std::fs::rename(&self.path, old).expect("renamed"),
            "copytruncate" => {
                std::fs::copy(&self.path, old).expect("copied");
                let file = File::options()
                    .write(true)
                    .open(&self.path)
                    .expect("opened");
                file.set_len(0).expect("cut");
            }
            _ => {
                let fresh = self.dir.path().join(".fresh");
                File::create(&fresh).expect("created");
                std::fs::rename(&fresh, &self.path).expect("replaced");
            }
        }
    }
}

#[test]
fn a_file_that_begins_within_a_stack_trace_is_of_the_format_of_the_one_before() {
    let mut written = Written::new();
    let files = open(&[&written.path]);
    let find = |query: &str| all(&files, query, Direction::Older, 100);
    wait("its lines", || find("").len() == 10);
    written.rotate("rename");
    std::fs::write(&written.path, "more of it\nand more\n").expect("written");
    // It is looked at as it is: there is nothing in it that tells a format.
    wait("the new file", || {
        files.standing().len() == 2 && !find("more").is_empty()
    });
    written.write(10);
    wait("its lines", || find("entry").len() == 20);
    let newest = find("\"entry 19\"").remove(0);
    assert_eq!(newest.time.to_string(), "2026-03-14T09:00:00Z");
}

#[test]
fn a_format_that_was_chosen_stays_when_a_log_is_rotated() {
    let mut written = Written::new();
    let files = open(&[&written.path]);
    let log = written.path.display().to_string();
    files.set_format(&log, "text").expect("the format");
    written.rotate("rename");
    written.write(10);
    wait("the new file", || {
        all(&files, "", Direction::Older, 100).len() == 20
    });
    let formats: Vec<String> = files
        .standing()
        .into_iter()
        .map(|file| file.format)
        .collect();
    assert_eq!(formats, ["text", "text"]);
}

async fn follow(feed: &mut Feed, numbers: &mut Vec<u64>, until: u64) {
    let reading = async {
        while numbers.iter().max().is_none_or(|last| *last + 1 < until) {
            let batch = feed.next().await.expect("read");
            numbers.extend(numbers_of(batch.entries));
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(
        in_time.is_ok(),
        "entries up to {until}, came to {:?}",
        numbers.last()
    );
}

fn numbers_of(entries: Vec<Entry>) -> Vec<u64> {
    let number = |entry: Entry| entry.text.strip_prefix("entry ")?.parse().ok();
    entries.into_iter().filter_map(number).collect()
}

fn feed(files: &LogFiles) -> (Feed, Vec<u64>) {
    let newest = page(files, &request("", Start::End, Direction::Older, 1_000));
    let numbers = numbers_of(newest.entries.clone());
    let feed = files.follow(&FollowRequest {
        query: Query::default(),
        now: Time(0),
        after: newest.head,
    });
    (feed, numbers)
}

async fn survives(kind: &str) {
    let mut log = Written::new();
    let files = open(&[&log.path]);
    let (mut feed, mut numbers) = feed(&files);
    for round in 0..12 {
        log.write(100 + round % 3);
        if kind != "rename" {
            // What a cut or a replacement destroys must have been seen before.
            follow(&mut feed, &mut numbers, log.number).await;
        }
        log.rotate(kind);
        log.write(5);
        if round % 2 == 0 {
            follow(&mut feed, &mut numbers, log.number).await;
        }
    }
    follow(&mut feed, &mut numbers, log.number).await;
    let wanted: Vec<u64> = (0..log.number).collect();
    // The last entry of a renamed file waits a moment for what may continue it.
    while numbers.len() < wanted.len() {
        let next = tokio::time::timeout(Duration::from_secs(20), feed.next()).await;
        numbers.extend(numbers_of(next.expect("in time").expect("read").entries));
    }
    numbers.sort_unstable();
    assert!(numbers == wanted, "{kind}: nothing lost or doubled");
    let shown = all(&files, "", Direction::Older, 100);
    let shown: Vec<String> = shown.into_iter().map(|entry| entry.text).collect();
    let wanted: Vec<String> = wanted
        .iter()
        .map(|number| format!("entry {number}"))
        .collect();
    assert!(shown == wanted, "{kind}: pages show the same");
}

#[tokio::test]
async fn renamed_files_are_followed() {
    survives("rename").await;
}

#[tokio::test]
async fn cut_files_are_followed() {
    survives("copytruncate").await;
}

#[tokio::test]
async fn replaced_files_are_followed() {
    survives("replace").await;
}

#[test]
fn what_was_taken_for_whole_may_still_grow() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("app.log");
    std::fs::write(
        &path,
        "2026-03-14 09:00:00 INFO one\n2026-03-14 09:00:01 INFO tw",
    )
    .expect("written");
    let files = open(&[&path]);
    files.take_whole();
    let mut file = File::options().append(true).open(&path).expect("opened");
    file.write_all(b"o\n2026-03-14 09:00:02 INFO three\n")
        .expect("written");
    wait("all entries", || {
        files.picture_now();
        all(&files, "", Direction::Newer, 100).len() == 3
    });
    assert_eq!(
        files.standing().len(),
        1,
        "it is not taken for another file"
    );
}

#[tokio::test]
async fn entries_wait_for_their_continuations() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("app.log");
    std::fs::write(&path, "2026-03-14 09:00:00 INFO begun\n").expect("written");
    let files = open(&[&path]);
    let (mut feed, _) = feed(&files);
    let append = |path: &Path, text: &str| {
        let mut file = File::options().append(true).open(path).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    };
    let (mut texts, mut is_in_time) = (Vec::new(), false);
    // Who comes to the second write when nobody waits for it any more begins anew.
    while !is_in_time {
        let begun = Instant::now();
        append(&path, "2026-03-14 09:00:01 ERROR boom\n  at one\n");
        append(&path, "  at two\n2026-03-14 09:00:02 INFO next\n");
        is_in_time = begun.elapsed() < Duration::from_millis(200);
        texts.clear();
        while texts.last().is_none_or(|last| last != "next") {
            let batch = tokio::time::timeout(Duration::from_secs(20), feed.next()).await;
            let batch = batch.expect("in time").expect("read");
            texts.extend(batch.entries.into_iter().map(|entry| entry.text));
        }
    }
    assert!(
        texts.ends_with(&["boom\n  at one\n  at two".to_owned(), "next".to_owned()]),
        "{texts:?}"
    );
}
