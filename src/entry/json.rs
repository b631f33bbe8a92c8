//! The one JSON form of an entry; the names are those of the wire and of exports.

use serde_json::{Map, Value, json};

use super::{Entry, Level, Scope};

/// Whom the JSON is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Our own form: only what is known, all six levels.
    Full,
    /// What Direktiv's clients read: `namespace`, `trace`, `span`, `error` always present, four levels, a message that
    /// is never empty.
    Direktiv,
}

/// The entry as a JSON object.
#[must_use]
pub fn to_value(entry: &Entry, dialect: Dialect) -> Value {
    let direktiv = dialect == Dialect::Direktiv;
    let mut object = Map::new();
    if entry.position.0 > 0 {
        object.insert("id".into(), json!(entry.position.0));
    }
    object.insert("time".into(), json!(entry.time.to_string()));
    object.insert("level".into(), json!(level_word(entry.level, dialect)));
    object.insert("namespace".into(), json!(entry.scope.namespace));
    insert(&mut object, "trace", entry.scope.trace.as_deref(), direktiv);
    insert(&mut object, "span", entry.scope.span.as_deref(), direktiv);
    let text = if direktiv && entry.text.is_empty() {
        " "
    } else {
        &entry.text
    };
    object.insert("msg".into(), json!(text));
    insert(&mut object, "error", entry.error.as_deref(), direktiv);
    insert_places(&mut object, &entry.scope, direktiv);
    insert(&mut object, "source", entry.source.as_deref(), false);
    if !entry.fields.is_empty() {
        object.insert("fields".into(), Value::Object(entry.fields.clone()));
    }
    Value::Object(object)
}

/// The entry as one line of JSON, without a newline.
#[must_use]
pub fn to_line(entry: &Entry) -> String {
    to_value(entry, Dialect::Full).to_string()
}

const fn level_word(level: Level, dialect: Dialect) -> &'static str {
    match (dialect, level) {
        (Dialect::Direktiv, Level::Trace) => Level::Debug.word(),
        (Dialect::Direktiv, Level::Fatal) => Level::Error.word(),
        _ => level.word(),
    }
}

fn insert_places(object: &mut Map<String, Value>, scope: &Scope, direktiv: bool) {
    // Direktiv's clients expect the object whole, with a workflow and an instance that are words, or not at all.
    let has_workflow = scope.workflow.is_some() || scope.instance.is_some();
    let has_rest = scope.state.is_some()
        || scope.status.is_some()
        || scope.branch.is_some()
        || scope.called_as.is_some()
        || scope.callpath.is_some();
    if has_workflow || (has_rest && !direktiv) {
        let mut workflow = Map::new();
        insert(&mut workflow, "status", scope.status.as_deref(), direktiv);
        insert(&mut workflow, "state", scope.state.as_deref(), direktiv);
        if direktiv || scope.branch.is_some() {
            workflow.insert("branch".into(), json!(scope.branch));
        }
        let word = |value: &Option<String>| {
            value
                .as_deref()
                .or(direktiv.then_some("unknown"))
                .map(str::to_owned)
        };
        insert(
            &mut workflow,
            "workflow",
            word(&scope.workflow).as_deref(),
            false,
        );
        insert(
            &mut workflow,
            "calledAs",
            scope.called_as.as_deref(),
            direktiv,
        );
        insert(
            &mut workflow,
            "instance",
            word(&scope.instance).as_deref(),
            false,
        );
        insert(&mut workflow, "callpath", scope.callpath.as_deref(), false);
        object.insert("workflow".into(), Value::Object(workflow));
    }
    if let Some(id) = &scope.activity {
        object.insert("activity".into(), json!({ "id": id }));
    }
    if let Some(path) = &scope.route {
        object.insert("route".into(), json!({ "path": path }));
    }
    insert(object, "track", scope.track.as_deref(), false);
}

fn insert(object: &mut Map<String, Value>, name: &str, value: Option<&str>, always: bool) {
    if always || value.is_some() {
        object.insert(name.into(), json!(value));
    }
}

#[cfg(test)]
mod tests {
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
