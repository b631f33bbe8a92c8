//! From what a user names to files.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes looked at to tell text from something else.
const PROBE_BYTES: u64 = 8 << 10;
/// Files taken from named directories at the most.
const MAX_FILES: usize = 1_000;

/// A name that leads to no log file.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The system refuses.
    #[error("cannot read {path}")]
    Unreadable {
        /// What was named.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no text in it.
    #[error(
        "{0} holds no text files; expected log files, or a data directory written by `tailwater serve`"
    )]
    Nothing(PathBuf),
    /// It is compressed or otherwise not text.
    #[error(
        "{path} is not a text file ({kind}); decompress it first, for example: zcat {path} | tailwater -"
    )]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        kind: &'static str,
    },
}

/// The log files that the paths mean: a file itself, of a directory the text files in it (not below it), by name.
///
/// # Errors
/// A path cannot be read, a directory holds nothing to show, or a file named is not text.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |source| DiscoverError::Unreadable {
            path: path.clone(),
            source,
        };
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            match kind(path).map_err(unreadable)? {
                None => files.push(path.clone()),
                Some(kind) => {
                    return Err(DiscoverError::NotText {
                        path: path.clone(),
                        kind,
                    });
                }
            }
            continue;
        }
        let mut inside: Vec<PathBuf> = Vec::new();
        for item in std::fs::read_dir(path).map_err(unreadable)?.flatten() {
            let file = item.path();
            let hidden = item.file_name().to_string_lossy().starts_with('.');
            if !hidden && file.is_file() && matches!(kind(&file), Ok(None)) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(DiscoverError::Nothing(path.clone()));
        }
        inside.sort();
        files.extend(inside);
    }
    files.truncate(MAX_FILES);
    Ok(files)
}

/// How files begin that are no text.
const MAGIC: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
];

/// What a file is if it is no text.
fn kind(path: &Path) -> std::io::Result<Option<&'static str>> {
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        // A pipe or a device is read as it comes.
        return Ok(None);
    }
    let mut head = Vec::new();
    file.take(PROBE_BYTES).read_to_end(&mut head)?;
    if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Ok(Some(kind));
    }
    // Logs may hold a stray NUL; a file that is full of them is something else.
    let nuls = memchr::memchr_iter(0, &head).count();
    Ok((nuls * 10 > head.len()).then_some("binary"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_and_the_rest_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let (b, a) = (file("b.log", b"x\n"), file("a.log", b""));
        let packed = file("c.gz", b"\x1f\x8b\x08");
        file(".hidden", b"x");
        assert_eq!(discover(&[dir.path().to_owned()]).expect("found"), [a, b]);
        assert!(matches!(
            discover(&[packed]),
            Err(DiscoverError::NotText { kind: "gzip", .. })
        ));
        assert!(matches!(
            discover(&[dir.path().join("none")]),
            Err(DiscoverError::Unreadable { .. })
        ));
        let empty = tempfile::tempdir().expect("a directory");
        assert!(matches!(
            discover(&[empty.path().to_owned()]),
            Err(DiscoverError::Nothing(_))
        ));
    }
}
