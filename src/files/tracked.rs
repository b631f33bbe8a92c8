//! A file of a log while it may grow: how far it is whole.

use std::fs::File;
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
pub(super) const LEFT: Duration = Duration::from_secs(30);

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
            self.settle_at(self.length);
        }
    }

    /// Takes in what was appended.
    pub fn grow(&mut self, options: &Options) -> io::Result<()> {
        if self.part.is_final() || self.part.is_closed() {
            return Ok(());
        }
        let (length, modified) = self.part.with_content(Content::look)?;
        self.modified = modified;
        if length != self.length {
            self.length = length;
            self.grown = Instant::now();
        }
        self.settle(options)?;
        // Of a host that is silent nobody knows what is written there.
        let is_known = !self.part.is_far() || self.part.with_content(Content::trouble).is_none();
        let is_left = is_known && self.left.is_some_and(|left| left.elapsed() > LEFT);
        if self.part.with_content(Content::is_unpacked) {
            self.settle_at(length);
            self.part.finish();
        } else if is_left && self.grown.elapsed() > LEFT {
            self.part.finish();
        }
        Ok(())
    }

    /// Finds how far it is whole by now.
    pub fn settle(&mut self, options: &Options) -> io::Result<()> {
        if self.part.is_closed() {
            return Ok(());
        }
        let before = self.part.settled();
        if self.length > 0 {
            self.part.tell_format(&options.formats)?;
        }
        if self.length <= before {
            return Ok(());
        }
        let quiet = self.grown.elapsed();
        // Of what is looked at from time to time, half a line may be there for as long.
        let unseen = if self.part.is_far() {
            2 * super::afar::LOOK.0
        } else {
            Duration::ZERO
        };
        let is_settled =
            if quiet >= UNFINISHED + unseen || (self.left.is_some() && quiet >= QUIET + unseen) {
                self.length
            } else {
                let (part, is_quiet) = (&self.part, quiet >= QUIET);
                part.with_content(|content| {
                    settled(content, part.format(), (before, self.length), is_quiet)
                })?
            };
        self.settle_at(is_settled);
        Ok(())
    }

    /// It is whole up to here; by what stands before, it is known again.
    fn settle_at(&mut self, settled: u64) {
        self.part.settle(settled, Time::now());
        self.part.with_content(|content| {
            if let Some(file) = content.file() {
                self.head = Head::of(file);
                self.tail = Tail::before(self.part.settled(), file);
            }
        });
    }

    /// Whether a file begins like this one, and goes on like it up to where it is whole: a copy of it, or itself.
    pub fn is_copied_in(&self, file: &File) -> bool {
        !self.head.is_empty()
            && self.head.begins(file)
            && self.tail.stands_before(self.part.settled(), file)
    }
}
