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

impl From<Fields> for Pairs {
    fn from(fields: Fields) -> Self {
        Self(fields.into_iter().collect())
    }
}
