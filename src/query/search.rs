//! Looking for a pattern: in one text, or in a column of texts at once.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::memmem;
use regex::bytes;
use regex::{Regex, RegexBuilder};

use super::Pattern;
use super::words::{Gram, of_literal, required_literals};

/// Texts laid end to end.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// Their bytes, UTF-8.
    pub bytes: &'t [u8],
    /// Where each begins, and after the last where it ends: one more than there are texts.
    pub offsets: &'t [i32],
}

/// A pattern made ready to be looked for anywhere in a text.
#[derive(Clone, Debug)]
pub struct Search {
    pattern: Pattern,
    grams: Vec<Gram>,
    /// Compiled when it is first needed: filters and kept selections answer many questions without.
    compiled: OnceLock<Box<Compiled>>,
}

#[derive(Clone, Debug)]
struct Compiled {
    regex: Regex,
    column: Column,
}

/// How a column of texts is searched.
#[derive(Clone, Debug)]
enum Column {
    /// A match never depends on where its text begins or ends: all texts are searched as one.
    Joined(bytes::Regex),
    /// Only texts with this literal are tried.
    Candidates(Box<memmem::Finder<'static>>),
    /// Every text is tried.
    Each,
}

impl Search {
    /// A pattern found anywhere in a text. Expressions are checked when they are parsed; one that was built otherwise and
    /// is not valid is looked for as it stands.
    #[must_use]
    pub fn new(pattern: &Pattern) -> Self {
        let grams = match pattern {
            Pattern::Regex(text) => required_literals(text)
                .iter()
                .flat_map(|literal| of_literal(literal, false))
                .collect(),
            Pattern::Literal(text) | Pattern::Glob(text) => of_literal(text, false),
        };
        Self {
            pattern: pattern.clone(),
            grams,
            compiled: OnceLock::new(),
        }
    }

    /// What is looked for.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            Box::new(match &self.pattern {
                Pattern::Regex(text) => Regex::new(text).map_or_else(
                    |_| Compiled::literal(text),
                    |regex| Compiled::expression(text, regex),
                ),
                Pattern::Literal(text) | Pattern::Glob(text) => Compiled::literal(text),
            })
        })
    }

    /// Whether the text holds it.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled().regex.is_match(text)
    }

    /// Where the text holds it.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Range<usize>> + use<'_, 't> {
        self.compiled()
            .regex
            .find_iter(text)
            .map(|found| found.range())
    }

    /// What a text must hold for a match.
    #[must_use]
    pub fn grams(&self) -> &[Gram] {
        &self.grams
    }

    /// Visits the number of each text that holds it, in order. Costs little for texts without the pattern's plain parts.
    pub fn each_match(&self, texts: Texts<'_>, mut visit: impl FnMut(usize)) {
        match &self.compiled().column {
            Column::Joined(regex) => texts.each_hit(
                |from| regex.find_at(texts.bytes, from).map(|found| found.range()),
                visit,
            ),
            Column::Candidates(literal) => texts.each_hit(
                |from| {
                    let at = from + literal.find(&texts.bytes[from..])?;
                    Some(at..at + literal.needle().len())
                },
                |row| {
                    if texts.get(row).is_some_and(|text| self.is_match(text)) {
                        visit(row);
                    }
                },
            ),
            Column::Each => (0..texts.len())
                .filter(|row| texts.get(*row).is_some_and(|text| self.is_match(text)))
                .for_each(visit),
        }
    }
}

impl Compiled {
    fn literal(text: &str) -> Self {
        let escaped = regex::escape(text);
        let regex = RegexBuilder::new(&escaped).case_insensitive(true).build();
        let joined = bytes::RegexBuilder::new(&escaped)
            .case_insensitive(true)
            .build();
        Self {
            regex: regex.unwrap_or_else(|_| Regex::new("$^").expect("a valid pattern")),
            column: match joined {
                Ok(joined) if !text.is_empty() => Column::Joined(joined),
                _ => Column::Each,
            },
        }
    }

    fn expression(text: &str, regex: Regex) -> Self {
        let longest = required_literals(text).into_iter().max_by_key(String::len);
        let column = match longest {
            Some(literal) if literal.len() >= 2 => {
                Column::Candidates(Box::new(memmem::Finder::new(&literal).into_owned()))
            }
            _ => Column::Each,
        };
        Self { regex, column }
    }
}

impl<'t> Texts<'t> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'t str> {
        std::str::from_utf8(self.bytes.get(self.start(row)..self.start(row + 1))?).ok()
    }

    fn start(&self, row: usize) -> usize {
        self.offsets
            .get(row)
            .and_then(|offset| usize::try_from(*offset).ok())
            .unwrap_or(self.bytes.len())
    }

    /// Visits each text in which `find`, given where to start, finds something that does not reach into the next.
    fn each_hit(
        self,
        mut find: impl FnMut(usize) -> Option<Range<usize>>,
        mut visit: impl FnMut(usize),
    ) {
        let (mut from, mut row, end) = (self.start(0), 0, self.start(self.len()));
        while let Some(hit) = find(from).filter(|hit| hit.end <= end) {
            let beyond =
                |offset: &i32| usize::try_from(*offset).is_ok_and(|offset| offset <= hit.start);
            row += self.offsets[row..].partition_point(beyond) - 1;
            let text_end = self.start(row + 1);
            if hit.end <= text_end {
                visit(row);
                from = text_end;
            } else {
                from = hit.start + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(texts: &[&str]) -> (Vec<u8>, Vec<i32>) {
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            offsets.push(i32::try_from(bytes.len()).expect("small"));
        }
        (bytes, offsets)
    }

    proptest! {
        #[test]
        fn a_column_gives_what_each_text_gives(
            texts in prop::collection::vec("[aAb k\u{212A}é]{0,6}", 0..12),
            pattern in prop::sample::select(vec!["a", "ab", "K", "é", " ", "b a", "/ab/", "/^a/", "/a+b$/", "/k.a/", "/a|b/", "/ab ?b/"]),
        ) {
            let pattern = match pattern.strip_prefix('/') {
                Some(regex) => Pattern::Regex(regex.trim_end_matches('/').to_owned()),
                None => Pattern::Literal(pattern.to_owned()),
            };
            let search = Search::new(&pattern);
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let (bytes, offsets) = joined(&texts);
            let mut found = Vec::new();
            search.each_match(Texts { bytes: &bytes, offsets: &offsets }, |row| found.push(row));
            let wanted: Vec<_> = (0..texts.len()).filter(|row| search.is_match(texts[*row])).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
