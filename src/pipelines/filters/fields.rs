//! Fields set, renamed and removed; namespaces given.
//!
//! Names are those of queries: what belongs to the scope of an entry (`trace`, `instance`, …) is found there.

use serde_json::Value;

use crate::entry::Entry;
use crate::entry::decode::attach;
use crate::pipelines::options::{NamespaceOptions, RemoveOptions, RenameOptions, SetOptions};
use crate::query::Field;

#[derive(Debug)]
pub(super) struct Set(Vec<(String, Value)>);

impl Set {
    pub fn new(options: &SetOptions) -> Result<Self, String> {
        let fields = options.fields.iter().map(|(name, value)| {
            let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
            Ok((name.clone(), value))
        });
        fields.collect::<Result<_, String>>().map(Self)
    }

    pub fn apply(&self, entry: &mut Entry) {
        for (name, value) in &self.0 {
            put(entry, name, value.clone());
        }
    }
}

#[derive(Debug)]
pub(super) struct Rename(Vec<(String, String)>);

impl Rename {
    pub fn new(options: &RenameOptions) -> Self {
        Self(options.fields.clone().into_iter().collect())
    }

    pub fn apply(&self, entry: &mut Entry) {
        for (from, to) in &self.0 {
            if let Some(value) = take(entry, from) {
                put(entry, to, value);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Remove(Vec<String>);

impl Remove {
    pub fn new(options: &RemoveOptions) -> Self {
        Self(options.fields.clone())
    }

    pub fn apply(&self, entry: &mut Entry) {
        for name in &self.0 {
            take(entry, name);
        }
    }
}

#[derive(Debug)]
pub(super) struct Namespace {
    value: Option<String>,
    field: Option<Field>,
}

impl Namespace {
    pub fn new(options: &NamespaceOptions) -> Result<Self, String> {
        if options.value.is_none() && options.field.is_none() {
            return Err("expected `value` or `field`, found neither".to_owned());
        }
        Ok(Self {
            value: options.value.clone(),
            field: options.field.as_deref().map(Field::named),
        })
    }

    /// What the field says goes before the constant.
    pub fn apply(&self, entry: &mut Entry) {
        let said = self.field.as_ref().and_then(|field| field.value(entry));
        let said = said.map(std::borrow::Cow::into_owned);
        let name = said.filter(|name| !name.is_empty());
        if let Some(name) = name.or_else(|| self.value.clone()) {
            entry.scope.namespace = name;
        }
    }
}

/// What an entry says of itself beside its fields, where a name means that.
fn slot<'e>(entry: &'e mut Entry, name: &str) -> Option<&'e mut Option<String>> {
    let scope = &mut entry.scope;
    Some(match name {
        "trace" => &mut scope.trace,
        "span" => &mut scope.span,
        "instance" => &mut scope.instance,
        "workflow" => &mut scope.workflow,
        "state" => &mut scope.state,
        "status" => &mut scope.status,
        "route" => &mut scope.route,
        "activity" => &mut scope.activity,
        "track" => &mut scope.track,
        "error" => &mut entry.error,
        "source" => &mut entry.source,
        _ => return None,
    })
}

fn take(entry: &mut Entry, name: &str) -> Option<Value> {
    if let Some(value) = slot(entry, name).and_then(Option::take) {
        return Some(Value::String(value));
    }
    entry.fields.shift_remove(name)
}

fn put(entry: &mut Entry, name: &str, value: Value) {
    take(entry, name);
    match (name, value) {
        ("msg" | "text" | "message", Value::String(text)) => entry.text = text,
        ("namespace", Value::String(text)) if !text.is_empty() => entry.scope.namespace = text,
        ("level", Value::String(word)) if word.parse::<crate::entry::Level>().is_ok() => {
            entry.level = word.parse().unwrap_or_default();
        }
        (_, value) => attach(entry, name.to_owned(), value),
    }
}
