//! Lines to records: what belongs together is joined, and each knows where it began.

use std::sync::Arc;

use memchr::memchr;

use super::outlet::{Form, Outlet};
use crate::base::Time;
use crate::entry::bytes;
use crate::entry::decode::{Defaults, Lines};
use crate::pipelines::record::Record;

/// Decodes the lines of one stream or file, one after the other.
#[derive(Debug)]
pub(in crate::pipelines) struct LineDecoder {
    form: Form,
    lines: Lines,
    pub defaults: Defaults,
    /// The entry that waits: where it begins, and its lines as they came.
    from: u64,
    line: String,
    offsets: bool,
}

impl LineDecoder {
    /// Of lines that come from a place; with `offsets`, entries say where they begin.
    pub fn new(outlet: &Outlet, source: impl Into<String>, offsets: bool) -> Self {
        Self {
            lines: Lines::of(outlet.form.decoder),
            defaults: outlet.defaults(source),
            form: outlet.form.clone(),
            from: 0,
            line: String::new(),
            offsets,
        }
    }

    /// Takes a line (without its newline) that begins at an offset.
    pub fn line(&mut self, line: &[u8], offset: u64, into: &mut Vec<Record>) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // A file that was cut while somebody wrote to it may begin with a hole.
        let line = match line.iter().position(|byte| *byte != 0) {
            Some(0) => line,
            Some(hole) => &line[hole..],
            None => b"",
        };
        let keeps = self.form.keep_lines || self.form.keep_raw;
        if !self.form.multiline {
            if !line.trim_ascii().is_empty() {
                let (entry, _) = self.form.decoder.line(line, &self.defaults);
                let text = if keeps {
                    bytes::decode(line)
                } else {
                    "".into()
                };
                self.put(entry, offset, &text, into);
            }
            return;
        }
        let was_waiting = self.lines.is_waiting();
        let complete = self.lines.push(line, &self.defaults);
        let is_begun = complete.is_some() || !was_waiting;
        if let Some(entry) = complete {
            let text = std::mem::take(&mut self.line);
            self.put(entry, self.from, &text, into);
        }
        if is_begun {
            self.from = offset;
        }
        if keeps {
            if !is_begun {
                self.line.push('\n');
            }
            self.line.push_str(&bytes::decode(line));
        }
        // What nothing can continue need not wait.
        if let Some(entry) = self.lines.settled() {
            let text = std::mem::take(&mut self.line);
            self.put(entry, self.from, &text, into);
        }
    }

    /// The entry that waits is complete: nothing came for a while.
    pub fn finish(&mut self, into: &mut Vec<Record>) {
        if let Some(entry) = self.lines.finish() {
            let text = std::mem::take(&mut self.line);
            self.put(entry, self.from, &text, into);
        }
    }

    /// Where the entry begins that waits for lines that continue it.
    pub fn waiting_from(&self) -> Option<u64> {
        self.lines.is_waiting().then_some(self.from)
    }

    fn put(&self, mut entry: crate::entry::Entry, from: u64, text: &str, into: &mut Vec<Record>) {
        if entry.text.is_empty() && entry.fields.is_empty() && entry.error.is_none() {
            return;
        }
        if self.offsets {
            entry.fields.insert("offset".to_owned(), from.into());
        }
        if self.form.keep_raw {
            entry.fields.insert("raw".to_owned(), text.into());
        }
        into.push(Record {
            entry: Arc::new(entry),
            line: self.form.keep_lines.then(|| text.into()),
        });
    }
}

/// Bytes of a stream to lines, and those to records.
#[derive(Debug)]
pub(in crate::pipelines) struct StreamDecoder {
    pub lines: LineDecoder,
    partial: Vec<u8>,
    max_line: usize,
}

impl StreamDecoder {
    pub fn new(lines: LineDecoder, max_line: u64) -> Self {
        Self {
            lines,
            partial: Vec::new(),
            max_line: usize::try_from(max_line).unwrap_or(usize::MAX).max(1),
        }
    }

    /// Takes what came.
    pub fn take(&mut self, bytes: &[u8], into: &mut Vec<Record>) {
        self.lines.defaults.arrival = Time::now();
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            if self.partial.is_empty() {
                self.lines.line(&rest[..end], 0, into);
            } else {
                self.partial.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.partial);
                self.lines.line(&line, 0, into);
            }
            rest = &rest[end + 1..];
        }
        self.partial.extend_from_slice(rest);
        while self.partial.len() >= self.max_line {
            let rest = self.partial.split_off(self.max_line);
            let line = std::mem::replace(&mut self.partial, rest);
            self.lines.line(&line, 0, into);
        }
    }

    /// The stream ended: what has come is all there is.
    pub fn end(&mut self, into: &mut Vec<Record>) {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.lines.line(&line, 0, into);
        }
        self.lines.finish(into);
    }
}
