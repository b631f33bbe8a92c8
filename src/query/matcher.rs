//! A question made ready to be put to entries.

use std::ops::Range;

use wildmatch::WildMatchPattern;

use super::field::printed;
use super::search::Search;
use super::{Bound, Comparison, Expression, Field, Pattern, Query, Term};
use crate::base::Time;
use crate::entry::{Entry, Level};

/// A compiled question. Cheap tests are put first, whatever order they were typed in.
#[derive(Clone, Debug)]
pub struct Matcher {
    pub(super) root: Node,
    timeless: Option<Box<str>>,
}

/// A compiled condition: what those who hold entries in columns evaluate a column at a time.
#[derive(Clone, Debug)]
pub enum Node {
    /// Holds for every entry.
    Everything,
    /// All must hold, the cheapest first.
    All(Vec<Self>),
    /// One must hold, the cheapest first.
    Any(Vec<Self>),
    /// Must not hold.
    Not(Box<Self>),
    /// Bit `level as u8` is set for each level wanted.
    Levels(u8),
    /// At or after the first and before the second.
    Time(Time, Time),
    /// A field passes a test.
    Field(Field, Test),
    /// The text or the error holds this.
    Text(Search),
}

/// A test of a field's value.
#[derive(Clone, Debug)]
pub enum Test {
    /// There is one.
    Exists,
    /// It is one of these.
    Is(Vec<Value>),
    /// It compares so: as numbers where both are, else as words.
    Compare(Comparison, String, Option<f64>),
}

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Value {
    /// This, in any ASCII case.
    Literal(String),
    /// This, with wildcards.
    Glob(WildMatchPattern<'*', '?'>),
    /// Something that holds this.
    Holds(Search),
}

impl Test {
    /// Whether a value, as words, passes.
    #[must_use]
    pub fn passes(&self, word: &str) -> bool {
        match self {
            Self::Exists => true,
            Self::Is(values) => values.iter().any(|value| value.is(word)),
            Self::Compare(comparison, text, number) => compares(word, *comparison, text, *number),
        }
    }

    /// Whether a value of the fields passes; of an array, whether a member does.
    #[must_use]
    pub fn passes_json(&self, value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Null => false,
            serde_json::Value::Array(items) if !matches!(self, Self::Exists) => {
                items.iter().any(|item| self.passes(&printed(item)))
            }
            value => self.passes(&printed(value)),
        }
    }
}

impl Value {
    /// Whether the word is such a value.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        match self {
            Self::Literal(text) => text.eq_ignore_ascii_case(word),
            Self::Glob(glob) => glob.matches(word),
            Self::Holds(search) => search.is_match(word),
        }
    }
}

impl Matcher {
    /// Compiles a question asked `now`.
    #[must_use]
    pub fn compile(query: &Query, now: Time) -> Self {
        Self {
            root: compile(&query.0, now),
            timeless: timeless(&query.0),
        }
    }

    /// Names what is asked besides times: two questions of one name select the same among the entries of their
    /// [`Self::time_range`], whenever they are asked. `None` where times are all that is asked, or are deeper in it.
    #[must_use]
    pub fn timeless(&self) -> Option<&str> {
        self.timeless.as_deref()
    }

    /// The condition, for those who evaluate it themselves.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Whether the entry is asked for.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        holds(&self.root, entry)
    }

    /// Whether it asks for every entry.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self.root, Node::Everything)
    }

    /// The times outside of which nothing can match: at or after the first, before the second.
    #[must_use]
    pub fn time_range(&self) -> (Time, Time) {
        let mut range = (Time::MIN, Time::MAX);
        for part in self.parts() {
            if let Node::Time(from, to) = part {
                range = (range.0.max(*from), range.1.min(*to));
            }
        }
        range
    }

    /// The conditions that must all hold, the cheapest first.
    #[must_use]
    pub fn parts(&self) -> &[Node] {
        match &self.root {
            Node::All(parts) => parts,
            other => std::slice::from_ref(other),
        }
    }

    /// The parts of `text` (an entry's text or error) that the question's words matched, in order, not overlapping.
    #[must_use]
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        collect_spans(&self.root, text, &mut spans);
        spans.sort_by_key(|span: &Range<usize>| span.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        merged
    }
}

fn timeless(expression: &Expression) -> Option<Box<str>> {
    let parts = match expression {
        Expression::All(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let is_time = |part: &&Expression| matches!(part, Expression::Term(Term::Time(..)));
    let rest: Vec<_> = parts.iter().filter(|part| !is_time(part)).collect();
    let is_plain = |part: &&Expression| **part != Expression::Everything && !part.asks_for_time();
    // The form that is printed for developers tells every two expressions apart.
    (!rest.is_empty() && rest.iter().all(is_plain)).then(|| format!("{rest:?}").into_boxed_str())
}

fn compile(expression: &Expression, now: Time) -> Node {
    match expression {
        Expression::Everything => Node::Everything,
        Expression::All(parts) => {
            let mut nodes: Vec<_> = parts.iter().map(|part| compile(part, now)).collect();
            nodes.sort_by_key(cost);
            Node::All(nodes)
        }
        Expression::Any(parts) => {
            let mut nodes: Vec<_> = parts.iter().map(|part| compile(part, now)).collect();
            nodes.sort_by_key(cost);
            Node::Any(nodes)
        }
        Expression::Not(inner) => Node::Not(Box::new(compile(inner, now))),
        Expression::Term(term) => compile_term(term, now),
    }
}

fn compile_term(term: &Term, now: Time) -> Node {
    match term {
        Term::Text(pattern) => Node::Text(Search::new(pattern)),
        Term::Field(field, patterns) => {
            let whole = !matches!(field, Field::Text | Field::Error);
            let values = patterns.iter().map(|pattern| compile_value(pattern, whole));
            Node::Field(field.clone(), Test::Is(values.collect()))
        }
        Term::Exists(field) => Node::Field(field.clone(), Test::Exists),
        Term::Compare(field, comparison, value) => Node::Field(
            field.clone(),
            Test::Compare(*comparison, value.clone(), value.parse().ok()),
        ),
        Term::Levels(levels) => Node::Levels(
            levels
                .iter()
                .fold(0, |bits, level| bits | 1 << *level as u8),
        ),
        Term::Level(comparison, bound) => {
            let wanted = Level::ALL
                .iter()
                .filter(|level| comparison.holds((*level).cmp(bound)));
            Node::Levels(wanted.fold(0, |bits, level| bits | 1 << *level as u8))
        }
        Term::Time(bound, when) => {
            let time = when.resolve(now);
            match bound {
                Bound::Since => Node::Time(time, Time::MAX),
                Bound::After => Node::Time(Time(time.0.saturating_add(1)), Time::MAX),
                Bound::Before => Node::Time(Time::MIN, time),
            }
        }
    }
}

fn compile_value(pattern: &Pattern, whole: bool) -> Value {
    match pattern {
        Pattern::Literal(text) if whole => Value::Literal(text.clone()),
        Pattern::Literal(_) | Pattern::Regex(_) => Value::Holds(Search::new(pattern)),
        Pattern::Glob(text) => Value::Glob(WildMatchPattern::new_case_insensitive(text)),
    }
}

/// Cheapest first: fixed-size parts of the entry, then short strings, then fields to look up, then its words.
fn cost(node: &Node) -> u8 {
    match node {
        Node::Everything | Node::Levels(_) | Node::Time(..) => 0,
        Node::Field(field, _) => match field {
            Field::Other(_) => 2,
            Field::Text | Field::Error => 3,
            _ => 1,
        },
        Node::Text(_) => 3,
        Node::Not(inner) => cost(inner),
        Node::All(parts) | Node::Any(parts) => {
            parts.iter().map(cost).max().unwrap_or(0).saturating_add(1)
        }
    }
}

fn holds(node: &Node, entry: &Entry) -> bool {
    match node {
        Node::Everything => true,
        Node::All(parts) => parts.iter().all(|part| holds(part, entry)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, entry)),
        Node::Not(inner) => !holds(inner, entry),
        Node::Levels(bits) => bits & (1 << entry.level as u8) != 0,
        Node::Time(from, to) => *from <= entry.time && (entry.time < *to || *to == Time::MAX),
        Node::Text(pattern) => {
            pattern.is_match(&entry.text)
                || entry
                    .error
                    .as_deref()
                    .is_some_and(|error| pattern.is_match(error))
        }
        Node::Field(field, test) => match field.own_value(entry) {
            Some(own) => test.passes(&own),
            None => field
                .json(entry)
                .is_some_and(|value| test.passes_json(value)),
        },
    }
}

fn compares(word: &str, comparison: Comparison, text: &str, number: Option<f64>) -> bool {
    let ordering = match (word.parse::<f64>(), number) {
        (Ok(left), Some(right)) => left.partial_cmp(&right),
        (_, None) => Some(word.cmp(text)),
        (Err(_), Some(_)) => None,
    };
    ordering.is_some_and(|ordering| comparison.holds(ordering))
}

fn collect_spans(node: &Node, text: &str, spans: &mut Vec<Range<usize>>) {
    let mut add = |search: &Search| {
        spans.extend(search.find_iter(text).filter(|range| !range.is_empty()));
    };
    match node {
        Node::Text(search) => add(search),
        Node::Field(Field::Text | Field::Error, Test::Is(values)) => {
            for value in values {
                if let Value::Holds(search) = value {
                    add(search);
                }
            }
        }
        Node::All(parts) | Node::Any(parts) => parts
            .iter()
            .for_each(|part| collect_spans(part, text, spans)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Scope;

    fn entry() -> Entry {
        let serde_json::Value::Object(fields) =
            json!({"duration_ms": 250, "user": {"id": "U7"}, "tags": ["a", "B"], "status": 502})
        else {
            panic!("an object")
        };
        Entry {
            time: Time(100),
            level: Level::Warn,
            scope: Scope {
                namespace: "pay".into(),
                trace: Some("abc123".into()),
                ..Scope::default()
            },
            text: "Queue depth 42 above LIMIT".into(),
            error: Some("deadline exceeded".into()),
            fields,
            ..Entry::default()
        }
    }

    #[test]
    fn questions_are_answered() {
        let cases = [
            ("", true),
            ("limit", true),
            ("deadline", true),
            ("\"queue depth\"", true),
            ("/depth \\d+/", true),
            ("/limit/", false),
            ("absent", false),
            ("-absent limit", true),
            ("absent OR limit", true),
            ("ns:pay,other", true),
            ("ns:PAY", true),
            ("ns:pa", false),
            ("ns:p*", true),
            ("ns:/a/", true),
            ("level>=warn", true),
            ("level>warn", false),
            ("level:error,warn", true),
            ("trace:ABC123", true),
            ("text:queue", true),
            ("error:exceeded", true),
            ("user.id:u7", true),
            ("user.id:*", true),
            ("user.name:*", false),
            ("tags:b", true),
            ("duration_ms>=250", true),
            ("duration_ms:<250", false),
            ("status:>=500", true),
            ("user.id>=5", false),
            ("since:1970-01-01T00:00:00.0000001Z", true),
            ("after:1970-01-01T00:00:00.0000001Z", false),
            ("before:1970-01-01T00:00:00.0000001Z", false),
            ("since:1s", true),
        ];
        for (text, wanted) in cases {
            let query = text.parse().expect(text);
            assert_eq!(
                Matcher::compile(&query, Time(200)).matches(&entry()),
                wanted,
                "{text}"
            );
        }
    }

    #[test]
    fn spans_are_what_matched() {
        let query = "depth limit -queue 42".parse().expect("a query");
        let spans = Matcher::compile(&query, Time(0)).spans("Queue depth 42 above LIMIT");
        assert_eq!(spans, [6..11, 12..14, 21..26]);
    }
}
