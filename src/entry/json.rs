//! The one JSON form of an entry; the names are those of the wire and of exports.

use std::borrow::Borrow;
use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{Entry, Level, Scope};

/// Whom the JSON is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Our own form: only what is known, all six levels.
    Full,
    /// What Direktiv's clients read: `namespace`, `trace`, `span`, `error` always present, four levels, a message that
    /// is never empty.
    Direktiv,
}

/// An entry, written in its JSON form without building it first.
#[derive(Clone, Debug)]
pub struct Wire<E> {
    /// The entry, or a reference to one.
    pub entry: E,
    /// Whom it is for.
    pub dialect: Dialect,
}

impl<E: Borrow<Entry>> Serialize for Wire<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.entry.borrow();
        let direktiv = self.dialect == Dialect::Direktiv;
        let mut object = Members(serializer.serialize_map(None)?);
        if entry.position.0 > 0 {
            object.put("id", &entry.position.0)?;
        }
        object.put("time", &Printed(&entry.time))?;
        object.put("level", level_word(entry.level, self.dialect))?;
        object.put("namespace", &entry.scope.namespace)?;
        object.some_or_null("trace", entry.scope.trace.as_ref(), direktiv)?;
        object.some_or_null("span", entry.scope.span.as_ref(), direktiv)?;
        let text = if direktiv && entry.text.is_empty() {
            " "
        } else {
            &entry.text
        };
        object.put("msg", text)?;
        object.some_or_null("error", entry.error.as_ref(), direktiv)?;
        let workflow = Workflow {
            scope: &entry.scope,
            direktiv,
        };
        if workflow.is_known() {
            object.put("workflow", &workflow)?;
        }
        if let Some(id) = &entry.scope.activity {
            object.put("activity", &Single("id", id))?;
        }
        if let Some(path) = &entry.scope.route {
            object.put("route", &Single("path", path))?;
        }
        object.some("track", entry.scope.track.as_ref())?;
        object.some("source", entry.source.as_ref())?;
        if !entry.fields.is_empty() {
            object.put("fields", &entry.fields)?;
        }
        object.0.end()
    }
}

impl<E: Borrow<Entry>> Wire<E> {
    /// As one line, without a newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Only keys that are no words, or a writer that fails, could make it fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The entry as a JSON object.
#[must_use]
pub fn to_value(entry: &Entry, dialect: Dialect) -> Value {
    serde_json::to_value(Wire { entry, dialect }).unwrap_or_default()
}

/// The entry as one line of JSON, without a newline.
#[must_use]
pub fn to_line(entry: &Entry) -> String {
    Wire {
        entry,
        dialect: Dialect::Full,
    }
    .to_line()
}

const fn level_word(level: Level, dialect: Dialect) -> &'static str {
    match (dialect, level) {
        (Dialect::Direktiv, Level::Trace) => Level::Debug.word(),
        (Dialect::Direktiv, Level::Fatal) => Level::Error.word(),
        _ => level.word(),
    }
}

/// An object that is being written.
struct Members<M>(M);

impl<M: SerializeMap> Members<M> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }

    fn some<V: Serialize + Copy>(&mut self, name: &str, value: Option<V>) -> Result<(), M::Error> {
        self.some_or_null(name, value, false)
    }

    fn some_or_null<V: Serialize + Copy>(
        &mut self,
        name: &str,
        value: Option<V>,
        always: bool,
    ) -> Result<(), M::Error> {
        if always || value.is_some() {
            self.put(name, &value)?;
        }
        Ok(())
    }
}

/// Something as it is printed.
struct Printed<'v, V>(&'v V);

impl<V: Display> Serialize for Printed<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// An object of one member.
struct Single<'v>(&'static str, &'v str);

impl Serialize for Single<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(self.0, self.1)?;
        object.end()
    }
}

/// Where in a workflow it was said.
struct Workflow<'e> {
    scope: &'e Scope,
    direktiv: bool,
}

impl Workflow<'_> {
    /// Direktiv's clients expect the object whole, with a workflow and an instance that are words, or not at all.
    fn is_known(&self) -> bool {
        let scope = self.scope;
        let has_rest = scope.state.is_some()
            || scope.status.is_some()
            || scope.branch.is_some()
            || scope.called_as.is_some()
            || scope.callpath.is_some();
        scope.workflow.is_some() || scope.instance.is_some() || (has_rest && !self.direktiv)
    }
}

impl Serialize for Workflow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { scope, direktiv } = *self;
        let unknown = direktiv.then_some("unknown");
        let mut object = Members(serializer.serialize_map(None)?);
        object.some_or_null("status", scope.status.as_ref(), direktiv)?;
        object.some_or_null("state", scope.state.as_ref(), direktiv)?;
        object.some_or_null("branch", scope.branch, direktiv)?;
        object.some("workflow", scope.workflow.as_deref().or(unknown))?;
        object.some_or_null("calledAs", scope.called_as.as_ref(), direktiv)?;
        object.some("instance", scope.instance.as_deref().or(unknown))?;
        object.some("callpath", scope.callpath.as_ref())?;
        object.0.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Time;
    use crate::entry::Position;
    use crate::entry::decode::{Defaults, from_wire};

    fn whole() -> Entry {
        Entry {
            position: Position(7),
            time: Time(1_773_478_800_100_000_000),
            level: Level::Fatal,
            scope: Scope {
                namespace: "pay".into(),
                trace: Some("t".into()),
                span: Some("s".into()),
                instance: Some("i".into()),
                workflow: Some("/w.yaml".into()),
                state: Some("charge".into()),
                status: Some("running".into()),
                branch: Some(2),
                called_as: Some("c".into()),
                callpath: Some("a/b".into()),
                route: Some("/r".into()),
                activity: Some("act".into()),
                track: Some("instance.i".into()),
            },
            text: "words".into(),
            error: Some("e".into()),
            source: Some("host".into()),
            fields: [("n".to_owned(), json!(1))].into_iter().collect(),
        }
    }

    #[test]
    fn the_wire_form_reads_back_whole() {
        for entry in [
            whole(),
            Entry {
                position: Position(1),
                scope: Scope {
                    namespace: "d".into(),
                    ..Scope::default()
                },
                ..Entry::default()
            },
        ] {
            let Value::Object(object) = to_value(&entry, Dialect::Full) else {
                panic!("an object")
            };
            assert_eq!(from_wire(object, &Defaults::at(Time(99))), entry);
        }
    }

    #[test]
    fn direktivs_clients_get_what_they_insist_on() {
        let entry = Entry {
            position: Position(3),
            level: Level::Trace,
            scope: Scope {
                namespace: "n".into(),
                instance: Some("i".into()),
                ..Scope::default()
            },
            ..Entry::default()
        };
        let wanted = json!({"id": 3, "time": "1970-01-01T00:00:00Z", "level": "DEBUG", "namespace": "n", "trace": null, "span": null,
            "msg": " ", "error": null,
            "workflow": {"status": null, "state": null, "branch": null, "workflow": "unknown", "calledAs": null, "instance": "i"}});
        assert_eq!(to_value(&entry, Dialect::Direktiv), wanted);
    }
}
