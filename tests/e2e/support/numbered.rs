//! Logs whose lines are numbered, written and rotated while somebody looks: nothing of them may be lost or doubled.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Screen;

/// Line `n` of a log, a millisecond after the one before.
pub fn line(n: u64) -> String {
    let (minute, second, millisecond) = (n / 60_000, n / 1_000 % 60, n % 1_000);
    format!("2026-03-14T09:{minute:02}:{second:02}.{millisecond:03}Z INFO entry {n}\n")
}

pub fn lines(range: Range<u64>) -> String {
    range.map(line).collect()
}

pub fn append(path: &Path, text: &str) {
    let file = File::options().append(true).create(true).open(path);
    let added = file.and_then(|mut file| file.write_all(text.as_bytes()));
    added.expect("written");
}

pub fn entries(json: &str) -> Vec<Value> {
    let entry = |line| serde_json::from_str(line).expect("JSON");
    json.lines().map(entry).collect()
}

pub fn text(entry: &Value) -> &str {
    entry["msg"].as_str().expect("a text")
}

/// These are our lines up to a number: each once, in order.
pub fn are_all(entries: &[Value], count: u64, what: &str) {
    let number = |entry: &Value| -> Option<u64> {
        let words = text(entry).strip_prefix("entry ")?;
        words.split(' ').next()?.parse().ok()
    };
    let found: Vec<_> = entries.iter().map(number).collect();
    let mut pairs = found.iter().zip(0..count);
    let wrong = pairs.position(|(found, wanted)| *found != Some(wanted));
    let around = wrong.map(|at| &found[at.saturating_sub(2)..(at + 3).min(found.len())]);
    let length = found.len() as u64;
    assert!(
        wrong.is_none() && length == count,
        "{what}: {length} entries of {count}, at {wrong:?} {around:?}"
    );
}

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    Rename,
    Copytruncate,
    Replace,
}

/// A log that is written, and rotated as logrotate does it.
pub struct Rotated {
    pub path: PathBuf,
    pub rotation: Rotation,
    /// Lines that were written.
    pub count: u64,
    /// Lines written at once, and how long after the batch before.
    pub pace: (u64, Duration),
    /// Files that are kept of those that were rotated away.
    pub kept: u64,
}

impl Rotated {
    pub fn write(&mut self, count: u64) {
        let (end, mut due) = (self.count + count, Instant::now());
        while self.count < end {
            let batch = self.count..(self.count + self.pace.0).min(end);
            self.count = batch.end;
            append(&self.path, &lines(batch));
            due += self.pace.1;
            while let Some(left) = due.checked_duration_since(Instant::now()) {
                std::thread::park_timeout(left);
            }
        }
    }

    pub fn generation(&self, age: u64) -> PathBuf {
        self.path.with_file_name(format!("app.log.{age}"))
    }

    pub fn rotate(&self) {
        if self.rotation == Rotation::Replace {
            let fresh = self.path.with_file_name(".fresh");
            File::create(&fresh).expect("created");
            fs::rename(&fresh, &self.path).expect("replaced");
            return;
        }
        for age in (1..self.kept).rev() {
            let old = self.generation(age);
            if old.exists() {
                fs::rename(old, self.generation(age + 1)).expect("renamed");
            }
        }
        if self.rotation == Rotation::Rename {
            fs::rename(&self.path, self.generation(1)).expect("renamed");
            return;
        }
        fs::copy(&self.path, self.generation(1)).expect("copied");
        let file = File::options().write(true).open(&self.path);
        file.and_then(|file| file.set_len(0)).expect("cut");
    }

    /// Waits until the last line is on the screen: then everything before it was read.
    pub fn is_seen(&self, screen: &Screen) {
        let last = format!(" entry {}", self.count - 1);
        screen.wait(&format!("{:?}: {last}", self.rotation), |rows| {
            rows.iter().any(|row| row.trim_end().ends_with(&last))
        });
    }
}
