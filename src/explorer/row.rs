//! An entry as the explorer shows it. Here, and only here, its text is made safe for the screen.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use crate::entry::ink::{self, Ink};
use crate::entry::{Entry, Key, Level, visible};

/// Bytes of a text that are kept; the rest is fetched when the entry is opened.
pub(super) const MAX_TEXT_BYTES: usize = 64 << 10;
/// Bytes of the one line that a row shows: more than anyone scrolls sideways.
const MAX_LINE_BYTES: usize = 32 << 10;

/// What becomes of colours that text brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Colours {
    /// They are marks: in a log they are an accident, or a deceit.
    #[default]
    Marked,
    /// They are colours: build logs are made to be seen so.
    Shown,
}

/// One row of the log pane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The entry, its text cut at 64 KiB.
    pub entry: Arc<Entry>,
    /// Whether the text was cut.
    pub cut: bool,
    pub colours: Colours,
    /// What is shown: the first line of the text, then the error.
    pub line: String,
    /// Marks that stand for what cannot be shown, as byte ranges of the line.
    pub marks: Vec<Range<usize>>,
    /// Colours that the text brought along, as byte ranges of the line.
    pub inks: Vec<(Range<usize>, Ink)>,
    /// Where the error begins in the line.
    pub error_at: Option<usize>,
    /// Lines of the text beyond the first.
    pub folded: usize,
    /// The namespace, made safe.
    pub namespace: String,
    /// Equal for rows that say the same: the namespace, the level, the text and the error.
    pub likeness: u64,
    /// Bytes it takes in memory, estimated.
    pub weight: usize,
}

impl Row {
    /// Makes the row of an entry; of a very long text it keeps the head.
    pub fn new(mut entry: Entry, colours: Colours) -> Self {
        let cut = entry.text.len() > MAX_TEXT_BYTES;
        if cut {
            entry
                .text
                .truncate(entry.text.floor_char_boundary(MAX_TEXT_BYTES));
            entry.text.shrink_to_fit();
        }
        Self {
            cut,
            ..Self::whole(entry, colours)
        }
    }

    /// Makes the row of an entry, however long its text.
    pub fn whole(entry: Entry, colours: Colours) -> Self {
        let text = entry.text.trim_end_matches('\n');
        let (first, rest) = text
            .split_once('\n')
            .map_or((text, None), |(first, rest)| (first, Some(rest)));
        let folded = rest.map_or(0, |rest| rest.split('\n').count());
        let Inked {
            mut line,
            mut marks,
            mut inks,
        } = Inked::new(head(first.trim_end_matches('\r')), colours);
        if folded > 0 {
            let start = line.len();
            line.push_str(&format!(" ⏎ +{folded}"));
            marks.push(start..line.len());
        }
        let mut error_at = None;
        if let Some(error) = &entry.error {
            if !line.is_empty() {
                line.push_str("  ");
            }
            let start = line.len();
            error_at = Some(start);
            let shown = Inked::new(head(error), colours);
            line.push_str(&shown.line);
            let moved = |range: Range<usize>| range.start + start..range.end + start;
            marks.extend(shown.marks.into_iter().map(moved));
            let shown = shown.inks.into_iter();
            inks.extend(shown.map(|(range, ink)| (moved(range), ink)));
        }
        let namespace = visible(&entry.scope.namespace).text.into_owned();
        let weight = entry.weight() + line.len() + namespace.len() + size_of::<Self>();
        let likeness = likeness(&entry);
        Self {
            likeness,
            entry: Arc::new(entry),
            cut: false,
            colours,
            line,
            marks,
            inks,
            error_at,
            folded,
            namespace,
            weight,
        }
    }

    pub fn key(&self) -> Key {
        self.entry.key()
    }

    pub fn level(&self) -> Level {
        self.entry.level
    }
}

/// A line made safe, with its marks and colours.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inked {
    pub line: String,
    pub marks: Vec<Range<usize>>,
    pub inks: Vec<(Range<usize>, Ink)>,
}

impl Inked {
    pub fn new(text: &str, colours: Colours) -> Self {
        let mut inked = Self::default();
        let plain = ink::Run {
            ink: Ink::default(),
            text,
        };
        let runs = match colours {
            Colours::Marked => vec![plain],
            Colours::Shown => ink::runs(text, Ink::default()).0,
        };
        for run in runs {
            let start = inked.line.len();
            let shown = visible(run.text);
            inked.line.push_str(&shown.text);
            let marks = shown.marks.into_iter();
            inked
                .marks
                .extend(marks.map(|mark| mark.start + start..mark.end + start));
            if run.ink != Ink::default() {
                inked.inks.push((start..inked.line.len(), run.ink));
            }
        }
        inked
    }
}

fn likeness(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    let shown = (
        &entry.scope.namespace,
        entry.level,
        &entry.text,
        &entry.error,
    );
    shown.hash(&mut hasher);
    hasher.finish()
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_LINE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_safe_line() {
        let row = Row::new(
            Entry {
                text: "boom \u{1b}[2J\n at a\n at b\n".into(),
                error: Some("bad\rthing".into()),
                ..Entry::default()
            },
            Colours::Marked,
        );
        assert_eq!(row.line, "boom ␛[2J ⏎ +2  bad␍thing");
        assert_eq!(row.error_at.map(|at| &row.line[at..]), Some("bad␍thing"));
        assert_eq!(
            row.marks
                .iter()
                .map(|mark| &row.line[mark.clone()])
                .collect::<Vec<_>>(),
            ["␛", " ⏎ +2", "␍"]
        );
    }

    #[test]
    fn colours_are_data_beside_the_line() {
        let row = Row::new(
            Entry {
                text: "a \u{1b}[32mok\u{1b}[0m \u{1b}[2J\u{1b}[1mb".into(),
                error: Some("\u{1b}[31mc".into()),
                ..Entry::default()
            },
            Colours::Shown,
        );
        assert_eq!(row.line, "a ok ␛[2Jb  c");
        let inked: Vec<(&str, String)> = row
            .inks
            .iter()
            .map(|(range, ink)| (&row.line[range.clone()], ink.sequence()))
            .collect();
        let (green, bold, red) = ("\u{1b}[38;5;2m", "\u{1b}[1m", "\u{1b}[38;5;1m");
        assert_eq!(
            inked,
            [
                ("ok", green.to_owned()),
                ("b", bold.to_owned()),
                ("c", red.to_owned())
            ]
        );
    }

    #[test]
    fn a_huge_text_is_kept_as_its_head() {
        let row = Row::new(
            Entry {
                text: "é".repeat(1 << 20),
                ..Entry::default()
            },
            Colours::Marked,
        );
        assert!(
            row.cut && row.entry.text.len() <= MAX_TEXT_BYTES && row.line.len() <= MAX_LINE_BYTES
        );
    }
}
