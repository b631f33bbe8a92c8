//! One file of a spool.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SpoolError;
use super::frame::{HEAD, Head};

pub(super) const MAGIC: &[u8; 8] = b"TWSPL001";

#[derive(Debug)]
pub(super) struct Segment {
    pub first: u64,
    pub bytes: u64,
    path: PathBuf,
    /// Readers keep what they opened, also when it is removed.
    pub file: Arc<File>,
    is_synced: bool,
}

/// The position that a file's name promises, if it is one of ours.
pub(super) fn first_of(name: &str) -> Option<u64> {
    name.strip_suffix(".spool")?.parse().ok()
}

impl Segment {
    pub fn create(dir: &Path, first: u64) -> Result<Self, SpoolError> {
        let path = dir.join(format!("{first:020}.spool"));
        let create = || -> io::Result<File> {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true);
            let file = file.truncate(true).open(&path)?;
            file.write_all_at(MAGIC, 0)?;
            File::open(dir)?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(SpoolError::of("create", &path))?;
        Ok(Self {
            first,
            bytes: MAGIC.len() as u64,
            path,
            file: Arc::new(file),
            is_synced: false,
        })
    }

    pub fn open(path: PathBuf, first: u64) -> Result<Self, SpoolError> {
        let open = || -> io::Result<(File, u64)> {
            let file = OpenOptions::new().read(true).write(true).open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(SpoolError::of("open", &path))?;
        Ok(Self {
            first,
            bytes,
            path,
            file: Arc::new(file),
            is_synced: true,
        })
    }

    /// Cuts a torn end; the position after the last whole frame.
    pub fn recover(&mut self) -> Result<u64, SpoolError> {
        let (mut at, mut next) = (MAGIC.len() as u64, self.first);
        let mut payload = Vec::new();
        while let Some(head) = read_head(&self.file, at) {
            payload.resize(head.length, 0);
            let whole = self.file.read_exact_at(&mut payload, at + HEAD as u64);
            if whole.is_err() || !head.fits(&payload) || head.first < next {
                break;
            }
            at += (HEAD + head.length) as u64;
            next = head.next();
        }
        if at != self.bytes {
            let (torn, path) = (self.bytes.saturating_sub(at), &self.path);
            tracing::warn!(file = %path.display(), torn, "the torn end of a spool was cut");
            let cut = || -> io::Result<()> {
                self.file.set_len(at)?;
                self.file.write_all_at(MAGIC, 0)
            };
            cut().map_err(SpoolError::of("cut", path))?;
            self.bytes = at;
        }
        Ok(next)
    }

    /// Appends a frame, or nothing of it.
    pub fn append(&mut self, frame: &[u8]) -> Result<(), SpoolError> {
        if let Err(error) = self.file.write_all_at(frame, self.bytes) {
            let _ = self.file.set_len(self.bytes);
            return Err(SpoolError::of("write", &self.path)(error));
        }
        self.bytes += frame.len() as u64;
        self.is_synced = false;
        Ok(())
    }

    pub fn sync(&mut self) -> Result<(), SpoolError> {
        if !self.is_synced {
            self.file
                .sync_data()
                .map_err(SpoolError::of("sync", &self.path))?;
            self.is_synced = true;
        }
        Ok(())
    }

    pub fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "a file of a spool cannot be removed");
        }
    }
}

pub(super) fn read_head(file: &File, at: u64) -> Option<Head> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, at).ok()?;
    Head::decode(&head)
}
