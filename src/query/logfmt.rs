//! An entry as logfmt, by the names that queries use.

use super::KNOWN_FIELDS;
use crate::entry::Entry;

/// `time=… level=… name=value …`, on one line; decoding it gives the entry again.
#[must_use]
pub fn logfmt(entry: &Entry) -> String {
    let mut line = format!(
        "time={} level={}",
        entry.time,
        entry.level.word().to_ascii_lowercase()
    );
    let mut pair = |name: &str, value: &str| {
        let plain = !value.is_empty()
            && value
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && !"\"=\\".contains(c));
        if plain {
            line.push_str(&format!(" {name}={value}"));
        } else {
            let escaped = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
                .replace('\t', "\\t")
                .replace('\r', "\\r");
            line.push_str(&format!(" {name}=\"{escaped}\""));
        }
    };
    for field in KNOWN_FIELDS.iter().filter(|field| field.name() != "level") {
        if let Some(value) = field.own_value(entry) {
            pair(
                if field.name() == "text" {
                    "msg"
                } else {
                    field.name()
                },
                &value,
            );
        }
    }
    for (name, value) in &entry.fields {
        match value {
            serde_json::Value::String(text) => pair(name, text),
            other => pair(name, &other.to_string()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::Level;
    use crate::entry::decode::{self, Defaults};

    #[test]
    fn logfmt_reads_back() {
        let mut entry = Entry {
            text: "two words \"quoted\"\nline".into(),
            level: Level::Warn,
            ..Entry::default()
        };
        entry.scope.namespace = "pay".into();
        entry.error = Some("a=b".into());
        entry.fields.insert("n".into(), serde_json::json!(5));
        let (read, form) = decode::line(logfmt(&entry).as_bytes(), &Defaults::at(Time(9)));
        assert_eq!((read, form), (entry, decode::Form::Logfmt));
    }
}
