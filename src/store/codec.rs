//! The bytes of an entry in the WAL.
//!
//! ```text
//! position varint | time i64 LE | level u8 | presence u16 LE | namespace | text
//!   | the present ones of: trace span instance workflow state status called_as callpath route activity track error source
//!   | branch varint (zigzag), if present | fields as JSON, if present
//! ```
//! Strings are a varint length and UTF-8 bytes. Bit i of `presence` is the i-th optional string; bit 13 the branch,
//! bit 14 the fields.

use crate::base::Time;
use crate::entry::{Entry, Fields, Level, Position, Scope};

const BRANCH: u16 = 1 << 13;
const FIELDS: u16 = 1 << 14;

/// Appends a number, seven bits a byte, low ones first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

/// Takes a number off the front of the bytes.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_varint(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

/// Appends the entry's bytes.
pub(super) fn encode(entry: &Entry, out: &mut Vec<u8>) {
    let scope = &entry.scope;
    let optional = entry.optional_texts();
    let mut presence = optional
        .iter()
        .enumerate()
        .fold(0_u16, |bits, (index, value)| {
            bits | u16::from(value.is_some()) << index
        });
    presence |= if scope.branch.is_some() { BRANCH } else { 0 };
    presence |= if entry.fields.is_empty() { 0 } else { FIELDS };
    put_varint(out, entry.position.0);
    out.extend_from_slice(&entry.time.0.to_le_bytes());
    out.push(entry.level as u8);
    out.extend_from_slice(&presence.to_le_bytes());
    put_text(out, &scope.namespace);
    put_text(out, &entry.text);
    for text in optional.into_iter().flatten() {
        put_text(out, text);
    }
    if let Some(branch) = scope.branch {
        put_varint(out, ((branch << 1) ^ (branch >> 63)).cast_unsigned());
    }
    if !entry.fields.is_empty() {
        // A map of JSON values always prints.
        put_text(
            out,
            &serde_json::to_string(&entry.fields).unwrap_or_default(),
        );
    }
}

/// Takes an entry off the front of the bytes; `None` when they are not one.
pub(super) fn decode(bytes: &mut &[u8]) -> Option<Entry> {
    let position = Position(take_varint(bytes)?);
    let time = Time(i64::from_le_bytes(take_array(bytes)?));
    let level = Level::from_code(take_array::<1>(bytes)?[0])?;
    let presence = u16::from_le_bytes(take_array(bytes)?);
    let namespace = take_text(bytes)?;
    let text = take_text(bytes)?;
    let mut bit = 0;
    let mut next = |bytes: &mut &[u8]| -> Option<Option<String>> {
        let present = presence & (1 << bit) != 0;
        bit += 1;
        if present {
            take_text(bytes).map(Some)
        } else {
            Some(None)
        }
    };
    let scope = Scope {
        namespace,
        trace: next(bytes)?,
        span: next(bytes)?,
        instance: next(bytes)?,
        workflow: next(bytes)?,
        state: next(bytes)?,
        status: next(bytes)?,
        called_as: next(bytes)?,
        callpath: next(bytes)?,
        route: next(bytes)?,
        activity: next(bytes)?,
        track: next(bytes)?,
        branch: None,
    };
    let (error, source) = (next(bytes)?, next(bytes)?);
    let branch = if presence & BRANCH == 0 {
        None
    } else {
        let number = take_varint(bytes)?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    };
    let fields: Fields = if presence & FIELDS == 0 {
        Fields::new()
    } else {
        serde_json::from_str(&take_text(bytes)?).ok()?
    };
    Some(Entry {
        position,
        time,
        level,
        scope: Scope { branch, ..scope },
        text,
        error,
        source,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn optional() -> impl Strategy<Value = Option<String>> {
        prop::option::of(".{0,8}")
    }

    prop_compose! {
        fn entry()(
            position in any::<u64>(), time in any::<i64>(), level in 0..6_u8, namespace in ".{0,8}", text in ".{0,40}",
            texts in prop::collection::vec(optional(), 13), branch in prop::option::of(any::<i64>()), number in prop::option::of(any::<i32>()),
        ) -> Entry {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().flatten();
            Entry {
                position: Position(position),
                time: Time(time),
                level: Level::from_code(level).unwrap_or_default(),
                scope: Scope {
                    namespace, trace: next(), span: next(), instance: next(), workflow: next(), state: next(), status: next(),
                    called_as: next(), callpath: next(), route: next(), activity: next(), track: next(), branch,
                },
                text,
                error: next(),
                source: next(),
                fields: number.map(|number| ("n".to_owned(), json!(number))).into_iter().collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn entries_come_back(entry in entry()) {
            let mut bytes = Vec::new();
            encode(&entry, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(decode(&mut rest), Some(entry));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut rest = bytes.as_slice();
            let _ = decode(&mut rest);
            prop_assert!(rest.len() <= bytes.len());
        }
    }
}
