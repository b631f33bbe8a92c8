//! One file: its chunks from the end to the head, then what is appended.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use memchr::{memchr, memrchr};

use crate::base::Time;
use crate::entry::Entry;
use crate::entry::decode::{self, Defaults, Form, Lines};

/// The first chunk from the end: a screen of it must be there at once.
const FIRST_CHUNK: u64 = 256 << 10;
/// Later chunks.
const CHUNK: u64 = 4 << 20;
/// A line that is longer is cut into several.
const MAX_LINE: usize = 16 << 20;

/// A file being read. `offset` is where reading forward goes on.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    file: File,
    identity: (u64, u64),
    /// What lies before this byte is still to be read backwards.
    head: u64,
    offset: u64,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    lines: Lines,
    timed: Option<bool>,
}

impl Reader {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            identity: (metadata.dev(), metadata.ino()),
            head: metadata.len(),
            offset: metadata.len(),
            file,
            partial: Vec::new(),
            lines: Lines::default(),
            timed: None,
        })
    }

    /// Bytes still to be read backwards.
    pub fn remaining(&self) -> u64 {
        self.head
    }

    /// The next chunk towards the head, its entries in the file's order; `None` when the head is reached.
    ///
    /// The first chunk tells whether lines carry times. Where they do not, order is all there is: the rest of the file is
    /// then read forward in one go by [`Reader::forward`].
    pub fn backward(&mut self, defaults: &Defaults) -> io::Result<Option<Vec<Entry>>> {
        if self.head == 0 {
            return Ok(None);
        }
        let first = self.timed.is_none();
        let size = if first { FIRST_CHUNK } else { CHUNK };
        let mut from = self.head.saturating_sub(size);
        let mut bytes = self.read(from, self.head)?;
        // A chunk without a line's beginning grows until it has one.
        while from > 0 && memchr(b'\n', &bytes).is_none() && bytes.len() < MAX_LINE {
            from = from.saturating_sub(size);
            bytes = self.read(from, self.head)?;
        }
        if first {
            // The end of the file may be in the middle of a line: it is finished when the rest has come.
            let whole = memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
            self.partial = bytes.split_off(whole);
            self.timed = Some(carries_times(&bytes, defaults));
            if self.timed == Some(false) {
                self.partial.clear();
                self.offset = 0;
                self.head = 0;
                return Ok(None);
            }
        }
        let cut = if from == 0 {
            0
        } else {
            clean_start(&bytes, defaults)
        };
        self.head = from + cut as u64;
        Ok(Some(decode_all(&bytes[cut..], defaults)))
    }

    /// What was appended since, up to one chunk; empty when nothing was. Follows rotation: the old file is read to its end,
    /// then the new one from its beginning; a file that became shorter is read from its beginning.
    pub fn forward(&mut self, defaults: &Defaults) -> io::Result<Vec<Entry>> {
        let length = self.file.metadata()?.len();
        if length < self.offset {
            self.offset = 0;
            self.partial.clear();
        }
        if length == self.offset {
            return self.rotated(defaults);
        }
        let bytes = self.read(self.offset, length.min(self.offset + CHUNK))?;
        self.offset += bytes.len() as u64;
        let mut entries = Vec::new();
        self.take_lines(&bytes, defaults, &mut entries);
        Ok(entries)
    }

    /// The entry that waited for a continuation, when none came.
    pub fn settle(&mut self) -> Option<Entry> {
        self.lines.finish()
    }

    /// What the end of the file holds beyond its last newline, and the entry that waited: all of it is read.
    pub fn finish(&mut self, defaults: &Defaults) -> Vec<Entry> {
        let mut entries = Vec::new();
        if !self.partial.is_empty() {
            let last = std::mem::take(&mut self.partial);
            entries.extend(self.lines.push(&last, defaults));
        }
        entries.extend(self.lines.finish());
        entries
    }

    fn rotated(&mut self, defaults: &Defaults) -> io::Result<Vec<Entry>> {
        let Ok(file) = File::open(&self.path) else {
            return Ok(Vec::new());
        };
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        if identity == self.identity {
            return Ok(Vec::new());
        }
        // The old file's last line may lack its newline: it is whole, because nothing more comes.
        let entries = self.finish(defaults);
        (self.file, self.identity, self.offset) = (file, identity, 0);
        Ok(entries)
    }

    fn take_lines(&mut self, bytes: &[u8], defaults: &Defaults, entries: &mut Vec<Entry>) {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            if self.partial.is_empty() {
                entries.extend(self.lines.push(&rest[..end], defaults));
            } else {
                self.partial.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.partial);
                entries.extend(self.lines.push(&line, defaults));
            }
            rest = &rest[end + 1..];
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > MAX_LINE {
            let line = std::mem::take(&mut self.partial);
            entries.extend(self.lines.push(&line, defaults));
        }
    }

    /// The bytes of a range, or fewer where the file became shorter.
    fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while filled < bytes.len() {
            match self
                .file
                .read_at(&mut bytes[filled..], from + filled as u64)?
            {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

fn decode_all(bytes: &[u8], defaults: &Defaults) -> Vec<Entry> {
    let mut lines = Lines::default();
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if body.is_empty() {
        return Vec::new();
    }
    let mut entries: Vec<_> = body
        .split(|byte| *byte == b'\n')
        .filter_map(|line| lines.push(line, defaults))
        .collect();
    entries.extend(lines.finish());
    entries
}

/// Whether some of the lines tell their time.
fn carries_times(bytes: &[u8], defaults: &Defaults) -> bool {
    bytes
        .split(|byte| *byte == b'\n')
        .take(200)
        .any(|line| time_of(line, defaults).is_some())
}

fn time_of(line: &[u8], defaults: &Defaults) -> Option<Time> {
    let (entry, form) = decode::line(line, defaults);
    (form != Form::Plain && entry.time != defaults.arrival).then_some(entry.time)
}

/// Where in a chunk a group of lines of equal time begins that is whole: what stands before belongs to the chunk towards
/// the head, so that neither a stack trace nor the order of equal times is torn.
fn clean_start(bytes: &[u8], defaults: &Defaults) -> usize {
    let mut at = memchr(b'\n', bytes).map_or(0, |end| end + 1);
    let whole_lines = at;
    let mut group: Option<Time> = None;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        if let Some(time) = time_of(&rest[..end], defaults) {
            match group {
                Some(first) if first != time => return at,
                _ => group = Some(time),
            }
        }
        at += end + 1;
    }
    whole_lines
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn defaults() -> Defaults {
        Defaults::at(Time(1))
    }

    fn backward_all(reader: &mut Reader) -> Vec<String> {
        let mut chunks = Vec::new();
        while let Some(entries) = reader.backward(&defaults()).expect("read") {
            chunks.push(
                entries
                    .into_iter()
                    .map(|entry| entry.text)
                    .collect::<Vec<_>>(),
            );
        }
        chunks.reverse();
        chunks.concat()
    }

    fn forward_all(reader: &mut Reader) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..20 {
            texts.extend(
                reader
                    .forward(&defaults())
                    .expect("read")
                    .into_iter()
                    .map(|entry| entry.text),
            );
        }
        texts.extend(reader.settle().map(|entry| entry.text));
        texts
    }

    #[test]
    fn chunks_from_the_end_give_every_entry_once_in_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        let mut text = String::new();
        let mut wanted = Vec::new();
        for n in 0..20_000 {
            // Times repeat in groups, and some entries have continuation lines.
            let trace = if n % 50 == 0 {
                "\n  at frame\n  at frame"
            } else {
                ""
            };
            text.push_str(&format!(
                "2026-03-14 09:{:02}:{:02} INFO entry {n} {}{trace}\n",
                n / 900,
                (n / 15) % 60,
                "x".repeat(n % 80)
            ));
            wanted.push(format!("entry {n} {}{trace}", "x".repeat(n % 80)));
        }
        std::fs::write(&path, &text).expect("written");
        let mut reader = Reader::open(&path).expect("opened");
        assert!(backward_all(&mut reader) == wanted);
        assert!(
            text.len() as u64 > FIRST_CHUNK,
            "the test is about several chunks"
        );
    }

    #[test]
    fn lines_without_times_are_read_forward() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        std::fs::write(&path, "one\ntwo\nthree\n").expect("written");
        let mut reader = Reader::open(&path).expect("opened");
        assert!(backward_all(&mut reader).is_empty());
        assert_eq!(forward_all(&mut reader), ["one", "two", "three"]);
    }

    #[test]
    fn appends_rotation_and_truncation_are_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.log");
        std::fs::write(&path, "2026-03-14 09:00:00 old\n2026-03-14 09:00:01 half")
            .expect("written");
        let mut reader = Reader::open(&path).expect("opened");
        assert_eq!(backward_all(&mut reader), ["old"]);
        let mut file = File::options().append(true).open(&path).expect("opened");
        file.write_all(b" done\n2026-03-14 09:00:02 no newline")
            .expect("written");
        assert_eq!(forward_all(&mut reader), ["half done"]);
        std::fs::rename(&path, dir.path().join("a.log.1")).expect("renamed");
        std::fs::write(&path, "2026-03-14 09:00:03 fresh\n").expect("written");
        assert_eq!(forward_all(&mut reader), ["no newline", "fresh"]);
        File::options()
            .write(true)
            .truncate(true)
            .open(&path)
            .expect("truncated");
        assert!(forward_all(&mut reader).is_empty());
        std::fs::write(&path, "2026-03-14 09:00:04 x\n").expect("written");
        assert_eq!(forward_all(&mut reader), ["x"]);
    }
}
