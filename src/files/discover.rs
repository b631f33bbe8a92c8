//! What a file is, as far as it can be told by how it begins; and why one is not shown.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::packed::{HEAD_BYTES, Packing, packing};

/// Bytes looked at to tell text from something else.
const PROBE_BYTES: usize = 8 << 10;

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
    /// What was named is neither there nor a pattern.
    #[error("expected a pattern such as /var/log/**/*.log: {0}")]
    Pattern(String),
    /// There are too many.
    #[error("expected at the most {0} logs")]
    TooMany(usize),
}

impl DiscoverError {
    /// Why, where it is known of what.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Unreadable { source, .. } => source.to_string(),
            Self::NotText { kind, .. } => format!("not a text file ({kind})"),
            Self::Nothing(_) => "holds no log files".to_owned(),
            Self::Pattern(_) | Self::TooMany(_) => self.to_string(),
        }
    }
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
///
/// # Errors
/// It cannot be read.
pub(super) fn kind(path: &Path) -> io::Result<(Result<Option<Packing>, &'static str>, Metadata)> {
    // Whoever opens a pipe waits for its writer.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok((Err("no regular file; standard input is named -"), metadata));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((kind_of(&file)?, metadata))
}

fn kind_of(file: &File) -> io::Result<Result<Option<Packing>, &'static str>> {
    if let Some(packing) = packing_of(file)? {
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
