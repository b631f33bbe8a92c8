//! The memory of a session: which token stands for which value.

use std::ops::Range;

use foldhash::HashMap;

use super::forms::Kind;

/// Values that are told apart in a session: more than anybody reads, with their texts some 15 MB.
const MAX_VALUES: usize = 100_000;
/// Bytes of all of them: what is long (keys, cookies) is rare.
const MAX_BYTES: usize = 16 << 20;
/// Values of several words that begin alike: each place where the word stands is compared with all of them.
const MAX_PHRASES: usize = 64;
/// What is longer is no name that stands in prose.
const MAX_PHRASE_BYTES: usize = 200;
/// Values that say that there is none.
const NOTHING: [&str; 10] = [
    "",
    "null",
    "nil",
    "none",
    "undefined",
    "true",
    "false",
    "<nil>",
    "[redacted]",
    "redacted",
];
/// Names of nobody, and of this host: they stand in every log, and in prose mean something else (`root cause`).
const NOBODY: [&str; 12] = [
    "root",
    "admin",
    "system",
    "anonymous",
    "guest",
    "nobody",
    "unknown",
    "default",
    "localhost",
    "127.0.0.1",
    "::1",
    "0.0.0.0",
];

/// Values and their tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Values that were replaced, and by what.
    known: HashMap<String, (Kind, u32)>,
    /// Those of several words, by the first.
    phrases: HashMap<String, Vec<String>>,
    /// How many of each kind there are.
    issued: [u32; Kind::ALL.len()],
    bytes: usize,
}

impl Tokens {
    /// Values that were replaced elsewhere, as words of their own.
    pub fn known(&self, raw: &str) -> Vec<(Range<usize>, String)> {
        let mut found: Vec<(Range<usize>, String)> = Vec::new();
        if self.known.is_empty() {
            return found;
        }
        let mut done = 0;
        for (at, word) in words(raw) {
            if at < done {
                continue;
            }
            let rest = &raw[at..];
            let is_whole = |phrase: &&String| {
                let after = rest.strip_prefix(phrase.as_str());
                after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
            };
            let phrases = self.phrases.get(word).into_iter().flatten();
            let longest = phrases.filter(is_whole).max_by_key(|phrase| phrase.len());
            let value = longest.map_or(word, String::as_str);
            if let Some((kind, number)) = self.known.get(value)
                && is_telling(*kind, value)
            {
                done = at + value.len();
                found.push((at..done, print(*kind, *number)));
            }
        }
        found
    }

    /// The token that stands for a value; nothing where the value is a token, or says nothing.
    pub fn token(&mut self, kind: Kind, value: &str) -> Option<String> {
        let normal = kind.normal(value);
        if let Some((kind, number)) = self.known.get(&normal) {
            return Some(print(*kind, *number));
        }
        let is_value = |word: &&str| word.eq_ignore_ascii_case(value);
        let is_nothing = value.bytes().all(|byte| matches!(byte, b'*' | b'-' | b' '))
            || NOTHING.iter().any(&is_value)
            || (kind == Kind::Person && NOBODY.iter().any(is_value));
        if is_nothing || self.are_tokens(value) {
            return None;
        }
        if self.known.len() >= MAX_VALUES || self.bytes + normal.len() > MAX_BYTES {
            return Some(format!("{}-many", kind.word()));
        }
        let number = loop {
            let issued = &mut self.issued[kind as usize];
            *issued += 1;
            let number = *issued;
            // A token is never what somebody is called: it would mean two things.
            if !self.known.contains_key(&print(kind, number)) {
                break number;
            }
        };
        if is_telling(kind, value)
            && let Some((0, first)) = words(value).next()
            && first.len() < value.len()
            && value.len() <= MAX_PHRASE_BYTES
        {
            let phrases = self.phrases.entry(first.to_owned()).or_default();
            if phrases.len() < MAX_PHRASES {
                phrases.push(value.to_owned());
            }
        }
        self.bytes += normal.len();
        self.known.insert(normal, (kind, number));
        Some(print(kind, number))
    }

    /// Whether a value is one of our tokens, or several, with signs between them.
    fn are_tokens(&self, value: &str) -> bool {
        let is_token = |part: &str| {
            part.rsplit_once('-').is_some_and(|(word, number)| {
                let mut kinds = Kind::ALL.into_iter();
                kinds.find(|kind| kind.word() == word).is_some_and(|kind| {
                    let is_issued = |of: u32| of > 0 && of <= self.issued[kind as usize];
                    number == "many"
                        || (!number.starts_with('0') && number.parse().is_ok_and(is_issued))
                })
            })
        };
        let mut parts = value
            .split(|c: char| !c.is_alphanumeric() && c != '-')
            .filter(|part| part.contains(char::is_alphabetic))
            .peekable();
        parts.peek().is_some() && parts.all(is_token)
    }
}

/// Whether a value is found in prose too: a short one means something else, and a secret that is a word would be told by
/// the places where it stands.
fn is_telling(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Person if value.contains(char::is_alphabetic) => value.chars().count() > 2,
        Kind::Person => value.len() > 5,
        Kind::Token => value.len() > 7,
        Kind::Email | Kind::Ip | Kind::Uuid | Kind::Card => false,
    }
}

fn print(kind: Kind, number: u32) -> String {
    format!("{}-{number}", kind.word())
}

/// Words with what stands within them, but not at their end, and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let parts = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'));
    parts.filter_map(move |part| {
        let begin = part.trim_start_matches(['-', '.']);
        let found = (
            at + part.len() - begin.len(),
            begin.trim_end_matches(['-', '.']),
        );
        at += part.len();
        at += text[at..].chars().next().map_or(0, char::len_utf8);
        (!found.1.is_empty()).then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bounds_nothing_is_told() {
        let mut tokens = Tokens::default();
        let long = "x".repeat(MAX_BYTES - 3);
        assert_eq!(tokens.token(Kind::Token, &long).as_deref(), Some("token-1"));
        assert_eq!(
            tokens.token(Kind::Person, "abcd").as_deref(),
            Some("user-many")
        );
        assert_eq!(tokens.token(Kind::Person, "abc").as_deref(), Some("user-1"));
        let mut tokens = Tokens::default();
        for n in 0..MAX_VALUES + 2 {
            tokens.token(Kind::Person, &format!("of {n}"));
        }
        assert_eq!(tokens.known.len(), MAX_VALUES);
        assert_eq!(tokens.phrases["of"].len(), MAX_PHRASES);
        assert_eq!(
            tokens.token(Kind::Ip, "10.0.0.1").as_deref(),
            Some("ip-many")
        );
        assert_eq!(tokens.token(Kind::Ip, "ip-many"), None);
        assert_eq!(
            tokens.token(Kind::Person, "of 0").as_deref(),
            Some("user-1")
        );
    }

    #[test]
    fn words_have_no_signs_around_them() {
        let found: Vec<(usize, &str)> = words("é, -a.b. (c_d)/…").collect();
        assert_eq!(found, [(0, "é"), (5, "a.b"), (11, "c_d")]);
    }
}
