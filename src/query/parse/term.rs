//! One test: words, regular expressions, fields, levels, times.

use std::str::FromStr;

use winnow::combinator::{
    alt, cut_err, eof, fail, not, opt, peek, preceded, repeat, separated, terminated,
};
use winnow::token::{any, none_of, one_of, take_while};
use winnow::{ModalResult, Parser};

use super::{expects, keyword};
use crate::base::{Time, units};
use crate::entry::{Level, decode};
use crate::query::{Bound, Comparison, Field, Pattern, Term, When};

pub(super) fn term(input: &mut &str) -> ModalResult<Term> {
    alt((
        named,
        regex.map(Term::Text),
        quoted.map(|text| Term::Text(Pattern::Literal(text))),
        word,
    ))
    .parse_next(input)
}

fn word(input: &mut &str) -> ModalResult<Term> {
    not(alt((keyword("OR"), keyword("AND"), keyword("NOT")))).parse_next(input)?;
    let plain = |character: char| !character.is_whitespace() && !"()\"".contains(character);
    take_while(1.., plain)
        .map(|word: &str| Term::Text(Pattern::Literal(word.to_owned())))
        .parse_next(input)
}

/// `name:…` or `name>=…`.
fn named(input: &mut &str) -> ModalResult<Term> {
    let name = (
        one_of(|character: char| character.is_alphabetic() || character == '_' || character == '@'),
        take_while(0.., |character: char| {
            character.is_alphanumeric() || "_.@/-".contains(character)
        }),
    )
        .take();
    let comparison = alt((">=", "<=", ">", "<")).map(comparison_of);
    let (name, comparison): (&str, Option<Comparison>) = (
        name,
        alt((
            preceded(':', opt(comparison)),
            alt((">=", "<=", ">", "<")).map(|sign| Some(comparison_of(sign))),
        )),
    )
        .parse_next(input)?;
    match (Field::named(name), comparison) {
        (Field::Level, Some(comparison)) => cut_err(level)
            .map(|level| Term::Level(comparison, level))
            .parse_next(input),
        (Field::Level, None) if !input.starts_with('*') => cut_err(separated(1.., level, ','))
            .map(Term::Levels)
            .parse_next(input),
        (field, Some(comparison)) => cut_err(
            alt((quoted, bare_value)).context(expects("a number or a word to compare with")),
        )
        .map(|value| Term::Compare(field.clone(), comparison, value))
        .parse_next(input),
        (Field::Other(name), None) if bound_of(&name).is_some() => {
            let bound = bound_of(&name).unwrap_or(Bound::Since);
            cut_err(when)
                .map(|when| Term::Time(bound, when))
                .parse_next(input)
        }
        (field, None) => cut_err(values)
            .map(|values| exists_or_values(field.clone(), values))
            .parse_next(input),
    }
}

fn comparison_of(sign: &str) -> Comparison {
    Comparison::SIGNS
        .iter()
        .find(|(known, _)| *known == sign)
        .map_or(Comparison::Less, |(_, comparison)| *comparison)
}

fn bound_of(name: &str) -> Option<Bound> {
    match name {
        "since" => Some(Bound::Since),
        "after" => Some(Bound::After),
        "before" => Some(Bound::Before),
        _ => None,
    }
}

fn exists_or_values(field: Field, values: Option<Vec<Pattern>>) -> Term {
    match values {
        Some(values) => Term::Field(field, values),
        None => Term::Exists(field),
    }
}

/// `None` is `*`: any value.
fn values(input: &mut &str) -> ModalResult<Option<Vec<Pattern>>> {
    let exists = terminated(
        '*',
        peek(alt((
            one_of([' ', '\t', '\n', '\r', ')']).void(),
            eof.void(),
        ))),
    );
    alt((exists.value(None), separated(1.., value, ',').map(Some)))
        .context(expects(
            "a value: a word, \"a phrase\", /a regex/, a glob or *",
        ))
        .parse_next(input)
}

fn value(input: &mut &str) -> ModalResult<Pattern> {
    let bare = bare_value.map(|word| {
        if word.contains(['*', '?']) {
            Pattern::Glob(word)
        } else {
            Pattern::Literal(word)
        }
    });
    alt((regex, quoted.map(Pattern::Literal), bare)).parse_next(input)
}

fn bare_value(input: &mut &str) -> ModalResult<String> {
    let plain = |character: char| !character.is_whitespace() && !"()\",".contains(character);
    take_while(1.., plain).map(str::to_owned).parse_next(input)
}

fn level(input: &mut &str) -> ModalResult<Level> {
    alt((
        quoted,
        bare_value,
        fail.context(expects("a level (trace, debug, info, warn, error, fatal)")),
    ))
    .try_map(|word: String| {
        word.parse()
            .map_err(|_| Expected("a level (trace, debug, info, warn, error, fatal)".into()))
    })
    .parse_next(input)
}

const FORMS: &str = "a time such as 15m, 2h, 2026-03-14T09:00:00Z or \"2026-03-14 09:00\"";

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_when(text).ok_or_else(|| format!("expected {FORMS}, found {text:?}"))
    }
}

fn when(input: &mut &str) -> ModalResult<When> {
    let bare = take_while(1.., |character: char| {
        !character.is_whitespace() && !"()\"".contains(character)
    })
    .map(str::to_owned);
    alt((quoted, bare, fail.context(expects(FORMS))))
        .try_map(|text: String| read_when(&text).ok_or(Expected(FORMS.into())))
        .parse_next(input)
}

fn read_when(text: &str) -> Option<When> {
    if let Ok(duration) = units::parse_duration(text.strip_prefix('-').unwrap_or(text)) {
        return Some(When::Ago(duration));
    }
    if text == "now" {
        return Some(When::Ago(std::time::Duration::ZERO));
    }
    // Seconds may be left out, and the time of day too.
    let completed = match text.len() {
        10 => format!("{text} 00:00:00"),
        16 => format!("{text}:00"),
        _ => text.to_owned(),
    };
    decode::time::parse(&completed, Time::MAX).map(When::At)
}

/// `/…/` up to the first unescaped slash with which the word ends; a path such as `/v1/orders` is a word.
fn regex(input: &mut &str) -> ModalResult<Pattern> {
    let ends = |rest: &str| {
        rest.chars()
            .next()
            .is_none_or(|next| next.is_whitespace() || ",()".contains(next))
    };
    let body_end = |text: &str| {
        let mut escaped = false;
        text.char_indices().skip(1).find_map(|(at, character)| {
            let closes = character == '/' && !escaped && ends(&text[at + 1..]);
            escaped = character == '\\' && !escaped;
            closes.then_some(at)
        })
    };
    if !input.starts_with('/') {
        return fail.parse_next(input);
    }
    let Some(end) = body_end(input).filter(|end| *end > 1) else {
        return fail.parse_next(input);
    };
    cut_err(
        winnow::token::take(end + 1)
            .verify_map(|_: &str| Some(()))
            .void()
            .take()
            .try_map(move |taken: &str| {
                let body = unescape_slashes(&taken[1..end]);
                regex::Regex::new(&body)
                    .map(|_| Pattern::Regex(body))
                    .map_err(|error| Expected(explain(&error)))
            }),
    )
    .parse_next(input)
}

fn explain(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text
        .lines()
        .last()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    format!("a regular expression ({reason})")
}

fn unescape_slashes(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut characters = body.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('/')) => {}
            ('\\', Some('\\')) => {
                text.push_str("\\\\");
                characters.next();
            }
            _ => text.push(character),
        }
    }
    text
}

fn quoted(input: &mut &str) -> ModalResult<String> {
    let escape = preceded('\\', any).map(|character| match character {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    });
    let piece = alt((escape, none_of(['"', '\\'])));
    preceded(
        '"',
        terminated(
            repeat(0.., piece),
            cut_err('"'.context(expects("a closing quote"))),
        ),
    )
    .parse_next(input)
}

/// Carries what was expected through the parser library's external errors.
#[derive(Debug)]
struct Expected(String);

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Expected {}
