//! What can be asked of anything that holds a log.

use super::{Bound, Direction, Expression, Field, Query, Term, When};
use crate::base::Time;
use crate::entry::{Key, Position};

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// At the far end: the newest entry when reading older ones, the oldest when reading newer ones.
    #[default]
    End,
    /// Beyond this entry, which is not part of the page.
    Beyond(Key),
}

/// What a page may do to entries of equal time at its far edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// Cut between them: the cursor tells them apart.
    #[default]
    Split,
    /// Take all of them, up to 5,000 beyond the limit, so that a plain time is a safe place to go on.
    Whole,
}

/// One page of entries.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    /// Which entries.
    pub query: Query,
    /// The time at which the question is asked; relative times count from it.
    pub now: Time,
    /// Where it begins.
    pub start: Start,
    /// Which way it runs.
    pub direction: Direction,
    /// At most so many entries (ties aside).
    pub limit: usize,
    /// What happens to ties at its far edge.
    pub ties: Ties,
}

/// Entries as they arrive.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowRequest {
    /// Which entries.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// Everything that arrived after this one.
    pub after: Position,
}

/// Counts over time.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramRequest {
    /// Which entries.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// From here on; `None` from the oldest.
    pub after: Option<Time>,
    /// Up to, not including; `None` to the newest.
    pub before: Option<Time>,
    /// At most so many buckets, 1 to 2,000.
    pub buckets: usize,
}

/// The most frequent values of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FacetsRequest {
    /// Among which entries.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// Of which field.
    pub field: Field,
    /// At most so many values.
    pub limit: usize,
}

/// Lines of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternsRequest {
    /// Among which entries.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// At most so many of the newest are looked at.
    pub sample: u64,
    /// At most so many templates.
    pub limit: usize,
}

/// What is different in a span from what lies before it.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareRequest {
    /// Among which entries; its times do not count.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// The span: at or after this,
    pub from: Time,
    /// and before this.
    pub to: Time,
    /// At most so many of the newest of either side are looked at.
    pub sample: u64,
    /// At most so many differences.
    pub limit: usize,
}

impl CompareRequest {
    /// The questions for the span, and for what lies before it.
    #[must_use]
    pub fn sides(&self) -> [Query; 2] {
        let bound = |bound, time| Expression::Term(Term::Time(bound, When::At(time)));
        let own = self.query.0.clone().without_times();
        let inside = [
            bound(Bound::Since, self.from),
            bound(Bound::Before, self.to),
        ];
        [
            Query(Expression::all(inside.into_iter().chain([own.clone()]))),
            Query(Expression::all([bound(Bound::Before, self.from), own])),
        ]
    }
}

/// What surrounds an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextRequest {
    /// The entry.
    pub position: Position,
    /// Among which entries; everything by default.
    pub query: Query,
    /// The time at which the question is asked.
    pub now: Time,
    /// How many before it.
    pub before: usize,
    /// How many after it.
    pub after: usize,
}

/// Completions of what a user types.
#[derive(Clone, Debug, PartialEq)]
pub enum ValuesRequest {
    /// Names of fields that begin so.
    Names(String),
    /// Values of a field that begin so.
    Of(Field, String),
}

impl ContextRequest {
    /// The pages of what is older and of what is newer than the entry, whose key is given.
    #[must_use]
    pub fn sides(&self, key: Key) -> [PageRequest; 2] {
        let side = |direction, limit| PageRequest {
            query: self.query.clone(),
            now: self.now,
            start: Start::Beyond(key),
            direction,
            limit,
            ties: Ties::Split,
        };
        [
            side(Direction::Older, self.before),
            side(Direction::Newer, self.after),
        ]
    }
}
