//! A JSON object (or logfmt pairs) to an entry: which keys mean what. The one list of the usual names.

use serde_json::Value;

use super::pairs::Pairs;
use super::time::{self, Unsaid};
use super::{Defaults, nested};
use crate::base::Time;
use crate::entry::{Entry, Fields, Level, Position};

/// What goes by several names.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    Text,
    Time,
    Level,
    Namespace,
    Trace,
    Span,
    Error,
}

const MEANINGS: [Meaning; 7] = [
    Meaning::Text,
    Meaning::Time,
    Meaning::Level,
    Meaning::Namespace,
    Meaning::Trace,
    Meaning::Span,
    Meaning::Error,
];

/// Other names that one meaning may go by, at the most.
pub(super) const MOST_NAMES: u8 = 16;

/// What a name usually means, and how many other names come before it (fewer than [`MOST_NAMES`]).
pub(super) fn usual(name: &str) -> Option<(Meaning, u8)> {
    Some(match name {
        "msg" => (Meaning::Text, 0),
        "message" => (Meaning::Text, 1),
        "text" => (Meaning::Text, 2),
        "body" => (Meaning::Text, 3),
        "log" => (Meaning::Text, 4),
        "_msg" => (Meaning::Text, 5),
        "@message" => (Meaning::Text, 6),
        "@m" => (Meaning::Text, 7),
        "@mt" => (Meaning::Text, 8),
        "Body" => (Meaning::Text, 9),
        "textPayload" => (Meaning::Text, 10),
        "event" => (Meaning::Text, 11),
        "time" => (Meaning::Time, 0),
        "timestamp" => (Meaning::Time, 1),
        "ts" => (Meaning::Time, 2),
        "@timestamp" => (Meaning::Time, 3),
        "_time" => (Meaning::Time, 4),
        "@t" => (Meaning::Time, 5),
        "Timestamp" => (Meaning::Time, 6),
        "asctime" => (Meaning::Time, 7),
        "datetime" => (Meaning::Time, 8),
        "timeMillis" => (Meaning::Time, 9),
        "level" => (Meaning::Level, 0),
        "severity" => (Meaning::Level, 1),
        "lvl" => (Meaning::Level, 2),
        "loglevel" => (Meaning::Level, 3),
        "log.level" => (Meaning::Level, 4),
        "@level" => (Meaning::Level, 5),
        "@l" => (Meaning::Level, 6),
        "SeverityText" => (Meaning::Level, 7),
        "levelname" => (Meaning::Level, 8),
        "namespace" => (Meaning::Namespace, 0),
        "ns" => (Meaning::Namespace, 1),
        "trace" => (Meaning::Trace, 0),
        "trace_id" => (Meaning::Trace, 1),
        "traceId" => (Meaning::Trace, 2),
        "traceID" => (Meaning::Trace, 3),
        "trace.id" => (Meaning::Trace, 4),
        "TraceId" => (Meaning::Trace, 5),
        "@tr" => (Meaning::Trace, 6),
        "dd.trace_id" => (Meaning::Trace, 7),
        "span" => (Meaning::Span, 0),
        "span_id" => (Meaning::Span, 1),
        "spanId" => (Meaning::Span, 2),
        "span.id" => (Meaning::Span, 3),
        "SpanId" => (Meaning::Span, 4),
        "@sp" => (Meaning::Span, 5),
        "dd.span_id" => (Meaning::Span, 6),
        "error" => (Meaning::Error, 0),
        "err" => (Meaning::Error, 1),
        "exception" => (Meaning::Error, 2),
        "error.message" => (Meaning::Error, 3),
        "@x" => (Meaning::Error, 4),
        _ => return None,
    })
}

/// An entry from an object as senders write it; unknown keys go to the fields.
///
/// An object without a message keeps itself, printed, as its text. A level or time that cannot be understood stays in
/// the fields under its own name.
#[must_use]
pub fn from_object(object: impl Into<Pairs>, defaults: &Defaults) -> Entry {
    let Pairs(mut pairs) = object.into();
    nested::lift(&mut pairs);
    let chosen = Chosen::among(&pairs, defaults.unsaid());
    let mut entry = Entry {
        time: chosen.time.unwrap_or(defaults.arrival),
        level: chosen.level.unwrap_or_default(),
        ..Entry::default()
    };
    if chosen.at(Meaning::Text).is_none() {
        entry.text = Value::Object(pairs.iter().cloned().collect()).to_string();
    }
    // What stands nested in `workflow` comes before its like outside.
    let workflow = pairs.iter_mut().find(|(name, _)| name == "workflow");
    if let Some(Value::Object(nested)) = workflow.map(|(_, value)| value) {
        put_workflow(&mut entry, std::mem::take(nested));
    }
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        match chosen.meaning(at) {
            Some(Meaning::Error) if value.is_object() => put_error(&mut entry, name, value),
            Some(meaning) => set(&mut entry, meaning, value),
            None => put(&mut entry, name, value),
        }
    }
    entry
        .text
        .truncate(entry.text.trim_end_matches(['\r', '\n']).len());
    if entry.scope.namespace.is_empty() {
        entry.scope.namespace.clone_from(&defaults.namespace);
    }
    if entry.source.is_none() {
        entry.source.clone_from(&defaults.source);
    }
    entry
}

/// Gives an entry something that came beside its message (a label, an attribute): the names of scopes take their place if
/// it is free, what has none or finds it taken goes to the fields; a field that is there is not replaced.
pub fn attach(entry: &mut Entry, name: String, value: Value) {
    let scope = &mut entry.scope;
    let is_id = || {
        let id = value.as_str().unwrap_or_default();
        !id.is_empty() && id.bytes().any(|byte| byte != b'0')
    };
    match (usual(&name), value.as_str()) {
        (Some((Meaning::Namespace, _)), Some(word)) if scope.namespace.is_empty() => {
            word.clone_into(&mut scope.namespace);
        }
        (Some((Meaning::Trace, _)), Some(id)) if scope.trace.is_none() && is_id() => {
            scope.trace = Some(id.to_owned());
        }
        (Some((Meaning::Span, _)), Some(id)) if scope.span.is_none() && is_id() => {
            scope.span = Some(id.to_owned());
        }
        _ if entry.fields.contains_key(&name) => {}
        _ if name == "workflow" && value.is_object() => {
            if let Value::Object(nested) = value {
                put_workflow(entry, nested);
            }
        }
        _ if name == "fields" => keep(entry, name, value),
        _ => put(entry, name, value),
    }
}

/// An entry in our own wire form: as [`from_object`], with `id` as its position.
#[must_use]
pub fn from_wire(mut object: Fields, defaults: &Defaults) -> Entry {
    let position = object.get("id").and_then(Value::as_u64);
    if position.is_some() {
        object.shift_remove("id");
    }
    Entry {
        position: Position(position.unwrap_or_default()),
        ..from_object(object, defaults)
    }
}

/// Which pair gives each meaning: the first name in order whose value means something.
#[derive(Default)]
struct Chosen {
    places: [Option<(u8, usize)>; MEANINGS.len()],
    time: Option<Time>,
    level: Option<Level>,
}

impl Chosen {
    fn among(pairs: &[(String, Value)], unsaid: Unsaid<'_>) -> Self {
        let mut chosen = Self::default();
        for (at, (name, value)) in pairs.iter().enumerate() {
            let Some((meaning, rank)) = usual(name) else {
                continue;
            };
            if chosen.places[meaning as usize].is_some_and(|(other, _)| other < rank) {
                continue;
            }
            let means_something = match meaning {
                Meaning::Text => is_text(value),
                Meaning::Time => {
                    let time = time_of(value, unsaid);
                    chosen.time = time.or(chosen.time);
                    time.is_some()
                }
                Meaning::Level => {
                    let level = level_of(value);
                    chosen.level = level.or(chosen.level);
                    level.is_some()
                }
                Meaning::Trace | Meaning::Span => value.is_string(),
                Meaning::Namespace => value.as_str().is_some_and(|text| !text.is_empty()),
                Meaning::Error => !value.is_null() && value.as_str() != Some(""),
            };
            if means_something {
                chosen.places[meaning as usize] = Some((rank, at));
            }
        }
        chosen
    }

    fn at(&self, meaning: Meaning) -> Option<usize> {
        self.places[meaning as usize].map(|(_, at)| at)
    }

    fn meaning(&self, at: usize) -> Option<Meaning> {
        MEANINGS
            .into_iter()
            .find(|meaning| self.at(*meaning) == Some(at))
    }
}

/// Gives a value its chosen meaning.
fn set(entry: &mut Entry, meaning: Meaning, value: Value) {
    match meaning {
        Meaning::Text => entry.text = printed(value),
        Meaning::Time | Meaning::Level => {}
        Meaning::Namespace => entry.scope.namespace = printed(value),
        // An id of zeros only means none.
        Meaning::Trace => {
            entry.scope.trace =
                Some(printed(value)).filter(|id| id.bytes().any(|byte| byte != b'0'));
        }
        Meaning::Span => {
            entry.scope.span =
                Some(printed(value)).filter(|id| id.bytes().any(|byte| byte != b'0'));
        }
        Meaning::Error => entry.error = Some(printed(value)),
    }
}

/// An error with its circumstances: its message is the error, all of it is kept.
fn put_error(entry: &mut Entry, name: String, value: Value) {
    match value.get("message").and_then(Value::as_str) {
        Some(message) => {
            entry.error = Some(message.to_owned());
            keep(entry, name, value);
        }
        None => set(entry, Meaning::Error, value),
    }
}

/// Takes a value in by its name; what has no place of its own goes to the fields.
fn put(entry: &mut Entry, name: String, value: Value) {
    let scope = &mut entry.scope;
    let slot = match name.as_str() {
        "instance" => &mut scope.instance,
        "state" => &mut scope.state,
        "status" => &mut scope.status,
        "calledAs" => &mut scope.called_as,
        "callpath" => &mut scope.callpath,
        "track" => &mut scope.track,
        "workflow" => match value {
            // Nested ones were taken before.
            Value::Object(_) => return,
            _ => &mut scope.workflow,
        },
        "activity" => return put_named(entry, name, value, "id"),
        "route" => return put_named(entry, name, value, "path"),
        "source" => &mut entry.source,
        "branch" if scope.branch.is_none() && value.is_i64() => {
            scope.branch = value.as_i64();
            return;
        }
        // Nested as in our own output they are the same as beside the others.
        "fields" => match value {
            Value::Object(nested) => {
                for (name, value) in nested.into_iter().filter(|(_, value)| !value.is_null()) {
                    entry.fields.entry(name).or_insert(value);
                }
                return;
            }
            other => return keep(entry, name, other),
        },
        _ => return keep(entry, name, value),
    };
    match value {
        Value::String(word) if slot.is_none() && !word.is_empty() => *slot = Some(word),
        other => keep(entry, name, other),
    }
}

/// A name as a word, or as the member of an object that holds it.
fn put_named(entry: &mut Entry, name: String, value: Value, member: &str) {
    let word = value
        .get(member)
        .unwrap_or(&value)
        .as_str()
        .filter(|word| !word.is_empty())
        .map(str::to_owned);
    match (word, name.as_str()) {
        (None, _) => keep(entry, name, value),
        (word, "activity") => entry.scope.activity = word,
        (word, _) => entry.scope.route = word,
    }
}

fn put_workflow(entry: &mut Entry, nested: Fields) {
    let names = ["workflow", "path"];
    let is_path = |name: &&&str| {
        nested
            .get(**name)
            .and_then(Value::as_str)
            .is_some_and(|path| !path.is_empty())
    };
    let path = names.iter().find(is_path).copied();
    for (name, value) in nested {
        match (name.as_str(), value) {
            (own, Value::String(word)) if Some(own) == path => entry.scope.workflow = Some(word),
            (
                "instance" | "state" | "status" | "calledAs" | "callpath",
                value @ Value::String(_),
            )
            | ("branch", value @ Value::Number(_)) => {
                put(entry, name, value);
            }
            (_, value) => keep(entry, format!("workflow.{name}"), value),
        }
    }
}

fn keep(entry: &mut Entry, name: String, value: Value) {
    if !value.is_null() {
        entry.fields.insert(name, value);
    }
}

/// A message may be any JSON value but a structure under a name that also means something else (`log`, `body`).
fn is_text(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Object(_))
}

fn printed(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::String(text) => level_of_word(text),
        Value::Number(number) => Level::from_number(number.as_i64()?),
        _ => None,
    }
}

/// A level as a word, or as a number written as one.
pub(super) fn level_of_word(word: &str) -> Option<Level> {
    let named = word.parse().ok();
    // Go's slog writes the levels between as those below them: WARN+1.
    let below = || word.split_once(['+', '-'])?.0.parse().ok();
    named
        .or_else(|| Level::from_number(word.parse().ok()?))
        .or_else(below)
}

fn time_of(value: &Value, unsaid: Unsaid<'_>) -> Option<Time> {
    match value {
        Value::String(text) => time::parse(text, unsaid),
        Value::Number(number) => time_of_number(number),
        _ => None,
    }
}

/// Seconds, or thousandths, millionths, billionths of one, since the epoch.
pub(super) fn time_of_number(number: &serde_json::Number) -> Option<Time> {
    match number.as_i64() {
        Some(whole) => time::from_epoch(whole),
        None => time::from_epoch_seconds(number.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(input: &Value) -> Entry {
        let Value::Object(object) = input.clone() else {
            panic!("an object")
        };
        from_object(object, &Defaults::at(Time(7)))
    }

    #[test]
    fn the_usual_names_are_known() {
        for (text, time, level, trace) in [
            ("msg", "time", "level", "trace"),
            ("message", "@timestamp", "severity", "traceId"),
            ("_msg", "ts", "lvl", "trace_id"),
        ] {
            let entry = check(
                &json!({text: "hello", time: "2026-03-14T09:00:00Z", level: "warning", trace: "abc"}),
            );
            assert_eq!(entry.text, "hello");
            assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00Z");
            assert_eq!(entry.level, Level::Warn);
            assert_eq!(entry.scope.trace.as_deref(), Some("abc"));
            assert!(entry.fields.is_empty(), "{:?}", entry.fields);
        }
    }

    #[test]
    fn what_is_not_understood_stays_in_the_fields() {
        let entry = check(
            &json!({"msg": "x", "level": "loud", "time": "soon", "status": 200, "n": {"a": 1}}),
        );
        assert_eq!((entry.level, entry.time), (Level::Info, Time(7)));
        assert_eq!(
            Value::Object(entry.fields),
            json!({"level": "loud", "time": "soon", "status": 200, "n": {"a": 1}})
        );
    }

    #[test]
    fn an_object_without_a_message_is_its_own_text() {
        let entry = check(&json!({"a": 1, "level": "error"}));
        assert_eq!(entry.text, r#"{"a":1,"level":"error"}"#);
        assert_eq!(entry.fields.get("a"), Some(&json!(1)));
    }

    #[test]
    fn nested_and_flat_mean_the_same() {
        let nested = check(
            &json!({"msg": "m", "workflow": {"workflow": "/a.yaml", "instance": "i", "state": "s", "branch": 2},
            "route": {"path": "/r"}, "activity": {"id": "act"}, "fields": {"k": 1}}),
        );
        let flat = check(
            &json!({"msg": "m", "workflow": "/a.yaml", "instance": "i", "state": "s", "branch": 2,
            "route": "/r", "activity": "act", "k": 1}),
        );
        assert_eq!(nested, flat);
        assert_eq!(nested.scope.branch, Some(2));
    }

    #[test]
    fn zero_ids_and_empty_words_mean_none() {
        let entry = check(
            &json!({"msg": "m", "trace": "00000000000000000000000000000000", "span": "0000", "namespace": ""}),
        );
        assert_eq!(entry.scope.trace, None);
        assert_eq!(entry.scope.span, None);
        assert_eq!(entry.scope.namespace, "default");
    }

    #[test]
    fn the_last_of_duplicate_keys_wins() {
        let Ok(Value::Object(object)) = serde_json::from_str(r#"{"msg":"first","msg":"second"}"#)
        else {
            panic!("an object")
        };
        assert_eq!(from_object(object, &Defaults::at(Time(0))).text, "second");
    }
}
