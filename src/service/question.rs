//! From the parameters of a URL to a question; every message says what was expected and found.

use crate::api::{DEFAULT_LIMIT, ListParams, MAX_LIMIT};
use crate::base::Time;
use crate::entry::decode;
use crate::entry::{Key, Level, Position};
use crate::query::{
    Bound, Comparison, Cursor, Direction, Expression, Field, PageRequest, Pattern, Query, Start,
    Term, Ties, When,
};

use super::error::Failure;

/// The order of a list's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// The page that a list asks for, and the order in which it wants the data.
pub(super) fn page_request(
    params: &ListParams,
    namespace: Option<&str>,
    now: Time,
) -> Result<(PageRequest, Order), Failure> {
    let (mut direction, order) = match params.direction.as_deref() {
        None | Some("asc") => (None, Order::Ascending),
        Some("desc") => (None, Order::Descending),
        Some("older") => (Some(Direction::Older), Order::Ascending),
        Some("newer") => (Some(Direction::Newer), Order::Ascending),
        Some(other) => return Err(invalid("direction", "asc, desc, older or newer", other)),
    };
    let before = params
        .before
        .as_deref()
        .map(|text| place("before", text, now))
        .transpose()?;
    let after = params
        .after
        .as_deref()
        .map(|text| place("after", text, now))
        .transpose()?;
    let (limit, end) = size(params)?;
    direction = direction.or(end);
    let mut start = Start::End;
    let mut parts = vec![selection(params, namespace)?];
    match (before, after) {
        (None, None) => {}
        // Only a lower bound: the page runs from it towards newer entries.
        (None, Some(place)) if direction != Some(Direction::Older) => {
            direction = Some(Direction::Newer);
            start = Start::Beyond(place.unwrap_or_above());
        }
        (before, after) => {
            if let Some(place) = after {
                parts.push(Expression::Term(Term::Time(
                    Bound::After,
                    When::At(place.time),
                )));
            }
            if let Some(place) = before {
                match direction {
                    Some(Direction::Newer) => parts.push(Expression::Term(Term::Time(
                        Bound::Before,
                        When::At(place.time),
                    ))),
                    _ => start = Start::Beyond(place.unwrap_or_below()),
                }
            }
        }
    }
    if let Some(text) = &params.cursor {
        let cursor: Cursor = text
            .parse()
            .map_err(|_| invalid("cursor", "a cursor from an earlier answer", text))?;
        (start, direction) = (Start::Beyond(cursor.key), Some(cursor.direction));
    }
    let request = PageRequest {
        query: Query(Expression::all(parts)),
        now,
        start,
        direction: direction.unwrap_or_default(),
        limit,
        ties: Ties::Whole,
    };
    Ok((request, order))
}

/// Entries in the page, and from which end where that is said: the parameters of all of Direktiv's generations.
fn size(params: &ListParams) -> Result<(usize, Option<Direction>), Failure> {
    let [limit, first, last] = [
        ("limit", &params.limit),
        ("first", &params.first),
        ("last", &params.last),
    ]
    .map(|(name, text)| number(name, text.as_deref(), DEFAULT_LIMIT, MAX_LIMIT));
    // All are checked, whichever counts.
    let (limit, first, last) = (limit?, first?, last?);
    Ok(match params {
        ListParams { limit: Some(_), .. } => (limit, None),
        ListParams { first: Some(_), .. } => (first, Some(Direction::Newer)),
        ListParams { last: Some(_), .. } => (last, Some(Direction::Older)),
        _ => (limit, None),
    })
}

/// A question, within a namespace if there is one.
pub(super) fn within(query: &Query, namespace: Option<&str>) -> Query {
    let namespace = namespace.map(of_namespace);
    Query(Expression::all(
        std::iter::once(query.0.clone()).chain(namespace),
    ))
}

/// Which entries the parameters choose.
pub(super) fn selection(
    params: &ListParams,
    namespace: Option<&str>,
) -> Result<Expression, Failure> {
    let mut parts = Vec::new();
    if let Some(namespace) = namespace {
        parts.push(of_namespace(namespace));
        match params.scope.as_deref() {
            None | Some("all") => {}
            Some("namespace") => parts.push(narrow(namespace)),
            Some(other) => return Err(invalid("scope", "all or namespace", other)),
        }
    }
    for (field, value) in [
        (Field::Route, &params.route),
        (Field::Activity, &params.activity),
        (Field::Trace, &params.trace),
        (Field::Span, &params.span),
        (Field::Branch, &params.branch),
    ] {
        if let Some(value) = value {
            parts.push(equals(field, value));
        }
    }
    if let Some(instance) = &params.instance {
        // A parent's id includes its descendants: theirs hold it in their call path.
        let part = format!("(^|/){}(/|$)", regex::escape(instance));
        let below = Expression::Term(Term::Field(Field::Callpath, vec![Pattern::Regex(part)]));
        parts.push(Expression::any([equals(Field::Instance, instance), below]));
    }
    if let Some(text) = &params.level {
        let level: Level = text
            .parse()
            .map_err(|_| invalid("level", "trace, debug, info, warn, error or fatal", text))?;
        parts.push(Expression::Term(Term::Level(Comparison::AtLeast, level)));
    }
    parts.push(query(params.query.as_deref())?.0);
    Ok(Expression::all(parts))
}

/// Direktiv's namespace track: written to the namespace itself, or bound to nothing in it.
fn narrow(namespace: &str) -> Expression {
    let track = equals(Field::Track, &format!("namespace.{namespace}"));
    let unbound = [Field::Instance, Field::Route, Field::Activity]
        .map(|field| Expression::Term(Term::Exists(field)).negated());
    Expression::any([track, Expression::all(unbound)])
}

/// The namespace of a path, every character as it stands: access is decided by it. (In the language a name is meant in any
/// case.)
fn of_namespace(name: &str) -> Expression {
    let exactly = format!(r"\A{}\z", regex::escape(name));
    let pattern = Pattern::Regex(exactly);
    Expression::Term(Term::Field(Field::Namespace, vec![pattern]))
}

fn equals(field: Field, value: &str) -> Expression {
    Expression::Term(Term::Field(field, vec![Pattern::Literal(value.to_owned())]))
}

/// The question of a `query` parameter.
pub(super) fn query(text: Option<&str>) -> Result<Query, Failure> {
    text.unwrap_or_default()
        .parse()
        .map_err(|error| Failure::invalid(format!("query: {error}")))
}

/// A number between 1 and `most`.
pub(super) fn number(
    name: &str,
    text: Option<&str>,
    default: usize,
    most: usize,
) -> Result<usize, Failure> {
    let Some(text) = text else { return Ok(default) };
    let number: Option<usize> = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| invalid(name, &format!("a number from 1 to {most}"), text))
}

/// A time.
pub(super) fn time(name: &str, text: &str, now: Time) -> Result<Time, Failure> {
    Ok(place(name, text, now)?.time)
}

fn invalid(name: &str, expected: &str, found: &str) -> Failure {
    let found: String = found.chars().take(80).collect();
    Failure::invalid(format!("{name}: expected {expected}, found {found:?}"))
}

/// A time, perhaps with the position inside a group of equal times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    time: Time,
    position: Option<Position>,
}

impl Place {
    fn unwrap_or_below(self) -> Key {
        Key {
            time: self.time,
            position: self.position.unwrap_or(Position(0)),
        }
    }

    fn unwrap_or_above(self) -> Key {
        Key {
            time: self.time,
            position: self.position.unwrap_or(Position(u64::MAX)),
        }
    }
}

/// `<time>` or `<time>;id=<position>`. An unescaped `+` arrives as a space.
fn place(name: &str, text: &str, now: Time) -> Result<Place, Failure> {
    let expected = || invalid(name, "an RFC 3339 time such as 2026-03-14T09:00:00Z", text);
    let (time, position) = match text.split_once(";id=") {
        Some((time, id)) => (time, Some(Position(id.parse().map_err(|_| expected())?))),
        None => (text, None),
    };
    let direct = decode::time::parse(time, now);
    let time = direct
        .or_else(|| decode::time::parse(&time.replacen(' ', "+", 1), now))
        .ok_or_else(expected)?;
    Ok(Place { time, position })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(params: &ListParams) -> Result<PageRequest, Failure> {
        page_request(params, Some("demo"), Time(0)).map(|(request, _)| request)
    }

    #[test]
    fn parameters_become_a_question() {
        let some = |text: &str| Some(text.to_owned());
        let params = ListParams {
            trace: some("t1"),
            level: some("warn"),
            query: some("boom OR bang"),
            limit: some("10"),
            ..ListParams::default()
        };
        let request = check(&params).expect("a request");
        assert_eq!(
            request.query.to_string(),
            r"namespace:/\Ademo\z/ trace:t1 level>=warn (boom OR bang)"
        );
        assert_eq!(
            (request.limit, request.start, request.direction),
            (10, Start::End, Direction::Older)
        );

        let before = ListParams {
            before: some("1970-01-01T00:00:01 02:00"),
            ..ListParams::default()
        };
        let key = Key {
            time: Time(-7_199_000_000_000),
            position: Position(0),
        };
        assert_eq!(check(&before).expect("a request").start, Start::Beyond(key));

        let tied = ListParams {
            before: some("1970-01-01T00:00:01Z;id=7"),
            ..ListParams::default()
        };
        let key = Key {
            time: Time(1_000_000_000),
            position: Position(7),
        };
        assert_eq!(check(&tied).expect("a request").start, Start::Beyond(key));

        let after = ListParams {
            after: some("1970-01-01T00:00:01Z"),
            ..ListParams::default()
        };
        assert_eq!(
            check(&after).expect("a request").direction,
            Direction::Newer
        );
    }

    #[test]
    fn wrong_values_are_said() {
        let some = |text: &str| Some(text.to_owned());
        let none = ListParams::default;
        let cases = [
            (
                ListParams {
                    limit: some("0"),
                    ..none()
                },
                "limit: expected a number from 1 to 1000, found \"0\"",
            ),
            (
                ListParams {
                    before: some("soon"),
                    ..none()
                },
                "before: expected an RFC 3339 time such as 2026-03-14T09:00:00Z, found \"soon\"",
            ),
            (
                ListParams {
                    direction: some("up"),
                    ..none()
                },
                "direction: expected asc, desc, older or newer, found \"up\"",
            ),
            (
                ListParams {
                    query: some("level>=x"),
                    ..none()
                },
                "query: at byte 7: expected a level (trace, debug, info, warn, error, fatal), found `x`",
            ),
            (
                ListParams {
                    scope: some("x"),
                    ..none()
                },
                "scope: expected all or namespace, found \"x\"",
            ),
            (
                ListParams {
                    cursor: some("x"),
                    ..none()
                },
                "cursor: expected a cursor from an earlier answer, found \"x\"",
            ),
        ];
        for (params, message) in cases {
            assert_eq!(
                check(&params).expect_err(message),
                Failure::invalid(message)
            );
        }
    }
}
