//! What container runtimes put around the lines of a container.
//!
//! Sources of the formats: the logging format of the Kubernetes Container Runtime Interface; Docker's `json-file`.

use serde::Deserialize;

use super::{Decoder, Defaults, Form, time};
use crate::entry::Entry;

/// `<time> stdout|stderr F|P <line>`; `P` is a part of a line that goes on.
pub fn cri(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
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
    let arrival = time::parse(stamp, defaults.arrival)?;
    Some(within(line, stream, is_part, arrival, defaults))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Docker {
    log: String,
    stream: String,
    time: String,
    #[serde(default)]
    attrs: crate::entry::Fields,
}

/// `{"log":"<line>\n","stream":"stdout","time":"…"}`; without the newline the line goes on.
pub fn docker(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    // Most objects are no such: a cheap look first.
    if !text.contains("\"stream\"") || !text.contains("\"log\"") {
        return None;
    }
    let docker: Docker = serde_json::from_str(text).ok()?;
    let arrival = time::parse(&docker.time, defaults.arrival)?;
    let line = docker.log.strip_suffix('\n');
    let is_part = line.is_none();
    let line = line.unwrap_or(&docker.log);
    let (mut entry, form) = within(line, &docker.stream, is_part, arrival, defaults);
    for (name, value) in docker.attrs {
        entry.fields.entry(name).or_insert(value);
    }
    Some((entry, form))
}

fn within(
    line: &str,
    stream: &str,
    is_part: bool,
    arrival: crate::base::Time,
    defaults: &Defaults,
) -> (Entry, Form) {
    let defaults = Defaults {
        arrival,
        ..defaults.clone()
    };
    let decoder = if is_part { Decoder::Raw } else { Decoder::Auto };
    let (mut entry, form) = decoder.line(line.as_bytes(), &defaults);
    entry
        .fields
        .entry("stream")
        .or_insert_with(|| stream.into());
    let form = match form {
        _ if is_part => Form::Part,
        // The runtime's time is that of every line: it tells nothing about which lines belong together.
        Form::Plain | Form::Timed => Form::Timed,
        other => other,
    };
    (entry, form)
}
