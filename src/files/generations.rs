//! Names of files that were rotated away, and which file they were rotated from.
//!
//! Sources of the forms: logrotate(8) (`app.log.1`, `app.log-20260314`, `app.log.2.gz`), log4j2's and logback's rolling
//! files (`app-2026-03-14.log`, `app.2026-03-14.1.log.gz`), Go's lumberjack (`app-2026-03-14T09-00-00.000.log`).

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

use regex::Regex;

/// Generations of one log, at the most.
const MOST: usize = 1_000;

/// The name of the file that this one was rotated from: `app.log` of `app.log.1`, `app.log-20260314.gz`,
/// `app-2026-03-14.log`; `None` of a name that is no generation's.
pub(super) fn origin(name: &str) -> Option<String> {
    static ROTATED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?x) ^ (?<stem> .+? )
            (?: [._-] (?: \d{4}-\d\d-\d\d (?: [T_.-]? \d\d [.:-]? \d\d (?: [.:-]? \d\d (?: \.\d{1,6} )? )? )? | \d{1,14} | old ) )+
            (?<ending> \.[A-Za-z]+ )?? (?: \.(?: gz|zst|xz|bz2|lz4 ) )? $",
        )
        .expect("a valid pattern")
    });
    let found = ROTATED.captures(name)?;
    let ending = found.name("ending").map_or("", |ending| ending.as_str());
    Some(format!("{}{ending}", &found["stem"]))
}

/// Whether a generation of this name is compressed.
pub(super) fn is_compressed(name: &str) -> bool {
    let ending = name.rsplit('.').next();
    ending.is_some_and(|ending| matches!(ending, "gz" | "zst" | "xz" | "bz2" | "lz4"))
}

/// Directories that were read once, for many logs that lie in them.
#[derive(Debug, Default)]
pub(super) struct Directories(HashMap<PathBuf, HashMap<String, Vec<Dated>>>);

/// A file, and when it was last written to.
type Dated = (Option<SystemTime>, PathBuf);

impl Directories {
    /// The files beside a log that were rotated away from it, the oldest first. What is rotated is what a link leads to.
    pub fn generations(&mut self, log: &Path) -> Vec<PathBuf> {
        let real = log.is_symlink().then(|| log.canonicalize().ok()).flatten();
        let log = real.as_deref().unwrap_or(log);
        let (Some(dir), Some(name)) = (folder(log), log.file_name().and_then(|name| name.to_str()))
        else {
            return Vec::new();
        };
        let known = self.0.entry(dir);
        let of_directory = known.or_insert_with_key(|dir| rotated_in(dir));
        let mut found = of_directory.get(name).cloned().unwrap_or_default();
        found.sort_by_cached_key(|(modified, path)| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            rank(*modified, &name.unwrap_or_default())
        });
        // Of too many the newest are of interest.
        let first = found.len().saturating_sub(MOST);
        let newest = found.split_off(first).into_iter();
        newest.map(|(_, path)| path).collect()
    }
}

/// What was rotated away in a directory, by the name it had.
fn rotated_in(dir: &Path) -> HashMap<String, Vec<Dated>> {
    let mut found: HashMap<String, Vec<Dated>> = HashMap::new();
    for item in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if let Some(origin) = item.file_name().to_str().and_then(origin)
            && let Ok(metadata) = item.metadata()
            && metadata.is_file()
        {
            let dated = (metadata.modified().ok(), item.path());
            found.entry(origin).or_default().push(dated);
        }
    }
    found
}

/// What generations are sorted by, the oldest first; of equal times the one that was rotated more often: app.log.10 is older
/// than app.log.9.
pub(super) fn rank<T: Ord>(modified: T, name: &str) -> (T, Reverse<u64>) {
    let number = name.split('.').rev().find_map(|part| part.parse().ok());
    (modified, Reverse(number.unwrap_or(0)))
}

/// The directory of a file.
pub(super) fn folder(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        parent.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_told() {
        for (name, wanted) in [
            ("app.log.1", Some("app.log")),
            ("app.log.12.gz", Some("app.log")),
            ("app.log-20260314", Some("app.log")),
            ("app.log-20260314.gz", Some("app.log")),
            ("app-2026-03-14.log", Some("app.log")),
            ("app.2026-03-14.1.log.gz", Some("app.log")),
            ("app-2026-03-14T09-00-00.000.log", Some("app.log")),
            ("app.1.log", Some("app.log")),
            ("syslog.1", Some("syslog")),
            ("app.log.old", Some("app.log")),
            ("app.log", None),
            ("payments-api.log", None),
            ("app.log.gz", None),
            ("node-exporter.log", None),
        ] {
            assert_eq!(origin(name).as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn generations_come_the_oldest_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let time = SystemTime::UNIX_EPOCH;
        for (name, age) in [
            ("a.log", 9),
            ("a.log.1", 5),
            ("a.log.2.gz", 3),
            ("a.log.10", 3),
            ("b.log.1", 1),
        ] {
            let file = std::fs::File::create(dir.path().join(name)).expect("created");
            file.set_modified(time + std::time::Duration::from_secs(age))
                .expect("a time");
        }
        let found = Directories::default().generations(&dir.path().join("a.log"));
        let names: Vec<_> = found
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
            .collect();
        assert_eq!(names, ["a.log.10", "a.log.2.gz", "a.log.1"]);
    }
}
