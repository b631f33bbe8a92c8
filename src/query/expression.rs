//! What a question is made of.

use std::time::Duration;

use super::{Field, KNOWN_FIELDS};
use crate::base::{Time, nearest};
use crate::entry::Level;

/// A question to a log, as typed. The default asks for everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(pub Expression);

/// A condition on an entry. Build conjunctions and disjunctions with [`Expression::all`] and [`Expression::any`],
/// which keep them flat and of at least two members.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Expression {
    /// Holds for every entry.
    #[default]
    Everything,
    /// All must hold.
    All(Vec<Self>),
    /// One must hold.
    Any(Vec<Self>),
    /// Must not hold.
    Not(Box<Self>),
    /// One test.
    Term(Term),
}

/// One test of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// The text or the error contains this.
    Text(Pattern),
    /// A field has one of these values.
    Field(Field, Vec<Pattern>),
    /// A field has a value.
    Exists(Field),
    /// A field compares so: as numbers where both are, else as words.
    Compare(Field, Comparison, String),
    /// The level is one of these.
    Levels(Vec<Level>),
    /// The level compares so.
    Level(Comparison, Level),
    /// The time lies beyond a bound.
    Time(Bound, When),
}

/// How a value is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// As it stands, in any ASCII case; part of a text, the whole of a field's value.
    Literal(String),
    /// With `*` for any characters and `?` for one, the whole value, in any ASCII case.
    Glob(String),
    /// A regular expression, anywhere in the value, case as written.
    Regex(String),
}

/// An order between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Every comparison with its sign, longer signs first.
    pub const SIGNS: [(&'static str, Self); 4] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        ("<", Self::Less),
    ];

    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether a left side that orders so against the right one satisfies it.
    #[must_use]
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// Which side of a time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At or after it.
    Since,
    /// After it.
    After,
    /// Before it.
    Before,
}

/// A time in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This very time.
    At(Time),
    /// So long before the question is asked.
    Ago(Duration),
}

impl When {
    /// The time meant, for a question asked `now`.
    #[must_use]
    pub fn resolve(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Ago(duration) => now.earlier(duration),
        }
    }
}

impl Expression {
    /// All of them: flat, without what always holds.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Everything => {}
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Everything,
            1 => flat.remove(0),
            _ => Self::All(flat),
        }
    }

    /// At least one of them: flat. Of none, everything.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Everything => return Self::Everything,
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Everything,
            1 => flat.remove(0),
            _ => Self::Any(flat),
        }
    }

    /// Its opposite; a double negation is undone.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The field has exactly this value.
    #[must_use]
    pub fn equals(field: Field, value: impl Into<String>) -> Self {
        let value = value.into();
        match (&field, value.parse()) {
            (Field::Level, Ok(level)) => Self::Term(Term::Levels(vec![level])),
            _ => Self::Term(Term::Field(field, vec![Pattern::Literal(value)])),
        }
    }

    /// The text or the error contains these words.
    #[must_use]
    pub fn contains(words: impl Into<String>) -> Self {
        Self::Term(Term::Text(Pattern::Literal(words.into())))
    }

    /// The level is at least this.
    #[must_use]
    pub fn at_least(level: Level) -> Self {
        Self::Term(Term::Level(Comparison::AtLeast, level))
    }
}

impl Expression {
    /// The same without conditions on times that have to hold together with the rest.
    #[must_use]
    pub fn without_times(self) -> Self {
        let is_time = |part: &Self| matches!(part, Self::Term(Term::Time(..)));
        match self {
            Self::All(parts) => Self::all(parts.into_iter().filter(|part| !is_time(part))),
            other if is_time(&other) => Self::Everything,
            other => other,
        }
    }

    /// Its tests, in the order in which they are written.
    pub fn terms(&self) -> Box<dyn Iterator<Item = &Term> + '_> {
        match self {
            Self::Everything => Box::new(std::iter::empty()),
            Self::All(parts) | Self::Any(parts) => Box::new(parts.iter().flat_map(Self::terms)),
            Self::Not(inner) => inner.terms(),
            Self::Term(term) => Box::new(std::iter::once(term)),
        }
    }

    /// Whether any part of it is about times.
    #[must_use]
    pub fn asks_for_time(&self) -> bool {
        self.terms().any(|term| matches!(term, Term::Time(..)))
    }
}

impl Query {
    /// Whether any part of it is about times: then the same words may mean another time later.
    #[must_use]
    pub fn asks_for_time(&self) -> bool {
        self.0.asks_for_time()
    }

    /// A field that is none of those that every entry may have and is called nearly so; and what it may be meant to be.
    #[must_use]
    pub fn misnamed(&self) -> Option<(&str, String)> {
        self.0.terms().find_map(|term| match term {
            Term::Field(Field::Other(name), _)
            | Term::Exists(Field::Other(name))
            | Term::Compare(Field::Other(name), ..) => {
                let known = KNOWN_FIELDS;
                let meant = nearest(name, known.iter().map(Field::name))?;
                Some((name.as_str(), meant.to_owned()))
            }
            _ => None,
        })
    }

    /// Both questions at once.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(Expression::all([self.0.clone(), other.0.clone()]))
    }

    /// Whether it asks for everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0 == Expression::Everything
    }
}

impl From<Expression> for Query {
    fn from(expression: Expression) -> Self {
        Self(expression)
    }
}
