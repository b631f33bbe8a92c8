//! Lines that are neither JSON nor logfmt: a time at the head and a level near it are found and taken off.

use super::{Defaults, Form, time};
use crate::entry::{Entry, Level, Scope};

/// How many bytes may stand before a time in brackets.
const BRACKET_WITHIN: usize = 200;
/// How many words after the time may stand before the level,
const LEVEL_WITHIN: usize = 4;
/// and how many bytes: a word may go on for megabytes.
const LEVEL_BYTES: usize = 512;

/// The line as an entry; [`Form::Timed`] when a time was found.
#[must_use]
pub fn parse(line: &str, defaults: &Defaults) -> (Entry, Form) {
    let found = klog(line, defaults).or_else(|| headed(line, defaults));
    let (time, level, text) = match &found {
        Some((time, level, rest)) => (*time, *level, *rest),
        None => (defaults.arrival, None, line),
    };
    let (level, text) = match level {
        Some(level) => (level, text),
        None => leading_level(text),
    };
    let scope = Scope {
        namespace: defaults.namespace.clone(),
        ..Scope::default()
    };
    let entry = Entry {
        time,
        level,
        scope,
        text: text.to_owned(),
        source: defaults.source.clone(),
        ..Entry::default()
    };
    (
        entry,
        if found.is_some() {
            Form::Timed
        } else {
            Form::Plain
        },
    )
}

/// Whether a time stands at the head of a line, or in the first brackets.
pub(super) fn is_headed(line: &str, arrival: crate::base::Time) -> bool {
    let defaults = Defaults::at(arrival);
    klog(line, &defaults)
        .or_else(|| headed(line, &defaults))
        .is_some()
}

type Head<'l> = (crate::base::Time, Option<Level>, &'l str);

/// `2026-03-14 09:00:00 …`, also in brackets; an access log's time stands after the client and is left in the text.
fn headed<'l>(line: &'l str, defaults: &Defaults) -> Option<Head<'l>> {
    let inner = line.strip_prefix('[').unwrap_or(line);
    if let Some((time, length)) = time::leading(inner, defaults.unsaid()) {
        let rest = &inner[length..];
        let rest = if inner.len() < line.len() {
            rest.strip_prefix(']').unwrap_or(rest)
        } else {
            rest
        };
        return Some((
            time,
            None,
            rest.trim_start_matches([' ', '\t', ':', '|', '-']),
        ));
    }
    let bracket = line
        .bytes()
        .take(BRACKET_WITHIN)
        .position(|byte| byte == b'[')?;
    let (time, _) = time::leading(&line[bracket + 1..], defaults.unsaid())?;
    Some((time, None, line))
}

/// `I0314 09:00:00.123456   1 file.go:12] text`, as Kubernetes components write.
fn klog<'l>(line: &'l str, defaults: &Defaults) -> Option<Head<'l>> {
    let level = match line.as_bytes() {
        [b'I', b'0' | b'1', ..] => Level::Info,
        [b'W', b'0' | b'1', ..] => Level::Warn,
        [b'E', b'0' | b'1', ..] => Level::Error,
        [b'F', b'0' | b'1', ..] => Level::Fatal,
        _ => return None,
    };
    let (day, clock) = (line.get(1..5)?, line.get(6..21)?);
    let (month, day) = (day.get(..2)?, day.get(2..)?);
    let time = time::of_year(defaults.unsaid(), |year| {
        format!("{year:04}-{month}-{day} {clock}").parse().ok()
    })?;
    Some((time, Some(level), line.get(21..)?.trim_start()))
}

/// A level among the first words: taken off when it is the very first, otherwise only noted.
fn leading_level(text: &str) -> (Level, &str) {
    let head = &text[..text.floor_char_boundary(LEVEL_BYTES)];
    let mut at = 0;
    for (index, word) in head.split_ascii_whitespace().take(LEVEL_WITHIN).enumerate() {
        at += head[at..].find(word).unwrap_or(0) + word.len();
        // A word that is cut here is none.
        if at == head.len() && head.len() < text.len() {
            break;
        }
        let bare = word.trim_matches(|character: char| "[]<>():|".contains(character));
        // A level stands in capitals or in brackets; "error" in a sentence is a word.
        let marked = bare.len() < word.len() || bare.bytes().all(|byte| byte.is_ascii_uppercase());
        if marked
            && bare.len() >= 3
            && let Ok(level) = bare.parse()
        {
            let rest = text[at..].trim_start_matches([' ', '\t', ':', '|', '-']);
            return (
                level,
                if index == 0 && !rest.is_empty() {
                    rest
                } else {
                    text
                },
            );
        }
    }
    (Level::default(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    #[test]
    fn time_and_level_are_found() {
        let arrival = time::parse("2026-11-21T00:00:00Z", Time(0)).expect("a time");
        let cases = [
            (
                "2026-03-14 09:00:00.000541 ERROR [pay] boom",
                "2026-03-14T09:00:00.000541Z",
                Level::Error,
                "[pay] boom",
            ),
            (
                "[2026-03-14 09:00:00] WARN: slow",
                "2026-03-14T09:00:00Z",
                Level::Warn,
                "slow",
            ),
            (
                "2026/03/14 09:00:00 [error] 12#0: refused",
                "2026-03-14T09:00:00Z",
                Level::Error,
                "12#0: refused",
            ),
            (
                "Mar 14 09:00:00 host app[1]: started",
                "2026-03-14T09:00:00Z",
                Level::Info,
                "host app[1]: started",
            ),
            (
                "W0314 09:00:00.123456       1 a.go:12] late",
                "2026-03-14T09:00:00.123456Z",
                Level::Warn,
                "1 a.go:12] late",
            ),
            (
                r#"1.2.3.4 - - [14/Mar/2026:09:00:00 +0000] "GET /""#,
                "2026-03-14T09:00:00Z",
                Level::Info,
                r#"1.2.3.4 - - [14/Mar/2026:09:00:00 +0000] "GET /""#,
            ),
            (
                "an error happened",
                "2026-11-21T00:00:00Z",
                Level::Info,
                "an error happened",
            ),
            (
                "main FATAL gone",
                "2026-11-21T00:00:00Z",
                Level::Fatal,
                "main FATAL gone",
            ),
        ];
        for (line, time, level, text) in cases {
            let (entry, _) = parse(line, &Defaults::at(arrival));
            assert_eq!(
                (
                    entry.time.to_string().as_str(),
                    entry.level,
                    entry.text.as_str()
                ),
                (time, level, text),
                "{line}"
            );
        }
        let cut = format!("{} ERRORS", "x".repeat(LEVEL_BYTES - 6));
        let (entry, _) = parse(&cut, &Defaults::at(arrival));
        assert_eq!(
            entry.level,
            Level::Info,
            "only a part of a word is looked at"
        );
    }
}
