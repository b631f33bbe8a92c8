//! Whether an entry is meant: by patterns or by a question.

use regex::Regex;

use crate::base::Time;
use crate::entry::Entry;
use crate::pipelines::options::{Logic, MatchOptions};
use crate::query::{Field, Matcher, Query};

#[derive(Debug)]
pub(super) struct Matching {
    patterns: Vec<Regex>,
    logic: Logic,
    field: Option<Field>,
    query: Option<Matcher>,
    /// Written anew for each entry.
    text: String,
}

impl Matching {
    pub fn new(options: &MatchOptions, now: Time) -> Result<Self, String> {
        if !options.patterns.is_empty() && options.query.is_some() {
            return Err("expected `patterns` or `query`, found both".to_owned());
        }
        let patterns = options.patterns.iter().enumerate().map(|(at, pattern)| {
            Regex::new(pattern).map_err(|error| format!("pattern {}: {error}", at + 1))
        });
        let query = options.query.as_ref().map(|text| {
            let query: Query = text
                .parse()
                .map_err(|error| format!("the query is not understood: {error}"))?;
            if query.asks_for_time() {
                return Err("a filter cannot ask for times relative to now".to_owned());
            }
            Ok(Matcher::compile(&query, now))
        });
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            logic: options.logic,
            field: options.field.as_deref().map(Field::named),
            query: query.transpose()?,
            text: String::new(),
        })
    }

    /// Whether an entry is meant.
    pub fn matches(&mut self, entry: &Entry) -> bool {
        if let Some(query) = &self.query {
            return query.matches(entry);
        }
        if let Some(field) = &self.field {
            let value = field.value(entry).unwrap_or_default();
            return self.found(|pattern| pattern.is_match(&value));
        }
        // `^` stands for the beginning of the message; who writes patterns for the whole line finds it, too.
        if self.logic == Logic::Or && self.patterns.iter().any(|one| one.is_match(&entry.text)) {
            return true;
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.push_str(entry.source.as_deref().unwrap_or_default());
        for part in [entry.level.word(), &entry.text] {
            text.push(' ');
            text.push_str(part);
        }
        let found = self.found(|pattern| pattern.is_match(&entry.text) || pattern.is_match(&text));
        self.text = text;
        found
    }

    fn found(&self, is_match: impl Fn(&Regex) -> bool) -> bool {
        match self.logic {
            Logic::Or => self.patterns.iter().any(is_match),
            Logic::And => !self.patterns.is_empty() && self.patterns.iter().all(is_match),
        }
    }

    /// Whether nothing is looked for: then an inclusion drops nothing.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.query.is_none()
    }
}
