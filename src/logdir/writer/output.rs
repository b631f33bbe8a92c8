//! One file to which blocks are appended. Knows no clock: whoever drives it says what time it is.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::LoggerOptions;
use crate::logdir::block::{SEPARATOR, SLICE_MARKER, compress, escape};
use crate::logdir::{Defect, Error, MAX_BLOCK_BYTES};

/// A block of one entry is compressed from so many bytes on.
const COMPRESSED_FROM_BYTES: usize = 400;

/// Buffers entries and writes them as blocks.
#[derive(Debug)]
pub(super) struct Output {
    file: Option<(File, String)>,
    buffer: Vec<u8>,
    entries: usize,
    /// When the first entry of the buffer came.
    since: Option<Instant>,
    /// The next block begins behind a slice marker.
    sliced: bool,
    /// The last write failed.
    failed: bool,
    options: LoggerOptions,
}

impl Output {
    /// Without a file it is closed from the start.
    pub fn open(path: Option<&Path>, options: LoggerOptions) -> Result<Self, Error> {
        Ok(Self {
            file: path.map(open).transpose()?,
            buffer: Vec::new(),
            entries: 0,
            since: None,
            sliced: false,
            failed: false,
            options,
        })
    }

    pub fn is_closed(&self) -> bool {
        self.file.is_none()
    }

    /// Takes an entry; what is due is written.
    ///
    /// An entry that is refused was not taken: it is too large, or too much waits already. One that was taken and cannot be
    /// written yet stays in the buffer.
    pub fn log(&mut self, entry: &[u8], now: Instant) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        if self.buffer.len() + entry.len() > MAX_BLOCK_BYTES {
            self.flush()?;
        }
        if entry.len() > MAX_BLOCK_BYTES {
            return Err(Error::Unwritable(Defect::TooLarge));
        }
        self.buffer.extend_from_slice(entry);
        self.entries += 1;
        self.since.get_or_insert(now);
        let full = self.buffer.len() >= self.options.high_water_mark;
        // The entry was taken: where it cannot be written now, it is tried again in time, and the timer tells.
        if !self.failed && (full || self.options.output_delay.is_zero()) {
            let _ = self.flush();
        }
        Ok(())
    }

    /// The next block begins a run: what a cut-off run left before it does not count.
    pub fn begin_run(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.sliced = true;
        Ok(())
    }

    /// When the buffer has to be written.
    pub fn deadline(&self) -> Option<Instant> {
        Some(self.since? + self.options.output_delay)
    }

    /// Writes the buffer as one block with one write.
    pub fn flush(&mut self) -> Result<(), Error> {
        let Some((file, name)) = &mut self.file else {
            return Ok(());
        };
        if self.entries == 0 {
            return Ok(());
        }
        let worth_it = self.entries > 1 || self.buffer.len() >= COMPRESSED_FROM_BYTES;
        let mut block = Vec::new();
        if self.sliced {
            block.extend_from_slice(&SLICE_MARKER);
        }
        if self.options.compression && worth_it {
            let compressed = compress(&self.buffer).map_err(Error::Unwritable)?;
            block.extend(escape(&compressed));
        } else {
            block.extend(escape(&self.buffer));
        }
        block.push(SEPARATOR);
        if let Err(error) = file.write_all(&block) {
            // A part of it may be there.
            self.sliced = true;
            self.failed = true;
            return Err(Error::io("write", &*name)(error));
        }
        self.sliced = false;
        self.failed = false;
        self.buffer.clear();
        self.entries = 0;
        self.since = None;
        Ok(())
    }

    /// Goes on in another file. If that cannot be opened, nothing more is written.
    pub fn rotate(&mut self, path: &Path) -> Result<(), Error> {
        if self.is_closed() {
            return Ok(());
        }
        self.flush()?;
        self.file = None;
        self.file = Some(open(path)?);
        Ok(())
    }

    /// Writes what is buffered and closes the file.
    pub fn close(&mut self) -> Result<(), Error> {
        let flushed = self.flush();
        self.file = None;
        flushed
    }
}

fn open(path: &Path) -> Result<(File, String), Error> {
    let name = path.display().to_string();
    let file = OpenOptions::new().append(true).create(true).open(path);
    Ok((file.map_err(Error::io("open", &name))?, name))
}
