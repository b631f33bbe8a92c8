//! A JSON object (or logfmt pairs) to an entry: which keys mean what. The one list of the usual names.

use serde_json::Value;

use super::{Defaults, time};
use crate::base::Time;
use crate::entry::{Entry, Fields, Level, Position, Scope};

const TEXT: &[&str] = &["msg", "message", "text", "body", "log", "_msg"];
const TIME: &[&str] = &["time", "timestamp", "ts", "@timestamp", "_time"];
const LEVEL: &[&str] = &["level", "severity", "lvl", "loglevel"];
const NAMESPACE: &[&str] = &["namespace", "ns"];
const TRACE: &[&str] = &["trace", "trace_id", "traceId", "traceID"];
const SPAN: &[&str] = &["span", "span_id", "spanId"];
const ERROR: &[&str] = &["error", "err", "exception"];

/// An entry from an object as senders write it; unknown keys go to the fields.
///
/// An object without a message keeps itself, printed, as its text. A level or time that cannot be understood stays in
/// the fields under its own name.
#[must_use]
pub fn from_object(mut object: Fields, defaults: &Defaults) -> Entry {
    let whole = if TEXT
        .iter()
        .any(|name| object.get(*name).is_some_and(is_text))
    {
        None
    } else {
        Some(Value::Object(object.clone()).to_string())
    };
    let text = take(&mut object, TEXT, |value| {
        is_text(value).then(|| printed(value))
    });
    let mut text = text.or(whole).unwrap_or_default();
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    let time = take(&mut object, TIME, |value| time_of(value, defaults.arrival));
    let level = take(&mut object, LEVEL, level_of);
    let scope = take_scope(&mut object, defaults);
    let error = take(&mut object, ERROR, |value| {
        Some(printed(value)).filter(|text| !text.is_empty())
    });
    let source = take(&mut object, &["source"], word).or_else(|| defaults.source.clone());
    merge_nested_fields(&mut object);
    object.retain(|_, value| !value.is_null());
    Entry {
        position: Position(0),
        time: time.unwrap_or(defaults.arrival),
        level: level.unwrap_or_default(),
        scope,
        text,
        error,
        source,
        fields: object,
    }
}

/// An entry in our own wire form: as [`from_object`], with `id` as its position.
#[must_use]
pub fn from_wire(mut object: Fields, defaults: &Defaults) -> Entry {
    let position = take(&mut object, &["id"], Value::as_u64).unwrap_or_default();
    Entry {
        position: Position(position),
        ..from_object(object, defaults)
    }
}

fn take_scope(object: &mut Fields, defaults: &Defaults) -> Scope {
    let mut scope = Scope {
        namespace: take(object, NAMESPACE, word).unwrap_or_else(|| defaults.namespace.clone()),
        trace: take(object, TRACE, id),
        span: take(object, SPAN, id),
        track: take(object, &["track"], word),
        activity: take(object, &["activity"], |value| {
            word(value.get("id").unwrap_or(value))
        }),
        route: take(object, &["route"], |value| {
            word(value.get("path").unwrap_or(value))
        }),
        ..Scope::default()
    };
    match object.shift_remove("workflow") {
        Some(Value::Object(mut nested)) => {
            scope.workflow = take(&mut nested, &["workflow", "path"], word);
            take_instance(&mut nested, &mut scope);
            for (name, value) in nested {
                object.entry(format!("workflow.{name}")).or_insert(value);
            }
        }
        Some(value) => match word(&value) {
            Some(path) => scope.workflow = Some(path),
            None => drop(object.insert("workflow".to_owned(), value)),
        },
        None => {}
    }
    take_instance(object, &mut scope);
    scope.trace = scope.trace.filter(|id| !id.is_empty());
    scope.span = scope.span.filter(|id| !id.is_empty());
    scope
}

/// What names an instance, flat or inside `workflow`; what is already known stays.
fn take_instance(object: &mut Fields, scope: &mut Scope) {
    let slots = [
        ("instance", &mut scope.instance),
        ("state", &mut scope.state),
        ("status", &mut scope.status),
        ("calledAs", &mut scope.called_as),
        ("callpath", &mut scope.callpath),
    ];
    for (name, slot) in slots {
        if slot.is_none() {
            *slot = take(object, &[name], word);
        }
    }
    if scope.branch.is_none() {
        scope.branch = take(object, &["branch"], Value::as_i64);
    }
}

/// `fields` nested as in our own output is the same as its keys beside the others.
fn merge_nested_fields(object: &mut Fields) {
    if let Some(Value::Object(_)) = object.get("fields")
        && let Some(Value::Object(nested)) = object.shift_remove("fields")
    {
        for (name, value) in nested {
            object.entry(name).or_insert(value);
        }
    }
}

/// The first of `names` whose value means something, taken out of the object.
fn take<T>(object: &mut Fields, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let (name, value) = names
        .iter()
        .find_map(|name| Some((*name, object.get(*name).and_then(&read)?)))?;
    object.shift_remove(name);
    Some(value)
}

/// A message may be any JSON value but a structure under a name that also means something else (`log`, `body`).
fn is_text(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Object(_))
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn word(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// A trace or span id; one of zeros only means none.
fn id(value: &Value) -> Option<String> {
    if value
        .as_str()
        .is_some_and(|text| text.bytes().all(|byte| byte == b'0'))
    {
        // Present and meaningless: taken as empty, so that it does not linger in the fields; dropped by the caller.
        return Some(String::new());
    }
    word(value)
}

fn level_of(value: &Value) -> Option<Level> {
    match value {
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| Level::from_number(text.parse().ok()?)),
        Value::Number(number) => Level::from_number(number.as_i64()?),
        _ => None,
    }
}

fn time_of(value: &Value, arrival: Time) -> Option<Time> {
    match value {
        Value::String(text) => time::parse(text, arrival),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => time::from_epoch(whole),
            None => time::from_epoch_seconds(number.as_f64()?),
        },
        _ => None,
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
