//! Entries of the log that become events: which, and what the events say.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::CloudEvent;
use crate::entry::Entry;
use crate::entry::json::{Dialect, to_value};
use crate::query::{Field, Query};

/// Attributes that a rule does not name: the specification, and what each of its events has.
const TAKEN: [&str; 9] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "data",
    "datacontenttype",
    "dataschema",
];
/// Bytes of the name of an extension, as the specification advises.
const MAX_NAME_BYTES: usize = 20;

/// A rule, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOptions {
    /// What it is called: in ids of its events and in the program's own log.
    pub name: String,
    /// Which entries.
    pub query: String,
    /// The type of the events.
    pub kind: String,
    /// Their source; `/logs/` and the namespace of the entry if nothing is said.
    pub source: Option<String>,
    /// Whose events they are; the namespace of the entry if nothing is said.
    pub namespace: Option<String>,
    /// Extensions by name, each the value of a field.
    pub extensions: BTreeMap<String, String>,
    /// Events a minute at the most; what is left out is told by the next.
    pub per_minute: u32,
}

/// A rule that could be.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// Which entries.
    pub query: Query,
    /// Events a minute at the most.
    pub per_minute: NonZeroU32,
    kind: String,
    source: Option<String>,
    namespace: Option<String>,
    extensions: Vec<(String, Field)>,
}

/// What no rule is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: expected {expected}")]
pub struct RuleError {
    /// The key that is wrong.
    pub key: &'static str,
    expected: String,
}

impl RuleError {
    /// What was expected and found.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("expected {}", self.expected)
    }
}

impl Rule {
    /// The rule of its options.
    ///
    /// # Errors
    /// They say nothing that could be.
    pub fn new(options: RuleOptions) -> Result<Self, RuleError> {
        let wrong = |key, expected: String| RuleError { key, expected };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if options.name.is_empty() || !options.name.bytes().all(is_word) {
            let found = &options.name;
            let expected = format!("letters, digits, -, _ and ., found {found:?}");
            return Err(wrong("name", expected));
        }
        if options.kind.is_empty() {
            return Err(wrong("type", "the type of its events".to_owned()));
        }
        let query: Query = options
            .query
            .parse()
            .map_err(|error| wrong("query", format!("a query: {error}")))?;
        if query.asks_for_time() {
            let expected = "no times: entries are looked at as they arrive".to_owned();
            return Err(wrong("query", expected));
        }
        let per_minute = NonZeroU32::new(options.per_minute);
        let per_minute =
            per_minute.ok_or_else(|| wrong("per_minute", "at least 1, found 0".to_owned()))?;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        for name in options.extensions.keys() {
            let is_name = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
            if !is_name || !name.bytes().all(is_plain) || TAKEN.contains(&name.as_str()) {
                let expected = format!(
                    "names of at most {MAX_NAME_BYTES} lower-case letters and digits that mean nothing else, found {name:?}"
                );
                return Err(wrong("extensions", expected));
            }
        }
        let extensions = options.extensions.into_iter();
        Ok(Self {
            name: options.name,
            query,
            per_minute,
            kind: options.kind,
            source: options.source,
            namespace: options.namespace,
            extensions: extensions
                .map(|(name, field)| (name, Field::named(&field)))
                .collect(),
        })
    }

    /// The event of an entry, and whose it is. Its id says which entry by which rule: it is one event, however often it is
    /// made.
    #[must_use]
    pub fn event(&self, entry: &Entry, left_out: u64) -> (String, Option<CloudEvent>) {
        let own = &entry.scope.namespace;
        let source = self.source.clone();
        let mut event = json!({
            "specversion": "1.0",
            "id": format!("{}-{}", self.name, entry.position.0),
            "source": source.unwrap_or_else(|| format!("/logs/{own}")),
            "type": self.kind,
            "time": entry.time.to_string(),
            "datacontenttype": "application/json",
            "level": entry.level.to_string(),
            "data": to_value(entry, Dialect::Full),
        });
        if let Some(trace) = Field::Trace.own_value(entry) {
            event["trace"] = Value::from(trace.as_ref());
        }
        if left_out > 0 {
            event["leftout"] = left_out.into();
        }
        for (name, field) in &self.extensions {
            if let Some(value) = field.value(entry).filter(|value| !value.is_empty()) {
                event[name.as_str()] = Value::from(value.as_ref());
            }
        }
        let namespace = self.namespace.clone().unwrap_or_else(|| own.clone());
        (namespace, CloudEvent::of_json(event).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::{Level, Position};

    fn options() -> RuleOptions {
        RuleOptions {
            name: "errors".to_owned(),
            query: "level>=error".to_owned(),
            kind: "log.error".to_owned(),
            source: None,
            namespace: None,
            extensions: [("code".to_owned(), "http.status".to_owned())].into(),
            per_minute: 60,
        }
    }

    #[test]
    fn an_entry_becomes_an_event_that_says_where_it_was() {
        let rule = Rule::new(options()).expect("a rule");
        let mut entry = Entry {
            position: Position(7),
            time: Time(0),
            level: Level::Error,
            text: "no".to_owned(),
            ..Entry::default()
        };
        entry.scope.namespace = "pay".to_owned();
        entry.scope.trace = Some("ab".repeat(16));
        entry
            .fields
            .insert("http".to_owned(), json!({"status": 502}));
        let (namespace, event) = rule.event(&entry, 3);
        let event = event.expect("an event");
        assert_eq!(namespace, "pay");
        assert_eq!(
            (event.id(), event.source(), event.kind()),
            ("errors-7", "/logs/pay", "log.error")
        );
        assert_eq!(event.trace(), Some("ab".repeat(16)));
        let of = |name: &str| event.attribute(name);
        assert_eq!(of("code").as_deref(), Some("502"));
        assert_eq!(of("leftout").as_deref(), Some("3"));
        assert_eq!(event.to_json()["data"]["msg"], "no");
    }

    #[test]
    fn what_could_never_be_is_named() {
        let with = |change: &dyn Fn(&mut RuleOptions)| {
            let mut options = options();
            change(&mut options);
            Rule::new(options).map(|_| ()).map_err(|error| error.key)
        };
        assert_eq!(with(&|_| {}), Ok(()));
        assert_eq!(with(&|of| of.name = "a b".to_owned()), Err("name"));
        assert_eq!(with(&|of| of.kind = String::new()), Err("type"));
        assert_eq!(with(&|of| of.query = "level>=".to_owned()), Err("query"));
        assert_eq!(with(&|of| of.query = "since:5m".to_owned()), Err("query"));
        assert_eq!(with(&|of| of.per_minute = 0), Err("per_minute"));
        for name in ["Code", "id", "a-b", ""] {
            let named = |of: &mut RuleOptions| {
                of.extensions = [(name.to_owned(), "x".to_owned())].into();
            };
            assert_eq!(with(&named), Err("extensions"), "{name:?}");
        }
    }
}
