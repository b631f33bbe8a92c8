//! Access logs of web servers: the common and the combined form.
//!
//! Source of the formats: `CustomLog` of the Apache HTTP server; nginx's `combined` is the same.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{Defaults, Form, plain};
use crate::entry::{Entry, Level};

/// The line keeps its words; what they mean goes to the fields.
pub fn parse(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    static LINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?x) ^ (?<client>\S+)\ \S+\ (?<user>\S+)\ \[[^\]]+\]
            \ "(?: (?<method>[A-Z]+)\ (?<path>\S*)(?:\ (?<protocol>[A-Z]+/[\d.]+))? | [^"]* )"
            \ (?<status>\d{3})\ (?<bytes>\d+|-)
            (?: \ "(?<referer>[^"]*)"\ "(?<agent>(?:[^"\\]|\\.)*)" )?"#,
        )
        .expect("a valid pattern")
    });
    // The time stands in brackets within the first words: most lines are refused here.
    let head = &text.as_bytes()[..text.len().min(200)];
    memchr::memchr(b'[', head)?;
    let found = LINE.captures(text)?;
    let (mut entry, form) = plain::parse(text, defaults);
    for name in LINE.capture_names().flatten() {
        let Some(value) = found.name(name).map(|value| value.as_str()) else {
            continue;
        };
        let value = match name {
            _ if value == "-" => continue,
            "status" | "bytes" => value.parse::<u64>().map_or(value.into(), Value::from),
            _ => value.into(),
        };
        entry.fields.insert(name.to_owned(), value);
    }
    entry.level = match found["status"].as_bytes().first() {
        Some(b'5') => Level::Error,
        Some(b'4') => Level::Warn,
        _ => Level::Info,
    };
    Some((entry, form))
}
