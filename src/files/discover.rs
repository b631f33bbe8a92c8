//! From what a user names to files.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::generations::origin;
use super::identity::FileId;
use super::packed::{HEAD_BYTES, Packing, packing};

/// Bytes looked at to tell text from something else.
const PROBE_BYTES: usize = 8 << 10;
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
        source: io::Error,
    },
    /// There is no text in it.
    #[error(
        "{0} holds no log files; expected text, compressed or not, or a data directory written by `tailwater serve`"
    )]
    Nothing(PathBuf),
    /// It is not text.
    #[error(
        "{path} is not a text file ({kind}); expected lines of text, or such compressed by gzip, zstd, xz, bzip2 or lz4"
    )]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        kind: &'static str,
    },
}

/// A file that is a log of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub path: PathBuf,
    /// How it is packed, if it is.
    pub packing: Option<Packing>,
}

impl Named {
    /// Which file it is.
    pub fn id(&self) -> Option<FileId> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some(FileId::of(&metadata))
    }
}

/// The log files that the paths mean: a file itself, of a directory those in it (not below it), by name. What was rotated away
/// from another one of them is left to that.
///
/// # Errors
/// A path cannot be read, a directory holds nothing to show, or a file named is not text.
pub(super) fn discover(paths: &[PathBuf]) -> Result<Vec<Named>, DiscoverError> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |source| DiscoverError::Unreadable {
            path: path.clone(),
            source,
        };
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            let kind = kind(path).map_err(unreadable)?;
            let packing = kind.map_err(|kind| DiscoverError::NotText {
                path: path.clone(),
                kind,
            })?;
            files.push(Named {
                path: path.clone(),
                packing,
            });
            continue;
        }
        let mut inside = Vec::new();
        for item in std::fs::read_dir(path).map_err(unreadable)?.flatten() {
            let file = item.path();
            let is_hidden = item.file_name().to_string_lossy().starts_with('.');
            if !is_hidden
                && file.is_file()
                && let Ok(Ok(packing)) = kind(&file)
            {
                inside.push(Named {
                    path: file,
                    packing,
                });
            }
        }
        if inside.is_empty() {
            return Err(DiscoverError::Nothing(path.clone()));
        }
        inside.sort_by(|a, b| a.path.cmp(&b.path));
        files.extend(inside);
    }
    let names: HashSet<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let is_generation = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let log = path.with_file_name(origin(name)?);
        Some(names.contains(&log))
    };
    files.retain(|file| is_generation(&file.path) != Some(true));
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.path.clone()));
    files.truncate(MAX_FILES);
    Ok(files)
}

/// Whether a file is compressed or an archive, as far as that can be read.
pub(crate) fn is_packed(file: &File) -> bool {
    matches!(packing_of(file), Ok(Some(_)))
}

/// How a file is packed, if it is.
///
/// # Errors
/// It cannot be read.
pub(super) fn packing_of(file: &File) -> io::Result<Option<Packing>> {
    let mut head = [0; HEAD_BYTES];
    let mut filled = 0;
    while filled < head.len() {
        match file.read_at(&mut head[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(packing(&head[..filled]))
}

/// Text, perhaps packed; or what else a file is.
fn kind(path: &Path) -> io::Result<Result<Option<Packing>, &'static str>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(Err("no regular file; standard input is named -"));
    }
    if let Some(packing) = packing_of(&file)? {
        return Ok(Ok(Some(packing)));
    }
    let mut head = vec![0; PROBE_BYTES];
    let filled = file.read_at(&mut head, 0)?;
    head.truncate(filled);
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Err("zip"));
    }
    // Logs may hold a stray NUL; a file that is full of them is something else.
    let nuls = memchr::memchr_iter(0, &head).count();
    Ok(if nuls * 10 > head.len() {
        Err("binary")
    } else {
        Ok(None)
    })
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
        let (packed, rotated) = (file("c.gz", b"\x1f\x8b\x08"), file("a.log.1", b"x\n"));
        let zip = file("d.zip", b"PK\x03\x04");
        file(".hidden", b"x");
        let text = |path: &Path| Named {
            path: path.to_owned(),
            packing: None,
        };
        let gzip = Named {
            path: packed,
            packing: Some(Packing::Gzip),
        };
        assert_eq!(
            discover(&[dir.path().to_owned()]).expect("found"),
            [text(&a), text(&b), gzip]
        );
        assert_eq!(
            discover(std::slice::from_ref(&rotated)).expect("found"),
            [text(&rotated)]
        );
        assert!(matches!(
            discover(&[zip]),
            Err(DiscoverError::NotText { kind: "zip", .. })
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
