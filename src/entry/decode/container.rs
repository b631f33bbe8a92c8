//! What container runtimes put around the lines of a container.
//!
//! Sources of the formats: the logging format of the Kubernetes Container Runtime Interface; Docker's `json-file`.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Decoder, Defaults, Form, time};
use crate::base::{Time, Zone};
use crate::entry::{Entry, Fields};

/// What a runtime wrote of a line, or of a part of one.
struct Piece<'l> {
    arrival: Time,
    stream: Cow<'l, str>,
    line: Cow<'l, str>,
    /// The line goes on.
    is_part: bool,
    attributes: Fields,
}

/// `<time> stdout|stderr F|P <line>`; `P` is a part of a line that goes on.
pub fn cri(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    cri_piece(text, defaults).map(|piece| piece.decoded(defaults))
}

/// `{"log":"<line>\n","stream":"stdout","time":"…"}`; without the newline the line goes on.
pub fn docker(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    docker_piece(text, defaults).map(|piece| piece.decoded(defaults))
}

/// Several lines of a runtime that are the parts of one; what else stands there follows it.
pub fn joined(text: &str, defaults: &Defaults) -> Option<Entry> {
    let mut lines = text.lines();
    let mut whole: Option<Piece<'_>> = None;
    let mut rest = Vec::new();
    for line in lines.by_ref() {
        let piece = cri_piece(line, defaults).or_else(|| docker_piece(line, defaults));
        match (&mut whole, piece) {
            (Some(whole), Some(piece)) if whole.is_part => {
                whole.line.to_mut().push_str(&piece.line);
                whole.is_part = piece.is_part;
            }
            (None, Some(piece)) => whole = Some(piece),
            (_, Some(piece)) => rest.push(piece.line.into_owned()),
            (_, None) => rest.push(line.to_owned()),
        }
    }
    let mut whole = whole?;
    // Its end is all that can be had of a line that was torn off.
    whole.is_part = false;
    let (mut entry, _) = whole.decoded(defaults);
    for line in rest {
        entry.text.push('\n');
        entry.text.push_str(&line);
    }
    Some(entry)
}

fn cri_piece<'l>(text: &'l str, defaults: &Defaults) -> Option<Piece<'l>> {
    let (stamp, rest) = text.split_once(' ')?;
    let (stream, rest) = rest.split_once(' ')?;
    if !matches!(stream, "stdout" | "stderr") {
        return None;
    }
    let (tag, line) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_part = match tag.split(':').next() {
        Some("F") => false,
        Some("P") => true,
        _ => return None,
    };
    Some(Piece {
        arrival: time::parse(stamp, defaults.unsaid())?,
        stream: stream.into(),
        line: line.into(),
        is_part,
        attributes: Fields::new(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Docker {
    log: String,
    stream: String,
    time: String,
    #[serde(default)]
    attrs: Fields,
}

fn docker_piece<'l>(text: &str, defaults: &Defaults) -> Option<Piece<'l>> {
    // Most objects are no such: a cheap look first.
    if !text.contains("\"stream\"") || !text.contains("\"log\"") {
        return None;
    }
    let docker: Docker = serde_json::from_str(text).ok()?;
    let mut line = docker.log;
    let is_part = !line.ends_with('\n');
    if !is_part {
        line.pop();
    }
    Some(Piece {
        arrival: time::parse(&docker.time, defaults.unsaid())?,
        stream: docker.stream.into(),
        line: line.into(),
        is_part,
        attributes: docker.attrs,
    })
}

impl Piece<'_> {
    fn decoded(self, defaults: &Defaults) -> (Entry, Form) {
        let defaults = Defaults {
            arrival: self.arrival,
            // Within a container it is UTC, whatever it is on the host.
            zone: Zone::default(),
            ..defaults.clone()
        };
        let decoder = if self.is_part {
            Decoder::Raw
        } else {
            Decoder::Auto
        };
        let (mut entry, form) = decoder.line(self.line.as_bytes(), &defaults);
        entry
            .fields
            .entry("stream")
            .or_insert_with(|| self.stream.as_ref().into());
        for (name, value) in self.attributes {
            entry.fields.entry(name).or_insert(value);
        }
        let form = match form {
            _ if self.is_part => Form::Part,
            // The runtime's time is that of every line: it tells nothing about which lines belong together.
            Form::Plain | Form::Timed => Form::Timed,
            other => other,
        };
        (entry, form)
    }
}
