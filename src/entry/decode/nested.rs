//! Meanings that some loggers keep within an object: they are lifted to where others keep them.
//!
//! Sources of the forms: Elastic Common Schema (`log.level`, `trace.id`), Google Cloud's `LogEntry` (`jsonPayload`,
//! `logging.googleapis.com/trace`), OpenTelemetry's data model (`SeverityNumber`), tracing-subscriber's JSON (`fields.message`), `MongoDB`'s structured logs
//! (`t.$date`, `s`), systemd.journal-fields(7).

use serde_json::Value;

use crate::entry::bytes;

type Pair = (String, Value);

/// Whether time, level or namespace may be told within a structure of this name.
pub(super) fn is_deep(name: &str) -> bool {
    matches!(
        name,
        "log" | "t" | "jsonPayload" | "PRIORITY" | "SeverityNumber" | "__REALTIME_TIMESTAMP"
    )
}

/// Lifts what means something out of the structures it is in. What is lifted comes last, and gives way to what stands
/// beside it under the same name.
pub(super) fn lift(pairs: &mut Vec<Pair>) {
    let is_special = |name: &str| {
        is_deep(name)
            || matches!(
                name,
                "trace"
                    | "span"
                    | "fields"
                    | "MESSAGE"
                    | "logging.googleapis.com/trace"
                    | "logging.googleapis.com/spanId"
            )
    };
    if !pairs.iter().any(|(name, _)| is_special(name)) {
        return;
    }
    let mut lifted = Vec::new();
    let mut at = 0;
    while let Some((name, value)) = pairs.get_mut(at) {
        let is_used_up = lift_one(name, value, &mut lifted);
        if is_used_up {
            pairs.remove(at);
        } else {
            at += 1;
        }
    }
    if lifted.iter().any(|(name, _)| name == "mongodb") {
        lifted.retain(|(name, _)| name != "mongodb");
        if let Some(at) = pairs.iter().position(|(name, _)| name == "s")
            && let Some(level) = pairs.get(at).and_then(|(_, value)| mongodb_level(value))
        {
            pairs.remove(at);
            lifted.push(("level".to_owned(), level.into()));
        }
    }
    for (name, value) in lifted {
        if !pairs.iter().any(|(known, _)| *known == name) {
            pairs.push((name, value));
        }
    }
}

/// Lifts what is within one value; whether nothing is left of it.
fn lift_one(name: &str, value: &mut Value, lifted: &mut Vec<Pair>) -> bool {
    match (name, value) {
        ("log", Value::Object(object)) => {
            let level = object.shift_remove("level");
            lifted.extend(level.map(|level| ("log.level".to_owned(), level)));
            object.is_empty()
        }
        ("trace" | "span", Value::Object(object)) if object.len() == 1 => {
            let id = object.shift_remove("id");
            lifted.extend(id.map(|id| (format!("{name}.id"), id)));
            object.is_empty()
        }
        ("t", Value::Object(object)) if object.len() == 1 => {
            let date = object.shift_remove("$date");
            let is_mongodb = date.is_some();
            lifted.extend(date.map(|date| ("time".to_owned(), date)));
            if is_mongodb {
                lifted.push(("mongodb".to_owned(), Value::Null));
            }
            is_mongodb
        }
        ("jsonPayload", Value::Object(object)) => {
            lifted.extend(std::mem::take(object));
            true
        }
        ("fields", Value::Object(object)) => {
            let message = object.shift_remove("message");
            lifted.extend(message.map(|message| ("message".to_owned(), message)));
            false
        }
        ("logging.googleapis.com/trace", Value::String(path)) => {
            let id = path.rsplit('/').next().unwrap_or(path).to_owned();
            lifted.push(("trace".to_owned(), id.into()));
            true
        }
        ("logging.googleapis.com/spanId", value @ Value::String(_)) => {
            lifted.push(("span".to_owned(), value.take()));
            true
        }
        ("PRIORITY", Value::String(priority)) => match syslog_level(priority) {
            Some(level) => {
                lifted.push(("level".to_owned(), level.into()));
                true
            }
            None => false,
        },
        ("SeverityNumber", Value::Number(number)) => {
            let level = number.as_i64().and_then(opentelemetry_level);
            lifted.extend(level.map(|level| ("SeverityText".to_owned(), level.into())));
            false
        }
        ("__REALTIME_TIMESTAMP", value @ Value::String(_)) => {
            lifted.push(("time".to_owned(), value.take()));
            true
        }
        ("MESSAGE", value) => {
            lifted.push(("message".to_owned(), Value::String(words(value.take()))));
            true
        }
        _ => false,
    }
}

fn mongodb_level(value: &Value) -> Option<&'static str> {
    Some(match value.as_str()? {
        "F" => "fatal",
        "E" => "error",
        "W" => "warn",
        "I" => "info",
        "D1" | "D2" | "D3" | "D4" | "D5" => "debug",
        _ => return None,
    })
}

/// The word for a severity number of OpenTelemetry.
fn opentelemetry_level(number: i64) -> Option<&'static str> {
    Some(match number {
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => return None,
    })
}

/// The word for a priority of syslog.
fn syslog_level(priority: &str) -> Option<&'static str> {
    Some(match priority {
        "0" | "1" | "2" => "fatal",
        "3" => "error",
        "4" => "warn",
        "5" | "6" => "info",
        "7" => "debug",
        _ => return None,
    })
}

/// A value of the journal as text: what is no text is exported as a list of its bytes.
#[must_use]
pub fn words(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(items) => {
            let byte = |item: &Value| item.as_u64().and_then(|byte| u8::try_from(byte).ok());
            let raw: Option<Vec<u8>> = items.iter().map(byte).collect();
            match raw {
                Some(raw) => bytes::decode(&raw).into_owned(),
                None => Value::Array(items).to_string(),
            }
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Time;
    use crate::entry::decode::{Defaults, from_object};
    use crate::entry::{Entry, Level};

    fn check(value: &Value) -> Entry {
        let object = value.as_object().expect("an object").clone();
        from_object(object, &Defaults::at(Time(7)))
    }

    #[test]
    fn meanings_are_found_within() {
        let time = "2026-03-14T09:00:00Z";
        let cases = [
            json!({"@timestamp": time, "log": {"level": "error", "logger": "x"}, "message": "m", "trace": {"id": "ab"}}),
            json!({"timestamp": time, "level": "ERROR", "fields": {"message": "m", "n": 1}, "trace_id": "ab"}),
            json!({"timestamp": time, "severity": "ERROR", "jsonPayload": {"message": "m"}, "logging.googleapis.com/trace": "projects/p/traces/ab"}),
            json!({"t": {"$date": time}, "s": "E", "msg": "m", "trace": "ab"}),
            json!({"__REALTIME_TIMESTAMP": "1773478800000000", "PRIORITY": "3", "MESSAGE": [109], "trace": "ab"}),
        ];
        for case in cases {
            let entry = check(&case);
            assert_eq!(entry.time.to_string(), time, "{case}");
            assert_eq!(
                (entry.level, entry.text.as_str()),
                (Level::Error, "m"),
                "{case}"
            );
            assert_eq!(entry.scope.trace.as_deref(), Some("ab"), "{case}");
        }
        let entry = check(
            &json!({"log": {"level": "warn", "logger": "x"}, "level": "info", "s": "E", "msg": "m"}),
        );
        assert_eq!(entry.level, Level::Info, "what stands beside comes first");
        assert_eq!(entry.fields.get("s"), Some(&json!("E")));
        assert_eq!(entry.fields.get("log"), Some(&json!({"logger": "x"})));
    }
}
