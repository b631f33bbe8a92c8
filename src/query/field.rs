//! Names of fields, and what they mean in an entry.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::entry::Entry;

/// Something of an entry that can be asked for by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// `level`
    Level,
    /// `namespace` or `ns`
    Namespace,
    /// `trace`
    Trace,
    /// `span`
    Span,
    /// `instance`
    Instance,
    /// `workflow`
    Workflow,
    /// `state`
    State,
    /// `status`
    Status,
    /// `branch`
    Branch,
    /// `callpath`
    Callpath,
    /// `route`
    Route,
    /// `activity`
    Activity,
    /// `track`
    Track,
    /// `text` or `msg`
    Text,
    /// `error`
    Error,
    /// `source`
    Source,
    /// Any other name: a key of the entry's fields, or a path of keys separated by dots.
    Other(String),
}

/// The fields with names of their own, the most useful first.
pub const KNOWN_FIELDS: [Field; 16] = [
    Field::Namespace,
    Field::Level,
    Field::Trace,
    Field::Instance,
    Field::Text,
    Field::Error,
    Field::Workflow,
    Field::State,
    Field::Status,
    Field::Route,
    Field::Span,
    Field::Source,
    Field::Activity,
    Field::Branch,
    Field::Callpath,
    Field::Track,
];

impl Field {
    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "ns" => Self::Namespace,
            "msg" | "message" => Self::Text,
            "trace_id" | "traceId" => Self::Trace,
            "span_id" | "spanId" => Self::Span,
            _ => KNOWN_FIELDS
                .iter()
                .find(|field| field.name() == name)
                .cloned()
                .unwrap_or_else(|| Self::Other(name.to_owned())),
        }
    }

    /// Its name in queries.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Level => "level",
            Self::Namespace => "namespace",
            Self::Trace => "trace",
            Self::Span => "span",
            Self::Instance => "instance",
            Self::Workflow => "workflow",
            Self::State => "state",
            Self::Status => "status",
            Self::Branch => "branch",
            Self::Callpath => "callpath",
            Self::Route => "route",
            Self::Activity => "activity",
            Self::Track => "track",
            Self::Text => "text",
            Self::Error => "error",
            Self::Source => "source",
            Self::Other(name) => name,
        }
    }

    /// Its value in an entry as words; of an array or object, its JSON. A known name without a value of its own is
    /// looked up in the fields too (an HTTP `status` is a field, an instance's is not).
    #[must_use]
    pub fn value<'e>(&self, entry: &'e Entry) -> Option<Cow<'e, str>> {
        if let Some(own) = self.own_value(entry) {
            return Some(own);
        }
        self.json(entry).map(printed)
    }

    /// The same for entries of the wire's JSON: the value in the entry's fields.
    #[must_use]
    pub fn json<'e>(&self, entry: &'e Entry) -> Option<&'e Value> {
        Self::lookup(&entry.fields, self.name()).filter(|value| !value.is_null())
    }

    /// What a name means in fields: the whole name as a key first, then a path through nested objects.
    #[must_use]
    pub fn lookup<'v>(fields: &'v serde_json::Map<String, Value>, name: &str) -> Option<&'v Value> {
        if let Some(value) = fields.get(name) {
            return Some(value);
        }
        name.match_indices('.').find_map(|(dot, _)| {
            let nested = fields.get(&name[..dot])?.as_object()?;
            Self::lookup(nested, &name[dot + 1..])
        })
    }

    /// The value of a known field.
    #[must_use]
    pub fn own_value<'e>(&self, entry: &'e Entry) -> Option<Cow<'e, str>> {
        let scope = &entry.scope;
        let slot = match self {
            Self::Level => return Some(Cow::Borrowed(entry.level.word())),
            Self::Namespace => return Some(Cow::Borrowed(&scope.namespace)),
            Self::Text => return Some(Cow::Borrowed(&entry.text)),
            Self::Branch => return scope.branch.map(|branch| Cow::Owned(branch.to_string())),
            Self::Trace => &scope.trace,
            Self::Span => &scope.span,
            Self::Instance => &scope.instance,
            Self::Workflow => &scope.workflow,
            Self::State => &scope.state,
            Self::Status => &scope.status,
            Self::Callpath => &scope.callpath,
            Self::Route => &scope.route,
            Self::Activity => &scope.activity,
            Self::Track => &scope.track,
            Self::Error => &entry.error,
            Self::Source => &entry.source,
            Self::Other(_) => return None,
        };
        slot.as_deref().map(Cow::Borrowed)
    }
}

/// A value as words.
#[must_use]
pub fn printed(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_come_back_and_paths_are_followed() {
        for field in KNOWN_FIELDS {
            assert_eq!(Field::named(field.name()), field);
        }
        let Value::Object(fields) = json!({"a": {"b.c": {"d": 1}}, "x.y": "z", "status": 502})
        else {
            panic!("an object")
        };
        let entry = Entry {
            fields,
            ..Entry::default()
        };
        for (name, wanted) in [
            ("a.b.c.d", Some("1")),
            ("x.y", Some("z")),
            ("status", Some("502")),
            ("a.c", None),
            ("level", Some("INFO")),
        ] {
            assert_eq!(
                Field::named(name).value(&entry).as_deref(),
                wanted,
                "{name}"
            );
        }
    }
}
