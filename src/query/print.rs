//! The query language, to text: what [`super::parse`] reads back as the same question.

use std::fmt;

use super::{Bound, Expression, Pattern, Query, Term, When};
use crate::base::units;

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => Ok(()),
            Self::All(parts) => joined(f, parts, " ", |part| matches!(part, Self::Any(_))),
            Self::Any(parts) => joined(f, parts, " OR ", |_| false),
            Self::Not(inner) => match **inner {
                Self::All(_) | Self::Any(_) => write!(f, "-({inner})"),
                _ => write!(f, "-{inner}"),
            },
            Self::Term(term) => term.fmt(f),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression],
    between: &str,
    grouped: fn(&Expression) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        if grouped(part) {
            write!(f, "({part})")?;
        } else {
            fmt::Display::fmt(part, f)?;
        }
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(Pattern::Literal(text)) => word(f, text, ":<>"),
            Self::Text(Pattern::Glob(text) | Pattern::Regex(text)) => regex(f, text),
            Self::Field(field, values) => {
                write!(f, "{field}:")?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    pattern(f, value)?;
                }
                Ok(())
            }
            Self::Exists(field) => write!(f, "{field}:*"),
            Self::Compare(field, comparison, value) => {
                write!(f, "{field}:{}", comparison.sign())?;
                word(f, value, ",<>=*?")
            }
            Self::Levels(levels) => {
                let words: Vec<_> = levels
                    .iter()
                    .map(|level| level.word().to_ascii_lowercase())
                    .collect();
                write!(f, "level:{}", words.join(","))
            }
            Self::Level(comparison, level) => write!(
                f,
                "level{}{}",
                comparison.sign(),
                level.word().to_ascii_lowercase()
            ),
            Self::Time(bound, when) => {
                let name = match bound {
                    Bound::Since => "since",
                    Bound::After => "after",
                    Bound::Before => "before",
                };
                match when {
                    When::At(time) => write!(f, "{name}:{time}"),
                    When::Ago(duration) => write!(f, "{name}:{}", units::print_duration(*duration)),
                }
            }
        }
    }
}

fn pattern(f: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    match pattern {
        Pattern::Literal(text) => word(f, text, ",*?<>="),
        Pattern::Glob(text) => f.write_str(text),
        Pattern::Regex(text) => regex(f, text),
    }
}

fn regex(f: &mut fmt::Formatter<'_>, body: &str) -> fmt::Result {
    write!(f, "/{}/", body.replace('/', "\\/"))
}

/// Bare where that reads back as the same word, else quoted.
fn word(f: &mut fmt::Formatter<'_>, text: &str, special: &str) -> fmt::Result {
    let plain = !text.is_empty()
        && !text.starts_with(['-', '/'])
        && !["OR", "AND", "NOT"].contains(&text)
        && text.chars().all(|character| {
            !character.is_whitespace()
                && !character.is_control()
                && !"()\"".contains(character)
                && !special.contains(character)
        });
    if plain {
        return f.write_str(text);
    }
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r");
    write!(f, "\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::{Comparison, Field};
    use super::*;
    use crate::base::Time;
    use crate::entry::Level;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,8}",
            r"[ -~é日\n]{1,12}",
            Just("OR".to_owned()),
            Just("/v1/x/".to_owned()),
            Just("\\".to_owned())
        ]
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        prop_oneof![
            text().prop_map(Pattern::Literal),
            "[a-z]{1,4}[*?][a-z]{0,4}".prop_map(Pattern::Glob),
            r"[a-z]{1,4}(\.\*| |/|\\\\|\\d)[a-z]{1,3}".prop_map(Pattern::Regex),
        ]
    }

    fn field() -> impl Strategy<Value = Field> {
        prop_oneof![
            Just(Field::Namespace),
            Just(Field::Text),
            Just(Field::Trace),
            "[a-z_]{3,6}x(\\.[a-z]{1,4})?".prop_map(Field::Other)
        ]
    }

    fn comparison() -> impl Strategy<Value = Comparison> {
        prop::sample::select(Comparison::SIGNS.map(|(_, comparison)| comparison).to_vec())
    }

    fn term() -> impl Strategy<Value = Term> {
        let level = || prop::sample::select(Level::ALL.to_vec());
        let when = prop_oneof![
            any::<i32>().prop_map(|s| When::At(Time(i64::from(s) * 1_000_000_007))),
            (0..9_000_000_u64).prop_map(|ms| When::Ago(Duration::from_millis(ms)))
        ];
        prop_oneof![
            text().prop_map(|text| Term::Text(Pattern::Literal(text))),
            (field(), prop::collection::vec(pattern(), 1..4))
                .prop_map(|(field, values)| Term::Field(field, values)),
            field().prop_map(Term::Exists),
            (field(), comparison(), text())
                .prop_map(|(field, comparison, value)| Term::Compare(field, comparison, value)),
            prop::collection::vec(level(), 1..3).prop_map(Term::Levels),
            (comparison(), level()).prop_map(|(comparison, level)| Term::Level(comparison, level)),
            (
                prop::sample::select(vec![Bound::Since, Bound::After, Bound::Before]),
                when
            )
                .prop_map(|(bound, when)| Term::Time(bound, when)),
        ]
    }

    fn expression() -> impl Strategy<Value = Expression> {
        term()
            .prop_map(Expression::Term)
            .prop_recursive(4, 24, 4, |inner| {
                prop_oneof![
                    prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::all),
                    prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::any),
                    inner.prop_map(|inner| Expression::Not(Box::new(inner))),
                ]
            })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(expression in expression()) {
            let query = Query(expression);
            let printed = query.to_string();
            prop_assert_eq!(printed.parse::<Query>(), Ok(query), "{}", printed);
        }

        #[test]
        fn any_text_parses_or_is_refused_within_its_bounds(text in "\\PC{0,40}") {
            if let Err(error) = text.parse::<Query>() {
                prop_assert!(error.offset <= text.len());
                prop_assert!(text.is_char_boundary(error.offset));
            }
        }
    }
}
