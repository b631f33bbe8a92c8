//! Clocks that are wrong: what corrects a member's is added to the times of its entries, and taken from those of questions.

use crate::base::Time;
use crate::query::{Expression, Query, Term, When};

/// A time, so many nanoseconds later. The ends of time stay where they are: they mean that there is no bound.
pub(super) fn moved(time: Time, by: i64) -> Time {
    match time {
        Time::MIN | Time::MAX => time,
        Time(at) => Time(at.saturating_add(by)),
    }
}

/// A question asked `now`, about times so many nanoseconds later. Where nothing is to be moved it stays as it was typed: a
/// service counts `5m` from its own present.
pub(super) fn asked(query: &Query, now: Time, by: i64) -> Query {
    if by == 0 || !query.asks_for_time() {
        return query.clone();
    }
    Query(shifted(&query.0, now, by))
}

fn shifted(expression: &Expression, now: Time, by: i64) -> Expression {
    match expression {
        Expression::All(parts) => Expression::All(each(parts, now, by)),
        Expression::Any(parts) => Expression::Any(each(parts, now, by)),
        Expression::Not(inner) => Expression::Not(Box::new(shifted(inner, now, by))),
        Expression::Term(Term::Time(bound, when)) => {
            let time = moved(when.resolve(now), by);
            Expression::Term(Term::Time(*bound, When::At(time)))
        }
        Expression::Everything | Expression::Term(_) => expression.clone(),
    }
}

fn each(parts: &[Expression], now: Time, by: i64) -> Vec<Expression> {
    parts.iter().map(|part| shifted(part, now, by)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_moved() {
        let now = Time(60_000_000_000);
        let cases = [
            ("", ""),
            ("limit level>=warn", "limit level>=warn"),
            (
                "since:1970-01-01T00:00:10Z pay",
                "since:1970-01-01T00:00:12Z pay",
            ),
            ("after:30s", "after:1970-01-01T00:00:32Z"),
            (
                "a (before:20s OR -(since:5s b))",
                "a (before:1970-01-01T00:00:42Z OR -(since:1970-01-01T00:00:57Z b))",
            ),
        ];
        for (text, wanted) in cases {
            let query: Query = text.parse().expect(text);
            assert_eq!(asked(&query, now, 0), query, "{text}");
            let wanted: Query = wanted.parse().expect(wanted);
            assert_eq!(asked(&query, now, 2_000_000_000), wanted, "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_stay() {
        assert_eq!(moved(Time::MIN, 5), Time::MIN);
        assert_eq!(moved(Time::MAX, -5), Time::MAX);
        assert_eq!(moved(Time(i64::MAX - 1), 5), Time::MAX);
        assert_eq!(moved(Time(7), -9), Time(-2));
    }
}
