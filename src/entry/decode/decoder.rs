//! Which form lines are in: told, or found for each line.

use std::str::FromStr;

use super::{Defaults, Form, Pairs, access, container, from_object, logfmt, plain, syslog};
use crate::entry::{Entry, Scope, bytes};

/// The form of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoder {
    /// Found for each line.
    #[default]
    Auto,
    /// A JSON object.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// RFC 5424 or RFC 3164.
    Syslog,
    /// What container runtimes write: CRI's lines or Docker's objects, around lines of any form.
    Container,
    /// As Kubernetes components write.
    Klog,
    /// The common or combined form of web servers.
    Access,
    /// Text with a time and a level found in it.
    Plain,
    /// Text that nothing is looked for in.
    Raw,
}

impl Decoder {
    /// Every form and its word.
    pub const ALL: [(&str, Self); 9] = [
        ("auto", Self::Auto),
        ("json", Self::Json),
        ("logfmt", Self::Logfmt),
        ("syslog", Self::Syslog),
        ("container", Self::Container),
        ("klog", Self::Klog),
        ("access", Self::Access),
        ("plain", Self::Plain),
        ("raw", Self::Raw),
    ];

    /// Decodes one line (without its newline). A line that is not in the form is plain text: nothing is refused.
    #[must_use]
    pub fn line(self, line: &[u8], defaults: &Defaults) -> (Entry, Form) {
        let text = bytes::decode(line);
        let text = text.trim_end_matches(['\r', '\n']);
        let found = match self {
            Self::Auto => None
                .or_else(|| json(text, defaults))
                .or_else(|| container::cri(text, defaults))
                .or_else(|| syslog::prioritised(text, defaults))
                .or_else(|| pairs(text, defaults))
                .or_else(|| access::parse(text, defaults)),
            Self::Json => json(text, defaults),
            Self::Logfmt => pairs(text, defaults),
            Self::Syslog => syslog::parse(text, defaults),
            Self::Container => {
                container::cri(text, defaults).or_else(|| container::docker(text, defaults))
            }
            Self::Access => access::parse(text, defaults),
            Self::Klog | Self::Plain => None,
            Self::Raw => Some((raw(text, defaults), Form::Plain)),
        };
        found.unwrap_or_else(|| plain::parse(text, defaults))
    }
}

impl FromStr for Decoder {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        found.map(|(_, decoder)| *decoder).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}, found {word:?}", names.join(", "))
        })
    }
}

fn json(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    if let Some(found) = container::docker(text, defaults) {
        return Some(found);
    }
    let object = serde_json::from_str::<Pairs>(text).ok()?;
    Some((from_object(object, defaults), Form::Json))
}

fn pairs(text: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
    let object = logfmt::parse(text)?;
    Some((from_object(object, defaults), Form::Logfmt))
}

fn raw(text: &str, defaults: &Defaults) -> Entry {
    Entry {
        time: defaults.arrival,
        text: text.to_owned(),
        source: defaults.source.clone(),
        scope: Scope {
            namespace: defaults.namespace.clone(),
            ..Scope::default()
        },
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::base::Time;
    use crate::entry::Level;
    use crate::entry::decode::time;

    fn check(decoder: Decoder, line: &str) -> (Entry, Form) {
        let arrival = time::parse("2026-11-21T00:00:00Z", Time(0)).expect("a time");
        decoder.line(line.as_bytes(), &Defaults::at(arrival))
    }

    #[test]
    fn words_are_read() {
        for (word, decoder) in Decoder::ALL {
            assert_eq!(word.parse(), Ok(decoder));
        }
        let error = "xml".parse::<Decoder>().expect_err("unknown");
        assert!(error.contains("auto, json"), "{error}");
    }

    #[test]
    fn forms_are_found() {
        let cases = [
            (r#"{"msg":"m"}"#, Form::Json),
            ("a=1 b=2", Form::Logfmt),
            ("2026-03-14T09:00:00.1Z stdout F hello", Form::Timed),
            ("<34>1 2026-03-14T09:00:00Z web app 12 ID - hi", Form::Timed),
            ("2026-03-14 09:00:00 hi", Form::Timed),
            ("hello", Form::Plain),
        ];
        for (line, form) in cases {
            assert_eq!(check(Decoder::Auto, line).1, form, "{line}");
        }
        assert_eq!(
            check(Decoder::Raw, "2026-03-14 09:00:00 ERROR x").0.text,
            "2026-03-14 09:00:00 ERROR x"
        );
        // What is not in the form that was told is text, and whole.
        for (_, decoder) in Decoder::ALL {
            assert_eq!(check(decoder, "just words").0.text, "just words");
        }
    }

    #[test]
    fn syslog_lines_are_read() {
        let line = r#"<165>1 2026-03-14T09:00:00.003Z web1 shop 8710 ID47 [x@1 order="7"] paid"#;
        for decoder in [Decoder::Auto, Decoder::Syslog] {
            let (entry, _) = check(decoder, line);
            assert_eq!(entry.text, "paid");
            assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00.003Z");
            assert_eq!(entry.level, Level::Info);
            assert_eq!(
                Value::Object(entry.fields),
                json!({"facility": "local4", "host": "web1", "app": "shop", "pid": 8710, "msgid": "ID47", "x@1.order": "7"})
            );
        }
        let (entry, _) = check(Decoder::Syslog, "<11>Mar 14 09:00:00 web1 shop[8]: refused");
        assert_eq!(
            (entry.text.as_str(), entry.level),
            ("refused", Level::Error)
        );
        assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00Z");
        assert_eq!(entry.fields.get("app"), Some(&json!("shop")));
        let (entry, _) = check(
            Decoder::Syslog,
            r#"<11>1 - h a - - - {"msg":"m","trace":"t1"}"#,
        );
        assert_eq!(entry.text, "m");
        assert_eq!(entry.scope.trace.as_deref(), Some("t1"));
        assert_eq!(entry.level, Level::Error);
        assert_eq!(entry.fields.get("host"), Some(&json!("h")));
    }

    #[test]
    fn container_lines_are_read() {
        let (entry, _) = check(
            Decoder::Container,
            "2026-03-14T09:00:00.5Z stderr F level=error msg=\"no disk\"",
        );
        assert_eq!(
            (entry.text.as_str(), entry.level),
            ("no disk", Level::Error)
        );
        assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00.5Z");
        assert_eq!(entry.fields.get("stream"), Some(&json!("stderr")));
        let docker = r#"{"log":"plain words\n","stream":"stdout","time":"2026-03-14T09:00:00Z"}"#;
        for decoder in [Decoder::Auto, Decoder::Container] {
            let (entry, form) = check(decoder, docker);
            assert_eq!((entry.text.as_str(), form), ("plain words", Form::Timed));
            assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00Z");
        }
        let part = "2026-03-14T09:00:00.5Z stdout P begun ";
        assert_eq!(check(Decoder::Auto, part).1, Form::Part);
    }

    #[test]
    fn access_lines_are_read() {
        let line = r#"1.2.3.4 - bob [14/Mar/2026:09:00:00 +0000] "GET /a?b=1 HTTP/1.1" 502 12 "-" "curl/8""#;
        let (entry, _) = check(Decoder::Access, line);
        assert_eq!((entry.text.as_str(), entry.level), (line, Level::Error));
        assert_eq!(
            Value::Object(entry.fields),
            json!({"client": "1.2.3.4", "user": "bob", "method": "GET", "path": "/a?b=1", "protocol": "HTTP/1.1", "status": 502, "bytes": 12, "agent": "curl/8"})
        );
    }
}
