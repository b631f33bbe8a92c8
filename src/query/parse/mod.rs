//! The query language, from text.
//!
//! ```text
//! any    = all ("OR" all)*
//! all    = one+                                 AND is implied; the word may be written
//! one    = ("NOT" | "-") one | "(" any ")" | term
//! term   = name ":" values | name [":"] (">=" | "<=" | ">" | "<") value | regex | quoted | word
//! values = "*" | value ("," value)*             * alone: the field exists
//! ```

mod term;

use std::str::FromStr;

use winnow::ascii::multispace0;
use winnow::combinator::{
    alt, cut_err, delimited, eof, not, opt, peek, preceded, repeat, terminated,
};
use winnow::error::{StrContext, StrContextValue};
use winnow::token::one_of;
use winnow::{ModalResult, Parser};

use super::{Expression, Query};
use term::term;

/// Deepest nesting of parentheses and negations; a bound on the stack.
const MAX_DEPTH: usize = 64;

/// A question that cannot be understood, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: expected {expected}, found {found}")]
pub struct ParseQueryError {
    /// Byte of the text at which something else was expected.
    pub offset: usize,
    /// What was expected there.
    pub expected: String,
    /// What stands there: the rest of the word, or `the end`.
    pub found: String,
}

impl FromStr for Query {
    type Err = ParseQueryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(offset) = too_deep(text) {
            let expected = format!("at most {MAX_DEPTH} levels of nesting");
            return Err(ParseQueryError {
                offset,
                expected,
                found: found(text, offset),
            });
        }
        let end = cut_err(eof.context(expects("another condition or the end")));
        let whole = alt((
            eof.value(Expression::Everything),
            terminated(any_of, (multispace0, end)),
        ));
        preceded(multispace0, whole)
            .map(Self)
            .parse(text)
            .map_err(|error| {
                let offset = error.offset();
                let inner = error.inner();
                let expected = match inner.cause() {
                    Some(cause) => cause.to_string(),
                    None => inner
                        .context()
                        .find_map(|context| match context {
                            StrContext::Expected(value) => Some(value.to_string()),
                            _ => None,
                        })
                        .unwrap_or_else(|| {
                            "a condition: a word, \"a phrase\", /a regex/ or field:value".to_owned()
                        }),
                };
                ParseQueryError {
                    offset,
                    expected,
                    found: found(text, offset),
                }
            })
    }
}

fn found(text: &str, offset: usize) -> String {
    let rest = text.get(offset..).unwrap_or_default();
    match rest.split_whitespace().next() {
        Some(word) if !rest.starts_with(char::is_whitespace) => format!("`{word}`"),
        _ => "the end".to_owned(),
    }
}

/// Where parentheses and negations nest deeper than is allowed; quoted text does not count.
fn too_deep(text: &str) -> Option<usize> {
    let (mut open, mut negations, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for (offset, character) in text.char_indices() {
        match character {
            '"' if !escaped => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open = open.saturating_sub(1),
            '-' if !quoted => negations += 1,
            'N' if !quoted && text[offset..].starts_with("NOT ") => negations += 1,
            'O' | 'T' | ' ' => {}
            _ => negations = 0,
        }
        escaped = character == '\\' && !escaped;
        if open + negations > MAX_DEPTH {
            return Some(offset);
        }
    }
    None
}

fn expects(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

fn any_of(input: &mut &str) -> ModalResult<Expression> {
    let or = (multispace0, keyword("OR"));
    let first = all_of.parse_next(input)?;
    let more = preceded(or, cut_err(all_of.context(expects("a condition after OR"))));
    let rest: Vec<_> = repeat(0.., more).parse_next(input)?;
    Ok(Expression::any(std::iter::once(first).chain(rest)))
}

fn all_of(input: &mut &str) -> ModalResult<Expression> {
    let member = preceded(
        (
            multispace0,
            opt((keyword("AND"), multispace0)),
            not(keyword("OR")),
        ),
        one,
    );
    repeat(1.., member)
        .map(|parts: Vec<_>| Expression::all(parts))
        .parse_next(input)
}

fn one(input: &mut &str) -> ModalResult<Expression> {
    let negation = alt(((keyword("NOT"), multispace0).void(), '-'.void()));
    let negated = preceded(
        negation,
        cut_err(one.context(expects("a condition to negate"))),
    );
    let close = preceded(
        multispace0,
        cut_err(')'.context(expects("a closing parenthesis"))),
    );
    let group = delimited(
        '(',
        cut_err(
            preceded(multispace0, any_of).context(expects("a condition inside the parentheses")),
        ),
        close,
    );
    alt((
        negated.map(|inner| Expression::Not(Box::new(inner))),
        group,
        term.map(Expression::Term),
    ))
    .parse_next(input)
}

/// A word in capitals that stands alone.
fn keyword<'i>(
    word: &'static str,
) -> impl Parser<&'i str, (), winnow::error::ErrMode<winnow::error::ContextError>> {
    terminated(
        word,
        peek(alt((
            one_of([' ', '\t', '\n', '\r', '(', ')', '"']).void(),
            eof.void(),
        ))),
    )
    .void()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::Level;
    use crate::query::{Bound, Comparison, Field, Pattern, Term, When};

    fn literal(text: &str) -> Expression {
        Expression::contains(text)
    }

    fn check(text: &str, wanted: Expression) {
        assert_eq!(text.parse::<Query>(), Ok(Query(wanted)), "{text}");
    }

    #[test]
    fn words_and_phrases() {
        check("", Expression::Everything);
        check("  ", Expression::Everything);
        check("boom", literal("boom"));
        check("a b", Expression::All(vec![literal("a"), literal("b")]));
        check("a AND b", Expression::All(vec![literal("a"), literal("b")]));
        check(
            "a b OR c",
            Expression::Any(vec![
                Expression::All(vec![literal("a"), literal("b")]),
                literal("c"),
            ]),
        );
        check("ORDER", literal("ORDER"));
        check(r#""two words""#, literal("two words"));
        check(r#""say \"hi\"""#, literal("say \"hi\""));
        check("-a", literal("a").negated());
        check(
            "NOT (a OR b)",
            Expression::any([literal("a"), literal("b")]).negated(),
        );
        check("/v1/orders", literal("/v1/orders"));
        check(
            "/ti.e ?out/",
            Expression::Term(Term::Text(Pattern::Regex("ti.e ?out".into()))),
        );
        check(
            r"/a\/b/",
            Expression::Term(Term::Text(Pattern::Regex("a/b".into()))),
        );
        check("12:03:10", literal("12:03:10"));
        check("a=b", literal("a=b"));
    }

    #[test]
    fn fields() {
        let field = |name: &str, values: Vec<Pattern>| {
            Expression::Term(Term::Field(Field::named(name), values))
        };
        check(
            "ns:pay",
            field("namespace", vec![Pattern::Literal("pay".into())]),
        );
        check(
            r#"msg:"a b",c*,/d/"#,
            field(
                "text",
                vec![
                    Pattern::Literal("a b".into()),
                    Pattern::Glob("c*".into()),
                    Pattern::Regex("d".into()),
                ],
            ),
        );
        check(
            "user.id:*",
            Expression::Term(Term::Exists(Field::Other("user.id".into()))),
        );
        check(
            "n:>=5",
            Expression::Term(Term::Compare(
                Field::Other("n".into()),
                Comparison::AtLeast,
                "5".into(),
            )),
        );
        check(
            "n<5",
            Expression::Term(Term::Compare(
                Field::Other("n".into()),
                Comparison::Less,
                "5".into(),
            )),
        );
        check("level>=warn", Expression::at_least(Level::Warn));
        check(
            "level:error,fatal",
            Expression::Term(Term::Levels(vec![Level::Error, Level::Fatal])),
        );
        check(
            "since:15m",
            Expression::Term(Term::Time(
                Bound::Since,
                When::Ago(std::time::Duration::from_mins(15)),
            )),
        );
        check(
            "before:1970-01-01T00:00:01Z",
            Expression::Term(Term::Time(Bound::Before, When::At(Time(1_000_000_000)))),
        );
        check(
            "after:\"1970-01-01 00:01\"",
            Expression::Term(Term::Time(Bound::After, When::At(Time(60_000_000_000)))),
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            (
                "level>=loud",
                7,
                "a level (trace, debug, info, warn, error, fatal)",
                "`loud`",
            ),
            (
                "level:",
                6,
                "a level (trace, debug, info, warn, error, fatal)",
                "the end",
            ),
            ("a (b", 4, "a closing parenthesis", "the end"),
            ("a )", 2, "another condition or the end", "`)`"),
            ("\"open", 5, "a closing quote", "the end"),
            (
                "since:soon",
                6,
                "a time such as 15m, 2h, 2026-03-14T09:00:00Z or \"2026-03-14 09:00\"",
                "`soon`",
            ),
            (
                "ns:",
                3,
                "a value: a word, \"a phrase\", /a regex/, a glob or *",
                "the end",
            ),
            ("a -", 3, "a condition to negate", "the end"),
            (
                "x /a(b/",
                2,
                "a regular expression (unclosed group)",
                "`/a(b/`",
            ),
            ("n:>=", 4, "a number or a word to compare with", "the end"),
            ("a OR", 4, "a condition after OR", "the end"),
        ];
        for (text, offset, expected, found) in cases {
            let error = text.parse::<Query>().expect_err(text);
            assert_eq!(
                (error.offset, error.expected.as_str(), error.found.as_str()),
                (offset, expected, found),
                "{text}"
            );
        }
    }

    #[test]
    fn deep_nesting_is_refused_not_overflowed() {
        for text in [
            "(".repeat(100_000),
            "-".repeat(100_000),
            "NOT ".repeat(100_000),
        ] {
            assert!(text.parse::<Query>().is_err());
        }
    }
}
