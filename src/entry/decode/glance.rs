//! What a JSON line says of its time, level and namespace, told without taking the rest apart.
//!
//! [`glance`] says what [`super::from_object`] would say of the whole object, or nothing: then the whole is to be decoded.
//! Most of the time goes into values that a count over time never looks at: they are passed over here.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Number;

use super::nested::is_deep;
use super::object::{MOST_NAMES, Meaning, level_of_word, time_of_number, usual};
use super::time::{self, Unsaid};
use crate::base::Time;
use crate::entry::Level;

/// What counts over time need of an entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Glance<'l> {
    /// When it happened, if it says so.
    pub time: Option<Time>,
    /// How severe it is.
    pub level: Level,
    /// Where it belongs, if it says so.
    pub namespace: Option<Cow<'l, str>>,
}

/// Looks at a JSON object; `None` when it is none, or says these things deeper within or more than once.
#[must_use]
pub fn glance<'l>(line: &'l str, unsaid: Unsaid<'_>) -> Option<Glance<'l>> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let seen = Looking { unsaid }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    (!seen.is_deep).then(|| Glance {
        time: seen.time.found.map(|(_, time)| time),
        level: seen
            .level
            .found
            .map_or_else(Level::default, |(_, level)| level),
        namespace: seen.namespace.found.map(|(_, name)| name),
    })
}

/// What means something under the first of its names, in the order of names.
struct Best<T> {
    found: Option<(u8, T)>,
    /// Bit `rank` is set for each name that was seen.
    names: u16,
}

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self {
            found: None,
            names: 0,
        }
    }
}

impl<T> Best<T> {
    /// A name was seen, and what its value means; whether it was seen before.
    fn see(&mut self, rank: u8, meaning: Option<T>) -> bool {
        let bit = 1 << rank;
        let is_again = self.names & bit != 0;
        self.names |= bit;
        let is_better = self.found.as_ref().is_none_or(|(known, _)| rank < *known);
        if let (true, Some(meaning)) = (is_better, meaning) {
            self.found = Some((rank, meaning));
        }
        is_again
    }
}

#[derive(Default)]
struct Seen<'l> {
    time: Best<Time>,
    level: Best<Level>,
    namespace: Best<Cow<'l, str>>,
    /// It is to be decoded as a whole.
    is_deep: bool,
}

const _: () = assert!((MOST_NAMES as u32) <= u16::BITS);

/// Looks at an object.
struct Looking<'z> {
    unsaid: Unsaid<'z>,
}

impl<'de> DeserializeSeed<'de> for Looking<'_> {
    type Value = Seen<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Looking<'_> {
    type Value = Seen<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Seen<'de>, M::Error> {
        let mut seen = Seen::default();
        while let Some(name) = map.next_key_seed(Text)? {
            match usual(&name) {
                Some((Meaning::Time, rank)) => {
                    let time = map.next_value::<Scalar<'_>>()?.time(self.unsaid);
                    seen.is_deep |= seen.time.see(rank, time);
                }
                Some((Meaning::Level, rank)) => {
                    let level = map.next_value::<Scalar<'_>>()?.level();
                    seen.is_deep |= seen.level.see(rank, level);
                }
                Some((Meaning::Namespace, rank)) => {
                    let name = map.next_value::<Scalar<'de>>()?.name();
                    seen.is_deep |= seen.namespace.see(rank, name);
                }
                _ if is_deep(&name) => {
                    seen.is_deep |= !matches!(map.next_value()?, Scalar::Plain);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(seen)
    }
}

/// A string, borrowed where it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A value of which only words and numbers are looked at.
enum Scalar<'l> {
    Word(Cow<'l, str>),
    Number(Number),
    Plain,
    Structure,
}

impl<'l> Scalar<'l> {
    fn time(&self, unsaid: Unsaid<'_>) -> Option<Time> {
        match self {
            Self::Word(word) => time::parse(word, unsaid),
            Self::Number(number) => time_of_number(number),
            Self::Plain | Self::Structure => None,
        }
    }

    fn level(&self) -> Option<Level> {
        match self {
            Self::Word(word) => level_of_word(word),
            Self::Number(number) => Level::from_number(number.as_i64()?),
            Self::Plain | Self::Structure => None,
        }
    }

    fn name(self) -> Option<Cow<'l, str>> {
        match self {
            Self::Word(word) if !word.is_empty() => Some(word),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Word(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Word(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Number::from_f64(number).map_or(Scalar::Plain, Scalar::Number))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Plain)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Plain)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self::Value, S::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Structure)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Structure)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::decode::{Defaults, Pairs, from_object};

    fn value() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            r#""2026-03-14T09:00:00Z""#,
            r#""ERROR""#,
            r#""w\u0061rn""#,
            r#""shop""#,
            r#""""#,
            "1773478800",
            "1773478800123.5",
            "30",
            "null",
            "true",
            "[1,{}]",
            r#"{"level":"error"}"#,
            r#"{"$date":"2026-03-14T09:00:00Z"}"#,
        ]);
        words.prop_map(str::to_owned)
    }

    proptest! {
        /// A glance says what the whole says.
        #[test]
        fn a_glance_is_right(pairs in prop::collection::vec((
            prop::sample::select(vec!["time", "ts", "@timestamp", "level", "severity", "lvl", "namespace", "ns", "msg", "a", "log", "t", "jsonPayload", "PRIORITY", "fields"]),
            value(),
        ), 0..6)) {
            let members: Vec<String> = pairs.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
            let line = format!("{{{}}}", members.join(","));
            if let Some(glance) = glance(&line, Time(7).into()) {
                let whole: Pairs = serde_json::from_str(&line).expect("an object");
                let entry = from_object(whole, &Defaults::at(Time(7)));
                prop_assert_eq!(glance.time.unwrap_or(Time(7)), entry.time, "{}", line);
                prop_assert_eq!(glance.level, entry.level, "{}", line);
                prop_assert_eq!(glance.namespace.as_deref().unwrap_or("default"), entry.scope.namespace, "{}", line);
            }
        }
    }

    #[test]
    fn what_is_told_within_is_left_to_the_whole() {
        assert_eq!(glance(r#"{"log":{"level":"error"}}"#, Time(0).into()), None);
        assert_eq!(glance("no object", Time(0).into()), None);
        let told = glance(
            r#"{"level":"error","time":"2026-03-14T09:00:00Z","x":[1]}"#,
            Time(0).into(),
        );
        assert_eq!(told.map(|told| told.level), Some(Level::Error));
    }
}
