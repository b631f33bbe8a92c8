//! What names of fields say of their values, and such names and values within text: `user=alice`, `"token": "…"`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a name says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nobody else may have it.
    Secret,
    /// It tells who somebody is.
    Person,
    /// It is a version: `1.2.3.4` is no address.
    Version,
    Other,
}

/// Ends of names of secrets, without the signs between words.
const SECRETS: [&str; 19] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "signingkey",
    "encryptionkey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "sessionid",
    "signature",
    "otp",
];
/// Of those, what is never followed by prose.
const PASSWORDS: [&str; 5] = ["password", "passwd", "pwd", "passphrase", "secret"];
/// Words for a person, or for what leads to one.
const PERSONS: [&str; 22] = [
    "user",
    "username",
    "userid",
    "login",
    "email",
    "mail",
    "account",
    "customer",
    "patient",
    "employee",
    "subscriber",
    "cardholder",
    "principal",
    "phone",
    "mobile",
    "msisdn",
    "ssn",
    "iban",
    "ip",
    "ipaddr",
    "ipaddress",
    "nickname",
];
/// Ends of names for the same, without the signs between words.
const NAMES: [&str; 12] = [
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "familyname",
    "displayname",
    "remoteaddr",
    "remoteaddress",
    "clientaddr",
    "clientaddress",
    "peeraddr",
    "forwardedfor",
];
/// What may follow a word for a person: `user_id`; and what its members are called.
const PARTS: [&str; 9] = [
    "id", "ids", "name", "names", "no", "number", "address", "addr", "uuid",
];

/// What a name says of its value: `user_id`, `customerNumber` and `client.ip` of a person, `user_agent` of none.
pub(super) fn class_of(name: &str) -> Class {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_small = false;
    for character in name.chars() {
        if !character.is_alphanumeric() || (was_small && character.is_uppercase()) {
            words.push('_');
        }
        if character.is_alphanumeric() {
            words.extend(character.to_lowercase());
        }
        was_small = character.is_lowercase();
    }
    let joined = words.replace('_', "");
    let ends = |all: &[&str]| all.iter().any(|end| joined.ends_with(end));
    if ends(&SECRETS) {
        return Class::Secret;
    }
    let told = words.rsplit('_').filter(|word| !word.is_empty());
    let mut told = told.skip_while(|word| PARTS.contains(word));
    if ends(&NAMES) || told.next().is_some_and(|word| PERSONS.contains(&word)) {
        return Class::Person;
    }
    if joined.contains("version") {
        return Class::Version;
    }
    Class::Other
}

/// What a member of an object says that is a person itself: its `id` and `name`.
pub(super) fn class_within(name: &str) -> Class {
    match class_of(name) {
        Class::Other if PARTS.contains(&name.to_lowercase().as_str()) => Class::Person,
        class => class,
    }
}

/// A value whose name says what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'t> {
    pub range: Range<usize>,
    pub class: Class,
    /// What a token for it goes between: a number in JSON becomes text.
    pub quote: &'t str,
}

static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"([A-Za-z_][A-Za-z0-9_.-]*)(\\*["'])?[ \t]*(=>|:=|[:=])[ \t]*"#).ok()
});

/// Secrets and persons that a text names. A person is named by `=` or as JSON does it: after `user: ` comes prose. So it
/// does after `token: `, where what comes is a word of small letters.
pub(super) fn named(text: &str) -> Vec<Named<'_>> {
    let Some(pattern) = &*NAME else {
        let range = 0..text.len();
        return vec![Named {
            range,
            class: Class::Secret,
            quote: "",
        }];
    };
    // Until where values are taken, and until where a person's members go.
    let (mut found, mut done, mut within) = (Vec::new(), 0, 0);
    for captures in pattern.captures_iter(text) {
        let (Some(whole), Some(name), Some(sign)) =
            (captures.get(0), captures.get(1), captures.get(3))
        else {
            continue;
        };
        if whole.start() < done {
            continue;
        }
        let class = if whole.start() < within {
            class_within(name.as_str())
        } else {
            class_of(name.as_str())
        };
        let quote = captures.get(2).map_or("", |quote| quote.as_str());
        let is_loose = quote.is_empty() && !sign.as_str().contains('=');
        let is_told = class == Class::Secret || (class == Class::Person && !is_loose);
        if !is_told {
            continue;
        }
        let rest = &text[whole.end()..];
        if class == Class::Person && rest.starts_with('{') {
            // Looked for once, however many begin within each other.
            if whole.end() >= within {
                within = whole.end() + rest.find('}').unwrap_or(rest.len());
            }
            continue;
        }
        let name = name.as_str().to_lowercase();
        let (value, is_quoted) = value(rest, name.ends_with("cookie"));
        let is_prose = is_loose
            && whole.as_str().ends_with([' ', '\t'])
            && !PASSWORDS.iter().any(|word| name.ends_with(word))
            && rest[value.clone()]
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b' ');
        if value.is_empty() || is_prose {
            continue;
        }
        let range = whole.end() + value.start..whole.end() + value.end;
        done = range.end;
        let quote = if is_quoted { "" } else { quote };
        found.push(Named {
            range,
            class,
            quote,
        });
    }
    found
}

/// The value that a text begins with, and whether it is between quotes: a list or an object as a whole, what is between
/// quotes, or else a word; all of the line of a cookie, which is a list of them.
fn value(text: &str, is_line: bool) -> (Range<usize>, bool) {
    let slashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    match text.as_bytes().get(slashes) {
        Some(b'[' | b'{') if slashes == 0 => (0..closed(text), false),
        Some(quote @ (b'"' | b'\'')) => {
            // Of a quote within, more backslashes say that it does not end the value.
            let (mut run, begin) = (0, slashes + 1);
            for (at, byte) in text.bytes().enumerate().skip(begin) {
                if byte == *quote && run <= slashes {
                    return (begin..at - run, true);
                }
                run = if byte == b'\\' { run + 1 } else { 0 };
            }
            (begin..text.len(), true)
        }
        _ => {
            let is_end = |c: char| match c {
                '\n' | '\r' | '"' | '\'' => true,
                ',' | ';' | '&' => !is_line,
                c => !is_line && c.is_whitespace(),
            };
            let begin = use_of(text).map_or(0, |(_, rest)| text.len() - rest.len());
            let end = text[begin..]
                .find(is_end)
                .map_or(text.len(), |end| begin + end);
            // Of `(token=abc).` the end is not part of it.
            let value = text[..end].trim_end_matches([')', ']', '}', '.', '\\']);
            (0..value.len(), false)
        }
    }
}

/// How a secret says it is to be used, which is none itself (RFC 7235), and the rest.
pub(super) fn use_of(value: &str) -> Option<(&str, &str)> {
    const USES: [&str; 5] = ["bearer", "basic", "token", "negotiate", "apikey"];
    let (first, rest) = value.split_once(' ')?;
    let is_use = USES.iter().any(|word| word.eq_ignore_ascii_case(first));
    is_use.then_some((first, rest.trim_start()))
}

/// Where the list or object that a text begins with ends; all of it where it does not.
fn closed(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth <= 1 => return at + 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_their_values_are() {
        for (names, class) in [
            (
                "password DB_PASSWORD accessToken x-api-key client.secret Set-Cookie aws_secret_access_key",
                Class::Secret,
            ),
            (
                "user user_id userName customerNumber client.ip remote_addr enduser.email first_name login",
                Class::Person,
            ),
            ("version app_version", Class::Version),
            (
                "user_agent users tokens token_count id name zip ip_version address account_type trace_id",
                Class::Other,
            ),
        ] {
            for name in names.split(' ') {
                let class = if name == "ip_version" {
                    Class::Version
                } else {
                    class
                };
                assert_eq!(class_of(name), class, "{name}");
            }
        }
        assert_eq!(class_within("name"), Class::Person);
        assert_eq!(class_within("role"), Class::Other);
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, values) in [
            (
                "password=a,b (token=abc). pwd='x y' secret: hunter",
                vec!["a", "abc", "x y", "hunter"],
            ),
            (r#"{"token":"a\"b","user_id":42}"#, vec![r#"a\"b"#, "42"]),
            (r#"{\"token\":\"ab\",\"pwd\":7}"#, vec!["ab", "7"]),
            (
                r#"{"secret":{"a":[1,2]},"user":["x"],"z":1}"#,
                vec![r#"{"a":[1,2]}"#, r#"["x"]"#],
            ),
            (
                r#"{"user":{"id":7,"role":"x","name":"Al"},"id":8}"#,
                vec!["7", "Al"],
            ),
            ("Cookie: a=b; c=d\nnext", vec!["a=b; c=d"]),
            (
                "invalid token: expired, user: unknown, login: failed",
                vec![],
            ),
            ("token=\"never closed", vec!["never closed"]),
            ("token=", vec![]),
        ] {
            let found = named(text);
            let found: Vec<&str> = found.iter().map(|of| &text[of.range.clone()]).collect();
            assert_eq!(found, values, "{text}");
        }
        assert_eq!(named(r#"{"user_id":42}"#)[0].quote, "\"");
    }
}
