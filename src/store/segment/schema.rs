//! The columns of a segment. The README documents them for those who read segments without us.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `time` | timestamp, ns, UTC | when it happened |
//! | `position` | unsigned 64 | number of arrival |
//! | `level`, `namespace`, `text` | text | always there |
//! | `trace` … `source` | text | null where the entry has none; a column without any value is left out |
//! | `branch` | signed 64 | branch of a parallel state |
//! | `fields` | text | the other fields as a JSON object, in order; null when there are none |
//! | `field.<name>` | text, signed 64, double, boolean | a frequent field with its own column |
//!
//! A field that has a column of its own stands in `fields` as `null`, which keeps its place: most entries then share a
//! few such objects, and a dictionary holds them. Where its column is null too, the field's value is null.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Fields};

/// Names of the optional texts, in the order of `Entry::optional_texts`.
pub(super) const OPTIONAL: [&str; 13] = [
    "trace",
    "span",
    "instance",
    "workflow",
    "state",
    "status",
    "called_as",
    "callpath",
    "route",
    "activity",
    "track",
    "error",
    "source",
];
pub(super) const TIME: &str = "time";
pub(super) const POSITION: &str = "position";
pub(super) const LEVEL: &str = "level";
pub(super) const NAMESPACE: &str = "namespace";
pub(super) const TEXT: &str = "text";
pub(super) const BRANCH: &str = "branch";
pub(super) const FIELDS: &str = "fields";
/// Before the name of a field with a column of its own.
pub(super) const OWN: &str = "field.";
/// Fields that get a column of their own in one segment, at most.
const MAX_OWN: usize = 32;
/// A field gets one when one entry in so many has it.
const FREQUENT: usize = 50;
/// A text column is dictionary encoded when at most one value in so many is new. Twice is worth it: a trace's entries
/// stand close together.
const REPEATS: usize = 2;
/// Values looked at to decide that.
const SAMPLE: usize = 20_000;

/// The type of a field's own column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Text,
    Integer,
    Float,
    Boolean,
}

impl Kind {
    /// The kind of column that holds this value exactly.
    pub fn of(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(_) => Some(Self::Text),
            serde_json::Value::Bool(_) => Some(Self::Boolean),
            serde_json::Value::Number(number) if number.is_i64() => Some(Self::Integer),
            serde_json::Value::Number(number) if number.is_f64() => Some(Self::Float),
            _ => None,
        }
    }
}

/// A field with a column of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Own {
    pub name: String,
    pub kind: Kind,
    /// Entries that have it: what decides which stay when segments are merged.
    pub count: usize,
}

/// Which columns a segment has, and how they are encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Shape {
    /// Of the optional texts, by their place.
    pub(super) optional: [bool; 13],
    pub(super) branch: bool,
    pub(super) fields: bool,
    pub(super) own: Vec<Own>,
    /// Text columns whose values hardly repeat: no dictionary.
    pub(super) plain: Vec<String>,
}

impl Shape {
    /// The shape that suits these entries.
    pub fn of<'e>(entries: &(impl IntoIterator<Item = &'e Entry> + Clone)) -> Self {
        let mut shape = Self::default();
        let mut seen: HashMap<(&str, Kind), usize> = HashMap::new();
        let mut count = 0;
        for entry in entries.clone() {
            count += 1;
            for (has, value) in shape.optional.iter_mut().zip(entry.optional_texts()) {
                *has |= value.is_some();
            }
            shape.branch |= entry.scope.branch.is_some();
            shape.fields |= !entry.fields.is_empty();
            for (name, value) in &entry.fields {
                if let Some(kind) = Kind::of(value) {
                    *seen.entry((name, kind)).or_default() += 1;
                }
            }
        }
        let own = seen.into_iter().map(|((name, kind), count)| Own {
            name: name.to_owned(),
            kind,
            count,
        });
        shape.own = most_frequent(own.filter(|own| own.count * FREQUENT >= count).collect());
        shape.plain = shape.rarely_repeating(entries);
        shape
    }

    /// The shape that suits the entries of all of these.
    pub fn merged<'s>(shapes: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut all = Self::default();
        let mut own: HashMap<(String, Kind), usize> = HashMap::new();
        for shape in shapes {
            for (has, more) in all.optional.iter_mut().zip(shape.optional) {
                *has |= more;
            }
            all.branch |= shape.branch;
            all.fields |= shape.fields;
            for field in &shape.own {
                *own.entry((field.name.clone(), field.kind)).or_default() += field.count;
            }
            let more = shape
                .plain
                .iter()
                .filter(|name| !all.plain.contains(name))
                .cloned()
                .collect::<Vec<_>>();
            all.plain.extend(more);
        }
        all.own = most_frequent(
            own.into_iter()
                .map(|((name, kind), count)| Own { name, kind, count })
                .collect(),
        );
        // A field that was text in one of them may be something else in most.
        let is_text = |name: &String| match name.strip_prefix(OWN) {
            Some(field) => all
                .own
                .iter()
                .any(|own| own.name == field && own.kind == Kind::Text),
            None => true,
        };
        all.plain = all
            .plain
            .iter()
            .filter(|name| is_text(name))
            .cloned()
            .collect();
        all
    }

    fn rarely_repeating<'e>(
        &self,
        entries: &(impl IntoIterator<Item = &'e Entry> + Clone),
    ) -> Vec<String> {
        let mut plain = Vec::new();
        let mut check = |name: &str, value: &dyn Fn(&'e Entry) -> Option<&'e str>| {
            let values = entries.clone().into_iter().filter_map(value).take(SAMPLE);
            let (mut distinct, mut all) = (HashSet::new(), 0);
            for value in values {
                all += 1;
                distinct.insert(value);
            }
            if distinct.len() * REPEATS > all {
                plain.push(name.to_owned());
            }
        };
        check(TEXT, &|entry| Some(&entry.text));
        for (at, name) in OPTIONAL
            .iter()
            .enumerate()
            .filter(|(at, _)| self.optional[*at])
        {
            check(name, &|entry| entry.optional_texts()[at].as_deref());
        }
        for own in self.own.iter().filter(|own| own.kind == Kind::Text) {
            check(&format!("{OWN}{}", own.name), &|entry| {
                entry.fields.get(&own.name)?.as_str()
            });
        }
        plain
    }

    /// Names of the fields with a column of their own.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|own| own.name.as_str())
    }

    /// The columns as they are written.
    pub fn written(&self) -> SchemaRef {
        self.schema(|_| DataType::Utf8)
    }

    /// The columns as they are read: dictionaries stay dictionaries.
    pub fn read(&self) -> SchemaRef {
        self.schema(|name| {
            if self.plain.iter().any(|plain| plain == name) {
                DataType::Utf8
            } else {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
        })
    }

    fn schema(&self, text: impl Fn(&str) -> DataType) -> SchemaRef {
        let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let mut columns = vec![
            Field::new(TIME, time, false),
            Field::new(POSITION, DataType::UInt64, false),
            Field::new(LEVEL, text(LEVEL), false),
            Field::new(NAMESPACE, text(NAMESPACE), false),
            Field::new(TEXT, text(TEXT), false),
        ];
        let optional = OPTIONAL.iter().zip(self.optional).filter(|(_, has)| *has);
        columns.extend(optional.map(|(name, _)| Field::new(*name, text(name), true)));
        if self.branch {
            columns.push(Field::new(BRANCH, DataType::Int64, true));
        }
        if self.fields {
            columns.push(Field::new(FIELDS, text(FIELDS), true));
        }
        for own in &self.own {
            let name = format!("{OWN}{}", own.name);
            let kind = match own.kind {
                Kind::Text => text(&name),
                Kind::Integer => DataType::Int64,
                Kind::Float => DataType::Float64,
                Kind::Boolean => DataType::Boolean,
            };
            columns.push(Field::new(name, kind, true));
        }
        Arc::new(Schema::new(columns))
    }

    /// The object that stands in `fields`: those with a column of their own are null.
    pub(super) fn rest(&self, fields: &Fields) -> Option<String> {
        if fields.is_empty() {
            return None;
        }
        let mut rest = String::with_capacity(64);
        for (name, value) in fields {
            rest.push(if rest.is_empty() { '{' } else { ',' });
            // Names and values of JSON always print.
            rest.push_str(&serde_json::to_string(name).unwrap_or_default());
            rest.push(':');
            let own = self
                .own
                .iter()
                .any(|own| own.name == *name && Kind::of(value) == Some(own.kind));
            if own {
                rest.push_str("null");
            } else {
                rest.push_str(&serde_json::to_string(value).unwrap_or_default());
            }
        }
        rest.push('}');
        Some(rest)
    }
}

/// One column a name, the most frequent kind of it; the most frequent names.
fn most_frequent(mut own: Vec<Own>) -> Vec<Own> {
    own.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.kind.cmp(&b.kind))
    });
    let mut chosen: Vec<Own> = Vec::new();
    for own in own {
        if chosen.len() < MAX_OWN && !chosen.iter().any(|other| other.name == own.name) {
            chosen.push(own);
        }
    }
    chosen.sort_by(|a, b| a.name.cmp(&b.name));
    chosen
}
