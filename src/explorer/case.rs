//! A case: rows that were marked, with notes; kept in a file that opens again, or handed on as Markdown, lines of JSON or CSV.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Time;
use crate::entry::decode::{Defaults, from_wire};
use crate::entry::json::to_line;
use crate::entry::{Entry, Key, Pseudonyms, visible};

/// The form of case files that is written.
const VERSION: u32 = 1;

/// A row that was marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The entry, whole as far as it was known.
    pub entry: Entry,
    /// What is to be said about it; nothing perhaps.
    pub note: String,
    /// What was asked for when it was found.
    pub query: String,
}

/// Marked rows, oldest first, and where they are from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// What was explored, as it was named on the command line.
    pub sources: Vec<String>,
    /// What was asked for last.
    pub query: String,
    /// The rows.
    pub marks: Vec<Mark>,
}

/// Why there is no case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// It is not JSON, or not of this form.
    #[error("expected a case file, found {0}")]
    Form(String),
    /// It was written by a later program.
    #[error(
        "expected a case file of version {VERSION}, found version {0}: a newer tailwater wrote it"
    )]
    Version(u32),
}

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    tailwater_case: u32,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    query: String,
    marks: Vec<FileMark>,
}

#[derive(Serialize, Deserialize)]
struct FileMark {
    #[serde(default)]
    note: String,
    #[serde(default)]
    query: String,
    entry: Value,
}

/// In which form a case is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseForm {
    /// A file that opens again.
    Case,
    /// A timeline for a report.
    Markdown,
    /// The entries, a line each.
    Ndjson,
    /// A table.
    Csv,
}

impl CaseForm {
    /// The form that the name of a file asks for; a case, unless it says something else.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("md" | "markdown") => Self::Markdown,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            Some("csv") => Self::Csv,
            _ => Self::Case,
        }
    }
}

impl Case {
    /// The mark of a row.
    #[must_use]
    pub fn of(&self, key: Key) -> Option<&Mark> {
        let at = self
            .marks
            .binary_search_by_key(&key, |mark| mark.entry.key());
        at.ok().and_then(|at| self.marks.get(at))
    }

    /// The name of what is explored, as it was named.
    pub(super) fn place(&self) -> String {
        self.sources.join(" ")
    }

    /// Marks a row, or changes its note.
    pub fn mark(&mut self, mark: Mark) {
        let key = mark.entry.key();
        match self.marks.binary_search_by_key(&key, |of| of.entry.key()) {
            Ok(at) => self.marks[at] = mark,
            Err(at) => self.marks.insert(at, mark),
        }
    }

    /// The same with pseudonyms for who and what is secret.
    pub(super) fn disguised(&self, names: &mut Pseudonyms) -> Self {
        let mark = |mark: &Mark, names: &mut Pseudonyms| Mark {
            entry: names.entry(&mark.entry),
            note: names.text(&mark.note),
            query: names.text(&mark.query),
        };
        Self {
            marks: self.marks.iter().map(|of| mark(of, names)).collect(),
            sources: self
                .sources
                .iter()
                .map(|source| names.text(source))
                .collect(),
            query: names.text(&self.query),
        }
    }

    /// A case of a file's text.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, CaseError> {
        let file: File =
            serde_json::from_str(text).map_err(|error| CaseError::Form(error.to_string()))?;
        if file.tailwater_case > VERSION {
            return Err(CaseError::Version(file.tailwater_case));
        }
        let mut case = Self {
            sources: file.sources,
            query: file.query,
            marks: Vec::new(),
        };
        let defaults = Defaults::at(Time::default());
        for mark in file.marks {
            let Value::Object(object) = mark.entry else {
                return Err(CaseError::Form("a mark without an entry".to_owned()));
            };
            case.mark(Mark {
                entry: from_wire(object, &defaults),
                note: mark.note,
                query: mark.query,
            });
        }
        Ok(case)
    }

    /// Its text in a form.
    #[must_use]
    pub fn write(&self, form: CaseForm) -> String {
        match form {
            CaseForm::Case => self.file(),
            CaseForm::Markdown => self.markdown(),
            CaseForm::Ndjson => {
                let lines = self.marks.iter().map(|mark| to_line(&mark.entry) + "\n");
                lines.collect()
            }
            CaseForm::Csv => self.csv(),
        }
    }

    fn file(&self) -> String {
        let marks = self.marks.iter().map(|mark| FileMark {
            note: mark.note.clone(),
            query: mark.query.clone(),
            entry: serde_json::from_str(&to_line(&mark.entry)).unwrap_or_default(),
        });
        let file = File {
            tailwater_case: VERSION,
            sources: self.sources.clone(),
            query: self.query.clone(),
            marks: marks.collect(),
        };
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// A heading, and a section for each mark: when, where, what, and the note.
    fn markdown(&self) -> String {
        let mut text = String::from("# Timeline\n\n");
        if !self.sources.is_empty() {
            text.push_str(&format!("Found in {}.\n\n", self.sources.join(", ")));
        }
        for mark in &self.marks {
            let entry = &mark.entry;
            text.push_str(&format!(
                "## {} · {} · {}\n\n",
                entry.time,
                entry.level.word(),
                visible(&entry.scope.namespace).text
            ));
            if !mark.note.is_empty() {
                text.push_str(&format!("{}\n\n", mark.note));
            }
            let mut words = visible_lines(&entry.text);
            if let Some(error) = &entry.error {
                words.push_str(&visible_lines(error));
            }
            let fence = fence(&words);
            text.push_str(&format!("{fence}text\n{words}{fence}\n\n"));
            if let Some(trace) = &entry.scope.trace {
                text.push_str(&format!("Trace `{}`", visible(trace).text));
                text.push_str(".\n\n");
            }
        }
        text
    }

    fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // Into memory: it cannot fail.
        let _ = writer.write_record(CSV_HEAD);
        for mark in &self.marks {
            let _ = writer.write_record(csv_row(&mark.entry, &mark.note));
        }
        let bytes = writer.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Columns of a table of entries.
pub(super) const CSV_HEAD: [&str; 7] = [
    "time",
    "level",
    "namespace",
    "trace",
    "msg",
    "error",
    "note",
];

/// An entry as a row of a table.
pub(super) fn csv_row(entry: &Entry, note: &str) -> [String; 7] {
    [
        entry.time.to_string(),
        entry.level.word().to_owned(),
        entry.scope.namespace.clone(),
        entry.scope.trace.clone().unwrap_or_default(),
        entry.text.clone(),
        entry.error.clone().unwrap_or_default(),
        note.to_owned(),
    ]
}

/// Lines without what a terminal would take for a command.
fn visible_lines(text: &str) -> String {
    let lines = text.trim_end_matches('\n').split('\n');
    lines
        .map(|line| visible(line).text.into_owned() + "\n")
        .collect()
}

/// More backticks than the text has in a row.
fn fence(text: &str) -> String {
    let (mut most, mut run) = (2, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        most = most.max(run);
    }
    "`".repeat(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Level, Position};

    fn case() -> Case {
        let mark = |position: u64, text: &str, note: &str| {
            let mut entry = Entry {
                position: Position(position),
                time: Time(i64::try_from(position).unwrap_or(0) * 1_000_000_000),
                level: Level::Error,
                text: text.to_owned(),
                error: Some("deadline, \"exceeded\"".to_owned()),
                ..Entry::default()
            };
            entry.scope.namespace = "pay".to_owned();
            entry.scope.trace = Some("ab".repeat(16));
            Mark {
                entry,
                note: note.to_owned(),
                query: "level>=error".to_owned(),
            }
        };
        let mut case = Case {
            sources: vec!["http://logs:7420".to_owned()],
            query: "ns:pay".to_owned(),
            marks: Vec::new(),
        };
        case.mark(mark(7, "second ```` \u{1b}[2J\nline", "the cause"));
        case.mark(mark(3, "first", ""));
        case.mark(mark(7, "second ```` \u{1b}[2J\nline", "the very cause"));
        case
    }

    #[test]
    fn a_case_opens_again_as_it_was() {
        let case = case();
        assert_eq!(
            case.marks.len(),
            2,
            "a mark that is set again has a new note"
        );
        let again = Case::read(&case.write(CaseForm::Case)).expect("a case");
        assert_eq!(again, case);
        assert_eq!(
            again
                .of(case.marks[1].entry.key())
                .map(|mark| mark.note.as_str()),
            Some("the very cause")
        );
        for (text, part) in [
            ("{}", "expected a case file"),
            ("[1]", "expected a case file"),
            (
                r#"{"tailwater_case":1,"marks":[{"entry":5}]}"#,
                "without an entry",
            ),
            (r#"{"tailwater_case":9,"marks":[]}"#, "version 9"),
        ] {
            let error = Case::read(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn it_is_handed_on_in_other_forms() {
        let case = case();
        let markdown = case.write(CaseForm::Markdown);
        assert!(
            markdown.contains("## 1970-01-01T00:00:07Z · ERROR · pay\n\nthe very cause\n"),
            "{markdown}"
        );
        assert!(
            markdown.contains("`````text\nsecond ```` ␛[2J\nline\n"),
            "{markdown}"
        );
        assert!(
            !markdown.contains('\u{1b}'),
            "nothing that a terminal would take for a command"
        );
        assert_eq!(case.write(CaseForm::Ndjson).lines().count(), 2);
        let csv = case.write(CaseForm::Csv);
        assert!(
            csv.starts_with("time,level,namespace,trace,msg,error,note\n"),
            "{csv}"
        );
        assert!(csv.contains(r#","deadline, ""exceeded""","#), "{csv}");
        for (path, form) in [
            ("a.md", CaseForm::Markdown),
            ("a.ndjson", CaseForm::Ndjson),
            ("a.csv", CaseForm::Csv),
            ("a.case", CaseForm::Case),
            ("a", CaseForm::Case),
        ] {
            assert_eq!(CaseForm::of(Path::new(path)), form);
        }
    }
}
