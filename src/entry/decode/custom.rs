//! Formats as a user describes them: a pattern, or what the keys of JSON objects mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::format::How;
use super::{Format, Pattern, PatternError, PatternOptions};

/// A format as the configuration has it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FormatOptions {
    /// A regular expression with named groups: `time`, `level`, `msg`, `namespace`, `trace`, `span`, `instance` and `error` are
    /// those parts of an entry, every other group becomes a field.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// For JSON objects: names of ours (`time`, `level`, `msg`, `namespace`, `trace`, `span`, `instance`, `error`) and the keys
    /// that mean them, a path through nested objects with dots.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
    /// The format's own words for levels, and ours.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, String>,
    /// How times are written (`strptime`), where that is none of the usual forms.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub time: String,
    /// A regular expression of lines that belong to the entry before although they look like the first of one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub continues: String,
}

/// What is wrong with a format.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It is not said how lines are taken apart.
    #[error("format {0:?}: expected either pattern or keys, found both or neither")]
    How(String),
    /// A key means nothing that an entry has.
    #[error("format {format:?}: expected one of {expected} in keys, found {found:?}")]
    Key {
        /// The format.
        format: String,
        /// What may stand there.
        expected: String,
        /// What does.
        found: String,
    },
    /// The pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// What keys may mean.
const PARTS: [&str; 8] = [
    "time",
    "level",
    "msg",
    "namespace",
    "trace",
    "span",
    "instance",
    "error",
];

impl Format {
    /// The format that is described, by its name.
    ///
    /// # Errors
    /// It is not understood.
    pub fn described(name: &str, options: &FormatOptions) -> Result<Self, FormatError> {
        let name = name.to_owned();
        match (options.pattern.is_empty(), options.keys.is_empty()) {
            (false, true) => {
                let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
                let pattern = Pattern::new(&PatternOptions {
                    name,
                    pattern: options.pattern.clone(),
                    levels: options.levels.clone(),
                    time: given(&options.time),
                    continues: given(&options.continues),
                })?;
                Ok(Self::of_pattern(pattern))
            }
            (true, false) => {
                let unknown = options
                    .keys
                    .keys()
                    .find(|part| !PARTS.contains(&part.as_str()));
                if let Some(found) = unknown {
                    return Err(FormatError::Key {
                        format: name,
                        expected: PARTS.join(", "),
                        found: found.clone(),
                    });
                }
                let keys = options.keys.clone().into_iter().collect();
                Ok(Self::of(&name, How::Keys(std::sync::Arc::new(keys))))
            }
            _ => Err(FormatError::How(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::Level;
    use crate::entry::decode::Defaults;

    fn described(text: &str) -> Result<Format, FormatError> {
        Format::described("own", &toml::from_str(text).expect("TOML"))
    }

    #[test]
    fn formats_are_described_by_keys_and_by_patterns() {
        let keys = described("keys = { time = \"meta.when\", level = \"how\", msg = \"what\" }");
        let format = keys.expect("a format");
        let line = br#"{"meta":{"when":"2026-03-14T09:00:00Z","host":"h"},"how":"error","what":"boom","msg":"other"}"#;
        let entry = format.decode(line, &Defaults::at(Time(0)));
        assert_eq!((entry.text.as_str(), entry.level), ("boom", Level::Error));
        assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00Z");
        assert_eq!(entry.fields["meta"]["host"], "h");
        assert!(
            entry.fields.values().any(|value| value == "other"),
            "nothing is lost"
        );
        let pattern = described("pattern = '^(?<time>\\S+) (?<level>\\S+) (?<msg>.*)$'");
        let entry = pattern
            .expect("a format")
            .decode(b"2026-03-14T09:00:00Z WARN late", &Defaults::at(Time(0)));
        assert_eq!((entry.text.as_str(), entry.level), ("late", Level::Warn));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            ("", "either pattern or keys"),
            ("keys = { when = \"x\" }", "expected one of time, level"),
            ("pattern = \"(\"", "regular expression"),
        ] {
            let error = described(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
