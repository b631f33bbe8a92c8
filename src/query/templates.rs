//! Lines of one shape, and how often they occur: clustered by a fixed-depth tree, after Drain (He, Zhu, Zheng, Lyu: Drain, an
//! online log parsing approach with fixed depth tree, ICWS 2017).
//!
//! A line is cut into words; what of a word holds digits is a variable. Lines of as many words that begin alike are one
//! template when most of their words are the same; what differs becomes a variable, too.

use std::borrow::Cow;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::quiet::{Beats, Quiet, speaker};
use super::{Expression, Pattern};
use crate::base::Time;
use crate::entry::Entry;

/// What stands for a variable.
pub const VARIABLE: &str = "<*>";
/// Words of a line that count; the rest stands for anything.
const MAX_WORDS: usize = 40;
/// Bytes of a line that count.
const MAX_BYTES: usize = 1_000;
/// Templates that are told apart; lines of further ones only count as looked at.
const MAX_TEMPLATES: usize = 5_000;
/// Of ten words so many have to be the same.
const ALIKE: usize = 6;
/// Times at which a template was seen, for its sparkline.
const BUCKETS: usize = 40;
/// Namespaces that are named.
const MAX_NAMESPACES: usize = 3;

/// A template and how it occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Its words; `<*>` stands for what differs.
    pub text: String,
    /// Lines of it.
    pub count: u64,
    /// Of each level, mildest first.
    pub levels: [u64; 6],
    /// Time of the oldest, nanoseconds since the epoch.
    pub first: i64,
    /// Time of the newest.
    pub last: i64,
    /// How many in each part of the span, oldest first.
    pub over_time: Vec<u64>,
    /// Namespaces it occurs in, three at the most.
    pub namespaces: Vec<String>,
}

/// Templates of the newest entries that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Templates {
    /// Most frequent first.
    pub templates: Vec<Template>,
    /// Entries that were looked at.
    pub looked_at: u64,
    /// Time of the oldest of them, nanoseconds since the epoch.
    pub from: i64,
    /// Time of the newest of them.
    pub to: i64,
    /// Whether there are older ones that were not.
    pub partial: bool,
    /// Beats that stopped, the surest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quiet: Vec<Quiet>,
}

impl Template {
    /// What matches its lines.
    #[must_use]
    pub fn expression(&self) -> Expression {
        lines_of(&self.text)
    }
}

/// What matches the lines of a template.
#[must_use]
pub fn lines_of(template: &str) -> Expression {
    let words: Vec<String> = template
        .split(' ')
        .map(|word| {
            let parts: Vec<Cow<'_, str>> = word
                .split(VARIABLE)
                .map(|part| Cow::Owned(regex::escape(part)))
                .collect();
            match parts.as_slice() {
                // A variable may be anything, nothing too where it is part of a word.
                [before, after] if before.is_empty() && after.is_empty() => r"\S+".to_owned(),
                parts => parts.join(r"\S*"),
            }
        })
        .collect();
    let is_cut = template.ends_with(CUT);
    let (words, end) = if is_cut {
        (&words[..words.len() - 1], r"\s")
    } else {
        (words.as_slice(), r"\s*(?:\n|$)")
    };
    let regex = format!(r"^\s*{}{end}", words.join(r"\s+"));
    Expression::Term(super::Term::Text(Pattern::Regex(regex)))
}

/// The last word of a template whose lines are longer than is looked at.
const CUT: &str = "…";

/// Tells templates apart.
#[derive(Debug, Default)]
pub struct Miner {
    /// Words of each.
    templates: Vec<Vec<Cow<'static, str>>>,
    /// Which begin so, by the number of their words.
    tree: HashMap<(usize, String), Vec<usize>>,
}

impl Miner {
    /// The number of a line's template; nothing when there are too many.
    pub fn learn(&mut self, text: &str) -> Option<usize> {
        let words = words(text);
        let first = words.first().map_or("", |word| word.as_ref());
        let key = (words.len(), first.to_owned());
        let known = self.tree.entry(key).or_default();
        let alike = |template: &[Cow<'static, str>]| {
            let same = template.iter().zip(&words).filter(|(a, b)| a == b);
            same.count()
        };
        let best = known
            .iter()
            .map(|number| (alike(&self.templates[*number]), *number))
            .max_by_key(|(same, number)| (*same, std::cmp::Reverse(*number)));
        if let Some((same, number)) = best
            && same * 10 >= words.len() * ALIKE
        {
            for (word, other) in self.templates[number].iter_mut().zip(&words) {
                if word != other {
                    *word = Cow::Borrowed(VARIABLE);
                }
            }
            return Some(number);
        }
        if self.templates.len() >= MAX_TEMPLATES {
            return None;
        }
        let owned = words
            .into_iter()
            .map(|word| Cow::Owned(word.into_owned()))
            .collect();
        known.push(self.templates.len());
        self.templates.push(owned);
        Some(self.templates.len() - 1)
    }

    /// The words of a template.
    #[must_use]
    pub fn text(&self, number: usize) -> String {
        let words = self.templates.get(number).map_or(&[][..], Vec::as_slice);
        words.join(" ")
    }
}

/// The words of the first line of a text; variables are marked.
fn words(text: &str) -> Vec<Cow<'_, str>> {
    let line = text.trim_start().lines().next().unwrap_or_default();
    let line = &line[..line.floor_char_boundary(MAX_BYTES)];
    let mut words: Vec<Cow<'_, str>> = line
        .split_whitespace()
        .take(MAX_WORDS + 1)
        .map(masked)
        .collect();
    if words.len() > MAX_WORDS {
        words.truncate(MAX_WORDS);
        words.push(Cow::Borrowed(CUT));
    }
    words
}

/// A word in which every run of letters and digits that has a digit is a variable; several in a row are one.
fn masked(word: &str) -> Cow<'_, str> {
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(word);
    }
    let mut masked = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let is_part = |character: char| character.is_alphanumeric();
        let run = rest
            .find(|character| !is_part(character))
            .unwrap_or(rest.len());
        if run > 0 {
            let (part, after) = rest.split_at(run);
            if part.bytes().any(|byte| byte.is_ascii_digit()) {
                masked.push_str(VARIABLE);
            } else {
                masked.push_str(part);
            }
            rest = after;
        }
        let gap = rest.find(is_part).unwrap_or(rest.len());
        let (between, after) = rest.split_at(gap);
        masked.push_str(between);
        rest = after;
    }
    // 10.0.0.1, 2026-03-14, 550e8400-e29b-…: one thing each.
    for joint in [".", "-", ":", "/", ","] {
        let several = format!("{VARIABLE}{joint}{VARIABLE}");
        while masked.contains(&several) {
            masked = masked.replace(&several, VARIABLE);
        }
    }
    Cow::Owned(masked)
}

/// Counts templates of entries as they are looked at, the newest first.
#[derive(Debug, Default)]
pub struct TemplateCounts {
    miner: Miner,
    seen: Vec<Seen>,
    looked_at: u64,
    times: Option<(Time, Time)>,
    beats: Beats,
}

#[derive(Debug, Default)]
struct Seen {
    levels: [u64; 6],
    times: Vec<i64>,
    namespaces: Vec<String>,
}

impl TemplateCounts {
    /// Counts an entry.
    pub fn add(&mut self, entry: &Entry) {
        self.looked_at += 1;
        let (oldest, newest) = self.times.unwrap_or((entry.time, entry.time));
        self.times = Some((oldest.min(entry.time), newest.max(entry.time)));
        let Some(number) = self.miner.learn(&entry.text) else {
            return;
        };
        if self.seen.len() <= number {
            self.seen.resize_with(number + 1, Seen::default);
        }
        self.beats.add(speaker(entry), number, entry.time);
        let seen = &mut self.seen[number];
        seen.levels[entry.level as usize] += 1;
        seen.times.push(entry.time.0);
        let namespace = &entry.scope.namespace;
        if seen.namespaces.len() < MAX_NAMESPACES && !seen.namespaces.contains(namespace) {
            seen.namespaces.push(namespace.clone());
        }
    }

    /// Entries that were looked at.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// The most frequent of them.
    #[must_use]
    pub fn top(self, partial: bool, limit: usize) -> Templates {
        let Some((from, to)) = self.times else {
            return Templates::default();
        };
        let mut templates: Vec<Template> = self
            .seen
            .iter()
            .enumerate()
            .map(|(number, seen)| Template {
                text: self.miner.text(number),
                count: seen.levels.iter().sum(),
                levels: seen.levels,
                first: seen.times.iter().copied().min().unwrap_or(to.0),
                last: seen.times.iter().copied().max().unwrap_or(from.0),
                over_time: over_time(&seen.times, (from, to)),
                namespaces: seen.namespaces.clone(),
            })
            .collect();
        // Lines that became alike only later are one.
        templates.sort_by(|a, b| a.text.cmp(&b.text));
        templates.dedup_by(|next, kept| {
            let is_same = next.text == kept.text;
            if is_same {
                kept.take_in(next);
            }
            is_same
        });
        // What is severe goes before what is as frequent and is not.
        templates.sort_by(|a, b| {
            let key = |of: &Template| (of.count, of.levels[4] + of.levels[5]);
            key(b).cmp(&key(a)).then_with(|| a.text.cmp(&b.text))
        });
        templates.truncate(limit);
        Templates {
            templates,
            looked_at: self.looked_at,
            from: from.0,
            to: to.0,
            partial,
            quiet: self.beats.quiet(to, |number| self.miner.text(number)),
        }
    }
}

impl Template {
    fn take_in(&mut self, other: &Self) {
        self.count += other.count;
        for (own, more) in self.levels.iter_mut().zip(other.levels) {
            *own += more;
        }
        for (own, more) in self.over_time.iter_mut().zip(&other.over_time) {
            *own += more;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// How many in each part of a span.
fn over_time(times: &[i64], (from, to): (Time, Time)) -> Vec<u64> {
    let span = to.0.saturating_sub(from.0).max(1);
    let mut parts = vec![0; BUCKETS];
    for time in times {
        let offset = u128::from(time.saturating_sub(from.0).unsigned_abs());
        let part = offset * BUCKETS as u128 / (u128::from(span.unsigned_abs()) + 1);
        if let Some(part) = usize::try_from(part).ok().and_then(|at| parts.get_mut(at)) {
            *part += 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Level;
    use crate::query::{Matcher, Query};

    fn counted(lines: &[&str]) -> Vec<(String, u64)> {
        let mut counts = TemplateCounts::default();
        for (n, line) in (0..).zip(lines) {
            counts.add(&Entry {
                time: Time(n * 1_000),
                text: (*line).to_owned(),
                ..Entry::default()
            });
        }
        let top = counts.top(false, 100).templates.into_iter();
        top.map(|of| (of.text, of.count)).collect()
    }

    #[test]
    fn lines_of_one_shape_are_one() {
        let lines = [
            "request 1 from 10.0.0.1:8080 took 12ms",
            "request 22 from 10.0.0.2:8080 took 7ms",
            "user alice logged in",
            "user bob logged in",
            "order o-17 (550e8400-e29b-41d4-a716-446655440000) failed: code=502",
            "order o-18 (550e8400-e29b-41d4-a716-446655440001) failed: code=503",
            "started",
            "stopped",
            "",
        ];
        let expected = [
            ("order o-<*> (<*>) failed: code=<*>", 2),
            ("request <*> from <*> took <*>", 2),
            ("user <*> logged in", 2),
            ("", 1),
            ("started", 1),
            ("stopped", 1),
        ];
        let expected: Vec<(String, u64)> = expected
            .iter()
            .map(|(text, count)| ((*text).to_owned(), *count))
            .collect();
        assert_eq!(counted(&lines), expected);
    }

    #[test]
    fn when_and_where_and_how_severe_is_told() {
        let mut counts = TemplateCounts::default();
        for n in 0..100_i64 {
            let mut entry = Entry {
                time: Time(n),
                level: if n < 90 { Level::Info } else { Level::Error },
                text: if n < 90 {
                    "fine 1".into()
                } else {
                    "bad 1".into()
                },
                ..Entry::default()
            };
            entry.scope.namespace = format!("ns-{}", n % 5);
            counts.add(&entry);
        }
        let top = counts.top(true, 10);
        assert_eq!(
            (top.looked_at, top.from, top.to, top.partial),
            (100, 0, 99, true)
        );
        let bad = &top.templates[1];
        assert_eq!(
            (bad.text.as_str(), bad.count, bad.levels[4]),
            ("bad <*>", 10, 10)
        );
        assert_eq!((bad.first, bad.last, bad.namespaces.len()), (90, 99, 3));
        assert_eq!(bad.over_time.iter().sum::<u64>(), 10);
        assert!(bad.over_time[..36].iter().all(|count| *count == 0));
    }

    proptest! {
        /// A line is found by its template, whatever is in it.
        #[test]
        fn a_template_finds_its_lines(lines in prop::collection::vec("[a-c0-9 .:*(]{0,30}(\n.{0,5})?|.{0,20}", 1..12)) {
            let mut counts = TemplateCounts::default();
            let entries: Vec<Entry> = lines.iter().map(|line| Entry { text: line.clone(), ..Entry::default() }).collect();
            for entry in &entries {
                counts.add(entry);
            }
            let top = counts.top(false, 1_000).templates;
            let matchers: Vec<Matcher> = top
                .iter()
                .map(|of| Matcher::compile(&Query(of.expression()), Time(0)))
                .collect();
            for entry in &entries {
                let found = matchers.iter().any(|matcher| matcher.matches(entry));
                prop_assert!(found, "{:?} is in none of {:?}", entry.text, top.iter().map(|of| &of.text).collect::<Vec<_>>());
            }
        }
    }
}
