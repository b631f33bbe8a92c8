//! What waits in the buffers of pipelines that nobody runs: entries that a service which is gone has not delivered.

use std::path::Path;

use super::checkpoints::Checkpoints;
use super::lane::SPOOL;
use super::record::Record;
use crate::entry::Entry;
use crate::spool::peek;

/// The buffer of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The pipeline.
    pub pipeline: String,
    /// The sink, as its folder is called.
    pub sink: String,
}

/// Shows every entry that waits below the folder of the pipelines, with the buffer in which it does. Nothing is changed.
///
/// # Errors
/// A folder or a file cannot be read.
pub fn waiting(dir: &Path, mut see: impl FnMut(&Waiting, Entry)) -> std::io::Result<()> {
    for (pipeline, folder) in folders(dir)? {
        for (sink, folder) in folders(&folder)? {
            let buffer = folder.join("buffer");
            if !buffer.is_dir() {
                continue;
            }
            let waiting = Waiting {
                pipeline: pipeline.clone(),
                sink,
            };
            let delivered = Checkpoints::peek(&folder.join("checkpoints.json"), SPOOL).unwrap_or(0);
            peek(&buffer, |position, payload| {
                let record = Record::from_bytes(payload).filter(|_| position > delivered);
                if let Some(record) = record {
                    see(&waiting, (*record.entry).clone());
                }
            })?;
        }
    }
    Ok(())
}

/// The folders of a folder, by name; none if it is not there.
fn folders(dir: &Path) -> std::io::Result<Vec<(String, std::path::PathBuf)>> {
    let items = match std::fs::read_dir(dir) {
        Ok(items) => items,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for item in items {
        let item = item?;
        if item.file_type()?.is_dir() {
            folders.push((item.file_name().to_string_lossy().into_owned(), item.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipelines::record::Mark;
    use crate::spool::Spool;

    #[test]
    fn what_was_not_delivered_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = dir.path().join("app").join("http_1");
        let spool = Spool::open(&folder.join("buffer"), 1 << 20).expect("a spool");
        let entries: Vec<Vec<u8>> = ["one", "two", "three"]
            .map(|text| {
                let entry = Entry {
                    text: text.into(),
                    ..Entry::default()
                };
                Record::from(entry).to_bytes()
            })
            .into();
        spool.append(&entries).expect("taken");
        drop(spool);
        let see_all = || {
            let mut seen = Vec::new();
            waiting(dir.path(), |of, entry| {
                seen.push((of.pipeline.clone(), of.sink.clone(), entry.text));
            })
            .expect("seen");
            seen
        };
        let of = |text: &str| ("app".to_owned(), "http_1".to_owned(), text.to_owned());
        assert_eq!(see_all(), ["one", "two", "three"].map(of));
        let checkpoints = Checkpoints::open(folder.join("checkpoints.json")).expect("checkpoints");
        checkpoints.reached(vec![Mark {
            source: SPOOL.into(),
            key: String::new(),
            at: Some(2.into()),
        }]);
        checkpoints.save().expect("saved");
        assert_eq!(see_all(), [of("three")]);
        assert_eq!(waiting(&dir.path().join("none"), |_, _| {}).ok(), Some(()));
    }
}
