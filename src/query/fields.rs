//! Which fields entries have, the useful first: those that most entries have, with few values.

use foldhash::{HashMap, HashSet};

use super::{Field, KNOWN_FIELDS, printed};
use crate::entry::Entry;

/// Fields that are looked at: a name for each entry would be an attack, or an accident.
const MAX_FIELDS: usize = 500;
/// Values that are told apart.
const MAX_VALUES: usize = 1_000;
/// So many values can be looked through.
const FEW_VALUES: usize = 30;
/// Longer values say nothing that many entries share.
const MAX_VALUE_BYTES: usize = 120;

/// How a field is used.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldUse {
    /// The field.
    pub field: Field,
    /// Entries that have it.
    pub entries: u64,
    /// Different values, counted up to 1,000.
    pub values: usize,
    /// The most frequent value and its entries.
    pub top: (String, u64),
}

impl FieldUse {
    /// How well it narrows, from 0 to 1: most entries have it, and it has few values but not one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only compared")]
    fn usefulness(&self, all: u64) -> f64 {
        let coverage = self.entries as f64 / all.max(1) as f64;
        let variety = match self.values {
            0 | 1 => 0.1,
            2..=FEW_VALUES => 1.0,
            many => FEW_VALUES as f64 / many as f64,
        };
        // A value for each entry names it, and says nothing of others.
        let sharing = 1.0 - self.values as f64 / (self.entries.max(1) + 1) as f64;
        coverage * variety * sharing
    }
}

/// Calls `see` with the name and the value of each field of an entry, those within objects by their path.
pub(super) fn each_value(entry: &Entry, mut see: impl FnMut(&str, &str)) {
    for field in KNOWN_FIELDS
        .iter()
        .filter(|field| !matches!(field, Field::Text))
    {
        if let Some(value) = field.own_value(entry) {
            see(field.name(), &value);
        }
    }
    for (name, value) in &entry.fields {
        match value {
            serde_json::Value::Object(members) => {
                let plain = |value: &serde_json::Value| !value.is_object() && !value.is_array();
                for (member, value) in members.iter().filter(|(_, value)| plain(value)) {
                    see(&format!("{name}.{member}"), &printed(value));
                }
            }
            serde_json::Value::Array(_) => {}
            value => see(name, &printed(value)),
        }
    }
}

/// The fields of some entries, the most useful first.
#[must_use]
pub fn fields_of<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<FieldUse> {
    let mut fields: HashMap<String, (u64, HashMap<String, u64>)> = HashMap::default();
    let mut all = 0;
    for entry in entries {
        all += 1;
        // Of a name that is there twice, within an object and beside it, one counts.
        let mut seen: HashSet<String> = HashSet::default();
        each_value(entry, |name, value| {
            let is_known = fields.contains_key(name);
            if (!is_known && fields.len() >= MAX_FIELDS) || !seen.insert(name.to_owned()) {
                return;
            }
            let (count, values) = fields.entry(name.to_owned()).or_default();
            *count += 1;
            if value.len() <= MAX_VALUE_BYTES
                && (values.len() < MAX_VALUES || values.contains_key(value))
            {
                *values.entry(value.to_owned()).or_default() += 1;
            }
        });
    }
    let mut used: Vec<FieldUse> = fields
        .into_iter()
        .map(|(name, (entries, values))| {
            let top = values
                .iter()
                .max_by(|(a, one), (b, other)| one.cmp(other).then_with(|| b.cmp(a)));
            FieldUse {
                field: Field::named(&name),
                entries,
                values: values.len(),
                top: top.map_or_else(Default::default, |(value, count)| (value.clone(), *count)),
            }
        })
        .collect();
    used.sort_by(|one, other| {
        let (a, b) = (one.usefulness(all), other.usefulness(all));
        b.total_cmp(&a)
            .then_with(|| one.field.name().cmp(other.field.name()))
    });
    used
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Position;

    #[test]
    fn what_narrows_well_comes_first() {
        let entries: Vec<Entry> = (0..100_u64)
            .map(|n| {
                let mut entry = Entry {
                    position: Position(n),
                    text: "x".into(),
                    ..Entry::default()
                };
                let fields = [
                    ("order", json!(format!("o-{n}"))),
                    (
                        "region",
                        json!(["eu", "us", "ap"][usize::try_from(n % 3).unwrap_or(0)]),
                    ),
                    ("build", json!(7)),
                    (
                        "http",
                        json!({"status": if n % 9 == 0 { 500 } else { 200 }, "deep": {"x": 1}}),
                    ),
                ];
                entry.fields = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                if n < 10 {
                    entry.fields.insert("rare".into(), json!(n % 2));
                }
                entry
            })
            .collect();
        let used = fields_of(entries.iter());
        let names: Vec<&str> = used.iter().map(|of| of.field.name()).collect();
        let place = |name: &str| names.iter().position(|of| *of == name).expect(name);
        assert!(
            place("http.status") < place("rare") && place("region") < place("rare"),
            "{names:?}"
        );
        assert!(place("rare") < place("order"), "{names:?}");
        let status = &used[place("http.status")];
        assert_eq!((status.entries, status.values), (100, 2));
        assert_eq!(status.top, ("200".to_owned(), 88));
        assert_eq!(used[place("order")].values, 100);
    }
}
