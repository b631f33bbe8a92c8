//! The members of a JSON object, as they are read.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::entry::Fields;

/// An object's keys and values in the order they were sent; the last of duplicate keys wins. Cheaper than a map, and
/// all that making an entry needs.
#[derive(Debug, Default)]
pub struct Pairs(pub(super) Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::with_capacity(12);
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs::without_duplicates(pairs))
            }
        }

        deserializer.deserialize_map(Reading)
    }
}

impl Pairs {
    /// Pairs up to which every two names are compared; more are sorted out by a map.
    const FEW: usize = 32;

    fn without_duplicates(pairs: Vec<(String, Value)>) -> Self {
        let repeats = |at: usize| {
            pairs
                .iter()
                .take(at)
                .any(|(name, _)| pairs.get(at).is_some_and(|(other, _)| other == name))
        };
        if pairs.len() > Self::FEW || (1..pairs.len()).any(repeats) {
            return Self(pairs.into_iter().collect::<Fields>().into_iter().collect());
        }
        Self(pairs)
    }
}

impl Pairs {
    /// Gives members the names they mean: for each, the name of ours and the path to theirs. What has such a name already is
    /// kept under it with an underscore.
    pub(super) fn rename(&mut self, keys: &[(String, String)]) {
        for (ours, theirs) in keys {
            let Some(value) = self.take(theirs) else {
                continue;
            };
            for (name, _) in &mut self.0 {
                if name == ours {
                    name.push('_');
                }
            }
            self.0.push((ours.clone(), value));
        }
    }

    /// Takes a member out, by its name or by a path through nested objects.
    fn take(&mut self, path: &str) -> Option<Value> {
        if let Some(at) = self.0.iter().position(|(name, _)| name == path) {
            return Some(self.0.remove(at).1);
        }
        let (head, rest) = path.split_once('.')?;
        let (_, value) = self.0.iter_mut().find(|(name, _)| name == head)?;
        let (parents, last) = rest.rsplit_once('.').unwrap_or(("", rest));
        let parents = parents.split('.').filter(|parent| !parent.is_empty());
        let within = parents
            .into_iter()
            .try_fold(value, |value, parent| value.get_mut(parent))?;
        within.as_object_mut()?.shift_remove(last)
    }
}

impl From<Fields> for Pairs {
    fn from(fields: Fields) -> Self {
        Self(fields.into_iter().collect())
    }
}
