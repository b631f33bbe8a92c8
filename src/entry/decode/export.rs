//! The export format of the journal: lines of `FIELD=value`, binary fields by their length, a blank line between entries.
//!
//! Source of the format: "Journal Export Formats" of systemd.

use serde_json::Value;

use super::{Defaults, Pairs, from_object};
use crate::entry::{Entry, bytes};

/// How an entry begins.
pub(super) const BEGINS: &[u8] = b"__CURSOR=";

/// An entry from all its lines; what is none of the format is passed over, as far as the next line.
pub(super) fn parse(raw: &[u8], defaults: &Defaults) -> Entry {
    let mut pairs: Vec<(String, Value)> = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let (name, value) = match memchr::memchr(b'=', line) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None if line.is_empty() => continue,
            None => (line, binary(&mut rest)),
        };
        let name = bytes::decode(name).into_owned();
        let value = bytes::decode(value).into_owned();
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.into(),
            None => pairs.push((name, value.into())),
        }
    }
    from_object(Pairs(pairs), defaults)
}

/// A value behind its length, 64 bits, little-endian.
fn binary<'r>(rest: &mut &'r [u8]) -> &'r [u8] {
    let Some((length, value)) = rest.split_first_chunk::<8>() else {
        return &[];
    };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (value, more) = value.split_at(length.min(value.len()));
    *rest = more.strip_prefix(b"\n").unwrap_or(more);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::Level;

    #[test]
    fn fields_are_read_also_binary_ones() {
        let mut raw =
            b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1773478800000000\nPRIORITY=3\nMESSAGE\n".to_vec();
        raw.extend(11_u64.to_le_bytes());
        raw.extend(b"one\n\nA=2\nx\n\n_PID=7");
        let entry = parse(&raw, &Defaults::at(Time(0)));
        assert_eq!(entry.text, "one\n\nA=2\nx");
        assert_eq!(entry.level, Level::Error);
        assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00Z");
        assert_eq!(entry.fields.get("_PID"), Some(&"7".into()));
        // A length beyond the end, and none at all.
        assert_eq!(
            parse(
                b"A\n\xff\xff\xff\xff\xff\xff\xff\x7fxy",
                &Defaults::at(Time(0))
            )
            .fields["A"],
            "xy"
        );
        parse(b"MESSAGE\n\x01", &Defaults::at(Time(0)));
    }
}
