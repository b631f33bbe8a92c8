//! Errors as they are logged.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

/// Something that failed: section 6 of the format's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    is_error: bool,
    text: String,
    properties: Map<String, Value>,
}

impl Failure {
    /// A thing that looks like an error, with its stack or its words.
    #[must_use]
    pub fn error(stack: impl Into<String>) -> Self {
        Self {
            is_error: true,
            text: stack.into(),
            properties: Map::new(),
        }
    }

    /// Anything else that was thrown, as text.
    #[must_use]
    pub fn value(text: impl Into<String>) -> Self {
        Self {
            is_error: false,
            ..Self::error(text)
        }
    }

    /// An error and what caused it, a line each.
    #[must_use]
    pub fn of(error: &dyn std::error::Error) -> Self {
        let mut text = format!("Error: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n    caused by: {error}");
            cause = error.source();
        }
        Self::error(text)
    }

    /// With a property of its own.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Its JSON, with what was logged for this case.
    pub(super) fn to_json(&self, debug: &[Debug]) -> String {
        let kind = u8::from(self.is_error);
        // Text, JSON values and numbers always have a JSON form.
        serde_json::to_string(&(kind, &self.text, &self.properties, debug)).unwrap_or_default()
    }
}

/// Something logged for the case that something fails: when, in milliseconds since 1970, and what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Debug(pub u64, pub Value);
