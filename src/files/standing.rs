//! How it is with each file.

use std::path::PathBuf;

use super::LogFiles;
use super::content::Content;

/// One file of what is explored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStanding {
    /// The log it belongs to.
    pub log: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What its lines are taken for.
    pub format: String,
    /// Bytes that are shown.
    pub bytes: u64,
    /// Bytes that the index knows; nothing of what is not indexed.
    pub indexed: Option<u64>,
    /// Bytes that were read of it.
    pub read: u64,
    /// Bytes of the packed file that are unpacked, of all it has.
    pub unpacked: Option<(u64, u64)>,
    /// Why it is not shown to its end.
    pub trouble: Option<String>,
}

impl LogFiles {
    /// The files as they are.
    #[must_use]
    pub fn standing(&self) -> Vec<FileStanding> {
        let (watched, _) = &*self.watched();
        let failed = watched.failed().map(|failed| ("packed", failed));
        let left_out = watched.left_out.iter();
        let left_out = left_out.map(|(path, why)| ("–", (path.as_path(), why.clone())));
        let missing = failed.chain(left_out);
        // Among hundreds of files, those that are not shown are seen where the list begins.
        let mut all: Vec<FileStanding> = missing
            .map(|(format, (path, trouble))| FileStanding {
                log: path.display().to_string(),
                path: path.to_owned(),
                format: format.to_owned(),
                bytes: 0,
                indexed: None,
                read: 0,
                unpacked: None,
                trouble: Some(trouble),
            })
            .collect();
        for (log, parts) in watched.logs() {
            all.extend(parts.map(|part| FileStanding {
                log: log.to_string(),
                path: part.path(),
                format: part.format().name().to_owned(),
                bytes: part.settled(),
                indexed: (!part.is_far()).then(|| part.indexed()),
                read: part.read_bytes(),
                unpacked: part.with_content(Content::progress),
                trouble: part.with_content(Content::trouble),
            }));
        }
        all
    }
}
