//! A `CloudEvent`: what happened somewhere, as the `CloudEvents` specification 1.0 writes it (0.3 is understood too).
//!
//! An envelope of our own: errors name the attribute that is wrong, extensions keep their types, and what is not understood
//! is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::base::Time;
use crate::entry::decode::time;

/// Bytes of the name of an attribute; the specification advises 20.
const MAX_NAME_BYTES: usize = 64;
/// Attributes that every event has.
const REQUIRED: [&str; 3] = ["id", "source", "type"];

/// What happened somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudEvent {
    /// Context attributes by their lower-case names, extensions among them; `specversion`, `id`, `source` and `type` are
    /// always there.
    attributes: BTreeMap<String, Value>,
    /// What it says.
    data: Data,
}

/// What an event says.
#[derive(Clone, Debug, Default, PartialEq)]
enum Data {
    /// Nothing.
    #[default]
    None,
    /// JSON, or text.
    Value(Value),
    /// Bytes, as base64.
    Bytes(String),
}

/// What no event is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: expected {expected}, found {found}")]
pub struct EventError {
    /// The attribute that is wrong.
    pub attribute: String,
    expected: &'static str,
    found: String,
}

impl EventError {
    fn new(attribute: &str, expected: &'static str, found: &dyn ToString) -> Self {
        Self {
            attribute: attribute.to_owned(),
            expected,
            found: found.to_string().chars().take(100).collect(),
        }
    }
}

impl CloudEvent {
    /// An event of a structured message; one without an id gets one.
    ///
    /// # Errors
    /// An attribute is missing or is none.
    pub fn of_json(value: Value) -> Result<Self, EventError> {
        let Value::Object(members) = value else {
            return Err(EventError::new("event", "a JSON object", &value));
        };
        let (mut attributes, mut data) = (BTreeMap::new(), Data::None);
        for (name, value) in members {
            match name.as_str() {
                _ if value.is_null() => {}
                "data" => data = Data::Value(value),
                "data_base64" => data = Data::Bytes(base64("data_base64", &value)?),
                _ => {
                    attributes.insert(name.to_lowercase(), value);
                }
            }
        }
        // Of the specification 0.3.
        if attributes.get("datacontentencoding") == Some(&Value::from("base64")) {
            attributes.remove("datacontentencoding");
            if let Data::Value(value) = &data {
                data = Data::Bytes(base64("data", value)?);
            }
        }
        Self::checked(attributes, data)
    }

    /// An event of a binary message: its attributes, as the headers `ce-*` give them, and its body.
    ///
    /// # Errors
    /// An attribute is missing or is none, or the body is not of its type.
    pub fn of_headers<'h>(
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, EventError> {
        let mut attributes = BTreeMap::new();
        for (name, value) in headers {
            // What HTTP cannot write is percent-encoded (HTTP Protocol Binding 1.0, 3.1.3.2).
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
            attributes.insert(name.to_lowercase(), Value::from(value.into_owned()));
        }
        let kind = content_type.unwrap_or_default().to_ascii_lowercase();
        if let Some(content_type) = content_type {
            let name = "datacontenttype".to_owned();
            attributes.insert(name, Value::from(content_type));
        }
        let is_json = kind.contains("json");
        let data = if body.is_empty() {
            Data::None
        } else if is_json {
            let value = serde_json::from_slice(body);
            let value = value.map_err(|error| EventError::new("data", "JSON", &error))?;
            Data::Value(value)
        } else {
            match std::str::from_utf8(body) {
                Ok(text) => Data::Value(Value::from(text)),
                Err(_) => Data::Bytes(BASE64_STANDARD.encode(body)),
            }
        };
        Self::checked(attributes, data)
    }

    fn checked(mut attributes: BTreeMap<String, Value>, data: Data) -> Result<Self, EventError> {
        match attributes.get("specversion").and_then(Value::as_str) {
            Some("1.0" | "0.3") => {}
            found => {
                let found = found.unwrap_or("nothing");
                return Err(EventError::new("specversion", "1.0 or 0.3", &found));
            }
        }
        let id = attributes.entry("id".to_owned());
        id.or_insert_with(|| Value::from(uuid::Uuid::new_v4().to_string()));
        for name in REQUIRED {
            match attributes.get(name) {
                Some(Value::String(text)) if !text.is_empty() => {}
                Some(found) => return Err(EventError::new(name, "some text", &found)),
                None => return Err(EventError::new(name, "some text", &"nothing")),
            }
        }
        for (name, value) in &attributes {
            let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(is_name) {
                let expected = "a name of letters and digits";
                return Err(EventError::new("attribute", expected, &format!("{name:?}")));
            }
            let is_value = match value {
                Value::String(_) | Value::Bool(_) => true,
                Value::Number(number) => number.is_i64(),
                _ => false,
            };
            if !is_value {
                let expected = "text, true, false or a whole number";
                return Err(EventError::new(name, expected, &value));
            }
        }
        if let Some(text) = attributes.get("time") {
            let parsed = text.as_str().and_then(|text| time::parse(text, Time(0)));
            if parsed.is_none() {
                return Err(EventError::new("time", "a time of RFC 3339", &text));
            }
        }
        Ok(Self { attributes, data })
    }

    fn text(&self, name: &str) -> &str {
        let value = self.attributes.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// Its id: with the source, what tells it from every other event.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Where it happened.
    #[must_use]
    pub fn source(&self) -> &str {
        self.text("source")
    }

    /// What kind of thing happened.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// An attribute or extension as text; case does not matter.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let found = self.attributes.get(name);
        let value = found.or_else(|| self.attributes.get(&name.to_lowercase()))?;
        Some(match value {
            Value::String(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        })
    }

    /// The trace that it belongs to: of the extension `traceparent` (`CloudEvents` Distributed Tracing, W3C Trace Context), or
    /// as logs name it.
    #[must_use]
    pub fn trace(&self) -> Option<String> {
        let parent = self.attribute("traceparent");
        let of_parent = parent.and_then(|parent| Some(parent.split('-').nth(1)?.to_owned()));
        let named = || {
            ["trace", "traceid"]
                .iter()
                .find_map(|name| self.attribute(name))
        };
        let trace = of_parent.or_else(|| Some(named()?.into_owned()));
        trace.filter(|trace| !trace.is_empty())
    }

    /// Takes an attribute away: what was meant for us and is not told on.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.attributes.remove(name)
    }

    /// As a structured message writes it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn base64(name: &str, value: &Value) -> Result<String, EventError> {
    let text = value.as_str().unwrap_or_default();
    let is_base64 = value.is_string() && BASE64_STANDARD.decode(text).is_ok();
    let wrong = || EventError::new(name, "base64", &value);
    is_base64.then(|| text.to_owned()).ok_or_else(wrong)
}

impl Serialize for CloudEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.attributes {
            map.serialize_entry(name, value)?;
        }
        match &self.data {
            Data::None => {}
            Data::Value(value) => map.serialize_entry("data", value)?,
            Data::Bytes(bytes) => map.serialize_entry("data_base64", bytes)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for CloudEvent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::of_json(value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_read_and_written_as_they_are() {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/a", "type": "t", "Hello": "World", "n": 5,
            "flag": true, "time": "2026-11-21T10:00:00Z", "data": {"a": [1, null]}
        });
        let read = CloudEvent::of_json(event).expect("an event");
        assert_eq!((read.id(), read.source(), read.kind()), ("1", "/a", "t"));
        assert_eq!(read.attribute("HELLO").as_deref(), Some("World"));
        assert_eq!(read.attribute("n").as_deref(), Some("5"));
        assert_eq!(read.attribute("flag").as_deref(), Some("true"));
        let written = read.to_json();
        assert_eq!(written["data"], json!({"a": [1, null]}));
        assert_eq!(CloudEvent::of_json(written).expect("an event"), read);
        let old = json!({
            "specversion": "0.3", "source": "/a", "type": "t", "datacontentencoding": "base64", "data": "AAE="
        });
        let old = CloudEvent::of_json(old).expect("an event");
        assert!(!old.id().is_empty(), "it was given one");
        assert_eq!(old.to_json()["data_base64"], "AAE=");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let whole = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"});
        let wrong = [
            ("specversion", json!(null)),
            ("specversion", json!("2.0")),
            ("source", json!("")),
            ("source", json!(null)),
            ("type", json!(null)),
            ("type", json!(7)),
            ("id", json!("")),
            ("time", json!("yesterday")),
            ("ext", json!({"a": 1})),
            ("ext", json!(1.5)),
            ("data_base64", json!("?")),
        ];
        for (name, value) in wrong {
            let mut event = whole.clone();
            event[name] = value.clone();
            let error = CloudEvent::of_json(event).expect_err("refused");
            assert_eq!(error.attribute, name, "{value}: {error}");
        }
        let mut event = whole;
        event["bad_name"] = json!("x");
        let error = CloudEvent::of_json(event).expect_err("refused");
        assert!(error.to_string().contains("bad_name"), "{error}");
        assert!(CloudEvent::of_json(json!([])).is_err());
    }

    #[test]
    fn headers_are_attributes_and_the_body_is_data() {
        let headers = [
            ("specversion", "1.0"),
            ("id", "1"),
            ("source", "/a"),
            ("type", "t"),
            ("subject", "Gr%C3%BC%C3%9Fe"),
        ];
        let event = |kind, body| CloudEvent::of_headers(headers.into_iter(), kind, body);
        let json = event(Some("application/json"), b"{\"a\":1}").expect("an event");
        assert_eq!(json.attribute("subject").as_deref(), Some("Grüße"));
        assert_eq!(json.to_json()["data"]["a"], 1);
        assert!(event(Some("application/json"), b"{").is_err());
        let text = event(Some("text/plain"), b"words").expect("an event");
        assert_eq!(text.to_json()["data"], "words");
        let bytes = event(None, b"\xff\x00").expect("an event");
        assert_eq!(bytes.to_json()["data_base64"], "/wA=");
    }
}
