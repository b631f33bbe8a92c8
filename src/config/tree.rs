//! The configuration before it is understood: a tree of values that know where they come from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use crate::base::nearest;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The file: line and column, from 1.
    File(usize, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line, _) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "{name}"),
            Self::Flag(name) => write!(f, "{name}"),
        }
    }
}

/// Something that is not understood: where, which key, what was expected and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was said.
    pub origin: Origin,
    /// The key, with those it stands in: `pipelines.0.sources.1.path`.
    pub key: String,
    /// What was expected and found.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::File(line, column) => write!(f, "line {line}, column {column}: ")?,
            Origin::Variable(name) => write!(f, "variable {name}: ")?,
            Origin::Flag(name) => write!(f, "flag {name}: ")?,
            Origin::Default => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Mistake {}

/// A value that is said beside the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saying {
    /// `serve.listen`, `pipelines.0.name`.
    pub key: String,
    /// As TOML writes it, or a bare word.
    pub value: String,
    pub origin: Origin,
}

pub(super) type Table<'i> = DeTable<'i>;
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Spans from here on are not of the file: they number sayings.
const SAYINGS: usize = usize::MAX / 2;

/// The tree, and what its spans mean.
#[derive(Debug)]
pub(super) struct Tree<'i> {
    pub root: Table<'i>,
    text: &'i str,
    sayings: Vec<Origin>,
}

impl<'i> Tree<'i> {
    /// The tree of a file's text.
    pub fn parse(text: &'i str) -> Result<Self, Mistake> {
        let root = DeTable::parse(text).map_err(|error| {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            Mistake {
                origin: Origin::File(line, column),
                key: String::new(),
                reason: error.message().to_owned(),
            }
        })?;
        Ok(Self {
            root: root.into_inner(),
            text,
            sayings: Vec::new(),
        })
    }

    /// Puts a saying over what is there.
    pub fn say(&mut self, saying: &'i Saying) -> Result<(), Mistake> {
        let at = SAYINGS + self.sayings.len();
        self.sayings.push(saying.origin.clone());
        let mistake = |reason: String| Mistake {
            origin: saying.origin.clone(),
            key: saying.key.clone(),
            reason,
        };
        let value = match DeValue::parse(&saying.value) {
            Ok(value) => value.into_inner(),
            Err(_) => DeValue::String(Cow::Borrowed(&saying.value)),
        };
        let keys: Vec<&str> = saying.key.split('.').collect();
        put_into_table(&mut self.root, &keys, value, at).map_err(mistake)
    }

    /// What a span means.
    fn origin(&self, span: &Range<usize>) -> Origin {
        if let Some(number) = span.start.checked_sub(SAYINGS) {
            return self.sayings.get(number).cloned().unwrap_or(Origin::Default);
        }
        let (line, column) = place(self.text, span.start);
        Origin::File(line, column)
    }

    /// What is not understood, where its span leads.
    pub fn mistake(&self, key: &str, span: Option<Range<usize>>, message: &str) -> Mistake {
        let origin = span.as_ref().map(|span| self.origin(span));
        let inner = span.and_then(|span| find(&self.root, &span));
        Mistake {
            origin: origin.unwrap_or(Origin::Default),
            key: inner.unwrap_or_else(|| key.to_owned()),
            reason: with_nearest(message),
        }
    }

    /// Where every value comes from, by its key.
    pub fn origins(&self) -> BTreeMap<String, Origin> {
        let mut origins = BTreeMap::new();
        let mut put = |key: &str, span: Range<usize>| {
            origins.insert(key.to_owned(), self.origin(&span));
        };
        walk_table(&self.root, "", &mut put);
        origins
    }

    /// Reads a value of the tree; `key` says where it stands.
    pub fn read<T: DeserializeOwned>(&self, key: &str, value: Value<'_>) -> Result<T, Mistake> {
        let span = value.span();
        T::deserialize(ValueDeserializer::from(value)).map_err(|error| {
            let span = error.span().unwrap_or(span);
            self.mistake(key, Some(span), error.message())
        })
    }

    /// The same of a table that has no span of its own: that of the value it was taken from.
    pub fn read_table<T: DeserializeOwned>(
        &self,
        key: &str,
        table: Table<'_>,
        span: Range<usize>,
    ) -> Result<T, Mistake> {
        self.read(key, Spanned::new(span, DeValue::Table(table)))
    }
}

fn put_into_table<'i>(
    table: &mut Table<'i>,
    keys: &[&'i str],
    value: DeValue<'i>,
    at: usize,
) -> Result<(), String> {
    let Some((key, rest)) = keys.split_first() else {
        return Ok(());
    };
    let span = at..at;
    if rest.is_empty() {
        // The key keeps its place; its value has a new one.
        table.remove(*key);
        let key = Spanned::new(span.clone(), Cow::Borrowed(*key));
        table.insert(key, Spanned::new(span, value));
        return Ok(());
    }
    if table.get(*key).is_none() {
        let is_list = rest
            .first()
            .is_some_and(|next| next.parse::<usize>().is_ok());
        let empty = if is_list {
            DeValue::Array(DeArray::default())
        } else {
            DeValue::Table(DeTable::default())
        };
        let name = Spanned::new(span.clone(), Cow::Borrowed(*key));
        table.insert(name, Spanned::new(span, empty));
    }
    match table.get_mut(*key) {
        Some(found) => put_into(found, key, rest, value, at),
        None => Ok(()),
    }
}

fn put_into<'i>(
    found: &mut Value<'i>,
    name: &str,
    keys: &[&'i str],
    value: DeValue<'i>,
    at: usize,
) -> Result<(), String> {
    let span = at..at;
    match found.get_mut() {
        DeValue::Table(table) => put_into_table(table, keys, value, at),
        DeValue::Array(list) => {
            let (key, rest) = keys.split_first().unwrap_or((&"", &[]));
            let number: usize = key
                .parse()
                .map_err(|_| format!("{name} is a list: expected a number, found {key:?}"))?;
            if number > list.len() {
                let next = list.len();
                return Err(format!(
                    "{name} has {next} items: expected {next} at the most, found {number}"
                ));
            }
            if number == list.len() {
                let empty = DeValue::Table(DeTable::default());
                list.push(Spanned::new(span.clone(), empty));
            }
            match list.get_mut(number) {
                Some(item) if rest.is_empty() => *item = Spanned::new(span, value),
                Some(item) => return put_into(item, name, rest, value, at),
                None => {}
            }
            Ok(())
        }
        other => Err(format!("{name} is {}: it has no keys", other.type_str())),
    }
}

fn walk_table(table: &Table<'_>, prefix: &str, put: &mut impl FnMut(&str, Range<usize>)) {
    for (key, value) in table {
        let path = joined(prefix, key.get_ref());
        put(&path, key.span());
        walk(value, &path, put);
    }
}

fn walk(value: &Value<'_>, path: &str, put: &mut impl FnMut(&str, Range<usize>)) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(table, path, put),
        DeValue::Array(list) => {
            for (number, item) in list.iter().enumerate() {
                let path = joined(path, &number.to_string());
                put(&path, item.span());
                walk(item, &path, put);
            }
        }
        _ => {}
    }
}

/// The key whose name or value has this span.
fn find(table: &Table<'_>, span: &Range<usize>) -> Option<String> {
    fn within(value: &Value<'_>, path: &str, span: &Range<usize>) -> Option<String> {
        if value.span() == *span && !matches!(value.get_ref(), DeValue::Table(_)) {
            return Some(path.to_owned());
        }
        match value.get_ref() {
            DeValue::Table(table) => of_table(table, path, span),
            DeValue::Array(list) => list
                .iter()
                .enumerate()
                .find_map(|(number, item)| within(item, &joined(path, &number.to_string()), span)),
            _ => None,
        }
    }
    fn of_table(table: &Table<'_>, prefix: &str, span: &Range<usize>) -> Option<String> {
        table.iter().find_map(|(key, value)| {
            let path = joined(prefix, key.get_ref());
            if key.span() == *span {
                return Some(path);
            }
            within(value, &path, span)
        })
    }
    of_table(table, "", span)
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|one| *one != '\n').count() + 1;
    (line, column)
}

/// A message about a name that is not known, with the nearest that is.
fn with_nearest(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let is_unknown = message.starts_with("unknown ");
    let Some(found) = names.next().filter(|_| is_unknown) else {
        return message.to_owned();
    };
    match nearest(found, names) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
    }
}
