//! Joins lines that belong to the entry before them: stack traces, wrapped messages.

use super::{Decoder, Defaults, Form};
use crate::entry::{Entry, bytes};

/// A joined text grows no longer than this; further lines start an entry of their own, so that a file without any
/// recognisable head cannot become one entry.
const MAX_JOINED_BYTES: usize = 1 << 20;

/// Decodes lines one after the other. The entry of a line is known only when the next line has come, because that one
/// may continue it: after the last, or when none came for a while, call [`Lines::finish`].
#[derive(Debug, Default)]
pub struct Lines {
    decoder: Decoder,
    held: Option<Entry>,
    form: Option<Form>,
    timed: bool,
}

impl Lines {
    /// Lines in a form that is told.
    #[must_use]
    pub fn of(decoder: Decoder) -> Self {
        Self {
            decoder,
            ..Self::default()
        }
    }

    /// Takes the next line and gives back the entry that it shows to be complete.
    pub fn push(&mut self, next: &[u8], defaults: &Defaults) -> Option<Entry> {
        if next.iter().all(u8::is_ascii_whitespace) && self.held.is_none() {
            return None;
        }
        if self.may_join(next) && self.form != Some(Form::Part) && looks_continued(next) {
            self.append(&bytes::decode(next));
            return None;
        }
        let (entry, form) = self.decoder.line(next, defaults);
        if self.form == Some(Form::Part)
            && let Some(held) = self.held.as_mut()
            && held.text.len() + next.len() < MAX_JOINED_BYTES
        {
            // The parts of a line are one; what it is can only be told when it is whole.
            held.text.push_str(&entry.text);
            if form != Form::Part {
                self.form = Some(Form::Plain);
            }
            return None;
        }
        if form == Form::Plain && self.timed && self.may_join(next) {
            self.append(&bytes::decode(next));
            return None;
        }
        // Plain lines without any time yet are entries of their own; after a timed one they continue it.
        self.timed |= form == Form::Timed;
        self.form = Some(form);
        self.held.replace(entry)
    }

    /// The entry still waiting for its continuation.
    pub fn finish(&mut self) -> Option<Entry> {
        self.held.take()
    }

    /// The entry that waits although nothing can continue it.
    pub fn settled(&mut self) -> Option<Entry> {
        let is_whole = self.form == Some(Form::Json) || self.decoder == Decoder::Raw;
        is_whole.then(|| self.held.take())?
    }

    /// Whether an entry waits for its continuation.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.held.is_some()
    }

    fn may_join(&self, next: &[u8]) -> bool {
        let held = self.held.as_ref();
        self.form != Some(Form::Json)
            && self.decoder != Decoder::Raw
            && held.is_some_and(|held| held.text.len() + next.len() < MAX_JOINED_BYTES)
    }

    fn append(&mut self, next: &str) {
        if let Some(held) = &mut self.held {
            held.text.push('\n');
            held.text.push_str(next.trim_end_matches('\r'));
        }
    }
}

/// Heads that only continuations have.
pub(super) fn looks_continued(line: &[u8]) -> bool {
    line.first()
        .is_some_and(|byte| *byte == b' ' || *byte == b'\t')
        || [
            &b"Caused by: "[..],
            b"Traceback (most",
            b"... ",
            b"goroutine ",
        ]
        .iter()
        .any(|head| line.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    fn check(text: &str) -> Vec<String> {
        let mut lines = Lines::default();
        let defaults = Defaults::at(Time(0));
        let mut texts: Vec<String> = text
            .lines()
            .filter_map(|line| lines.push(line.as_bytes(), &defaults))
            .map(|entry| entry.text)
            .collect();
        texts.extend(lines.finish().map(|entry| entry.text));
        texts
    }

    #[test]
    fn stack_traces_join_their_entry() {
        let java = "2026-03-14 09:00:00 ERROR boom\njava.lang.Error: x\n\tat a.b(C.java:1)\nCaused by: y\n2026-03-14 09:00:01 INFO next";
        assert_eq!(
            check(java),
            [
                "boom\njava.lang.Error: x\n\tat a.b(C.java:1)\nCaused by: y",
                "next"
            ]
        );
    }

    #[test]
    fn untimed_lines_stand_alone() {
        assert_eq!(
            check("one\ntwo\n  indented\nthree"),
            ["one", "two\n  indented", "three"]
        );
    }

    #[test]
    fn nothing_joins_a_json_line() {
        assert_eq!(check("{\"msg\":\"a\"}\n  b\nc"), ["a", "  b", "c"]);
    }

    #[test]
    fn joining_is_bounded() {
        let mut text = String::from("2026-03-14 09:00:00 head\n");
        for _ in 0..3 {
            text.push_str(&format!(" {}\n", "x".repeat(500_000)));
        }
        assert_eq!(check(&text).len(), 2);
    }
}
