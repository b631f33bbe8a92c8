//! Entries of a log directory as entries of any log.

use serde_json::{Map, Value};

use crate::base::Time;
use crate::entry::{Entry, Fields, Level, Position, Scope};
use crate::logdir::entry::{Body, LogEntry, Method};
use crate::logdir::{ErrorText, LogLevel, LoggedError};

/// The namespace of entries that know none.
pub(super) const NAMESPACE: &str = "default";
/// The instance of what the master wrote itself.
const MASTER: &str = "master";
const NANOS_PER_MILLI: i64 = 1_000_000;

/// The time of an entry; those beyond the year 2262 are taken for the last millisecond that there is.
pub(super) fn time_of(millis: u64) -> Time {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Time(millis.min(i64::MAX / NANOS_PER_MILLI - 1) * NANOS_PER_MILLI)
}

/// The milliseconds since 1970 that a time falls into.
pub(super) fn millis_of(time: Time) -> i64 {
    time.0.div_euclid(NANOS_PER_MILLI)
}

/// How severe it is, in our words.
pub(super) fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Critical => Level::Fatal,
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Internal => Level::Trace,
    }
}

/// The entry as one of any log: the request is its trace, the worker its instance; its type, its event and what was logged
/// as an object are its fields.
#[must_use]
pub fn to_entry(entry: &LogEntry, position: Position) -> Entry {
    let mut made = Entry {
        position,
        time: time_of(entry.timestamp),
        level: level_of(entry.level),
        scope: Scope {
            namespace: NAMESPACE.to_owned(),
            trace: entry.request_id().map(|id| id.to_string()),
            instance: Some(instance_of(entry)),
            ..Scope::default()
        },
        ..Entry::default()
    };
    put(&mut made.fields, "type", entry.log_type().name());
    if let Some(event) = entry.event() {
        put(&mut made.fields, "event", event.name());
    }
    made.text = text_of(entry, &mut made.fields);
    if let Some(error) = entry.error() {
        add_error(&mut made, &error);
    }
    made
}

fn instance_of(entry: &LogEntry) -> String {
    entry
        .worker_id
        .map_or_else(|| MASTER.to_owned(), |worker| worker.to_string())
}

/// The words of an entry; what else it says goes into the fields.
fn text_of(entry: &LogEntry, fields: &mut Fields) -> String {
    match &entry.body {
        Body::Request(request) => {
            let method = match &request.method {
                Method::Known(method) => method.name().to_owned(),
                Method::Number(number) => number.to_string(),
                Method::Text(name) => name.clone(),
            };
            put(fields, "method", method.as_str());
            put(fields, "url", request.url.as_str());
            put(fields, "ip", entry.ip_address());
            put(fields, "httpVersion", entry.http_version());
            format!("{method} {}", request.url)
        }
        Body::RequestMeta { data, .. } | Body::Log { data, .. } => logged(data, fields),
        Body::Response { status_code, .. } => {
            put(fields, "status", *status_code);
            format!("response {status_code}")
        }
        Body::ResponseFinished { error, .. } => match error {
            Some(_) => "response failed".to_owned(),
            None => "response finished".to_owned(),
        },
        Body::Lifecycle(event) => match entry.worker_id {
            Some(worker) => format!("{event} worker {worker}"),
            None => event.name().to_owned(),
        },
        Body::WorkerExited { exit_code, signal } => {
            put(fields, "exitCode", *exit_code);
            put(fields, "signal", signal.as_deref());
            let how = match (exit_code, signal) {
                (Some(code), _) => format!(" code {code}"),
                (None, Some(signal)) => format!(" signal {signal}"),
                (None, None) => String::new(),
            };
            let worker = entry.worker_id.unwrap_or_default();
            format!("WORKER_EXITED worker {worker}{how}")
        }
        Body::MasterPing { worker_ids } => {
            put(fields, "workerIds", worker_ids.clone());
            "MASTER_PING".to_owned()
        }
        Body::UncaughtException { .. } => "uncaught exception".to_owned(),
    }
}

/// Text as it is; of an object its message, its members become fields; anything else as JSON.
fn logged(data: &str, fields: &mut Fields) -> String {
    match serde_json::from_str(data) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(object)) => {
            let message = ["msg", "message"].iter().find_map(|name| {
                let text = object.get(*name)?.as_str()?;
                Some((*name, text.to_owned()))
            });
            let said = message.as_ref().map(|(name, _)| *name);
            for (name, value) in object {
                if Some(name.as_str()) != said {
                    add_member(fields, name, value);
                }
            }
            message.map_or_else(|| data.to_owned(), |(_, text)| text)
        }
        // Also what no string of ours can hold: lone surrogates stay escaped.
        _ => data.to_owned(),
    }
}

/// A member of what was logged; one that is called like a field of the entry itself gets another name.
fn add_member(fields: &mut Fields, name: String, value: Value) {
    let name = if fields.contains_key(&name) {
        format!("data.{name}")
    } else {
        name
    };
    fields.insert(name, value);
}

fn add_error(entry: &mut Entry, error: &LoggedError<'_>) {
    let (ErrorText::Stack(text) | ErrorText::Value(text)) = &error.text;
    let words = serde_json::from_str(text);
    entry.error = Some(words.unwrap_or_else(|_| text.clone().into_owned()));
    let properties: Map<String, Value> =
        serde_json::from_str(&error.properties).unwrap_or_default();
    for (name, value) in properties {
        add_member(&mut entry.fields, name, value);
    }
    let debug = error.debug.iter().map(|debug| {
        let data = serde_json::from_str(debug.data);
        data.unwrap_or_else(|_| Value::from(debug.data))
    });
    let debug: Vec<Value> = debug.collect();
    if !debug.is_empty() {
        put(&mut entry.fields, "debug", debug);
    }
}

/// Sets a field that has a value.
pub(super) fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    match value.into() {
        Value::Null => {}
        value => drop(fields.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::logdir::{Lifecycle, Request};

    fn entry(worker_id: Option<u32>, level: LogLevel, body: Body) -> Entry {
        let entry = LogEntry {
            timestamp: 1_714_521_600_000,
            nonce: 1,
            level,
            worker_id,
            body,
        };
        to_entry(&entry, Position(9))
    }

    fn log(data: &str) -> Entry {
        let body = Body::Log {
            request_id: None,
            data: data.to_owned(),
        };
        entry(None, LogLevel::Warn, body)
    }

    fn fields(entry: &Entry) -> Value {
        Value::Object(entry.fields.clone())
    }

    #[test]
    fn the_farthest_times_are_times_too() {
        assert_eq!(time_of(1).0, 1_000_000);
        assert!(time_of(crate::logdir::MAX_TIMESTAMP) < Time::MAX);
        assert_eq!(millis_of(time_of(1_714_521_600_123)), 1_714_521_600_123);
    }

    #[test]
    fn requests_are_traces_and_workers_instances() {
        let request = entry(
            Some(3),
            LogLevel::Info,
            Body::Request(Box::new(Request {
                request_id: Uuid::from_u128(7),
                http_version: (1, 1),
                ip_address: [10, 0, 0, 7].into(),
                method: Method::from("GET"),
                url: "/a?b".to_owned(),
            })),
        );
        assert_eq!(request.time.to_string(), "2024-05-01T00:00:00Z");
        assert_eq!(request.scope.instance.as_deref(), Some("3"));
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(request.scope.trace.as_deref(), Some(id));
        assert_eq!(request.text, "GET /a?b");
        assert_eq!(
            fields(&request),
            json!({"type": "REQUEST", "method": "GET", "url": "/a?b", "ip": "10.0.0.7", "httpVersion": "1.1"})
        );
        let ping = Body::Lifecycle(Lifecycle::WorkerPing);
        let ping = entry(Some(3), LogLevel::Internal, ping);
        assert_eq!(ping.level, Level::Trace);
        assert_eq!(
            fields(&ping),
            json!({"type": "LIFECYCLE", "event": "WORKER_PING"})
        );
    }

    #[test]
    fn what_was_logged_becomes_words_and_fields() {
        assert_eq!(log(r#""two\nlines""#).text, "two\nlines");
        assert_eq!(log("[1,2]").text, "[1,2]");
        assert_eq!(log(r#""\ud800""#).text, r#""\ud800""#);
        let object = log(r#"{"msg":"paid","type":"order","user":{"id":5}}"#);
        assert_eq!(object.text, "paid");
        assert_eq!(
            fields(&object),
            json!({"type": "LOG", "data.type": "order", "user": {"id": 5}})
        );
        assert_eq!(log(r#"{"a":1}"#).text, r#"{"a":1}"#);
        assert_eq!(object.scope.instance.as_deref(), Some("master"));
    }

    #[test]
    fn errors_come_with_their_properties_and_debug_entries() {
        let error = r#"[1,"Error: boom\n    at f",{"code":"E_X"},[[5,{"step":1}],[6,"miss"]]]"#;
        let exception = Body::UncaughtException {
            error: error.to_owned(),
        };
        let exception = entry(Some(1), LogLevel::Critical, exception);
        assert_eq!(exception.level, Level::Fatal);
        assert_eq!(exception.error.as_deref(), Some("Error: boom\n    at f"));
        assert_eq!(
            fields(&exception),
            json!({"type": "UNCAUGHT_EXCEPTION", "code": "E_X", "debug": [{"step": 1}, "miss"]})
        );
    }
}
