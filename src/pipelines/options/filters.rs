//! What happens to entries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Span;

/// What happens to entries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FilterOptions {
    /// Only what matches passes.
    Include(MatchOptions),
    /// What matches is dropped.
    Exclude(MatchOptions),
    /// Only what is severe enough passes.
    Level(LevelOptions),
    /// Only a part passes.
    Sample(SampleOptions),
    /// No more than a rate passes.
    Rate(RateOptions),
    /// Secrets are masked.
    Redact(RedactOptions),
    /// Fields are set.
    Set(SetOptions),
    /// Fields get other names.
    Rename(RenameOptions),
    /// Fields are removed.
    Remove(RemoveOptions),
    /// Entries get a namespace.
    Namespace(NamespaceOptions),
}

/// How several patterns go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Logic {
    /// One is enough.
    #[default]
    Or,
    /// It takes all.
    And,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchOptions {
    /// Regular expressions. `^` stands for the beginning of the message, too.
    pub patterns: Vec<String>,
    /// How they go together.
    pub logic: Logic,
    /// The field they are put to; without it the message, and `<source> <level> <message>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A question in the query language, instead of patterns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// How severe entries have to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LevelOptions {
    /// At least.
    pub min: String,
}

impl Default for LevelOptions {
    fn default() -> Self {
        Self {
            min: "info".to_owned(),
        }
    }
}

/// Which part passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleOptions {
    /// One in so many. Entries of one trace pass together.
    pub one_in: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { one_in: 10 }
    }
}

/// How much passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateOptions {
    /// Entries a second.
    pub rate: u32,
    /// Entries at once after a rest; as many as in a second unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Of what: `pipeline`, `source`, or the name of a field.
    pub by: String,
    /// How often an entry tells what was dropped.
    pub summary: Span,
}

impl Default for RateOptions {
    fn default() -> Self {
        Self {
            rate: 1_000,
            burst: None,
            by: "pipeline".to_owned(),
            summary: Span(std::time::Duration::from_secs(10)),
        }
    }
}

/// What is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactOptions {
    /// Built-in patterns: `token`, `email`, `card`.
    pub builtin: Vec<String>,
    /// Regular expressions.
    pub patterns: Vec<String>,
    /// What is put in the place of what they find.
    pub mask: String,
}

impl Default for RedactOptions {
    fn default() -> Self {
        Self {
            builtin: Vec::new(),
            patterns: Vec::new(),
            mask: "[redacted]".to_owned(),
        }
    }
}

/// What fields are set to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetOptions {
    /// Values by name.
    pub fields: BTreeMap<String, toml::Value>,
}

/// Which fields get other names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RenameOptions {
    /// New names by old ones.
    pub fields: BTreeMap<String, String>,
}

/// Which fields are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoveOptions {
    /// Their names.
    pub fields: Vec<String>,
}

/// Which namespace entries get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceOptions {
    /// This one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What this field says, where it says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
