//! An entry as the explorer shows it. Here, and only here, its text is made safe for the screen.

use std::ops::Range;
use std::sync::Arc;

use crate::entry::{Entry, Key, Level, visible};

/// Bytes of a text that are kept; the rest is fetched when the entry is opened.
pub(super) const MAX_TEXT_BYTES: usize = 64 << 10;
/// Bytes of the one line that a row shows: more than anyone scrolls sideways.
const MAX_LINE_BYTES: usize = 32 << 10;

/// One row of the log pane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The entry, its text cut at 64 KiB.
    pub entry: Arc<Entry>,
    /// Whether the text was cut.
    pub cut: bool,
    /// What is shown: the first line of the text, then the error.
    pub line: String,
    /// Marks that stand for what cannot be shown, as byte ranges of the line.
    pub marks: Vec<Range<usize>>,
    /// Where the error begins in the line.
    pub error_at: Option<usize>,
    /// Lines of the text beyond the first.
    pub folded: usize,
    /// The namespace, made safe.
    pub namespace: String,
    /// Bytes it takes in memory, estimated.
    pub weight: usize,
}

impl Row {
    /// Makes the row of an entry; of a very long text it keeps the head.
    pub fn new(mut entry: Entry) -> Self {
        let cut = entry.text.len() > MAX_TEXT_BYTES;
        if cut {
            entry
                .text
                .truncate(entry.text.floor_char_boundary(MAX_TEXT_BYTES));
            entry.text.shrink_to_fit();
        }
        Self {
            cut,
            ..Self::whole(entry)
        }
    }

    /// Makes the row of an entry, however long its text.
    pub fn whole(entry: Entry) -> Self {
        let text = entry.text.trim_end_matches('\n');
        let (first, rest) = text
            .split_once('\n')
            .map_or((text, None), |(first, rest)| (first, Some(rest)));
        let folded = rest.map_or(0, |rest| rest.split('\n').count());
        let shown = visible(head(first.trim_end_matches('\r')));
        let (mut line, mut marks) = (shown.text.into_owned(), shown.marks);
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
            let shown = visible(head(error));
            line.push_str(&shown.text);
            marks.extend(
                shown
                    .marks
                    .into_iter()
                    .map(|mark| mark.start + start..mark.end + start),
            );
        }
        let namespace = visible(&entry.scope.namespace).text.into_owned();
        let weight = entry.weight() + line.len() + namespace.len() + size_of::<Self>();
        Self {
            entry: Arc::new(entry),
            cut: false,
            line,
            marks,
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

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_LINE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_safe_line() {
        let row = Row::new(Entry {
            text: "boom \u{1b}[2J\n at a\n at b\n".into(),
            error: Some("bad\rthing".into()),
            ..Entry::default()
        });
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
    fn a_huge_text_is_kept_as_its_head() {
        let row = Row::new(Entry {
            text: "é".repeat(1 << 20),
            ..Entry::default()
        });
        assert!(
            row.cut && row.entry.text.len() <= MAX_TEXT_BYTES && row.line.len() <= MAX_LINE_BYTES
        );
    }
}
