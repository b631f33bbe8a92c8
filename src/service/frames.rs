//! Entries as server-sent events.

use axum::body::Bytes;
use serde_json::Value;

use crate::entry::Entry;
use crate::entry::json::{Dialect, Wire, to_value};

/// Direktiv's command line dies of an event over 64 KiB; longer texts are cut for it.
const MAX_EVENT_BYTES: usize = 48 << 10;

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    pub dialect: Dialect,
    /// Whether long texts are cut.
    pub cut: bool,
}

impl Form {
    /// The events of entries.
    pub fn frames(self, entries: &[Entry]) -> Bytes {
        let mut text = String::new();
        for entry in entries {
            let mut data = Wire {
                entry,
                dialect: self.dialect,
            }
            .to_line();
            if self.cut && data.len() > MAX_EVENT_BYTES {
                let mut value = to_value(entry, self.dialect);
                shorten(&mut value, data.len());
                data = value.to_string();
            }
            text.push_str(&format!(
                "id: {}\nevent: message\ndata: {data}\n\n",
                entry.position
            ));
        }
        Bytes::from(text)
    }
}

/// Cuts the text, drops the fields if need be, and says so.
fn shorten(value: &mut Value, length: usize) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    if length > MAX_EVENT_BYTES {
        object.remove("fields");
    }
    for name in ["msg", "error"] {
        if let Some(Value::String(text)) = object.get_mut(name) {
            // Escaping makes a character six times as long at the worst.
            let mut room = MAX_EVENT_BYTES / 3;
            while serde_json::to_string(&text[..text.floor_char_boundary(room)])
                .is_ok_and(|escaped| escaped.len() > MAX_EVENT_BYTES / 3)
            {
                room /= 2;
            }
            text.truncate(text.floor_char_boundary(room));
        }
    }
    object.insert("truncated".into(), Value::Bool(true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Position;

    #[test]
    fn long_events_are_cut_and_say_so() {
        let form = Form {
            dialect: Dialect::Direktiv,
            cut: true,
        };
        for text in [
            "x".repeat(100_000),
            "\u{1}".repeat(100_000),
            "é".repeat(100_000),
        ] {
            let frame = form.frames(&[Entry {
                position: Position(1),
                error: Some(text.clone()),
                text,
                ..Entry::default()
            }]);
            assert!(frame.len() < 60_000, "{}", frame.len());
            assert!(String::from_utf8_lossy(&frame).contains("\"truncated\":true"));
        }
        let whole = Form {
            dialect: Dialect::Full,
            cut: false,
        }
        .frames(&[Entry {
            text: "x".repeat(100_000),
            ..Entry::default()
        }]);
        assert!(whole.len() > 100_000);
    }
}
