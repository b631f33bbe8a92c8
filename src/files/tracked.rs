//! A file of a log while it may grow: how far it is whole.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use super::content::Content;
use super::identity::{FileId, Head, Tail};
use super::options::Options;
use super::part::SharedPart;
use super::settled::settled;
use crate::base::Time;

/// After so long without anything new, an entry no longer waits for lines that continue it,
const QUIET: Duration = Duration::from_millis(300);
/// and a line no longer for its newline.
const UNFINISHED: Duration = Duration::from_secs(1);
/// What was renamed is written to for a while by those who have it open.
const LEFT: Duration = Duration::from_secs(30);

/// A file of a log while it may grow.
#[derive(Debug)]
pub(super) struct Tracked {
    pub part: SharedPart,
    pub id: Option<FileId>,
    pub head: Head,
    pub tail: Tail,
    pub length: u64,
    /// When it was last written to, as it was looked at.
    pub modified: Option<SystemTime>,
    pub grown: Instant,
    pub left: Option<Instant>,
}

impl Tracked {
    /// A part that is no file of this machine.
    pub fn begun(part: SharedPart, length: u64) -> Self {
        Self {
            part,
            id: None,
            head: Head::default(),
            tail: Tail::default(),
            length,
            modified: None,
            grown: Instant::now(),
            left: None,
        }
    }

    /// Takes everything that is there for whole.
    pub fn take_whole(&mut self) {
        if !self.part.is_closed() {
            self.part.settle(self.length, Time::now());
        }
    }

    /// Takes in what was appended; whether more of it is whole.
    pub fn grow(&mut self, options: &Options) -> io::Result<bool> {
        if self.part.is_final() || self.part.is_closed() {
            return Ok(false);
        }
        let length = self.part.length()?;
        self.modified = self.part.with_content(|content| {
            let metadata = content.file().and_then(|file| file.metadata().ok());
            metadata.and_then(|metadata| metadata.modified().ok())
        });
        if length != self.length {
            self.length = length;
            self.grown = Instant::now();
        }
        let is_whole = self.part.with_content(|content| match content {
            Content::Unpacked(unpacked) => unpacked.is_whole(),
            _ => false,
        });
        let has_more = self.settle(options)?;
        if is_whole {
            self.part.settle(length, Time::now());
            self.part.finish();
            return Ok(true);
        }
        let is_over = self.left.is_some_and(|left| left.elapsed() > LEFT);
        if is_over && self.grown.elapsed() > LEFT {
            self.part.finish();
        }
        Ok(has_more)
    }

    /// How far it is whole by now; whether that is farther than before.
    pub fn settle(&mut self, options: &Options) -> io::Result<bool> {
        if self.part.is_closed() {
            return Ok(false);
        }
        let before = self.part.settled();
        if self.length > 0 {
            self.part.tell_format(&options.formats)?;
        }
        if self.length <= before {
            return Ok(false);
        }
        let quiet = self.grown.elapsed();
        let is_settled = if quiet >= UNFINISHED || (self.left.is_some() && quiet >= QUIET) {
            self.length
        } else {
            let (part, is_quiet) = (&self.part, quiet >= QUIET);
            part.with_content(|content| {
                settled(content, part.format(), (before, self.length), is_quiet)
            })?
        };
        self.part.settle(is_settled, Time::now());
        self.part.with_content(|content| {
            if let Some(file) = content.file() {
                self.head = Head::of(file);
                self.tail = Tail::before(self.part.settled(), file);
            }
        });
        Ok(self.part.settled() > before)
    }
}
