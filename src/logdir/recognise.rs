//! Whether a directory is one of ours, and whether somebody writes to it.

use std::path::Path;
use std::time::Duration;

use super::block::{Decoder, SEPARATOR};
use super::files::{Folder, LogFiles};

/// Blocks of this size or smaller are looked at.
const PROBE_BYTES: usize = 1 << 20;
/// So many files are looked at: one may be empty or damaged.
const PROBES: usize = 4;
/// A directory of binary logs that has not changed for so long is not written to: its writers ping every minute.
const QUIET_AFTER: Duration = Duration::from_mins(5);

/// Whether a directory holds log files by their names, and the first block of one can be read.
#[must_use]
pub fn is_log_directory(dir: &Path) -> bool {
    let files = Folder(dir.to_owned());
    let Ok(mut names) = files.list() else {
        return false;
    };
    names.sort();
    names.iter().take(PROBES).any(|name| {
        let bytes = files
            .open(name)
            .and_then(|file| file.read_at(0, PROBE_BYTES));
        let bytes = bytes.unwrap_or_default();
        let block = bytes
            .split(|byte| *byte == SEPARATOR)
            .next()
            .unwrap_or_default();
        block.len() < bytes.len() && Decoder::default().first(block).is_ok()
    })
}

/// Whether nothing in a directory has changed for a while.
#[must_use]
pub fn is_quiet(dir: &Path) -> bool {
    let changed = |item: std::fs::DirEntry| item.metadata().ok()?.modified().ok();
    let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let newest = items.filter_map(changed).max();
    newest
        .and_then(|newest| newest.elapsed().ok())
        .is_some_and(|age| age > QUIET_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_a_block_make_one() {
        let fixtures =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/super-server-logs");
        assert!(is_log_directory(&fixtures.join("rotated/logs")));
        assert!(is_log_directory(&fixtures.join("worker-only/logs")));
        assert!(!is_log_directory(&fixtures));
        assert!(!is_log_directory(Path::new("/nowhere")));
        let home = tempfile::tempdir().expect("a directory");
        // Named like one, and text.
        let name = home.path().join("01714521600000.log");
        std::fs::write(name, "2024-05-01 INFO started\n").expect("written");
        assert!(!is_log_directory(home.path()));
    }
}
