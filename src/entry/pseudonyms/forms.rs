//! What is told by its form alone, whatever stands around it.

use core::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a value is; its word begins the token that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Email,
    Ip,
    Uuid,
    Token,
    Card,
    Person,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Ip,
        Self::Uuid,
        Self::Token,
        Self::Card,
        Self::Person,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Uuid => "uuid",
            Self::Token => "token",
            Self::Card => "card",
            Self::Person => "user",
        }
    }

    /// The form in which a value is the same as another that is written otherwise.
    pub fn normal(self, value: &str) -> String {
        match self {
            Self::Email | Self::Uuid => value.to_lowercase(),
            Self::Ip => value
                .parse::<IpAddr>()
                .map_or_else(|_| value.to_owned(), |ip| ip.to_string()),
            Self::Card => value.chars().filter(char::is_ascii_digit).collect(),
            Self::Token | Self::Person => value.to_owned(),
        }
    }
}

/// A form that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `https://name:password@host`
    Login,
    /// A private key in the form of PEM (RFC 7468).
    PrivateKey,
    /// What says of itself that it is a credential: JSON web tokens, keys of clouds, what follows `Bearer`.
    Credential,
    Email,
    Uuid,
    /// An address of version 6.
    Ip6,
    Ip,
    Card,
    /// Long, and as irregular as only dice make it.
    Random,
}

struct Patterns {
    login: Regex,
    private_key: Regex,
    credential: Regex,
    email: Regex,
    uuid: Regex,
    ip6: Regex,
    ip: Regex,
    card: Regex,
    run: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).ok();
    Some(Patterns {
        login: pattern(r#"(?i)[a-z][a-z0-9+.-]*://([^\s/:@"']*):([^\s/"']+)@"#)?,
        private_key: pattern(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        )?,
        credential: pattern(
            r"(?x)
            \b( eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{4,}(?:\.[0-9A-Za-z_-]*)* )
            | ( (?:AKIA|ASIA)[A-Z0-9]{16} )
            | \b( (?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[spr]k[_-]|npm_|hf_|AIza|SG\.|hvs\.)[0-9A-Za-z_.-]{16,} )
            | (?i:\b(?:bearer|basic)\s+)( [0-9A-Za-z_.~+/-]{8,}=* )",
        )?,
        email: pattern(r"(?i)\w[\w.%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")?,
        uuid: pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")?,
        ip6: pattern(r"(?:[0-9a-fA-F]{0,4}:){2,8}(?:[0-9a-fA-F]{1,4})?(?:\.[0-9]{1,3}){0,3}")?,
        ip: pattern(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")?,
        card: pattern(
            r"\b(?:[0-9]{13,19}|[0-9]{4}[ -][0-9]{6}[ -][0-9]{5}|(?:[0-9]{4}[ -]){3}[0-9]{4}(?:[ -][0-9]{3})?)\b",
        )?,
        run: pattern("[A-Za-z0-9+/_-]{20,}=*")?,
    })
});

impl Form {
    /// Where a text has it. Should a pattern be wrong (a test sees to it), all of it is taken: nothing leaks.
    pub fn found(self, text: &str) -> Vec<(Range<usize>, Kind)> {
        let Some(of) = &*PATTERNS else {
            return vec![(0..text.len(), Kind::Token)];
        };
        let all = |pattern: &Regex, kind| -> Vec<(Range<usize>, Kind)> {
            let found = pattern.find_iter(text);
            found.map(|found| (found.range(), kind)).collect()
        };
        match self {
            Self::Login => groups(&of.login, text, &[Kind::Person, Kind::Token]),
            Self::PrivateKey => all(&of.private_key, Kind::Token),
            Self::Credential => {
                let mut found = groups(&of.credential, text, &[Kind::Token; 4]);
                found.retain(|(range, _)| is_no_word(&text[range.clone()]));
                found
            }
            Self::Email => all(&of.email, Kind::Email),
            Self::Uuid => {
                let mut found = all(&of.uuid, Kind::Uuid);
                // The nil id names nothing.
                found
                    .retain(|(range, _)| text[range.clone()].contains(|c| !matches!(c, '0' | '-')));
                found
            }
            Self::Ip6 => addresses(&of.ip6, text),
            Self::Ip => addresses(&of.ip, text),
            Self::Card => cards(&of.card, text),
            Self::Random => {
                let runs = of.run.find_iter(text).map(|run| run.range());
                let parts = runs.flat_map(|run| random(text, run));
                parts.map(|range| (range, Kind::Token)).collect()
            }
        }
    }
}

/// The groups of a pattern that take part, each of its kind.
fn groups(pattern: &Regex, text: &str, kinds: &[Kind]) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    for captures in pattern.captures_iter(text) {
        for (at, kind) in (1..).zip(kinds) {
            if let Some(group) = captures.get(at).filter(|group| !group.is_empty()) {
                found.push((group.range(), *kind));
            }
        }
    }
    found
}

/// `Bearer authentication` is prose.
fn is_no_word(value: &str) -> bool {
    value.contains(|c: char| c.is_ascii_digit() || c == '=')
        || value.chars().skip(1).any(char::is_uppercase)
}

/// Addresses, but not of this host, and not what is a version: more than four numbers, a letter before them, or the word.
fn addresses(pattern: &Regex, text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    for candidate in pattern.find_iter(text) {
        let mut range = candidate.range();
        // The colon of `from fe80::1: refused` or `peer:fe80::1` is not part of it.
        for _ in 0..2 {
            let part = &text[range.clone()];
            if part.ends_with(':') && !part.ends_with("::") {
                range.end -= 1;
            } else if part.starts_with(':') && !part.starts_with("::") {
                range.start += 1;
            }
        }
        let address = &text[range.clone()];
        let Ok(ip) = address.parse::<IpAddr>() else {
            continue;
        };
        let (before, after) = (&text[..range.start], &text[range.end..]);
        let is_joined = before.ends_with(|c: char| c.is_alphanumeric() || c == '.')
            || after.starts_with(char::is_alphanumeric)
            || (after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit()));
        // `dead::beef` is a path of a program, and `worker-1::` the beginning of one.
        let groups = address.split([':', '.']).filter(|group| !group.is_empty());
        let is_path = !address.contains(|c: char| c.is_ascii_digit()) || groups.count() < 2;
        let is_here =
            ip.is_loopback() || ip.is_unspecified() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
        let is_version = ip.is_ipv4() && ends_in_version(before);
        if !(is_joined || is_path || is_here || is_version) {
            found.push((range, Kind::Ip));
        }
    }
    found
}

fn ends_in_version(text: &str) -> bool {
    let text = text.trim_end_matches([' ', '=', ':', '"', '\'', '\\']);
    let begin = text.floor_char_boundary(text.len().saturating_sub(7));
    let last = text[begin..].to_ascii_lowercase();
    ["version", "release", "ver"]
        .iter()
        .any(|word| last.ends_with(word))
}

/// Numbers of cards: of an issuer's range and with their check digit. Times since the epoch begin with 1.
fn cards(pattern: &Regex, text: &str) -> Vec<(Range<usize>, Kind)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(candidate) = pattern.find_at(text, at) {
        let digits: Vec<u32> = candidate
            .as_str()
            .chars()
            .filter_map(|c| c.to_digit(10))
            .collect();
        let is_issued = matches!(digits.as_slice(), [3..=6, ..] | [2, 2..=7, ..]);
        if is_issued && has_check_digit(&digits) {
            found.push((candidate.range(), Kind::Card));
            at = candidate.end();
        } else {
            // The next four digits may begin one.
            at = candidate.start() + 4;
        }
    }
    found
}

/// The sum of Luhn (ISO/IEC 7812-1, annex B).
fn has_check_digit(digits: &[u32]) -> bool {
    let sum: u32 = (0..)
        .zip(digits.iter().rev())
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10) && sum > 0
}

/// What of a run of letters and digits no person has written: all of it, or parts between its signs, where words among
/// them say that it is a path or a name.
fn random(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let is_sign = |c: char| matches!(c, '+' | '/' | '_' | '-');
    let whole = &text[run.clone()];
    let is_word = |part: &str| part.len() > 2 && part.bytes().all(|b| b.is_ascii_lowercase());
    let has_words = whole.starts_with('/') || whole.split(is_sign).any(is_word);
    if !has_words && is_random(whole.trim_end_matches('=')) {
        return vec![run];
    }
    let (mut parts, mut start) = (Vec::new(), run.start);
    for part in whole.split(is_sign) {
        let range = start..start + part.len();
        start = range.end + 1;
        if is_random(part.trim_end_matches('=')) {
            parts.push(range);
        }
    }
    parts
}

/// Hexadecimal digits of 16 bytes and more; or letters of both cases and digits that change too often for words
/// (in random ones six of ten neighbours are of another sort, in `SomeLongName2` three); or of one case, then longer.
fn is_random(text: &str) -> bool {
    let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
    let digits = count(u8::is_ascii_digit);
    let (lower, upper) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    if text.len() >= 32 && digits > 0 && count(u8::is_ascii_hexdigit) == text.len() {
        return text.bytes().any(|byte| byte != b'0');
    }
    let sort = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let pairs = text.as_bytes().windows(2);
    let changes = pairs.filter(|pair| sort(pair[0]) != sort(pair[1])).count();
    match (lower.min(upper), digits) {
        (_, 0) => false,
        (0, digits) => {
            let is_plain = digits + lower + upper == text.len();
            is_plain && text.len() >= 28 && digits >= 4 && changes * 4 >= text.len()
        }
        _ => text.len() >= 24 && changes * 5 >= text.len() * 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert!(PATTERNS.is_some());
    }

    #[test]
    fn what_is_random_and_what_has_words() {
        for (text, parts) in [
            (
                "k9Xb2LmQ7rTz4VwY8nPc3Df6Hs",
                vec!["k9Xb2LmQ7rTz4VwY8nPc3Df6Hs"],
            ),
            (
                "/hooks/T02/x8Kd93LmQv7rTz4VwY8nPc3D",
                vec!["x8Kd93LmQv7rTz4VwY8nPc3D"],
            ),
            (
                "Zm9v/YmFy+MTIzNDU2Nzg5MA1b2c9dQ==",
                vec!["Zm9v/YmFy+MTIzNDU2Nzg5MA1b2c9dQ=="],
            ),
            (
                "k3j4h5g6f7d8s9a0q1w2e3r4t5y6",
                vec!["k3j4h5g6f7d8s9a0q1w2e3r4t5y6"],
            ),
            ("payments-gateway-worker-7d9f8b6c5d-x2x4z", vec![]),
            ("/Users/Alice/Projects/Foo2/src/Main", vec![]),
            ("HttpServletRequestWrapper2Implementation", vec![]),
            ("2026-03-14T09-00-00-000Z-backup", vec![]),
            ("00000000000000000000000000000000", vec![]),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", vec![]),
        ] {
            let found = Form::Random.found(text);
            let found: Vec<&str> = found
                .iter()
                .map(|(range, _)| &text[range.clone()])
                .collect();
            assert_eq!(found, parts, "{text}");
        }
    }
}
