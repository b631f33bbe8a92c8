//! Lines as producers send them, and as they are kept: one JSON object each, as the Harness log service writes it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base::Time;
use crate::entry::decode::{self, Defaults};
use crate::entry::{Entry, Level, Position};

/// What stands before the first line of a push, and before each other; a length would be that of the push's name.
pub(super) const BEGINS: u8 = u8::MAX;
pub(super) const GOES_ON: u8 = 0;

/// Why lines were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    /// Which one, from 1.
    pub line: usize,
    /// What was expected and found.
    pub reason: String,
    /// Whether it is longer than it may be.
    pub is_too_long: bool,
}

/// Lines of one push, as they are kept.
///
/// A line is a JSON object: `level`, `pos` (the producer's own number), `out` (its words, usually with a line break at
/// their end), `time` (RFC 3339, or a number as it was sent), `args`; what was not sent is left out, but for the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// One after the other, each behind a byte in which a push can be marked.
    pub(super) text: Vec<u8>,
    /// Where each ends.
    pub(super) ends: Vec<usize>,
    /// Bytes of a line at the most.
    most: usize,
}

/// A line as it was sent.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow, default)]
    level: Option<Cow<'a, str>>,
    #[serde(default)]
    pos: Option<i64>,
    #[serde(borrow)]
    out: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    args: Option<&'a RawValue>,
}

/// An element of an array: a line, its words alone, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Element<'a> {
    Words(#[serde(borrow)] Cow<'a, str>),
    Nothing(()),
}

impl Lines {
    /// No lines yet, of which each has at most so many bytes.
    #[must_use]
    pub fn bounded(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds the lines of a body: an array of lines, or one line.
    ///
    /// # Errors
    /// It is no JSON, or one of them is no line.
    pub fn push_json(&mut self, body: &str, now: Time) -> Result<(), LineError> {
        if !body.trim_start().starts_with('[') {
            return match body.trim() {
                "null" => Ok(()),
                line => self.push_element(line, now),
            };
        }
        let elements: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| LineError {
            line: self.count() + 1,
            reason: format!("expected an array of lines: {error}"),
            is_too_long: false,
        })?;
        self.text.reserve(body.len() + 40 * elements.len());
        self.ends.reserve(elements.len());
        elements
            .into_iter()
            .try_for_each(|element| self.push_element(element.get(), now))
    }

    /// Adds a line of newline-delimited JSON; empty ones are none.
    ///
    /// # Errors
    /// It is no JSON, or no line.
    pub fn push_element(&mut self, element: &str, now: Time) -> Result<(), LineError> {
        let element = element.trim();
        if element.is_empty() {
            return Ok(());
        }
        if !element.starts_with('{') {
            return match serde_json::from_str(element) {
                Ok(Element::Words(words)) => self.push_words(&words, now),
                Ok(Element::Nothing(())) => Ok(()),
                Err(_) => Err(self.wrong(format!(
                    "expected an object with \"out\", found {:?}",
                    element.chars().take(60).collect::<String>()
                ))),
            };
        }
        let sent: Sent = serde_json::from_str(element).map_err(|error| {
            let reason = error.to_string();
            self.wrong(format!(
                "expected {{\"out\": text, \"pos\": number, \"time\": time, \"level\": text, \"args\": object}}: {reason}"
            ))
        })?;
        let time = sent.time.map(RawValue::get).filter(|time| *time != "null");
        if let Some(time) = time {
            self.check_time(time)?;
        }
        let args = sent.args.map(RawValue::get).filter(|args| *args != "null");
        if args.is_some_and(|args| !args.starts_with('{')) {
            return Err(self.wrong("expected an object as \"args\"".to_owned()));
        }
        self.check_length(sent.out.len() + args.map_or(0, str::len))?;
        self.add(sent.level.as_deref(), sent.pos, &sent.out, time, args, now);
        Ok(())
    }

    /// Adds words as a line; longer ones than a line may be become several.
    ///
    /// # Errors
    /// None: words are always lines.
    pub fn push_words(&mut self, words: &str, now: Time) -> Result<(), LineError> {
        let mut rest = words;
        loop {
            let (line, more) = rest.split_at(rest.floor_char_boundary(self.most.max(4)));
            self.add(None, None, line, None, None, now);
            if more.is_empty() {
                return Ok(());
            }
            rest = more;
        }
    }

    fn check_time(&self, time: &str) -> Result<(), LineError> {
        let is_time = if time.starts_with('"') {
            let text = serde_json::from_str::<Cow<str>>(time);
            text.is_ok_and(|text| decode::time::parse(&text, Time(0)).is_some())
        } else {
            time.parse::<f64>().is_ok()
        };
        let found: String = time.chars().take(60).collect();
        let expected = || format!("expected a time (RFC 3339, or a number), found {found}");
        is_time.then_some(()).ok_or_else(|| self.wrong(expected()))
    }

    fn check_length(&self, length: usize) -> Result<(), LineError> {
        if length <= self.most {
            return Ok(());
        }
        let most = self.most;
        Err(LineError {
            is_too_long: true,
            ..self.wrong(format!("expected at most {most} bytes, found {length}"))
        })
    }

    fn wrong(&self, reason: String) -> LineError {
        LineError {
            line: self.count() + 1,
            reason,
            is_too_long: false,
        }
    }

    fn add(
        &mut self,
        level: Option<&str>,
        pos: Option<i64>,
        out: &str,
        time: Option<&str>,
        args: Option<&str>,
        now: Time,
    ) {
        let text = &mut self.text;
        text.push(if self.ends.is_empty() {
            BEGINS
        } else {
            GOES_ON
        });
        text.push(b'{');
        if let Some(level) = level {
            text.extend_from_slice(b"\"level\":");
            string(text, level);
            text.push(b',');
        }
        if let Some(pos) = pos {
            text.extend_from_slice(b"\"pos\":");
            text.extend_from_slice(pos.to_string().as_bytes());
            text.push(b',');
        }
        text.extend_from_slice(b"\"out\":");
        string(text, out);
        text.extend_from_slice(b",\"time\":");
        if let Some(time) = time {
            text.extend_from_slice(time.as_bytes());
        } else {
            let mut arrival = String::with_capacity(32);
            let _ = write!(arrival, "\"{now}\"");
            text.extend_from_slice(arrival.as_bytes());
        }
        if let Some(args) = args {
            text.extend_from_slice(b",\"args\":");
            // A line break between its members would end the line.
            text.extend(args.bytes().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                other => other,
            }));
        }
        text.push(b'}');
        self.ends.push(text.len());
    }

    /// Each as it is kept.
    pub(super) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| &self.text[start..*end])
    }
}

fn string(text: &mut Vec<u8>, words: &str) {
    // Writing JSON into memory does not fail.
    let _ = serde_json::to_writer(text, words);
}

/// A line as it is read again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Line {
    /// How severe it is, if that was said.
    #[serde(default)]
    pub level: Option<String>,
    /// The producer's own number.
    #[serde(default)]
    pub pos: Option<i64>,
    /// Its words, usually with a line break at their end.
    #[serde(default)]
    pub out: String,
    /// When it was written: RFC 3339, or a number.
    #[serde(default)]
    pub time: Value,
    /// What else was said.
    #[serde(default)]
    pub args: Option<serde_json::Map<String, Value>>,
}

impl Line {
    /// A line that was kept; what is no such line is its words.
    #[must_use]
    pub fn parse(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_else(|_| Self {
            level: None,
            pos: None,
            out: String::from_utf8_lossy(json).into_owned(),
            time: Value::Null,
            args: None,
        })
    }

    /// When it was written, if that is understood.
    #[must_use]
    pub fn time(&self) -> Option<Time> {
        match &self.time {
            Value::String(text) => decode::time::parse(text, Time(0)),
            Value::Number(number) => number.as_i64().and_then(decode::time::from_epoch),
            _ => None,
        }
    }

    /// The entry that it is for queries and in the embedded log: its namespace is the account, its source the stream.
    #[must_use]
    pub fn entry(self, account: &str, stream: &str, number: u64) -> Entry {
        let time = self.time();
        let defaults = Defaults {
            namespace: account.to_owned(),
            source: Some(stream.to_owned()),
            ..Defaults::at(time.unwrap_or_default())
        };
        let words = self.out.trim_end_matches(['\n', '\r']);
        let (mut entry, _) = decode::line(words.as_bytes(), &defaults);
        entry.position = Position(number);
        account.clone_into(&mut entry.scope.namespace);
        entry.source = Some(stream.to_owned());
        entry.time = time.unwrap_or(entry.time);
        if let Some(level) = self.level.and_then(|level| level.parse::<Level>().ok()) {
            entry.level = level;
        }
        for (name, value) in self.args.into_iter().flatten() {
            entry.fields.insert(name, value);
        }
        entry.fields.insert("seq".to_owned(), number.into());
        if let Some(pos) = self.pos {
            entry.fields.insert("pos".to_owned(), pos.into());
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_600_000_000_000_000_000);

    fn kept(lines: &Lines) -> Vec<String> {
        let text = |line: &[u8]| String::from_utf8_lossy(&line[1..]).into_owned();
        lines.payloads().map(text).collect()
    }

    fn of(body: &str) -> Result<Vec<String>, LineError> {
        let mut lines = Lines::bounded(100);
        lines.push_json(body, NOW)?;
        Ok(kept(&lines))
    }

    #[test]
    fn lines_are_kept_as_they_were_sent() {
        let table = [
            (
                r#"[{"pos":0,"out":"echo hello\n","time":1}]"#,
                vec![r#"{"pos":0,"out":"echo hello\n","time":1}"#],
            ),
            (
                r#" [ {"args":{"a":"b"},"level":"INFO","pos":1,"out":"Cl\u00f6ning\n","time":"2020-09-23T12:38:18+05:30","x":1} ] "#,
                vec![
                    r#"{"level":"INFO","pos":1,"out":"Clöning\n","time":"2020-09-23T12:38:18+05:30","args":{"a":"b"}}"#,
                ],
            ),
            (
                r#"{"out":"one"}"#,
                vec![r#"{"out":"one","time":"2020-09-13T12:26:40Z"}"#],
            ),
            (
                r#"[null,"words",{"out":"","args":null,"time":null}]"#,
                vec![
                    r#"{"out":"words","time":"2020-09-13T12:26:40Z"}"#,
                    r#"{"out":"","time":"2020-09-13T12:26:40Z"}"#,
                ],
            ),
            ("null", vec![]),
            ("[]", vec![]),
            ("", vec![]),
        ];
        for (body, expected) in table {
            assert_eq!(of(body).expect(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_line_is_named() {
        let table = [
            ("[{]", 1),
            (r#"[{"out":"a"},{"pos":1}]"#, 2),
            (r#"[{"out":"a"},{"out":"b"},7]"#, 3),
            (r#"[{"out":"a","time":"yesterday or so"}]"#, 1),
            (r#"[{"out":"a","time":true}]"#, 1),
            (r#"[{"out":"a","args":[1]}]"#, 1),
            (r#"[{"out":5}]"#, 1),
            ("EOF", 1),
        ];
        for (body, line) in table {
            let error = of(body).expect_err(body);
            assert_eq!(
                (error.line, error.is_too_long),
                (line, false),
                "{body}: {error}"
            );
        }
        let long = format!(r#"[{{"out":"{}"}}]"#, "x".repeat(101));
        assert!(of(&long).expect_err("too long").is_too_long);
    }

    #[test]
    fn words_of_any_length_are_lines() {
        let mut lines = Lines::bounded(100);
        lines.push_words(&"é".repeat(120), NOW).expect("words");
        let out = lines.payloads().map(|line| Line::parse(&line[1..]).out);
        let out: Vec<String> = out.collect();
        assert_eq!(out.concat(), "é".repeat(120));
        assert_eq!(out.len(), 3);
    }

    #[test]
    fn lines_are_entries_for_queries() {
        let line = br#"{"level":"warn","pos":7,"out":"disk is full\n","time":"2020-09-13T12:26:40Z","args":{"step":"test"}}"#;
        let entry = Line::parse(line).entry("acme", "acme/1/test", 9);
        assert_eq!(
            (entry.text.as_str(), entry.level),
            ("disk is full", Level::Warn)
        );
        assert_eq!(entry.scope.namespace, "acme");
        assert_eq!(entry.time, NOW);
        assert_eq!(entry.fields["step"], "test");
        assert_eq!(entry.fields["seq"], 9);
        assert_eq!(Line::parse(b"no json").out, "no json");
    }
}
