//! What a summary of many entries says about a question, without looking at one.

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
    /// Each namespace and its entries of each level, mildest first.
    pub namespaces: Vec<(String, [u64; 6])>,
}

/// A summary as conditions look at it, or one cell of it.
struct Known<'s> {
    oldest: Time,
    newest: Time,
    /// Bit `level as u8` is set for each level there is.
    levels: u8,
    namespaces: Names<'s>,
    filter: Option<&'s dyn Filter>,
}

enum Names<'s> {
    All(&'s [(String, [u64; 6])]),
    One(&'s str),
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
        self.verdict_of(summary, None)
    }

    /// The same, asking the block's filters too.
    #[must_use]
    pub fn verdict_with(&self, summary: &Summary, filter: &dyn Filter) -> Verdict {
        self.verdict_of(summary, Some(filter))
    }

    /// Whether the answer depends on namespaces.
    #[must_use]
    pub fn asks_for_namespaces(&self) -> bool {
        asks_for_namespaces(&self.root)
    }

    fn verdict_of(&self, summary: &Summary, filter: Option<&dyn Filter>) -> Verdict {
        let levels = summary
            .namespaces
            .iter()
            .map(|(_, levels)| levels_of(levels))
            .fold(0, |all, some| all | some);
        let known = Known {
            oldest: summary.oldest,
            newest: summary.newest,
            levels,
            namespaces: Names::All(&summary.namespaces),
            filter,
        };
        let verdict = verdict(&self.root, &known);
        if verdict == Verdict::Some && filter.is_none() && asks_for_namespaces(&self.root) {
            return self.verdict_of_cells(summary);
        }
        verdict
    }

    /// A namespace may have no entries of the levels that are asked for, though others have.
    fn verdict_of_cells(&self, summary: &Summary) -> Verdict {
        let cells = summary.namespaces.iter().flat_map(|(name, levels)| {
            let levels = levels.iter().enumerate().filter(|(_, count)| **count > 0);
            levels.map(move |(level, _)| (name, level))
        });
        let mut verdicts = cells.map(|(name, level)| {
            self.verdict_of_cell((summary.oldest, summary.newest), level, name)
        });
        let Some(first) = verdicts.next() else {
            return Verdict::None;
        };
        if first != Verdict::Some && verdicts.all(|other| other == first) {
            first
        } else {
            Verdict::Some
        }
    }

    /// How many entries of one level and namespace between two times, both included, can match.
    #[must_use]
    pub fn verdict_of_cell(&self, times: (Time, Time), level: usize, namespace: &str) -> Verdict {
        let known = Known {
            oldest: times.0,
            newest: times.1,
            levels: 1 << level,
            namespaces: Names::One(namespace),
            filter: None,
        };
        verdict(&self.root, &known)
    }
}

fn levels_of(counts: &[u64; 6]) -> u8 {
    counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .fold(0, |bits, (level, _)| bits | 1 << level)
}

fn asks_for_namespaces(node: &Node) -> bool {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().any(asks_for_namespaces),
        Node::Not(inner) => asks_for_namespaces(inner),
        Node::Field(field, _) => *field == Field::Namespace,
        Node::Everything | Node::Levels(_) | Node::Time(..) | Node::Text(_) => false,
    }
}

fn verdict(node: &Node, known: &Known<'_>) -> Verdict {
    match node {
        Node::Everything => Verdict::All,
        Node::Not(inner) => match verdict(inner, known) {
            Verdict::None => Verdict::All,
            Verdict::Some => Verdict::Some,
            Verdict::All => Verdict::None,
        },
        Node::All(parts) => fold(parts, known, Verdict::None, Verdict::All),
        Node::Any(parts) => fold(parts, known, Verdict::All, Verdict::None),
        Node::Levels(wanted) => {
            if known.levels & wanted == 0 {
                Verdict::None
            } else if known.levels & !wanted == 0 {
                Verdict::All
            } else {
                Verdict::Some
            }
        }
        Node::Time(from, to) => {
            if known.newest < *from || (known.oldest >= *to && *to != Time::MAX) {
                Verdict::None
            } else if *from <= known.oldest && (known.newest < *to || *to == Time::MAX) {
                Verdict::All
            } else {
                Verdict::Some
            }
        }
        Node::Field(Field::Namespace, test) => match known.namespaces {
            Names::All(names) => of_each(names.iter().map(|(name, _)| test.passes(name))),
            Names::One(name) => of_each(std::iter::once(test.passes(name))),
        },
        Node::Field(field, test) => possible(
            known
                .filter
                .is_none_or(|filter| may_pass(field, test, filter)),
        ),
        Node::Text(search) => possible(
            known
                .filter
                .is_none_or(|filter| may_hold_all(search.grams(), filter)),
        ),
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
fn fold(parts: &[Node], known: &Known<'_>, decisive: Verdict, otherwise: Verdict) -> Verdict {
    let mut all = true;
    for part in parts {
        let verdict = verdict(part, known);
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
            namespaces: vec![
                ("pay".to_owned(), [0, 0, 4, 0, 0, 0]),
                ("auth".to_owned(), [0, 0, 1, 1, 0, 0]),
            ],
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
            ("ns:pay level:warn", Verdict::None),
            ("ns:auth level:warn", Verdict::Some),
            ("ns:pay level:warn text", Verdict::None),
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
