//! What the explorer remembers between two runs: saved queries with what watches them, and where one was.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::state::{Chip, Filters, Shape, State};
use crate::base::Time;
use crate::base::units::parse_duration;
use crate::entry::decode::time::parse;
use crate::query::{Expression, Query};

/// Places that are remembered: the newest.
const MAX_PLACES: usize = 50;

/// What is kept in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Saved queries, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queries: BTreeMap<String, SavedQuery>,
    /// Where one was, by the name of what was explored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, Remembered>,
}

/// A query under a name; watched, if there is a threshold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedQuery {
    /// The query, as typed.
    #[serde(deserialize_with = "query_text")]
    pub query: String,
    /// More entries than this are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_than: Option<u64>,
    /// The time in which they are counted, such as 1m; a minute, unless it says otherwise.
    #[serde(
        default,
        deserialize_with = "duration_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub within: Option<String>,
}

fn query_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<Query>() {
        Ok(_) => Ok(text),
        Err(error) => Err(D::Error::custom(format!("the query {text:?}: {error}"))),
    }
}

fn duration_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match parse_duration(&text) {
        Ok(within) if within.is_zero() => {
            Err(D::Error::custom("expected a time longer than nothing"))
        }
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(D::Error::custom(error)),
    }
}

/// Where one was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// When one left.
    pub left: String,
    /// The row; none while following.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The typed query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The lowest level shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// From when, and up to when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(String, String)>,
    /// Columns, from the left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<RememberedChip>,
}

/// A condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedChip {
    query: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hides: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    off: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Memory {
    /// Remembers a place; of too many the oldest are forgotten.
    pub fn remember(&mut self, name: String, place: Remembered) {
        self.places.insert(name, place);
        while self.places.len() > MAX_PLACES {
            let oldest = self
                .places
                .iter()
                .min_by(|(_, a), (_, b)| a.left.cmp(&b.left));
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                return;
            };
            self.places.remove(&oldest);
        }
    }
}

impl Remembered {
    /// Where one is.
    pub(super) fn of(state: &State) -> Self {
        let filters = &state.filters;
        let chip = |chip: &Chip| RememberedChip {
            query: Query(chip.expression.clone()).to_string(),
            hides: chip.negated,
            off: !chip.enabled,
            name: chip.name.clone(),
        };
        let row = state.selected().filter(|_| !state.live.following);
        Self {
            left: state.now.to_string(),
            at: row.map(|row| row.entry.time.to_string()),
            query: filters.typed_text.clone(),
            level: filters.level.map(|level| level.word().to_owned()),
            range: filters
                .range
                .map(|(from, to)| (from.to_string(), to.to_string())),
            columns: state.columns.print(),
            filters: filters.chips.iter().map(chip).collect(),
        }
    }

    /// Puts it back; what is no longer understood is left out. The time of the row.
    pub(super) fn restore(&self, state: &mut State) -> Option<Time> {
        let now = state.now;
        let time = |text: &String| parse(text, now);
        let chip = |chip: &RememberedChip| {
            Some(Chip {
                expression: chip.query.parse::<Query>().ok()?.0,
                negated: chip.hides,
                enabled: !chip.off,
                name: chip.name.clone(),
            })
        };
        let typed: Query = self.query.parse().unwrap_or_default();
        state.filters = Filters {
            chips: self
                .filters
                .iter()
                .filter_map(chip)
                .filter(|chip| chip.expression != Expression::Everything)
                .collect(),
            level: self.level.as_deref().and_then(|word| word.parse().ok()),
            typed,
            typed_text: self.query.clone(),
            range: self
                .range
                .as_ref()
                .and_then(|(from, to)| Some((time(from)?, time(to)?))),
            ..Filters::default()
        };
        if !self.columns.is_empty() {
            state.columns = Shape::read(&self.columns);
        }
        self.at.as_ref().and_then(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_places_are_forgotten() {
        let mut memory = Memory::default();
        for n in 0..60 {
            let left = format!("2026-03-14T09:00:{n:02}Z");
            memory.remember(
                format!("{n}"),
                Remembered {
                    left,
                    ..Remembered::default()
                },
            );
        }
        assert_eq!(memory.places.len(), MAX_PLACES);
        assert!(memory.places.contains_key("59") && !memory.places.contains_key("9"));
    }

    #[test]
    fn a_saved_query_is_checked() {
        let read = |text: &str| toml::from_str::<SavedQuery>(text);
        let saved =
            read("query = 'ns:pay level>=error'\nmore_than = 5\nwithin = '1m'").expect("right");
        assert_eq!(
            (saved.more_than, saved.within.as_deref()),
            (Some(5), Some("1m"))
        );
        for (wrong, part) in [
            ("query = '('", "the query \"(\""),
            ("query = 'x'\nwithin = 'soon'", "such as"),
            ("query = 'x'\nwithin = '0s'", "longer than nothing"),
        ] {
            let told = read(wrong).expect_err(wrong).to_string();
            assert!(told.contains(part), "{told}");
        }
    }
}
