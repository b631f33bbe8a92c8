//! The JSON form of entries: byte for byte what `JSON.stringify` makes of the original's.
//!
//! What was logged is JSON already and is copied as it stands, so that numbers and escapes (lone surrogates among them,
//! which no Rust string can hold) survive.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::entry::{Body, LogEntry, Method};

/// What failed, taken apart: JSON texts, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedError<'e> {
    /// What it said.
    pub text: ErrorText<'e>,
    /// Its own properties: a JSON object.
    pub properties: Cow<'e, str>,
    /// What was logged for this case, oldest first.
    pub debug: Vec<DebugEntry<'e>>,
}

/// The words of an error, a JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorText<'e> {
    /// The stack of a thing that looked like an error.
    Stack(Cow<'e, str>),
    /// Anything else that was thrown, as text.
    Value(Cow<'e, str>),
}

/// What was logged for the case that something fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugEntry<'e> {
    /// When: a JSON number, milliseconds since 1970.
    pub timestamp: &'e str,
    /// What: JSON.
    pub data: &'e str,
}

impl LogEntry {
    /// The error, taken apart; `None` where there is none. One that is not stored as errors are is given as a value.
    #[must_use]
    pub fn error(&self) -> Option<LoggedError<'_>> {
        let text = self.error_text()?;
        Some(read_error(text).unwrap_or_else(|| LoggedError {
            text: ErrorText::Value(Cow::Owned(quoted(text))),
            properties: Cow::Borrowed("{}"),
            debug: Vec::new(),
        }))
    }

    /// The entry as one line of JSON.
    ///
    /// # Panics
    /// Never: every part of an entry has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| unreachable!("no JSON form: {error}"))
    }
}

fn read_error(text: &str) -> Option<LoggedError<'_>> {
    type Stored<'e> = (
        u8,
        &'e RawValue,
        &'e RawValue,
        Vec<(&'e RawValue, &'e RawValue)>,
    );
    let (kind, said, properties, debug): Stored<'_> = serde_json::from_str(text).ok()?;
    let said = Cow::Borrowed(said.get());
    let debug = debug.into_iter().map(|(timestamp, data)| DebugEntry {
        timestamp: timestamp.get(),
        data: data.get(),
    });
    Some(LoggedError {
        text: match kind {
            1 => ErrorText::Stack(said),
            _ => ErrorText::Value(said),
        },
        properties: Cow::Borrowed(properties.get()),
        debug: debug.collect(),
    })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON text as it stands. Text that is none (nothing of the original writes such) becomes a string; white space that
/// would break the line is taken out.
struct Json<'t>(&'t str);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_breaks = memchr::memchr2(b'\n', b'\r', self.0.as_bytes()).is_some();
        if has_breaks && let Ok(value) = serde_json::from_str::<serde_json::Value>(self.0) {
            return value.serialize(serializer);
        }
        match serde_json::from_str::<&RawValue>(self.0) {
            Ok(raw) if !has_breaks => raw.serialize(serializer),
            _ => serializer.serialize_str(self.0),
        }
    }
}

impl Serialize for LoggedError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        match &self.text {
            ErrorText::Stack(text) => map.serialize_entry("stack", &Json(text))?,
            ErrorText::Value(text) => map.serialize_entry("value", &Json(text))?,
        }
        map.serialize_entry("properties", &Json(&self.properties))?;
        map.serialize_entry("debug", &self.debug)?;
        map.end()
    }
}

impl Serialize for DebugEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("timestamp", &Json(self.timestamp))?;
        map.serialize_entry("data", &Json(self.data))?;
        map.end()
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(method) => serializer.serialize_str(method.name()),
            Self::Number(number) => serializer.serialize_u8(*number),
            Self::Text(name) => serializer.serialize_str(name),
        }
    }
}

impl Serialize for LogEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("timestamp", &self.timestamp)?;
        map.serialize_entry("nonce", &self.nonce)?;
        map.serialize_entry("level", self.level.name())?;
        map.serialize_entry("type", self.log_type().name())?;
        map.serialize_entry("workerId", &self.worker_id)?;
        match &self.body {
            Body::Request(request) => {
                map.serialize_entry("requestId", &request.request_id)?;
                map.serialize_entry("ipAddress", &self.ip_address())?;
                map.serialize_entry("httpVersion", &self.http_version())?;
                map.serialize_entry("url", &request.url)?;
                map.serialize_entry("method", &request.method)?;
            }
            Body::RequestMeta { request_id, data } => {
                map.serialize_entry("requestId", request_id)?;
                map.serialize_entry("data", &Json(data))?;
            }
            Body::Response {
                request_id,
                status_code,
                ..
            } => {
                map.serialize_entry("requestId", request_id)?;
                map.serialize_entry("error", &self.error())?;
                map.serialize_entry("statusCode", status_code)?;
            }
            Body::ResponseFinished { request_id, .. } => {
                map.serialize_entry("requestId", request_id)?;
                map.serialize_entry("error", &self.error())?;
            }
            Body::Log { request_id, data } => {
                map.serialize_entry("requestId", request_id)?;
                map.serialize_entry("data", &Json(data))?;
            }
            Body::Lifecycle(event) => map.serialize_entry("event", event.name())?,
            Body::WorkerExited { exit_code, signal } => {
                map.serialize_entry("event", super::Lifecycle::WorkerExited.name())?;
                map.serialize_entry("exitCode", exit_code)?;
                map.serialize_entry("signal", signal)?;
            }
            Body::MasterPing { .. } => {
                map.serialize_entry("event", super::Lifecycle::MasterPing.name())?;
            }
            Body::UncaughtException { .. } => map.serialize_entry("error", &self.error())?,
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::logdir::LogLevel;

    fn log(data: &str) -> LogEntry {
        LogEntry {
            timestamp: 5,
            nonce: 7,
            level: LogLevel::Warn,
            worker_id: None,
            body: Body::Log {
                request_id: None,
                data: data.to_owned(),
            },
        }
    }

    #[test]
    fn what_was_logged_is_copied_as_it_stands() {
        let head = r#"{"timestamp":5,"nonce":7,"level":"WARN","type":"LOG","workerId":null,"requestId":null,"data":"#;
        for (data, printed) in [
            (r#"{"b":1e+21,"a":"\ud800"}"#, r#"{"b":1e+21,"a":"\ud800"}"#),
            // Nothing of the original writes these.
            ("[1,\n 2]", "[1,2]"),
            ("no \"JSON\"\n", r#""no \"JSON\"\n""#),
            ("", r#""""#),
        ] {
            assert_eq!(log(data).to_json(), format!("{head}{printed}}}"));
        }
    }

    #[test]
    fn errors_are_taken_apart() {
        let finished = |error: &str| LogEntry {
            body: Body::ResponseFinished {
                request_id: Uuid::nil(),
                error: Some(error.to_owned()),
            },
            ..log("")
        };
        let cases = [
            (
                r#"[1,"Error: boom\n    at f","#.to_owned()
                    + r#"{"code":"E_X"},[[1714521600405,{"step":1}],[1714521600405,"cache miss"]]]"#,
                r#"{"stack":"Error: boom\n    at f","properties":{"code":"E_X"},"debug":[{"timestamp":1714521600405,"data":{"step":1}},{"timestamp":1714521600405,"data":"cache miss"}]}"#,
            ),
            (
                r#"[0,"null",{},[]]"#.to_owned(),
                r#"{"value":"null","properties":{},"debug":[]}"#,
            ),
            (
                "[]".to_owned(),
                r#"{"value":"[]","properties":{},"debug":[]}"#,
            ),
        ];
        for (stored, printed) in cases {
            let entry = finished(&stored);
            let error = serde_json::to_string(&entry.error()).expect("JSON");
            assert_eq!(error, printed);
            assert!(
                entry
                    .to_json()
                    .ends_with(&format!(r#""error":{printed}}}"#))
            );
        }
        assert_eq!(log("1").error(), None);
    }
}
