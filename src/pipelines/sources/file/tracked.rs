//! One file that is being read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use crate::base::Time;
use crate::files::{FileId, Head, Tail};
use crate::pipelines::record::Record;
use crate::pipelines::sources::lines::LineDecoder;

/// Bytes read at once, as long as there is a newline among them.
const CHUNK: u64 = 128 << 10;

/// How long things may wait, and how long lines may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub multiline: Duration,
    pub partial: Duration,
    pub rotate: Duration,
    pub max_line: usize,
}

/// What reading on in a file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There was nothing new.
    Idle,
    /// There was; perhaps there is more.
    Read,
    /// The file was cut, and is another now.
    Truncated,
}

/// Where reading of a file goes on: what a checkpoint holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// What it was called.
    pub path: PathBuf,
    /// Bytes that were delivered.
    pub offset: u64,
    /// How it begins.
    pub head: Head,
}

#[derive(Debug)]
pub(super) struct Tracked {
    pub id: FileId,
    pub path: PathBuf,
    pub file: File,
    /// Bytes that were taken.
    pub offset: u64,
    pub head: Head,
    pub tail: Tail,
    /// Bytes that are there and were not taken.
    pub lag: u64,
    lines: LineDecoder,
    /// Since when no name leads to it that is read.
    left: Option<Instant>,
    /// When something was last read.
    read: Instant,
    /// Since when a line waits for its newline, and how long the file was then.
    partial: Option<(u64, Instant)>,
}

impl Tracked {
    pub fn new(id: FileId, path: PathBuf, file: File, offset: u64, lines: LineDecoder) -> Self {
        Self {
            id,
            path,
            head: Head::of(&file),
            tail: Tail::before(offset, &file),
            file,
            offset,
            lag: 0,
            lines,
            left: None,
            read: Instant::now(),
            partial: None,
        }
    }

    /// Reads on, up to a chunk.
    pub fn step(
        &mut self,
        buffer: &mut Vec<u8>,
        bounds: &Bounds,
        into: &mut Vec<Record>,
    ) -> io::Result<Step> {
        let length = self.file.metadata()?.len();
        let is_another = || {
            let has_other_head = || !self.head.begins(&self.file);
            !self.tail.stands_before(self.offset, &self.file)
                || (self.head.reaches_beyond(self.offset) && has_other_head())
        };
        if length < self.offset || (length > self.offset && is_another()) {
            return Ok(Step::Truncated);
        }
        self.lag = length - self.offset;
        if self.lag == 0 {
            return Ok(Step::Idle);
        }
        self.lines.defaults.arrival = Time::now();
        let Some(end) = self.whole_lines(buffer, length, bounds)? else {
            return Ok(Step::Idle);
        };
        let (mut at, mut rest) = (self.offset, &buffer[..end]);
        while !rest.is_empty() {
            let line = memchr(b'\n', rest).unwrap_or(rest.len());
            for (number, piece) in rest[..line].chunks(bounds.max_line).enumerate() {
                let from = at + (number * bounds.max_line) as u64;
                self.lines.line(piece, from, into);
            }
            if line == 0 {
                self.lines.line(b"", at, into);
            }
            let next = (line + 1).min(rest.len());
            at += next as u64;
            rest = &rest[next..];
        }
        self.head.follow(self.offset, &buffer[..end]);
        self.tail.follow(&buffer[..end]);
        self.offset += end as u64;
        self.lag = length.saturating_sub(self.offset);
        (self.read, self.partial) = (Instant::now(), None);
        Ok(Step::Read)
    }

    /// Fills the buffer with what ends with a newline (or need not); how much of it is to be taken.
    fn whole_lines(
        &mut self,
        buffer: &mut Vec<u8>,
        length: u64,
        bounds: &Bounds,
    ) -> io::Result<Option<usize>> {
        let mut want = CHUNK.min(length - self.offset);
        loop {
            let size = usize::try_from(want).unwrap_or(usize::MAX);
            buffer.resize(size, 0);
            let mut read = 0;
            while read < size {
                match self
                    .file
                    .read_at(&mut buffer[read..], self.offset + read as u64)
                {
                    Ok(0) => break,
                    Ok(count) => read += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            buffer.truncate(read);
            if let Some(end) = memrchr(b'\n', buffer) {
                return Ok(Some(end + 1));
            }
            if buffer.len() >= bounds.max_line {
                return Ok(Some(bounds.max_line));
            }
            let there = length - self.offset;
            if (read as u64) < there && read == size {
                want = there.min(want * 4).min(bounds.max_line as u64);
                continue;
            }
            // The line has not ended: it waits for its newline, but not for ever.
            let since = match self.partial {
                Some((before, since)) if before == length => since,
                _ => self.partial.insert((length, Instant::now())).1,
            };
            let is_over = !buffer.is_empty() && since.elapsed() >= bounds.partial;
            return Ok(is_over.then_some(buffer.len()));
        }
    }

    /// The entry that waited for lines that continue it is complete when none came for a while.
    pub fn settle(&mut self, after: Duration, into: &mut Vec<Record>) {
        if self.read.elapsed() >= after {
            self.lines.finish(into);
        }
    }

    /// Takes what waits: nothing more comes.
    pub fn finish(&mut self, buffer: &mut Vec<u8>, bounds: &Bounds, into: &mut Vec<Record>) {
        let at_once = Bounds {
            partial: Duration::ZERO,
            ..*bounds
        };
        while matches!(self.step(buffer, &at_once, into), Ok(Step::Read)) {}
        self.lines.finish(into);
    }

    /// It begins anew: it was cut.
    pub fn begin_anew(&mut self) {
        self.offset = 0;
        self.head = Head::default();
        self.tail = Tail::default();
        self.partial = None;
    }

    /// Whether a name leads to it that is read.
    pub fn set_current(&mut self, is_current: bool) {
        match (is_current, self.left) {
            (true, _) => self.left = None,
            (false, None) => self.left = Some(Instant::now()),
            (false, Some(_)) => {}
        }
    }

    pub fn is_current(&self) -> bool {
        self.left.is_none()
    }

    /// Whether it was rotated away, was read to its end, and nothing came for a while.
    pub fn is_done(&self, bounds: &Bounds) -> bool {
        let is_past = |since: Instant| since.elapsed() >= bounds.rotate;
        let has_rest = self.lag > 0 && self.partial.is_none();
        !has_rest && self.left.is_some_and(is_past) && is_past(self.read)
    }

    /// When it is to be looked at again although nothing happens.
    pub fn due(&self, bounds: &Bounds) -> Option<Instant> {
        let waiting = self
            .lines
            .waiting_from()
            .map(|_| self.read + bounds.multiline);
        let partial = self.partial.map(|(_, since)| since + bounds.partial);
        let left = self.left.map(|since| since.max(self.read) + bounds.rotate);
        [waiting, partial, left].into_iter().flatten().min()
    }

    /// Where reading goes on after a restart: what waits is read again.
    pub fn place(&self) -> Place {
        Place {
            path: self.path.clone(),
            offset: self.lines.waiting_from().unwrap_or(self.offset),
            head: self.head,
        }
    }
}
