//! What a summary of many entries says about a question, without looking at one.

use std::collections::BTreeMap;

use super::matcher::{Node, Value};
use super::{Field, Matcher};
use crate::base::Time;

/// What is known of a block of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Time of its oldest entry.
    pub oldest: Time,
    /// Time of its newest entry.
    pub newest: Time,
    /// Entries of each level, mildest first.
    pub levels: [u64; 6],
    /// Entries of each namespace: all of them, or none when it is not known.
    pub namespaces: BTreeMap<String, u64>,
}

/// How many entries of a block can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not one.
    None,
    /// That cannot be said without looking.
    Some,
    /// Every one.
    All,
}

impl Matcher {
    /// How many entries of the block can match.
    #[must_use]
    pub fn verdict(&self, summary: &Summary) -> Verdict {
        verdict(&self.root, summary)
    }
}

fn verdict(node: &Node, summary: &Summary) -> Verdict {
    match node {
        Node::Everything => Verdict::All,
        Node::Not(inner) => match verdict(inner, summary) {
            Verdict::None => Verdict::All,
            Verdict::Some => Verdict::Some,
            Verdict::All => Verdict::None,
        },
        Node::All(parts) => fold(parts, summary, Verdict::None, Verdict::All),
        Node::Any(parts) => fold(parts, summary, Verdict::All, Verdict::None),
        Node::Levels(bits) => {
            let wanted = summary
                .levels
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(level, _)| bits & (1 << level) != 0);
            of_each(wanted)
        }
        Node::Time(from, to) => {
            if summary.newest < *from || (summary.oldest >= *to && *to != Time::MAX) {
                Verdict::None
            } else if *from <= summary.oldest && (summary.newest < *to || *to == Time::MAX) {
                Verdict::All
            } else {
                Verdict::Some
            }
        }
        Node::Field(Field::Namespace, values) if !summary.namespaces.is_empty() => of_each(
            summary
                .namespaces
                .keys()
                .map(|name| values.iter().any(|value| names(value, name))),
        ),
        Node::Field(..) | Node::Exists(_) | Node::Compare(..) | Node::Text(_) => Verdict::Some,
    }
}

/// `decisive` as soon as one part says so; `otherwise` when all parts do; else unknown.
fn fold(parts: &[Node], summary: &Summary, decisive: Verdict, otherwise: Verdict) -> Verdict {
    let mut all = true;
    for part in parts {
        let verdict = verdict(part, summary);
        if verdict == decisive {
            return decisive;
        }
        all &= verdict == otherwise;
    }
    if all { otherwise } else { Verdict::Some }
}

fn of_each(mut wanted: impl Iterator<Item = bool>) -> Verdict {
    let Some(first) = wanted.next() else {
        return Verdict::Some;
    };
    if wanted.all(|other| other == first) {
        if first { Verdict::All } else { Verdict::None }
    } else {
        Verdict::Some
    }
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Literal(text) => text.eq_ignore_ascii_case(name),
        Value::Glob(glob) => glob.matches(name),
        Value::Regex(pattern) | Value::Contains(pattern) => pattern.is_match(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_decide_where_they_can() {
        let summary = Summary {
            oldest: Time(1_000_000_000),
            newest: Time(2_000_000_000),
            levels: [0, 0, 5, 1, 0, 0],
            namespaces: [("pay".to_owned(), 4), ("auth".to_owned(), 2)].into(),
        };
        let cases = [
            ("", Verdict::All),
            ("level>=error", Verdict::None),
            ("level>=info", Verdict::All),
            ("level>=warn", Verdict::Some),
            ("-level>=error", Verdict::All),
            ("ns:pay", Verdict::Some),
            ("ns:pay,auth", Verdict::All),
            ("ns:other", Verdict::None),
            ("ns:other text", Verdict::None),
            ("ns:other OR level:info,warn", Verdict::All),
            ("since:1970-01-01T00:00:03Z", Verdict::None),
            ("before:1970-01-01T00:00:01Z", Verdict::None),
            (
                "since:1970-01-01T00:00:01Z before:1970-01-01T00:00:03Z",
                Verdict::All,
            ),
            ("text", Verdict::Some),
        ];
        for (text, wanted) in cases {
            let query = text.parse().expect(text);
            assert_eq!(
                Matcher::compile(&query, Time(0)).verdict(&summary),
                wanted,
                "{text}"
            );
        }
    }
}
