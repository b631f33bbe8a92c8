//! `key=value key="quoted value"` lines.

use serde_json::Value;
use winnow::Parser;
use winnow::combinator::{alt, delimited, eof, opt, preceded, repeat, separated_pair, terminated};
use winnow::token::{none_of, take_while};

use crate::entry::Fields;

type Result<T> = winnow::Result<T, winnow::error::EmptyError>;

/// The pairs of a line that consists of nothing else and has at least two; otherwise `None`: it is plain text.
#[must_use]
pub fn parse(line: &str) -> Option<Fields> {
    // A cheap look first: the line must start with a key.
    let key = line.split_once('=')?.0.trim_start();
    if key.is_empty() || !key.bytes().all(is_key_byte) {
        return None;
    }
    let pairs: Vec<(&str, Value)> = terminated(repeat(2.., preceded(spaces, pair)), (spaces, eof))
        .parse(line)
        .ok()?;
    Some(
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-@/".contains(&byte)
}

fn spaces<'i>(input: &mut &'i str) -> Result<&'i str> {
    take_while(0.., ' ').parse_next(input)
}

fn pair<'i>(input: &mut &'i str) -> Result<(&'i str, Value)> {
    let key = take_while(1.., |character: char| {
        u8::try_from(character).is_ok_and(is_key_byte)
    });
    separated_pair(
        key,
        '=',
        opt(alt((quoted, bare))).map(|value| value.unwrap_or_else(|| Value::String(String::new()))),
    )
    .parse_next(input)
}

fn bare(input: &mut &str) -> Result<Value> {
    take_while(1.., |character: char| character != ' ' && character != '"')
        .map(typed)
        .parse_next(input)
}

/// Numbers and booleans keep their type, so that `duration>=100` compares numbers.
fn typed(word: &str) -> Value {
    match serde_json::from_str(word) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(word.to_owned()),
    }
}

fn quoted(input: &mut &str) -> Result<Value> {
    let piece = alt((
        preceded("\\u", code(4)),
        preceded("\\x", code(2)),
        preceded('\\', winnow::token::any).map(unescape),
        none_of(['"', '\\']),
    ));
    delimited('"', repeat(0.., piece), '"')
        .map(Value::String)
        .parse_next(input)
}

/// A character by its number, as Go's `%q` and JSON write it.
fn code(digits: usize) -> impl FnMut(&mut &str) -> Result<char> {
    move |input| {
        take_while(digits, |digit: char| digit.is_ascii_hexdigit())
            .verify_map(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?))
            .parse_next(input)
    }
}

fn unescape(character: char) -> char {
    match character {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_read() {
        let fields = parse(r#"ts=2026-03-14T09:00:00Z level=warn msg="queue \"depth\"\nabove" c="\u001b\x1bé" n=12 ok=true empty="#).expect("logfmt");
        let wanted = json!({"ts": "2026-03-14T09:00:00Z", "level": "warn", "msg": "queue \"depth\"\nabove", "c": "\u{1b}\u{1b}é", "n": 12, "ok": true, "empty": ""});
        assert_eq!(Value::Object(fields), wanted);
    }

    #[test]
    fn other_lines_are_left_alone() {
        for line in [
            "",
            "x",
            "a=1",
            "GET /x?a=1 b=2 done",
            "a=1 and more",
            "a=\"open b=2",
            "=1 b=2",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
