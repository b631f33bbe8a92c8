//! Which format the lines of a file have, told by some of them.

use std::sync::LazyLock;

use regex::Regex;

use super::format::{Format, How};
use super::lines::looks_continued;
use super::pattern::Pattern;
use super::{Decoder, Defaults, access, container, export, logfmt, plain, syslog};
use crate::base::Time;
use crate::entry::{Level, bytes};

/// Lines looked at.
const SAMPLE: usize = 200;
/// One in so many lines must be an object.
const BETWEEN: usize = 4;
/// One in so many lines must carry a time, so that those that do begin the entries: the others are stack traces.
const TIMED: usize = 20;

/// Whether a line is of a form.
type Test<'t> = &'t dyn Fn(&str) -> bool;

impl Format {
    /// The format of lines (some whole ones of a file): one of the user's own, or of those that are known.
    #[must_use]
    pub fn detect(sample: &[u8], own: &[Format]) -> Self {
        let text = bytes::decode(sample);
        let heads: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty() && !looks_continued(line.as_bytes()))
            .take(SAMPLE)
            .collect();
        let most = |is_so: &dyn Fn(&str) -> bool| {
            heads.iter().filter(|line| is_so(line)).count() * 2 > heads.len()
        };
        let defaults = Defaults::at(Time(0));
        if sample.starts_with(export::BEGINS) {
            return Self::of("journal-export", How::Export);
        }
        if let Some(own) = own
            .iter()
            .find(|own| most(&|line| own.begins(line.as_bytes(), || None)))
        {
            return own.clone();
        }
        let known: [(&str, How, Test<'_>); 5] = [
            ("docker", How::Lines(Decoder::Container), &|line| {
                container::docker(line, &defaults).is_some()
            }),
            ("cri", How::Lines(Decoder::Container), &|line| {
                container::cri(line, &defaults).is_some()
            }),
            ("syslog", How::Lines(Decoder::Syslog), &|line| {
                syslog::prioritised(line, &defaults).is_some()
            }),
            ("logfmt", How::Lines(Decoder::Logfmt), &|line| {
                logfmt::parse(line).is_some()
            }),
            ("json-pretty", How::PrettyJson, &|line| {
                matches!(line.trim_end(), "{" | "}" | "},")
            }),
        ];
        if let Some((name, how, _)) = known.into_iter().find(|(_, _, is_so)| most(is_so)) {
            return Self::of(name, how);
        }
        // Objects need not be the most: between them stand the panics and banners of those who write them.
        if heads.iter().filter(|line| is_object(line)).count() * BETWEEN >= heads.len().max(1) {
            return Self::of("json", How::Json);
        }
        Self::of_pattern_that_fits(&heads)
            .or_else(|| Self::of_text(&heads))
            .unwrap_or_else(Self::untimed)
    }

    /// The built-in pattern that most lines match: others of such a file go on where one ended.
    fn of_pattern_that_fits(heads: &[&str]) -> Option<Self> {
        let fits = |pattern: &Pattern, line: &str| pattern.matches(line) || pattern.continues(line);
        let matched = |pattern: &Pattern| heads.iter().filter(|line| fits(pattern, line)).count();
        let mut best: Option<(usize, &Pattern)> = None;
        for pattern in Pattern::built_in() {
            let count = matched(pattern);
            if count * 4 > heads.len() && best.is_none_or(|(most, _)| count > most) {
                best = Some((count, pattern));
            }
        }
        best.map(|(_, pattern)| Self::of_pattern(pattern.clone()))
    }

    fn of_text(heads: &[&str]) -> Option<Self> {
        let defaults = Defaults::at(Time(0));
        let count = |is_so: &dyn Fn(&str) -> bool| heads.iter().filter(|line| is_so(line)).count();
        if count(&|line| access::parse(line, &defaults).is_some()) * 2 > heads.len() {
            return Some(Self::of("access", How::Lines(Decoder::Access)));
        }
        if count(&is_tagged) * 2 > heads.len() {
            return Some(Self::of("syslog", How::Lines(Decoder::Syslog)));
        }
        let timed = count(&|line| plain::is_headed(line, Time(0)));
        let is_timed = timed > 0 && timed * TIMED >= heads.len();
        is_timed.then(|| Self::of("plain", How::Lines(Decoder::Plain)))
    }

    /// The names of all formats.
    #[must_use]
    pub fn names(own: &[Format]) -> Vec<String> {
        let own = own.iter().map(|own| own.name().to_owned());
        let lines = Decoder::ALL.iter().map(|(name, _)| *name);
        let lines = lines.filter(|name| !matches!(*name, "auto" | "container"));
        let more = ["json-pretty", "docker", "cri", "journal-export", "text"];
        let patterns = Pattern::built_in()
            .iter()
            .map(|pattern| pattern.name().to_owned());
        let built_in = lines.chain(more).map(str::to_owned);
        own.chain(built_in).chain(patterns).collect()
    }

    /// The format of this name.
    ///
    /// # Errors
    /// There is none; what is said tells which there are.
    pub fn called(name: &str, own: &[Format]) -> Result<Self, String> {
        Self::named(name, own).ok_or_else(|| {
            let names = Self::names(own).join(", ");
            format!("there is no format {name:?}: expected one of {names}")
        })
    }

    fn named(name: &str, own: &[Format]) -> Option<Self> {
        if let Some(own) = own.iter().find(|own| own.name() == name) {
            return Some(own.clone());
        }
        if let Some(pattern) = Pattern::built_in()
            .iter()
            .find(|built_in| built_in.name() == name)
        {
            return Some(Self::of_pattern(pattern.clone()));
        }
        let how = match name {
            "json" => How::Json,
            "json-pretty" => How::PrettyJson,
            "journal-export" => How::Export,
            "docker" | "cri" => How::Lines(Decoder::Container),
            "text" => How::Untimed,
            other => How::Lines(other.parse().ok()?),
        };
        Some(Self::of(name, how))
    }
}

/// Whether a line has a time, a host and a tag with a colon, as syslog writes them to files.
fn is_tagged(line: &str) -> bool {
    static TAGGED: LazyLock<Regex> = LazyLock::new(|| {
        let time =
            r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:\d\d))";
        let tag = r"(?:(?<host>\S+) )?[^\s:\[]+(?:\[[^\]]+\])?:(?: |$)";
        Regex::new(&format!("^{time} {tag}")).expect("a valid pattern")
    });
    let found = TAGGED.captures(line);
    let host = |found: regex::Captures<'_>| {
        let host = found.name("host").map(|host| host.as_str().to_owned());
        host.is_none_or(|host| host.parse::<Level>().is_err())
    };
    found.is_some_and(host)
}

fn is_object(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}
