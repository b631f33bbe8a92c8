//! Files that come after it was begun to look; files that cannot be shown.

use std::fs;
use std::path::{Path, PathBuf};

use super::{all, open_with, page, request, utc, wait};
use crate::base::Time;
use crate::files::{Feed, LogFiles, Options};
use crate::query::{Direction, FollowRequest, Query, Start};

/// Writes lines of one minute.
fn write(path: &Path, minute: u32, words: &[&str]) {
    let lines = words.iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(second, word)| format!("2026-03-14 09:{minute:02}:{second:02} INFO {word}\n"))
        .collect();
    fs::write(path, lines.concat()).expect("written");
}

fn texts(files: &LogFiles) -> Vec<String> {
    let entries = all(files, "", Direction::Older, 100);
    entries.into_iter().map(|entry| entry.text).collect()
}

/// What comes from now on.
fn follow(files: &LogFiles) -> Feed {
    let newest = page(files, &request("", Start::End, Direction::Older, 10));
    files.follow(&FollowRequest {
        query: Query::default(),
        after: newest.head,
        now: Time(0),
    })
}

#[tokio::test]
async fn what_comes_into_a_directory_is_read_and_followed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    write(&path("a.log"), 0, &["a"]);
    let recursive = Options {
        recursive: true,
        ..utc()
    };
    let files = open_with(&[dir.path()], recursive);
    wait("its line", || texts(&files) == ["a"]);
    let mut feed = follow(&files);
    fs::create_dir(path("pod")).expect("made");
    write(&path("pod/b.log"), 2, &["b", "c"]);
    // It is what it was under a name that nobody rotates to.
    fs::rename(path("a.log"), path("before")).expect("renamed");
    write(&path("a.log"), 1, &["d"]);
    let mut followed = Vec::new();
    while followed.len() < 3 {
        let batch = feed.next().await.expect("a batch");
        followed.extend(batch.entries.into_iter().map(|entry| entry.text));
    }
    followed.sort();
    assert_eq!(followed, ["b", "c", "d"]);
    assert_eq!(texts(&files), ["a", "d", "b", "c"]);
    let logs = files.standing().into_iter().map(|file| file.path);
    assert_eq!(
        logs.collect::<Vec<PathBuf>>(),
        ["a.log", "a.log", "pod/b.log"].map(path)
    );
}

/// Waits until a file is older than what is opened next.
fn ages(path: &Path) {
    let born = || fs::metadata(path).and_then(|of| of.created()).ok();
    wait("the clock of the file system", || {
        born().is_none_or(|born| born.elapsed().is_ok_and(|age| age.as_millis() > 100))
    });
}

#[tokio::test]
async fn what_was_there_before_is_not_new_where_it_is_moved_to() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    fs::create_dir_all(path("logs")).expect("made");
    write(&path("logs/a.log"), 0, &["a"]);
    write(&path("b.log"), 1, &["b"]);
    write(&path("b.log.1"), 1, &["before b"]);
    ages(&path("b.log.1"));
    if fs::metadata(path("b.log"))
        .and_then(|of| of.created())
        .is_err()
    {
        return;
    }
    let files = open_with(&[&path("logs")], utc());
    wait("its line", || texts(&files) == ["a"]);
    let mut feed = follow(&files);
    fs::rename(path("b.log.1"), path("logs/b.log.1")).expect("moved");
    fs::rename(path("b.log"), path("logs/b.log")).expect("moved");
    wait("what was moved", || texts(&files).len() == 3);
    let appended = "2026-03-14 09:02:00 INFO c\n";
    let mut log = fs::File::options()
        .append(true)
        .open(path("logs/b.log"))
        .expect("opened");
    std::io::Write::write_all(&mut log, appended.as_bytes()).expect("written");
    let mut followed = Vec::new();
    while followed.is_empty() {
        let batch = feed.next().await.expect("a batch");
        followed.extend(batch.entries.into_iter().map(|entry| entry.text));
    }
    assert_eq!(followed, ["c"]);
    assert_eq!(texts(&files), ["a", "before b", "b", "c"]);
}

#[test]
fn what_is_open_under_another_name_is_not_taken_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    write(&path("app.log.1"), 1, &["b"]);
    write(&path("app.log.2"), 0, &["a"]);
    // They are logs of their own: there is no app.log.
    let files = open_with(&[&path("app.log.1"), &path("app.log.2")], utc());
    wait("both", || texts(&files) == ["a", "b"]);
    fs::rename(path("app.log.1"), path("app.log.2")).expect("renamed");
    write(&path("app.log.1"), 2, &["c"]);
    wait("what came", || texts(&files) == ["a", "b", "c"]);
}

#[test]
fn one_that_cannot_be_shown_keeps_nobody_from_the_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    write(&path("a.log"), 0, &["a"]);
    fs::write(path("wtmp"), [0; 100]).expect("written");
    let paths = ["a.log", "wtmp", "later.log"].map(path);
    let files = LogFiles::open(&paths, utc()).expect("one of them");
    wait("its line", || texts(&files) == ["a"]);
    let left_out = |files: &LogFiles| {
        let files = files.standing().into_iter();
        let left_out = files.filter(|file| file.trouble.is_some());
        left_out.map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(left_out(&files), [path("later.log"), path("wtmp")]);
    let trouble = files.standing().into_iter().filter_map(|file| file.trouble);
    assert_eq!(
        trouble.collect::<Vec<String>>(),
        [
            "No such file or directory (os error 2)",
            "not a text file (binary)"
        ]
    );
    write(&path("later.log"), 1, &["b"]);
    wait("what came later", || texts(&files) == ["a", "b"]);
    assert_eq!(left_out(&files), [path("wtmp")]);
    let nothing = LogFiles::open(&[path("wtmp")], utc()).expect_err("nothing to show");
    assert!(nothing.to_string().contains("not a text file"), "{nothing}");
}

#[test]
fn what_was_rotated_away_lies_where_a_link_leads() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("real")).expect("made");
    write(&path("real/0.log"), 1, &["b"]);
    write(&path("real/0.log.20260314-090000"), 0, &["a"]);
    let link = path("app.log");
    std::os::unix::fs::symlink(path("real/0.log"), &link).expect("linked");
    let files = open_with(&[&link], utc());
    wait("both", || texts(&files) == ["a", "b"]);
    fs::rename(path("real/0.log"), path("real/0.log.20260314-090100")).expect("renamed");
    write(&path("real/0.log"), 2, &["c"]);
    wait("what it leads to now", || texts(&files) == ["a", "b", "c"]);
}
