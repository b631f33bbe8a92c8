//! What the real library wrote and read, read here with the same result.

mod cluster;
mod damage;
mod fixtures;
mod hostile;
mod manager;
mod pages;
mod round_trip;
mod tail;
mod writer;

pub use cluster::{Cluster, Hand, START, Step, by_hand, step};
pub use damage::stepping;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::entry::LogEntry;
use super::*;

/// Larger than the time of any entry.
const FOREVER: i64 = 281_474_976_710_655;

/// A folder of what the real library wrote.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/super-server-logs")
        .join(name)
}

fn reader(dir: &Path) -> LogReader<LogDirectorySource> {
    LogReader::new(LogDirectorySource::new(dir))
}

fn range(dir: &Path, min: i64, max: i64) -> Vec<LogEntry> {
    let mut reader = reader(dir);
    let range = reader.range(min, max).expect("opened");
    range.collect::<Result<_, _>>().expect("read")
}

fn reversed(dir: &Path, min: i64, max: i64) -> Vec<LogEntry> {
    let mut reader = reader(dir);
    let range = reader.range_reversed(min, max).expect("opened");
    range.collect::<Result<_, _>>().expect("read")
}

/// How the fixtures name an entry.
fn id(entry: &LogEntry) -> String {
    let worker = entry.worker_id;
    let worker = worker.map_or_else(|| "-".to_owned(), |worker| worker.to_string());
    format!("{}/{worker}/{}", entry.timestamp, entry.nonce)
}

fn sha256_of_ids(entries: &[LogEntry]) -> String {
    let mut hash = Sha256::new();
    for entry in entries {
        hash.update(id(entry));
        hash.update("\n");
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("read");
    text.lines().map(str::to_owned).collect()
}

/// A count in a JSON object.
fn count(value: &serde_json::Value, key: &str) -> usize {
    usize::try_from(number(value, key)).expect("a count")
}

/// A number of a JSON object.
fn number(value: &serde_json::Value, key: &str) -> i64 {
    value[key]
        .as_i64()
        .unwrap_or_else(|| panic!("{key}: {value}"))
}
