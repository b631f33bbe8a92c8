//! What the raw bytes of an entry must hold if a question selects it: most of a file is passed over by looking for that.

use regex::bytes;

use super::matcher::{Node, Test, Value};
use super::words::required_literals;
use super::{Field, Matcher, Pattern};

/// Shorter ones are found everywhere.
const LEAST: usize = 3;
/// More at once are no faster than decoding.
const MOST: usize = 64;

/// Looks for what one of an entry's bytes must hold.
#[derive(Clone, Debug)]
pub struct Needle {
    any: bytes::Regex,
    words: Vec<String>,
}

impl Needle {
    /// The words of which one must be there, in any case.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Where the bytes hold it next, at or after a place.
    #[must_use]
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.any.find_at(bytes, from).map(|found| found.start())
    }
}

impl Matcher {
    /// What the bytes of every entry that is asked for hold, if that can be told. Told for entries whose words and values stand
    /// in their bytes as they are, besides characters that JSON may escape; `is_given` says which values are not written there
    /// (a source, a default).
    #[must_use]
    pub fn needle(&self, is_given: &dyn Fn(&Field, &str) -> bool) -> Option<Needle> {
        let words = words_of(&self.root, is_given)?;
        if words.len() > MOST {
            return None;
        }
        let any = words.iter().map(|word| regex::escape(word));
        let any = any.collect::<Vec<_>>().join("|");
        let built = bytes::RegexBuilder::new(&any)
            .case_insensitive(true)
            .build();
        let any = built.ok()?;
        Some(Needle { any, words })
    }
}

/// Words of which one must be there.
fn words_of(node: &Node, is_given: &dyn Fn(&Field, &str) -> bool) -> Option<Vec<String>> {
    let shortest = |words: &Vec<String>| words.iter().map(String::len).min();
    match node {
        Node::All(parts) => {
            let choices = parts.iter().filter_map(|part| words_of(part, is_given));
            choices.max_by_key(shortest)
        }
        Node::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(|part| words_of(part, is_given)).collect();
            each.map(|each| each.concat())
        }
        Node::Text(search) => of_pattern(search.pattern()).map(|word| vec![word]),
        Node::Field(field, Test::Is(values)) => {
            let of_value = |value: &Value| match value {
                Value::Literal(text) if !is_given(field, text) && !is_fraction(text) => run(text),
                Value::Holds(search) => of_pattern(search.pattern()),
                Value::Literal(_) | Value::Glob(_) => None,
            };
            values.iter().map(of_value).collect()
        }
        Node::Field(..) | Node::Not(_) | Node::Levels(_) | Node::Time(..) | Node::Everything => {
            None
        }
    }
}

/// A number that may be written otherwise: 1e3, 1.50.
fn is_fraction(text: &str) -> bool {
    text.parse::<f64>().is_ok() && text.parse::<i64>().is_err()
}

fn of_pattern(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::Literal(text) | Pattern::Glob(text) => run(text),
        Pattern::Regex(text) => {
            let literals = required_literals(text);
            let runs = literals.iter().filter_map(|literal| run(literal));
            runs.max_by_key(String::len)
        }
    }
}

/// The longest part of a text that stands in the bytes as it is.
fn run(text: &str) -> Option<String> {
    let is_plain =
        |character: char| matches!(character, ' '..='~') && !matches!(character, '"' | '\\' | '/');
    let runs = text.split(|character| !is_plain(character));
    let longest = runs.max_by_key(|run| run.len())?;
    (longest.len() >= LEAST).then(|| longest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    fn check(query: &str, bytes: &str) -> Option<bool> {
        let query = query.parse().expect(query);
        let needle = Matcher::compile(&query, Time(0)).needle(&|field, value| {
            matches!(field, Field::Source | Field::Level)
                || (*field == Field::Namespace && value == "default")
        });
        needle.map(|needle| needle.find(bytes.as_bytes(), 0).is_some())
    }

    #[test]
    fn what_must_be_there_is_looked_for() {
        let line = r#"{"trace":"4BF92F","msg":"connection refused by \"db\"","n":502}"#;
        for query in [
            "trace:4bf92f",
            r#""Connection refused by \"db\"""#,
            "n:502",
            "refused -timeout",
            "nothing OR refused",
            "/connection (refused|reset)/",
            "level:info refused",
        ] {
            assert_eq!(check(query, line), Some(true), "{query}");
        }
        for query in ["trace:abcdef", "refused missing-words", "nothing OR never"] {
            assert_eq!(check(query, line), Some(false), "{query}");
        }
    }

    #[test]
    fn what_may_stand_otherwise_is_not_looked_for() {
        for query in [
            "level:error",
            "-refused",
            "refused OR level:error",
            "source:app.log",
            "namespace:default",
            "n:1.50",
            "n>500",
            "é",
            "ab",
        ] {
            assert_eq!(check(query, ""), None, "{query}");
        }
    }
}
