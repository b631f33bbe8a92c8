//! What a summary of many entries says about a question, without looking at one.

use std::collections::BTreeMap;

use super::matcher::{Node, Test, Value};
use super::words::{Gram, of_literal};
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

/// What a block's filters say. They may err on one side only: a "no" is certain.
pub trait Filter {
    /// Whether the text, the error or a value of the fields of some entry may hold this.
    fn may_hold(&self, gram: &Gram) -> bool;
    /// Whether some entry may have this value, in any ASCII case, as its own in this field.
    fn may_equal(&self, field: &Field, value: &str) -> bool;
    /// Whether the fields of some entry may have this key at the top.
    fn may_have(&self, name: &str) -> bool;
}

impl Matcher {
    /// How many entries of the block can match.
    #[must_use]
    pub fn verdict(&self, summary: &Summary) -> Verdict {
        verdict(&self.root, summary, None)
    }

    /// The same, asking the block's filters too.
    #[must_use]
    pub fn verdict_with(&self, summary: &Summary, filter: &dyn Filter) -> Verdict {
        verdict(&self.root, summary, Some(filter))
    }
}

fn verdict(node: &Node, summary: &Summary, filter: Option<&dyn Filter>) -> Verdict {
    match node {
        Node::Everything => Verdict::All,
        Node::Not(inner) => match verdict(inner, summary, filter) {
            Verdict::None => Verdict::All,
            Verdict::Some => Verdict::Some,
            Verdict::All => Verdict::None,
        },
        Node::All(parts) => fold(parts, summary, filter, Verdict::None, Verdict::All),
        Node::Any(parts) => fold(parts, summary, filter, Verdict::All, Verdict::None),
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
        Node::Field(Field::Namespace, test) if !summary.namespaces.is_empty() => {
            of_each(summary.namespaces.keys().map(|name| test.passes(name)))
        }
        Node::Field(field, test) => {
            possible(filter.is_none_or(|filter| may_pass(field, test, filter)))
        }
        Node::Text(search) => {
            possible(filter.is_none_or(|filter| may_hold_all(search.grams(), filter)))
        }
    }
}

fn possible(possible: bool) -> Verdict {
    if possible {
        Verdict::Some
    } else {
        Verdict::None
    }
}

fn may_hold_all(grams: &[Gram], filter: &dyn Filter) -> bool {
    grams.iter().all(|gram| filter.may_hold(gram))
}

/// Whether the field's own value, or one among the fields, may pass.
fn may_pass(field: &Field, test: &Test, filter: &dyn Filter) -> bool {
    let name = field.name();
    let heads = name
        .match_indices('.')
        .filter_map(|(dot, _)| name.get(..dot));
    let in_fields = std::iter::once(name)
        .chain(heads)
        .any(|head| filter.may_have(head));
    let own = match (field, test) {
        (Field::Other(_), _) => false,
        (_, Test::Is(values)) => values.iter().any(|value| match (field, value) {
            (Field::Text | Field::Error, Value::Holds(search)) => {
                may_hold_all(search.grams(), filter)
            }
            (_, Value::Literal(text)) => filter.may_equal(field, text),
            _ => true,
        }),
        _ => true,
    };
    own || (in_fields && may_pass_in_fields(test, filter))
}

fn may_pass_in_fields(test: &Test, filter: &dyn Filter) -> bool {
    let Test::Is(values) = test else {
        return true;
    };
    values.iter().any(|value| match value {
        // Nested values are compared as JSON, whose escapes are no part of the words that were noted.
        Value::Literal(text) if !text.contains('\\') => {
            may_hold_all(&of_literal(text, true), filter)
        }
        _ => true,
    })
}

/// `decisive` as soon as one part says so; `otherwise` when all parts do; else unknown.
fn fold(
    parts: &[Node],
    summary: &Summary,
    filter: Option<&dyn Filter>,
    decisive: Verdict,
    otherwise: Verdict,
) -> Verdict {
    let mut all = true;
    for part in parts {
        let verdict = verdict(part, summary, filter);
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
