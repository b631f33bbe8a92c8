//! Files: rotated, cut, replaced, half written.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::{Stage, append, files_to, lines, numbered};
use crate::support::{Events, wait_for};

fn stream() -> (Stage, Events) {
    let stage = Stage::new(&files_to("type = \"http\""));
    let events = Events::follow(&stage.service.url, "/app/stream", &[]);
    assert_eq!(events.next().name, "connected");
    (stage, events)
}

#[test]
fn new_files_are_read_from_their_beginning_and_old_ones_from_their_end() {
    let home = tempfile::tempdir().expect("a home");
    fs::create_dir(home.path().join("logs")).expect("a folder");
    append(&home.path().join("logs/old.log"), b"before\nhalf");
    append(
        &home.path().join("logs/packed.log.gz"),
        b"\x1f\x8b\x08 packed\n",
    );
    append(
        &home.path().join("logs/packed.log"),
        b"\x1f\x8b\x08 packed\n",
    );
    let stage = Stage::within(home, &files_to("type = \"http\""));
    let events = Events::follow(&stage.service.url, "/app/stream?after=0", &[]);
    stage.append("new.log", "first\nsecond\nthird\n");
    assert_eq!(events.texts(3), ["first", "second", "third"]);
    stage.append("old.log", " and half\nafter\n");
    assert_eq!(events.texts(2), ["half and half", "after"]);
}

#[test]
fn old_files_are_read_from_their_beginning_when_told() {
    let home = tempfile::tempdir().expect("a home");
    fs::create_dir(home.path().join("logs")).expect("a folder");
    append(&home.path().join("logs/old.log"), b"before\n");
    let source =
        files_to("type = \"http\"").replace("\npattern", "\nstart = \"beginning\"\npattern");
    let stage = Stage::within(home, &source);
    let events = Events::follow(&stage.service.url, "/app/stream?after=0", &[]);
    assert_eq!(events.texts(1), ["before"]);
}

#[test]
fn a_line_in_pieces_comes_once_and_a_long_one_wedges_nothing() {
    let (stage, events) = stream();
    for piece in ["a line ", "in three ", "pieces\nnext\n"] {
        stage.append("a.log", piece);
        // What is there is looked at before the next comes: the service has read the file so far.
        let length = fs::metadata(stage.logs("a.log")).expect("there").len();
        wait_for("the piece to be seen", || {
            let source = &stage.status("app")["sources"][0];
            let seen = source["bytes"].as_u64()? + source["lag_bytes"].as_u64()?;
            (seen >= length).then_some(())
        });
    }
    assert_eq!(events.texts(2), ["a line in three pieces", "next"]);
    let long = "x".repeat(2 << 20);
    stage.append("a.log", &format!("short\n{long}\nshort too\n"));
    let texts = events.texts(4);
    assert_eq!(
        (texts[0].as_str(), texts[3].as_str()),
        ("short", "short too")
    );
    assert_eq!(texts[1].clone() + &texts[2], long);
}

#[test]
fn stack_traces_are_one_entry() {
    let (stage, events) = stream();
    stage.append(
        "a.log",
        "2026-03-14 09:00:00 ERROR boom\njava.lang.Error: x\n\tat a.b(C.java:1)\n2026-03-14 09:00:01 INFO next\n",
    );
    assert_eq!(
        events.texts(2),
        ["boom\njava.lang.Error: x\n\tat a.b(C.java:1)", "next"]
    );
}

#[test]
fn renamed_files_are_read_to_their_end_before_their_successors() {
    let (stage, events) = stream();
    stage.append("a.log", &lines(0..10));
    assert_eq!(events.texts(10), numbered(0..10));
    // A successor larger than what was read; and two rotations before anybody looks.
    stage.append("a.log", &lines(10..20));
    fs::rename(stage.logs("a.log"), stage.logs("a.log.1")).expect("renamed");
    stage.append("a.log", &lines(20..60));
    fs::rename(stage.logs("a.log.1"), stage.logs("a.log.2")).expect("renamed");
    fs::rename(stage.logs("a.log"), stage.logs("a.log.1")).expect("renamed");
    stage.append("a.log", &lines(60..70));
    assert_eq!(events.texts(60), numbered(10..70));
    // The old file is still written to by whoever has it open.
    append(&stage.logs("a.log.1"), b"late\n");
    assert_eq!(events.texts(1), ["late"]);
}

/// Writes numbered lines at some 10,000 a second and rotates now and then; how many lines were written.
fn rotated_under_load(stage: &Stage, rotations: usize, mut rotate: impl FnMut(usize)) -> u64 {
    let began = Instant::now();
    let mut next = 0;
    for round in 0..rotations {
        for _ in 0..4 {
            stage.append("a.log", &lines(next..next + 50));
            next += 50;
            let due = Duration::from_micros(next * 100);
            std::thread::park_timeout(due.saturating_sub(began.elapsed()));
        }
        rotate(round);
    }
    stage.append("a.log", &lines(next..next + 50));
    next + 50
}

#[test]
fn a_hundred_renames_under_load_lose_and_double_nothing() {
    let (stage, events) = stream();
    let written = rotated_under_load(&stage, 100, |round| {
        fs::rename(stage.logs("a.log"), stage.logs(&format!("a.log.{round}"))).expect("renamed");
    });
    // A rotation amid the listing of the directory may be found only by the next look, after its successor.
    let mut texts = events.texts(20_050);
    texts.sort_by_key(|text| text[5..].parse::<u64>().expect("a number"));
    assert_eq!(texts, numbered(0..written));
}

#[test]
fn a_hundred_replacements_under_load_lose_and_double_nothing() {
    let (stage, events) = stream();
    let written = rotated_under_load(&stage, 100, |_| {
        // Who replaces a file that nobody has seen yet takes its lines with it: nobody could read them.
        let own = fs::metadata(stage.logs("a.log")).expect("there").ino();
        let open = || open_files(&stage).contains(&own).then_some(());
        wait_for("the file to be open", open);
        fs::write(stage.logs("fresh.tmp"), "").expect("written");
        fs::rename(stage.logs("fresh.tmp"), stage.logs("a.log")).expect("renamed");
    });
    assert_eq!(events.texts(20_050), numbered(0..written));
}

/// The numbers of the files that the service has open.
fn open_files(stage: &Stage) -> Vec<u64> {
    let pid = stage.service.pid().as_raw_nonzero();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("listed");
    let numbers = files
        .flatten()
        .filter_map(|file| Some(fs::metadata(file.path()).ok()?.ino()));
    numbers.collect()
}

#[test]
fn cut_files_are_read_on_in_their_copies() {
    let (stage, events) = stream();
    let written = rotated_under_load(&stage, 100, |round| {
        // What logrotate's copytruncate does. Nobody writes in between, so nothing can be lost.
        fs::copy(stage.logs("a.log"), stage.logs(&format!("a.log.{round}"))).expect("copied");
        let file = fs::OpenOptions::new().write(true).open(stage.logs("a.log"));
        file.expect("opened").set_len(0).expect("cut");
    });
    // Where several cuts lie between two looks their order cannot be told; nothing is lost or doubled.
    let mut texts = events.texts(20_050);
    texts.sort_by_key(|text| text[5..].parse::<u64>().expect("a number"));
    assert_eq!(texts, numbered(0..written));
}

#[test]
fn links_that_lead_out_are_not_followed() {
    let (stage, events) = stream();
    let secret = stage.home.path().join("secret.log");
    append(&secret, b"secret\n");
    std::os::unix::fs::symlink(&secret, stage.logs("link.log")).expect("linked");
    stage.append("a.log", "open\n");
    append(&secret, b"more\n");
    assert_eq!(events.texts(1), ["open"]);
    stage.append("a.log", "closed\n");
    assert_eq!(events.texts(1), ["closed"]);
}

#[test]
fn a_restart_goes_on_at_the_byte_where_it_stopped() {
    let mut stage = Stage::new(&files_to("type = \"store\""));
    stage.append("a.log", &lines(0..1_000));
    stage.delivered("app", 0, 1_000);
    stage.service.stop();
    stage.append("a.log", &lines(1_000..1_500));
    fs::rename(stage.logs("a.log"), stage.logs("a.log.1")).expect("renamed");
    stage.append("a.log", &lines(1_500..2_000));
    fs::rename(stage.logs("a.log"), stage.logs("a.log.2")).expect("renamed");
    stage.append("a.log", &lines(2_000..2_100));
    stage.service.restart();
    stage.delivered("app", 0, 1_100);
    let mut stored = stage.stored();
    stored.sort_by_key(|text| text[5..].parse::<u64>().expect("a number"));
    assert_eq!(stored, numbered(0..2_100));
}
