//! Text formats as data: a regular expression whose named groups say what the parts of a line mean.
//!
//! ```text
//! assets/formats.toml --+
//!                       +--> PatternOptions --Pattern::new--> Pattern --parse--> Entry
//! the configuration ----+
//! ```
//!
//! Groups: `time`, `level`, `msg`, `namespace`, `trace`, `span`, `instance` and `error` are those parts of an entry; the
//! members of a JSON object in `fields` become fields, every other group becomes a field of its name. Without a `level` a
//! `status` of HTTP tells it. What is found in no group are separators only: that is for the pattern to see to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use regex::{Match, Regex};
use serde::Deserialize;
use serde_json::Value;

use super::time::{self, Unsaid};
use super::{Defaults, Form, attach};
use crate::base::{Time, Zone};
use crate::entry::{Entry, Fields, Level, Scope, UnknownLevel, ink};

/// A text format as it is written in TOML, of the built-in list and of the configuration.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PatternOptions {
    /// What it is called.
    pub name: String,
    /// A regular expression with named groups, as the crate `regex` writes them; see the head of this file.
    pub pattern: String,
    /// The format's own words, letters or numbers for levels, as they are written, and ours that they mean. The usual words are known.
    #[serde(default)]
    pub levels: BTreeMap<String, String>,
    /// How `time` is written (`strptime` as `jiff` has it), where it is none of the forms of [`time::parse`]. Without a
    /// zone it is of the file's; without a year the one that puts it nearest before the arrival.
    #[serde(default)]
    pub time: Option<String>,
    /// A regular expression of lines that surely belong to the entry before, even if they look like the first of one.
    #[serde(default)]
    pub continues: Option<String>,
}

/// Why there is no such format.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A regular expression cannot be read.
    #[error("format {format:?}: expected a regular expression as its {key}: {reason}")]
    Expression {
        /// The format.
        format: String,
        /// `pattern` or `continues`.
        key: &'static str,
        /// Where, and what is wrong.
        reason: regex::Error,
    },
    /// None of the groups that make an entry.
    #[error(
        "format {format:?}: expected a group `time` or a group `msg` in its pattern, as (?<msg>.*), found neither"
    )]
    Groups {
        /// The format.
        format: String,
    },
    /// A word of its own means no level.
    #[error("format {format:?}, level {word:?}: {reason}")]
    Level {
        /// The format.
        format: String,
        /// The format's own word.
        word: String,
        /// What was expected and found.
        reason: UnknownLevel,
    },
    /// Times cannot be read as it says.
    #[error(
        "format {format:?}: expected a layout that tells date and time, as \"%d.%m.%Y %H:%M:%S\", found {layout:?}"
    )]
    Layout {
        /// The format.
        format: String,
        /// What it says.
        layout: String,
    },
}

/// How lines of one text format are taken apart.
#[derive(Clone, Debug)]
pub struct Pattern {
    name: String,
    head: Regex,
    parts: Vec<(usize, Part)>,
    levels: BTreeMap<String, Level>,
    layout: Option<String>,
    continues: Option<Regex>,
}

/// What a group of the expression means.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Time,
    Level,
    Status,
    Text,
    Namespace,
    Trace,
    Span,
    Instance,
    Error,
    Members,
    Field(String),
}

impl Pattern {
    /// A format, if what is said of it can be understood.
    pub fn new(options: &PatternOptions) -> Result<Self, PatternError> {
        let format = &options.name;
        let head = expression(format, "pattern", &options.pattern)?;
        let continues = options.continues.as_deref();
        let parts = parts(&head);
        let makes_entries = |(_, part): &(usize, Part)| matches!(part, Part::Time | Part::Text);
        if !parts.iter().any(makes_entries) {
            let format = format.clone();
            return Err(PatternError::Groups { format });
        }
        Ok(Self {
            name: format.clone(),
            head,
            parts,
            levels: levels(format, &options.levels)?,
            layout: options
                .time
                .as_deref()
                .map(|layout| checked(format, layout))
                .transpose()?,
            continues: continues
                .map(|pattern| expression(format, "continues", pattern))
                .transpose()?,
        })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the line looks like the first of an entry; its time is not read.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        let begins =
            |line: &str| self.head.is_match(line) && !is_found(self.continues.as_ref(), line);
        begins(line) || uncoloured(line).is_some_and(|line| begins(&line))
    }

    /// Whether the line surely belongs to the entry before, even if it looks like the first of one. Most such lines are
    /// told by matching nothing.
    #[must_use]
    pub fn continues(&self, line: &str) -> bool {
        let continues = self.continues.as_ref();
        is_found(continues, line) || uncoloured(line).is_some_and(|line| is_found(continues, &line))
    }

    /// The line as an entry, if it is the first of one and its time can be read. Colours around what is taken apart are
    /// taken off, those within the message stay. The form is always [`Form::Timed`]: other lines continue the entry.
    #[must_use]
    pub fn parse(&self, line: &str, defaults: &Defaults) -> Option<(Entry, Form)> {
        let entry = self
            .read(line, defaults)
            .or_else(|| self.read(&uncoloured(line)?, defaults))?;
        Some((entry, Form::Timed))
    }

    /// The formats that are known from the start, the more special before the more general.
    #[must_use]
    pub fn built_in() -> &'static [Self] {
        #[derive(Deserialize)]
        struct List {
            formats: Vec<PatternOptions>,
        }

        static BUILT_IN: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
            let list: List = toml::from_str(include_str!("../../../assets/formats.toml"))
                .expect("a list of formats, as a test checks");
            let made: Result<Vec<_>, _> = list.formats.iter().map(Pattern::new).collect();
            made.expect("formats that are understood, as a test checks")
        });
        &BUILT_IN
    }

    fn read(&self, line: &str, defaults: &Defaults) -> Option<Entry> {
        if is_found(self.continues.as_ref(), line) {
            return None;
        }
        let found = self.head.captures(line)?;
        let mut entry = Entry {
            time: defaults.arrival,
            scope: Scope {
                namespace: defaults.namespace.clone(),
                ..Scope::default()
            },
            text: line.to_owned(),
            source: defaults.source.clone(),
            ..Entry::default()
        };
        for (group, part) in &self.parts {
            let Some(text) = found.get(*group) else {
                continue;
            };
            match part {
                Part::Time => entry.time = self.time(text.as_str(), defaults.unsaid())?,
                Part::Level => self.put_level(&mut entry, text.as_str()),
                Part::Members => put_members(&mut entry, line, found.name("msg"), text),
                part => put(&mut entry, part, text.as_str()),
            }
        }
        Some(entry)
    }

    fn time(&self, text: &str, unsaid: Unsaid<'_>) -> Option<Time> {
        match &self.layout {
            Some(layout) => laid_out(text.trim(), layout, unsaid),
            None => time::parse(text, unsaid),
        }
    }

    /// A word that means no level stays, as a field.
    fn put_level(&self, entry: &mut Entry, word: &str) {
        let word = word.trim();
        let own = self.levels.get(word).copied();
        match own.or_else(|| word.parse().ok()) {
            Some(level) => entry.level = level,
            None => put(entry, &Part::Field("level".to_owned()), word),
        }
    }
}

fn is_found(expression: Option<&Regex>, line: &str) -> bool {
    expression.is_some_and(|expression| expression.is_match(line))
}

/// The line without its colours, if it has some.
fn uncoloured(line: &str) -> Option<String> {
    memchr::memchr(0x1b, line.as_bytes()).map(|_| ink::without(line))
}

fn expression(format: &str, key: &'static str, pattern: &str) -> Result<Regex, PatternError> {
    Regex::new(pattern).map_err(|reason| PatternError::Expression {
        format: format.to_owned(),
        key,
        reason,
    })
}

fn levels(
    format: &str,
    words: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Level>, PatternError> {
    let level = |(word, ours): (&String, &String)| match ours.parse::<Level>() {
        Ok(level) => Ok((word.clone(), level)),
        Err(reason) => Err(PatternError::Level {
            format: format.to_owned(),
            word: word.clone(),
            reason,
        }),
    };
    words.iter().map(level).collect()
}

/// A layout of times that can be read: what it writes is read again.
fn checked(format: &str, layout: &str) -> Result<String, PatternError> {
    let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    strtime::format(layout, &now)
        .ok()
        .and_then(|text| laid_out(&text, layout, Time(0).into()))
        .map(|_| layout.to_owned())
        .ok_or_else(|| PatternError::Layout {
            format: format.to_owned(),
            layout: layout.to_owned(),
        })
}

/// The named groups and what they mean.
fn parts(head: &Regex) -> Vec<(usize, Part)> {
    let has_level = head.capture_names().flatten().any(|name| name == "level");
    let meaning = |name: &str| match name {
        "time" => Part::Time,
        "level" => Part::Level,
        "status" if !has_level => Part::Status,
        "msg" => Part::Text,
        "namespace" => Part::Namespace,
        "trace" => Part::Trace,
        "span" => Part::Span,
        "instance" => Part::Instance,
        "error" => Part::Error,
        "fields" => Part::Members,
        name => Part::Field(name.to_owned()),
    };
    let names = head.capture_names().enumerate();
    names
        .filter_map(|(group, name)| Some((group, meaning(name?))))
        .collect()
}

/// A time in a layout of its own.
fn laid_out(text: &str, layout: &str, unsaid: Unsaid<'_>) -> Option<Time> {
    let read = BrokenDownTime::parse(layout, text).ok()?;
    if let Ok(timestamp) = read.to_timestamp() {
        return Time::from_timestamp(timestamp);
    }
    if read.iana_time_zone().is_some() {
        return Time::from_timestamp(read.to_zoned().ok()?.timestamp());
    }
    match read.to_datetime() {
        Ok(civil) => unsaid.zone.at(civil),
        Err(_) if read.year().is_none() => yearless(read, unsaid),
        Err(_) => None,
    }
}

/// A time without a year gets it as the usual form without one does.
fn yearless(mut read: BrokenDownTime, unsaid: Unsaid<'_>) -> Option<Time> {
    let zone = read.offset().map(Zone::fixed);
    let unsaid = Unsaid {
        zone: zone.as_ref().unwrap_or(unsaid.zone),
        ..unsaid
    };
    time::of_year(unsaid, |year| {
        read.set_year(Some(year)).ok()?;
        read.to_datetime().ok()
    })
}

/// Gives an entry a part of its line; `-` and nothing mean none.
fn put(entry: &mut Entry, part: &Part, text: &str) {
    if text.trim().is_empty() || (text == "-" && *part != Part::Text) {
        return;
    }
    let word = || Some(text.to_owned());
    // An id of zeros only means none.
    let id = || word().filter(|id| id.bytes().any(|byte| byte != b'0'));
    match part {
        Part::Text => text.clone_into(&mut entry.text),
        Part::Namespace => text.clone_into(&mut entry.scope.namespace),
        Part::Trace => entry.scope.trace = id(),
        Part::Span => entry.scope.span = id(),
        Part::Instance => entry.scope.instance = word(),
        Part::Error => entry.error = word(),
        Part::Status => {
            entry.level = of_status(text);
            entry.fields.insert("status".to_owned(), value(text));
        }
        Part::Field(name) => {
            entry.fields.insert(name.clone(), value(text));
        }
        // These need more than their text.
        Part::Time | Part::Level | Part::Members => {}
    }
}

/// The members of a JSON object become fields. What is none stays in the message, if it follows one.
fn put_members(entry: &mut Entry, line: &str, message: Option<Match<'_>>, found: Match<'_>) {
    if let Ok(members) = serde_json::from_str::<Fields>(found.as_str()) {
        for (name, value) in members {
            attach(entry, name, value);
        }
        return;
    }
    match message {
        Some(message) if message.end() <= found.start() => {
            line[message.start()..found.end()].clone_into(&mut entry.text);
        }
        _ => put(entry, &Part::Field("fields".to_owned()), found.as_str()),
    }
}

/// What a status of HTTP says of how an answer went.
fn of_status(status: &str) -> Level {
    match status.as_bytes() {
        [b'5', _, _] => Level::Error,
        [b'4', _, _] => Level::Warn,
        _ => Level::Info,
    }
}

/// A number where the text is how that number is written, else the text.
fn value(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Samples of forms that are decoded elsewhere: no format may take their lines.
    const OTHERS: [&str; 7] = [
        "apache-combined",
        "nginx-access",
        "plain-clock",
        "plain-epoch",
        "plain-untimed",
        "syslog-3164",
        "syslog-5424",
    ];

    fn made(toml: &str) -> Result<Pattern, PatternError> {
        Pattern::new(&toml::from_str(toml).expect("options"))
    }

    fn defaults() -> Defaults {
        let arrival = time::parse("2026-11-21T00:00:00Z", Time(0)).expect("a time");
        Defaults::at(arrival)
    }

    fn built_in(name: &str) -> &'static Pattern {
        let mut patterns = Pattern::built_in().iter();
        patterns
            .find(|pattern| pattern.name() == name)
            .expect("a built-in format")
    }

    fn parsed(pattern: &Pattern, line: &str) -> Entry {
        let (entry, form) = pattern.parse(line, &defaults()).expect("an entry");
        assert_eq!(form, Form::Timed);
        entry
    }

    fn sample(name: &str, ending: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
        let path = folder.join(format!("{name}.{ending}"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The entries of a sample by one format alone: lines that begin none continue the one before.
    fn entries(pattern: &Pattern, text: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for line in text.lines() {
            if let Some((entry, _)) = pattern.parse(line, &defaults()) {
                entries.push(entry);
                continue;
            }
            let last = entries.last_mut().expect("a head before what continues");
            last.text.push('\n');
            last.text.push_str(line);
        }
        entries
    }

    /// What the entry has of what is wanted, in the same form.
    fn compared(entry: &Entry, wanted: &Value) -> Value {
        let wanted = wanted.as_object().expect("an object");
        let of = |key: &str, value: &Value| match key {
            "time" => json!(entry.time.to_string()),
            "level" => json!(entry.level.word()),
            "msg" => json!(entry.text),
            "error" => json!(entry.error),
            "namespace" => json!(entry.scope.namespace),
            "trace" => json!(entry.scope.trace),
            "span" => json!(entry.scope.span),
            _ => {
                let names = value.as_object().expect("fields").keys();
                let fields = names.map(|name| (name.clone(), json!(entry.fields.get(name))));
                Value::Object(fields.collect())
            }
        };
        let pairs = wanted
            .iter()
            .map(|(key, value)| (key.clone(), of(key, value)));
        Value::Object(pairs.collect())
    }

    #[test]
    fn samples_are_read_as_they_are_meant() {
        for pattern in Pattern::built_in() {
            let name = pattern.name();
            let entries = entries(pattern, &sample(name, "log"));
            let wanted = sample(name, "expected.jsonl");
            assert_eq!(entries.len(), wanted.lines().count(), "{name}");
            for (entry, wanted) in entries.iter().zip(wanted.lines()) {
                let wanted: Value = serde_json::from_str(wanted).expect("JSON");
                assert_eq!(compared(entry, &wanted), wanted, "{name}");
            }
        }
    }

    #[test]
    fn a_line_is_first_matched_by_its_own_format() {
        let takes =
            |pattern: &&Pattern, line: &str| pattern.matches(line) || pattern.continues(line);
        let first = |line: &str| {
            let mut patterns = Pattern::built_in().iter();
            patterns
                .find(|pattern| takes(pattern, line))
                .map(Pattern::name)
        };
        for pattern in Pattern::built_in() {
            let name = pattern.name();
            for (at, line) in sample(name, "log").lines().enumerate() {
                let found = first(line);
                assert!(
                    found == Some(name) || (at > 0 && found.is_none()),
                    "{name}: {line}: {found:?}"
                );
            }
        }
        for name in OTHERS {
            for line in sample(name, "log").lines() {
                assert_eq!(first(line), None, "{name}: {line}");
            }
        }
    }

    #[test]
    fn groups_are_parts_of_an_entry() {
        let pattern = made(
            r#"
            name = "own"
            pattern = '^(?<time>\S+) (?<level>\S*) (?<namespace>\S+) (?<trace>\S+) (?<span>\S+) (?<instance>\S+) (?<error>\S+) (?<n>\S+) (?<m>\S*) (?<msg>.*)$'
            levels = { "7" = "warn", "loud" = "error" }
            "#,
        )
        .expect("a format");
        let entry = parsed(
            &pattern,
            "2026-03-14T09:00:00.5Z 7 shop t1 s1 pod-1 refused 12  it's - said",
        );
        assert_eq!(entry.time.to_string(), "2026-03-14T09:00:00.5Z");
        assert_eq!(
            (entry.level, entry.text.as_str()),
            (Level::Warn, "it's - said")
        );
        assert_eq!(entry.scope.namespace, "shop");
        assert_eq!(entry.scope.trace.as_deref(), Some("t1"));
        assert_eq!(entry.scope.span.as_deref(), Some("s1"));
        assert_eq!(entry.scope.instance.as_deref(), Some("pod-1"));
        assert_eq!(entry.error.as_deref(), Some("refused"));
        assert_eq!(Value::Object(entry.fields), json!({"n": 12}));

        let entry = parsed(&pattern, "1773478800 noisy - 000 - - - 007 -1 ");
        assert_eq!(entry.text, "1773478800 noisy - 000 - - - 007 -1 ");
        assert_eq!(
            (entry.level, entry.scope.namespace.as_str()),
            (Level::Info, "default")
        );
        assert_eq!(
            (&entry.scope.trace, &entry.scope.span, &entry.error),
            (&None, &None, &None)
        );
        assert_eq!(
            Value::Object(entry.fields),
            json!({"level": "noisy", "n": "007", "m": -1})
        );
        assert!(pattern.matches("soon 7 a b c d e f g h"));
        assert_eq!(pattern.parse("soon 7 a b c d e f g h", &defaults()), None);
    }

    #[test]
    fn numbers_are_what_is_written_as_one() {
        let cases = [
            ("0", json!(0)),
            ("-1", json!(-1)),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!("9223372036854775808")),
            ("007", json!("007")),
            ("-0", json!("-0")),
            ("+1", json!("+1")),
            ("1.5", json!("1.5")),
        ];
        for (text, wanted) in cases {
            assert_eq!(value(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_status_tells_the_level_where_none_is_told() {
        let silent = made(
            r"pattern = '^(?<msg>.*) (?<status>\S+)$'
            name = 'silent'",
        )
        .expect("a format");
        let telling = made(
            r"pattern = '^(?<level>\w+) (?<msg>.*) (?<status>\S+)$'
            name = 'telling'",
        )
        .expect("a format");
        let cases = [
            ("GET / 200", Level::Info),
            ("GET / 404", Level::Warn),
            ("GET / 503", Level::Error),
            ("GET / -1", Level::Info),
        ];
        for (line, level) in cases {
            assert_eq!(parsed(&silent, line).level, level, "{line}");
        }
        let entry = parsed(&telling, "debug GET / 503");
        assert_eq!(
            (entry.level, entry.fields.get("status")),
            (Level::Debug, Some(&json!(503)))
        );
    }

    #[test]
    fn times_are_read_as_laid_out() {
        let cases = [
            (
                "%d.%m.%Y %H:%M:%S",
                "14.03.2026 09:00:00",
                "2026-03-14T09:00:00Z",
            ),
            (
                "%Y%m%d %H%M%S%.f %z",
                "20260314 100000.5 +0100",
                "2026-03-14T09:00:00.5Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S %Q",
                "2026-03-14 09:00:00 UTC",
                "2026-03-14T09:00:00Z",
            ),
            (
                "%b %d %H:%M:%S,%f",
                "Mar 14 09:00:00,250",
                "2026-03-14T09:00:00.25Z",
            ),
            (
                "%m%d %H:%M:%S%.f",
                "1224 09:00:00.123456",
                "2025-12-24T09:00:00.123456Z",
            ),
            (
                "%m/%d %H:%M:%S %z",
                "03/14 10:00:00 +0100",
                "2026-03-14T09:00:00Z",
            ),
            ("%s", "1773478800", "2026-03-14T09:00:00Z"),
        ];
        for (layout, text, wanted) in cases {
            let time = laid_out(text, layout, defaults().unsaid());
            assert_eq!(
                time.map(|time| time.to_string()).as_deref(),
                Some(wanted),
                "{layout}"
            );
            assert_eq!(checked("own", layout).as_deref(), Ok(layout));
        }
        for bad in [
            "",
            "14.03.2026",
            "32.03.2026 09:00:00",
            "14.03.2026 09:00:00 more",
        ] {
            assert_eq!(
                laid_out(bad, "%d.%m.%Y %H:%M:%S", Time(0).into()),
                None,
                "{bad}"
            );
        }
    }

    #[test]
    fn lines_that_continue_are_no_entries() {
        let pattern = made(
            r"
            name = 'own'
            pattern = '^(?<time>\S+) (?<level>\S+): (?<msg>.*)$'
            continues = '^\S+ MORE: '",
        )
        .expect("a format");
        let more = "2026-03-14T09:00:00Z MORE: it";
        assert!(pattern.continues(more) && !pattern.matches(more));
        assert_eq!(pattern.parse(more, &defaults()), None);
        let head = "2026-03-14T09:00:00Z INFO: it";
        assert!(!pattern.continues(head) && pattern.matches(head));
    }

    #[test]
    fn colours_are_taken_off_with_what_they_colour() {
        let pattern = built_in("log4j");
        let coloured = "\u{1b}[2m2026-03-14 09:00:00,123\u{1b}[0m [main] \u{1b}[31mERROR\u{1b}[0m a.B - \u{1b}[1mm\u{1b}[0m";
        assert!(pattern.matches(coloured));
        let entry = parsed(pattern, coloured);
        assert_eq!((entry.level, entry.text.as_str()), (Level::Error, "m"));
        let within = "2026-03-14 09:00:00,123 [main] ERROR a.B - \u{1b}[1mm\u{1b}[0m";
        assert_eq!(parsed(pattern, within).text, "\u{1b}[1mm\u{1b}[0m");
    }

    #[test]
    fn members_of_objects_are_fields() {
        let pattern = built_in("laravel");
        let head = "[2026-03-14 09:00:00] production.INFO: ";
        let cases = [
            (
                r#"paid {"order":7,"trace":"t1"} []"#,
                "paid",
                json!({"order": 7}),
                Some("t1"),
            ),
            ("paid [] []", "paid", json!({}), None),
            (
                "see {this} and {that}",
                "see {this} and {that}",
                json!({}),
                None,
            ),
            (
                r#"a {b} {"order":7}"#,
                r#"a {b} {"order":7}"#,
                json!({}),
                None,
            ),
        ];
        for (message, text, mut fields, trace) in cases {
            let entry = parsed(pattern, &format!("{head}{message}"));
            fields["channel"] = json!("production");
            assert_eq!(
                (entry.text.as_str(), entry.scope.trace.as_deref()),
                (text, trace)
            );
            assert_eq!(Value::Object(entry.fields), fields, "{message}");
        }
        let first = made(
            r"name = 'own'
            pattern = '^(?<fields>\S+) (?<msg>.*)$'",
        )
        .expect("a format");
        let entry = parsed(&first, "{} done");
        assert_eq!((entry.text.as_str(), entry.fields.len()), ("done", 0));
        let entry = parsed(&first, "{a done");
        assert_eq!(
            (entry.text.as_str(), entry.fields.get("fields")),
            ("done", Some(&json!("{a")))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            (
                "pattern = '(?<msg>.*'",
                "format \"own\": expected a regular expression as its pattern: ",
            ),
            (
                "pattern = '(?<msg>.*)'\ncontinues = '['",
                "as its continues: ",
            ),
            (
                "pattern = '(?<level>.*)'",
                "expected a group `time` or a group `msg`",
            ),
            (
                "pattern = '(?<msg>.*)'\nlevels = { L = 'loud' }",
                "level \"L\": expected a level (trace, debug",
            ),
            (
                "pattern = '(?<time>.*)'\ntime = '%H:%M'",
                "tells date and time",
            ),
            (
                "pattern = '(?<time>.*)'\ntime = '%Y-%m-%d %H:%M %Z'",
                "found \"%Y-%m-%d %H:%M %Z\"",
            ),
            ("pattern = '(?<time>.*)'\ntime = '%!'", "found \"%!\""),
        ];
        for (options, wanted) in cases {
            let error = made(&format!("name = 'own'\n{options}")).expect_err("no format");
            assert!(error.to_string().contains(wanted), "{options}: {error}");
        }
        let unknown = toml::from_str::<PatternOptions>("name = 'own'\npattern = ''\nlayout = ''");
        assert!(unknown.is_err());
    }

    #[test]
    fn names_are_unlike() {
        let mut names: Vec<&str> = Pattern::built_in().iter().map(Pattern::name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    proptest! {
        /// Whatever comes, nothing panics, and the text of an entry is what stood in its line.
        #[test]
        fn any_line_is_taken_or_left(line in "(\\[|# Time: |2026-03-14T09:00:00.123Z |7:M )?(.|\u{1b}\\[1m){0,60}") {
            for pattern in Pattern::built_in() {
                let begins = pattern.matches(&line);
                if let Some((entry, _)) = pattern.parse(&line, &defaults()) {
                    prop_assert!(begins, "{}", pattern.name());
                    let bare = ink::without(&line);
                    prop_assert!(!entry.text.is_empty());
                    prop_assert!(line.contains(&entry.text) || bare.contains(&entry.text), "{}", pattern.name());
                }
            }
        }

        /// Whatever the message, it stays whole.
        #[test]
        fn messages_stay_whole(message in "[^\n]{0,60}") {
            for (name, head) in [
                ("log4j", "2026-03-14 09:00:00,123 [main] ERROR com.shop.Pay - "),
                ("python-logging", "2026-03-14 09:00:00,123 - shop - INFO - "),
                ("env-logger", "[2026-03-14T09:00:00Z INFO  app::web] "),
                ("redis", "1:M 14 Mar 2026 09:00:00.123 - "),
                ("glog", "E0314 09:00:00.123456   1 file.go:12] "),
                ("dmesg", "[    1.234567] "),
            ] {
                let line = format!("{head}{message}");
                let wanted = if message.trim().is_empty() { &line } else { &message };
                let entry = parsed(built_in(name), &line);
                prop_assert_eq!(&entry.text, wanted, "{}", name);
            }
        }
    }
}
