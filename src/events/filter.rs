//! Which events of a type a listener is for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatchPattern;

use super::CloudEvent;

/// `*` stands for any text; nothing stands for a single character, so that `?` is one.
type Glob = WildMatchPattern<'*', '\u{0}'>;

/// Which events of a type a listener is for: attributes and extensions by name, each with a pattern in which `*` stands for
/// any text. All of them have to be there and match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContextFilter {
    /// The type of events that it decides on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Patterns by the names of attributes; case of the names does not matter.
    pub context: BTreeMap<String, String>,
}

impl ContextFilter {
    /// Whether an event has all that is asked for.
    #[must_use]
    pub fn matches(&self, event: &CloudEvent) -> bool {
        self.context.iter().all(|(name, pattern)| {
            event.attribute(name).is_some_and(|value| {
                // Most patterns are plain words.
                if pattern.contains('*') {
                    Glob::new(pattern).matches(&value)
                } else {
                    *pattern == value
                }
            })
        })
    }
}

/// Whether an event passes: of the filters of its type one has to match, if there are any.
#[must_use]
pub fn passes(filters: &[ContextFilter], event: &CloudEvent) -> bool {
    let mut own = filters.iter().filter(|filter| filter.kind == event.kind());
    let mut is_decided = false;
    let matches = own.any(|filter| {
        is_decided = true;
        filter.matches(event)
    });
    matches || !is_decided
}
