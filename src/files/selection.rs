//! A question, ready to be put to the lines of files.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::entries::Found;
use super::options::Options;
use super::part::Part;
use crate::base::Time;
use crate::query::{Field, Matcher, Needle, Query, Verdict};

/// A question, ready to be put to the lines of files.
#[derive(Debug)]
pub(super) struct Selection {
    pub matcher: Matcher,
    times: (Time, Time),
    needle: Option<Bytes>,
    /// The same, for lines whose text may be escaped.
    escaped: Option<Bytes>,
}

/// What the bytes of an entry must hold.
#[derive(Debug)]
pub(super) struct Bytes {
    needle: Needle,
    /// Entries with one of these are always decoded: what is looked for may be written otherwise there.
    besides: &'static Besides,
}

/// Words beside which others may be written otherwise.
#[derive(Debug)]
struct Besides {
    words: Vec<&'static str>,
    any: Regex,
}

/// A colour of a terminal within a word.
const COLOUR: &str = "\u{1b}[";
/// Besides colours: characters as numbers, and a text as the numbers of its bytes (as the journal exports it).
const ESCAPES: [&str; 3] = ["\\u", "\\x", "\"MESSAGE\":["];

static COLOURED: LazyLock<Besides> = LazyLock::new(|| Besides::new(vec![COLOUR]));
static ESCAPED: LazyLock<Besides> =
    LazyLock::new(|| Besides::new([&[COLOUR], ESCAPES.as_slice()].concat()));

impl Besides {
    fn new(words: Vec<&'static str>) -> Self {
        let escaped: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
        let any = Regex::new(&format!("(?-u){}", escaped.join("|"))).expect("a valid pattern");
        Self { words, any }
    }
}

impl Bytes {
    /// Where entries may be that are looked for.
    pub fn hits<'b>(&'b self, bytes: &'b [u8]) -> Hits<'b> {
        Hits {
            of: self,
            bytes,
            needle: Ahead::From(0),
            besides: Ahead::From(0),
        }
    }

    /// The words that one of them must hold.
    pub fn words(&self) -> Vec<String> {
        let besides = self.besides.words.iter().map(|word| (*word).to_owned());
        self.needle.words().iter().cloned().chain(besides).collect()
    }

    /// Whether there may be one at all.
    pub fn may_hold(&self, bytes: &[u8]) -> bool {
        self.needle.find(bytes, 0).is_some() || self.besides.any.is_match(bytes)
    }
}

/// Places where entries may be that are looked for, found as they are asked for.
pub(super) struct Hits<'b> {
    of: &'b Bytes,
    bytes: &'b [u8],
    needle: Ahead,
    besides: Ahead,
}

/// What is known of the next place.
#[derive(Clone, Copy)]
enum Ahead {
    /// It is not before this.
    From(usize),
    At(usize),
    None,
}

impl Ahead {
    fn find(&mut self, from: usize, look: impl FnOnce(usize) -> Option<usize>) -> Option<usize> {
        let looked_from = match *self {
            Self::At(at) if at >= from => return Some(at),
            Self::None => return None,
            Self::At(_) => from,
            Self::From(known) => known.max(from),
        };
        let found = look(looked_from);
        *self = found.map_or(Self::None, Self::At);
        found
    }
}

impl Hits<'_> {
    /// The next place at or after this one.
    pub fn next_from(&mut self, from: usize) -> Option<usize> {
        let bytes = self.bytes;
        let needle = self
            .needle
            .find(from, |from| self.of.needle.find(bytes, from));
        let find = |from| {
            self.of
                .besides
                .any
                .find_at(bytes, from)
                .map(|found| found.start())
        };
        let besides = self.besides.find(from, find);
        needle.into_iter().chain(besides).min()
    }
}

impl Selection {
    pub fn new(query: &Query, now: Time, options: &Options) -> Self {
        let matcher = Matcher::compile(query, now);
        let needle = matcher.needle(&|field, value| match field {
            // Told by us, by a number, or by another word.
            Field::Source | Field::Level => true,
            Field::Namespace => value.eq_ignore_ascii_case(&options.namespace),
            Field::Other(name) => name == "facility",
            _ => false,
        });
        let bytes =
            |besides: &'static Besides| needle.clone().map(|needle| Bytes { needle, besides });
        Self {
            times: matcher.time_range(),
            matcher,
            needle: bytes(&COLOURED),
            escaped: bytes(&ESCAPED),
        }
    }

    /// The times outside of which nothing is selected: at or after the first, before the second.
    pub fn times(&self) -> (Time, Time) {
        self.times
    }

    /// Whether it is answered by looking for words rather than by what is known of blocks.
    pub fn is_searched(&self) -> bool {
        self.needle.is_some()
    }

    /// What the bytes of a file's entries must hold, if that can be told.
    pub fn needle_for(&self, part: &Part) -> Option<&Bytes> {
        let format = part.format();
        if format.tears_words() {
            // Their words may be torn between lines.
            return None;
        }
        if format.escapes() {
            self.escaped.as_ref()
        } else {
            self.needle.as_ref()
        }
    }

    /// What a glance at an entry says.
    pub fn glance(&self, found: &Found<'_>) -> Verdict {
        if self.matcher.is_everything() {
            return Verdict::All;
        }
        let time = found.key.time;
        self.matcher
            .verdict_of_cell((time, time), found.level, &found.namespace)
    }

    /// Whether an entry is selected.
    pub fn selects(&self, part: &Part, found: &Found<'_>) -> bool {
        match self.glance(found) {
            Verdict::None => false,
            Verdict::All => true,
            Verdict::Some => self.matcher.matches(&part.decode(found.key, found.raw)),
        }
    }
}
