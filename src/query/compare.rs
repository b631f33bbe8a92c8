//! What is different in a span: values and templates that are more, or less, frequent in it than in what lies before.

use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::each_value;
use super::templates::{Miner, lines_of};
use super::{Expression, Field};
use crate::entry::Entry;

/// Values of a field that are told apart; a field with more names its entries, and is left out.
const MAX_VALUES: usize = 1_000;
/// Longer values say nothing that many entries share.
const MAX_VALUE_BYTES: usize = 120;
/// Fields that are looked at.
const MAX_FIELDS: usize = 200;
/// Entries of a value below which it may be chance.
const ENOUGH: u64 = 5;

/// What differs: a template of lines, or a value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// The field; none of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The value, or the template.
    pub value: String,
    /// Entries in the span that have it.
    pub inside: u64,
    /// Entries before it that have it.
    pub outside: u64,
}

/// What is different in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Differences {
    /// What differs most first.
    pub differences: Vec<Difference>,
    /// Entries of the span that were looked at.
    pub inside: u64,
    /// Entries before it that were looked at.
    pub outside: u64,
    /// Whether there are more of either that were not.
    pub partial: bool,
}

impl Difference {
    /// What matches its lines.
    #[must_use]
    pub fn expression(&self) -> Expression {
        match &self.field {
            None => lines_of(&self.value),
            Some(name) => Expression::equals(Field::named(name), self.value.clone()),
        }
    }
}

impl Differences {
    /// Shares of the entries that have it, in the span and before it, from 0 to 1.
    #[must_use]
    pub fn shares(&self, of: &Difference) -> (f64, f64) {
        (
            share(of.inside, self.inside),
            share(of.outside, self.outside),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn share(count: u64, of: u64) -> f64 {
    count as f64 / of.max(1) as f64
}

/// Counts both sides.
#[derive(Debug, Default)]
pub struct Comparing {
    miner: Miner,
    templates: HashMap<usize, [u64; 2]>,
    fields: HashMap<String, HashMap<String, [u64; 2]>>,
    /// Fields that name their entries.
    left_out: HashSet<String>,
    sides: [u64; 2],
}

impl Comparing {
    /// Counts an entry of the span, or of what lies before it.
    pub fn add(&mut self, entry: &Entry, is_inside: bool) {
        let side = usize::from(!is_inside);
        self.sides[side] += 1;
        if let Some(number) = self.miner.learn(&entry.text) {
            self.templates.entry(number).or_default()[side] += 1;
        }
        let names_entries = [Field::Trace, Field::Span];
        each_value(entry, |name, value| {
            if !names_entries.iter().any(|field| field.name() == name) {
                self.count(name, value, side);
            }
        });
    }

    fn count(&mut self, field: &str, value: &str, side: usize) {
        if value.is_empty() || value.len() > MAX_VALUE_BYTES || self.left_out.contains(field) {
            return;
        }
        if !self.fields.contains_key(field) {
            if self.fields.len() >= MAX_FIELDS {
                return;
            }
            self.fields.insert(field.to_owned(), HashMap::default());
        }
        let Some(values) = self.fields.get_mut(field) else {
            return;
        };
        if let Some(counts) = values.get_mut(value) {
            counts[side] += 1;
            return;
        }
        if values.len() >= MAX_VALUES {
            self.fields.remove(field);
            self.left_out.insert(field.to_owned());
            return;
        }
        values.entry(value.to_owned()).or_default()[side] += 1;
    }

    /// Entries that were looked at, in the span and before it.
    #[must_use]
    pub fn sides(&self) -> [u64; 2] {
        self.sides
    }

    /// What differs most.
    #[must_use]
    pub fn done(self, partial: bool, limit: usize) -> Differences {
        let [inside, outside] = self.sides;
        let of_templates = self.templates.iter().map(|(number, counts)| Difference {
            field: None,
            value: self.miner.text(*number),
            inside: counts[0],
            outside: counts[1],
        });
        let of_fields = self.fields.iter().flat_map(|(field, values)| {
            values.iter().map(|(value, counts)| Difference {
                field: Some(field.clone()),
                value: value.clone(),
                inside: counts[0],
                outside: counts[1],
            })
        });
        let mut scored: Vec<(f64, Difference)> = of_templates
            .chain(of_fields)
            .filter(|of| of.inside.max(of.outside) >= ENOUGH)
            .map(|of| (distance(&of, inside, outside), of))
            .filter(|(distance, _)| *distance > 0.001)
            .collect();
        scored.sort_by(|(a, one), (b, other)| {
            let names = || (&one.field, &one.value).cmp(&(&other.field, &other.value));
            b.total_cmp(a).then_with(names)
        });
        scored.truncate(limit);
        Differences {
            differences: scored.into_iter().map(|(_, of)| of).collect(),
            inside,
            outside,
            partial,
        }
    }
}

/// How far apart the shares are: the symmetric divergence of Jeffreys, of a share that has a prior of half an entry.
#[expect(clippy::cast_precision_loss, reason = "an order, not a figure")]
fn distance(of: &Difference, inside: u64, outside: u64) -> f64 {
    let share = |count: u64, of: u64| (count as f64 + 0.5) / (of as f64 + 1.0);
    let (inside, outside) = (share(of.inside, inside), share(of.outside, outside));
    (inside - outside) * (inside / outside).ln()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Level;

    fn entry(n: u32, text: &str, version: &str) -> Entry {
        let mut entry = Entry {
            level: if text.starts_with("cannot") {
                Level::Error
            } else {
                Level::Info
            },
            text: text.to_owned(),
            ..Entry::default()
        };
        entry.scope.namespace = ["pay", "auth"][n as usize % 2].to_owned();
        entry.fields.insert("version".to_owned(), json!(version));
        entry
            .fields
            .insert("request".to_owned(), json!({"id": n, "zone": "a"}));
        entry
    }

    #[test]
    fn what_differs_is_told_what_names_entries_is_not() {
        let mut comparing = Comparing::default();
        for n in 0..2_000 {
            comparing.add(&entry(n, &format!("request {n} served"), "1.0"), false);
        }
        for n in 0..500 {
            let is_bad = n % 4 == 0;
            let (text, version) = if is_bad {
                (format!("cannot reach db-{n}"), "1.1")
            } else {
                (format!("request {n} served"), "1.0")
            };
            comparing.add(&entry(n, &text, version), true);
        }
        let comparison = comparing.done(false, 20);
        assert_eq!((comparison.inside, comparison.outside), (500, 2_000));
        let told: Vec<(Option<&str>, &str, u64, u64)> = comparison
            .differences
            .iter()
            .map(|of| {
                (
                    of.field.as_deref(),
                    of.value.as_str(),
                    of.inside,
                    of.outside,
                )
            })
            .collect();
        for expected in [
            (None, "cannot reach db-<*>", 125, 0),
            (Some("level"), "ERROR", 125, 0),
            (Some("version"), "1.1", 125, 0),
            (None, "request <*> served", 375, 2_000),
        ] {
            assert!(told.contains(&expected), "{expected:?} is not in {told:?}");
        }
        assert_eq!(told[0].3, 0, "what is new goes first: {told:?}");
        let fields: Vec<_> = told.iter().filter_map(|of| of.0).collect();
        assert!(!fields.contains(&"request.id"), "{fields:?}");
        assert!(
            !fields.contains(&"request.zone"),
            "it is the same on both sides"
        );
    }

    #[test]
    fn nothing_is_compared_with_nothing() {
        assert_eq!(Comparing::default().done(false, 9), Differences::default());
        let mut comparing = Comparing::default();
        for n in 0..10 {
            comparing.add(&entry(n, "new", "1"), true);
        }
        let comparison = comparing.done(false, 9);
        assert!(comparison.differences.iter().all(|of| of.outside == 0));
    }
}
