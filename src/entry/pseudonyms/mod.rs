//! Stable pseudonyms: identifiers and secrets become tokens on the way out, the same value the same token wherever it
//! stands, so that a paste into a ticket keeps its correlations and leaks nothing.
//!
//! ```text
//! "alice@example.com from 10.0.0.7, token=s3cr3t" --text--> "email-1 from ip-1, token=token-1"
//! ```
//!
//! What becomes a token: secrets (by the name before them, by their form, or because they look random: hexadecimal digits
//! from 32 on, so digests too), addresses of mail and of networks, UUIDs, numbers of cards, and values whose name speaks of
//! a person; those are then found in prose, too.
//!
//! What stays: times, short ids such as `o-17`, words; addresses that name no other host (`127.0.0.1`); four numbers after
//! a word such as `version` (elsewhere `1.2.3.4` is an address: rather a version too many than an address too few). Trace,
//! span, instance, namespace, route and their like stay as well, or nobody would find the place again: of those only
//! addresses, numbers of cards and what is told to be secret is replaced. The entry's own ids stay in its text and fields;
//! another entry's id that looks random does not.
//!
//! Colours do not stay: they would stand between a name and its value.
//!
//! A session remembers 100,000 values of 16 MiB together; what is beyond becomes `…-many`, which keeps no correlation.
//! Out of reach are names in prose that no field has told yet (or that are not remembered), numbers of telephones, and
//! what stands in a word with letters before it. A value that reads like a token that was given is taken for it.

mod forms;
mod keys;
mod tokens;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::{Entry, Fields, Scope, ink};
use forms::{Form, Kind};
use keys::{Class, class_of, class_within, named, use_of};
use tokens::Tokens;

/// Tokens of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pseudonyms {
    tokens: Tokens,
}

/// What is looked for, in this order: what is surest goes first, for what one has taken is not looked at by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Form(Form),
    /// Values with a name before them.
    Named,
    /// Values that were replaced elsewhere.
    Known,
}

const STEPS: [Step; 11] = [
    Step::Form(Form::Login),
    Step::Form(Form::PrivateKey),
    Step::Named,
    Step::Form(Form::Credential),
    Step::Form(Form::Email),
    Step::Form(Form::Uuid),
    Step::Form(Form::Ip6),
    Step::Form(Form::Ip),
    Step::Form(Form::Card),
    Step::Form(Form::Random),
    Step::Known,
];

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Prose,
    /// Names that places are found by.
    Name,
    Version,
    /// What somebody is called. It is not taken apart further, however deep `user=user=…` goes.
    Person,
}

impl Text {
    fn has(self, step: Step) -> bool {
        match self {
            Self::Prose => true,
            Self::Name => !matches!(step, Step::Form(Form::Uuid | Form::Random) | Step::Known),
            Self::Version => step != Step::Form(Form::Ip),
            Self::Person => !matches!(step, Step::Named | Step::Known),
        }
    }
}

/// A part of a text.
#[derive(Debug)]
enum Piece<'t> {
    /// As it was.
    Raw(&'t str),
    /// A token: it is not looked at again.
    Done(String),
}

impl Pseudonyms {
    /// A text with tokens.
    pub fn text(&mut self, text: &str) -> String {
        self.replaced(text, Text::Prose, &[])
    }

    /// An entry with tokens in its texts and fields; position, time and level are as they were.
    pub fn entry(&mut self, entry: &Entry) -> Entry {
        let own = own_ids(&entry.scope);
        // Whom fields name is known before the words are read.
        for (name, value) in &entry.fields {
            self.learn(name, value, &own);
        }
        let mut told = entry.clone();
        told.fields = self.object(&entry.fields, Class::Other, &own);
        told.text = self.replaced(&entry.text, Text::Prose, &own);
        told.error = entry
            .error
            .as_ref()
            .map(|error| self.replaced(error, Text::Prose, &own));
        let scope = &mut told.scope;
        let names = [
            &mut scope.trace,
            &mut scope.span,
            &mut scope.instance,
            &mut scope.workflow,
            &mut scope.state,
            &mut scope.status,
            &mut scope.called_as,
            &mut scope.callpath,
            &mut scope.route,
            &mut scope.activity,
            &mut scope.track,
            &mut told.source,
        ];
        for name in names.into_iter().flatten().chain([&mut scope.namespace]) {
            *name = self.replaced(name, Text::Name, &[]);
        }
        told
    }

    /// Gives tokens to what the names of fields tell.
    fn learn(&mut self, name: &str, value: &Value, own: &[&str]) {
        match (class_of_field(name, value), value) {
            (class @ (Class::Secret | Class::Person), value) => {
                self.value(value, class, own);
            }
            (_, Value::Object(members)) => {
                for (name, value) in members {
                    self.learn(name, value, own);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, members: &Fields, class: Class, own: &[&str]) -> Fields {
        let mut told = Map::new();
        for (name, value) in members {
            let class = match class {
                Class::Secret => Class::Secret,
                Class::Person => class_within(name),
                Class::Version | Class::Other => class_of_field(name, value),
            };
            let value = self.value(value, class, own);
            told.insert(self.replaced(name, Text::Name, own), value);
        }
        told
    }

    fn value(&mut self, value: &Value, class: Class, own: &[&str]) -> Value {
        match value {
            Value::String(text) => Value::String(match class {
                Class::Secret => self.secret(&plain(text)).unwrap_or_else(|| text.clone()),
                Class::Person => self
                    .person(&plain(text), own)
                    .unwrap_or_else(|| text.clone()),
                Class::Version => self.replaced(text, Text::Version, own),
                Class::Other => self.replaced(text, Text::Prose, own),
            }),
            // The number of an account or a card may be sent as a number.
            Value::Number(number) => {
                let text = number.to_string();
                let told = match class {
                    Class::Secret => self.secret(&text),
                    Class::Person => self.person(&text, own),
                    Class::Version | Class::Other => Some(self.replaced(&text, Text::Name, own)),
                };
                match told {
                    Some(told) if told != text => Value::String(told),
                    _ => value.clone(),
                }
            }
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item, class, own))
                .collect(),
            Value::Object(members) => Value::Object(self.object(members, class, own)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// The token of a secret; nothing where it is none.
    fn secret(&mut self, value: &str) -> Option<String> {
        let Some((first, rest)) = use_of(value) else {
            return self.tokens.token(Kind::Token, value);
        };
        let told = self.tokens.token(Kind::Token, rest.trim_end())?;
        Some(format!("{first} {told}"))
    }

    /// The token of what somebody is called. An address is the same as elsewhere, with its port.
    fn person(&mut self, value: &str, own: &[&str]) -> Option<String> {
        let pieces = self.pieces(value, Text::Person, own);
        let is_rest = |piece: &Piece<'_>| match piece {
            Piece::Raw(rest) => rest.contains(char::is_alphabetic),
            Piece::Done(_) => false,
        };
        if pieces.iter().any(|piece| matches!(piece, Piece::Done(_))) && !pieces.iter().any(is_rest)
        {
            return Some(joined(pieces));
        }
        self.tokens.token(Kind::Person, value)
    }

    fn replaced(&mut self, text: &str, of: Text, own: &[&str]) -> String {
        joined(self.pieces(&plain(text), of, own))
    }

    fn pieces<'t>(&mut self, text: &'t str, of: Text, own: &[&str]) -> Vec<Piece<'t>> {
        let mut pieces = vec![Piece::Raw(text)];
        for step in STEPS.into_iter().filter(|step| of.has(*step)) {
            let mut next = Vec::with_capacity(pieces.len());
            for piece in pieces {
                match piece {
                    Piece::Raw(raw) => {
                        let found = self.found(step, raw, own);
                        cut(raw, found, &mut next);
                    }
                    done @ Piece::Done(_) => next.push(done),
                }
            }
            pieces = next;
        }
        pieces
    }

    /// What a step finds, and what is to stand there.
    fn found(&mut self, step: Step, raw: &str, own: &[&str]) -> Vec<(Range<usize>, String)> {
        match step {
            Step::Known => self.tokens.known(raw),
            Step::Named => {
                let mut found = Vec::new();
                for named in named(raw) {
                    let value = &raw[named.range.clone()];
                    let told = match named.class {
                        Class::Secret => self.secret(value),
                        _ => self.person(value, own),
                    };
                    let quoted = |told| format!("{0}{told}{0}", named.quote);
                    // What is not replaced is not looked at either: it is a token, or says nothing.
                    let told = told.map_or_else(|| value.to_owned(), quoted);
                    found.push((named.range, told));
                }
                found
            }
            Step::Form(form) => {
                let may_be_own = matches!(form, Form::Uuid | Form::Random);
                let mut found = Vec::new();
                for (range, kind) in form.found(raw) {
                    let value = &raw[range.clone()];
                    let is_own = may_be_own && own.iter().any(|id| id.eq_ignore_ascii_case(value));
                    let told = if is_own {
                        None
                    } else {
                        self.tokens.token(kind, value)
                    };
                    found.push((range, told.unwrap_or_else(|| value.to_owned())));
                }
                found
            }
        }
    }
}

/// Ids that say where the entry belongs.
fn own_ids(scope: &Scope) -> Vec<&str> {
    let ids = [
        &scope.trace,
        &scope.span,
        &scope.instance,
        &scope.activity,
        &scope.track,
    ];
    let parents = scope.callpath.iter().flat_map(|path| path.split('/'));
    let ids = ids.into_iter().flatten().map(String::as_str);
    ids.chain(parents).filter(|id| !id.is_empty()).collect()
}

/// A text without its colours: they would stand between a name and its value.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\x1b') {
        Cow::Owned(ink::without(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Of a list, the name is in the plural.
fn class_of_field(name: &str, value: &Value) -> Class {
    let one = name.strip_suffix('s').filter(|_| value.is_array());
    class_of(one.unwrap_or(name))
}

/// Cuts a text where something is to stand for a part of it.
fn cut<'t>(raw: &'t str, found: Vec<(Range<usize>, String)>, pieces: &mut Vec<Piece<'t>>) {
    let mut at = 0;
    for (range, told) in found {
        if range.start > at {
            pieces.push(Piece::Raw(&raw[at..range.start]));
        }
        at = range.end;
        pieces.push(Piece::Done(told));
    }
    if at < raw.len() {
        pieces.push(Piece::Raw(&raw[at..]));
    }
}

fn joined(pieces: Vec<Piece<'_>>) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Raw(raw) => text.push_str(raw),
            Piece::Done(told) => text.push_str(&told),
        }
    }
    text
}

#[cfg(test)]
mod tests;
