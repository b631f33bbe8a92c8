//! Whether a file is still being rotated to: as long as some worker writes to the file before it, it is not shown, so that
//! the bytes that are shown only grow at their end. Section 10 of the format's description.

use std::collections::HashSet;

use super::block::{Decoder, SEPARATOR};
use super::entry::{Body, LogEntry};
use super::files::LogFile;
use super::{Error, Lifecycle, MAX_BLOCK_BYTES};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// How far the check of a file has come. What was looked at is not read again.
#[derive(Clone, Debug, Default)]
pub(super) struct Rotation {
    /// Everything before was looked at: the end of a block.
    at: u64,
    /// The workers of the first ping that have not written since.
    missing: Option<HashSet<u32>>,
    over: bool,
}

impl Rotation {
    /// Reads what was added since the last time. Whether every process that lives writes to the file.
    pub fn is_over(&mut self, file: &dyn LogFile, name: &str) -> Result<bool, Error> {
        let mut decoder = Decoder::default();
        let (mut rest, mut from) = (Vec::new(), self.at);
        while !self.over {
            let chunk = file
                .read_at(from, CHUNK_BYTES)
                .map_err(Error::io("read", name))?;
            if chunk.is_empty() {
                break;
            }
            from += chunk.len() as u64;
            rest.extend_from_slice(&chunk);
            let before = rest.len() - chunk.len();
            let Some(end) = memchr::memrchr(SEPARATOR, &chunk).map(|at| before + at) else {
                if rest.len() > MAX_BLOCK_BYTES {
                    self.at = from;
                    rest.clear();
                }
                continue;
            };
            for block in rest[..end].split(|byte| *byte == SEPARATOR) {
                let mut entries = Vec::new();
                // A damaged block tells nothing; whoever reads the file will report it.
                if decoder.decode(block, &mut entries).is_ok() {
                    for entry in &entries {
                        self.see(entry);
                    }
                }
            }
            self.at += end as u64 + 1;
            rest.drain(..=end);
        }
        Ok(self.over)
    }

    fn see(&mut self, entry: &LogEntry) {
        if entry.event() == Some(Lifecycle::StartingUp) {
            self.over = true;
        }
        match (&mut self.missing, &entry.body, entry.worker_id) {
            (missing @ None, Body::MasterPing { worker_ids }, _) => {
                self.over |= worker_ids.is_empty();
                *missing = Some(worker_ids.iter().copied().collect());
            }
            (Some(missing), _, Some(worker)) => {
                missing.remove(&worker);
                self.over |= missing.is_empty();
            }
            _ => {}
        }
    }
}
