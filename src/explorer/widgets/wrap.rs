//! Long rows on several lines.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::width_of;
use crate::entry::ink::Ink;
use crate::explorer::layout::{areas, columns};
use crate::explorer::row::{Inked, Row};
use crate::explorer::state::State;

/// Lines that one row takes at the most; details show the rest.
const MAX_LINES: usize = 40;

/// Lines that a row of the window takes: none while it is folded, one more where a silence is drawn before it.
pub(in crate::explorer) fn lines_of(state: &State, row: usize) -> usize {
    if state.is_folded(row) {
        return 0;
    }
    usize::from(state.silence(row).is_some()) + lines_of_text(state, row)
}

fn lines_of_text(state: &State, row: usize) -> usize {
    if !state.scroll.wrap {
        return 1;
    }
    let log = areas(state).log;
    let height = usize::from(log.height).max(1);
    let room = log.width.saturating_sub(columns(state).text).max(10);
    state
        .window
        .rows()
        .get(row)
        .map_or(1, |row| wrapped(row, room).len().min(height))
}

/// A line of a row, made safe, and the colours that its text brought along.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Wrapped {
    pub line: String,
    pub inks: Vec<(Range<usize>, Ink)>,
}

/// The text and the error of a row on lines of `room` cells.
pub(in crate::explorer) fn wrapped(row: &Row, room: u16) -> Vec<Wrapped> {
    let room = usize::from(room);
    let mut lines = Vec::new();
    let texts = row.entry.text.trim_end_matches('\n').split('\n').chain(
        row.entry
            .error
            .as_deref()
            .into_iter()
            .flat_map(|error| error.split('\n')),
    );
    for text in texts {
        if lines.len() >= MAX_LINES {
            break;
        }
        // No line needs more bytes than its share of the most lines could show.
        let head = &text[..text.floor_char_boundary(MAX_LINES * room * 4)];
        let spaced = head.trim_end_matches('\r').replace('\t', "    ");
        cut(&Inked::new(&spaced, row.colours), room, &mut lines);
    }
    lines.truncate(MAX_LINES);
    lines
}

fn cut(inked: &Inked, room: usize, lines: &mut Vec<Wrapped>) {
    let text = inked.line.as_str();
    let part = |range: Range<usize>| {
        let within = |(ink, of): &(Range<usize>, Ink)| {
            let (start, end) = (ink.start.max(range.start), ink.end.min(range.end));
            (start < end).then(|| (start - range.start..end - range.start, *of))
        };
        Wrapped {
            line: text[range.clone()].to_owned(),
            inks: inked.inks.iter().filter_map(within).collect(),
        }
    };
    if width_of(text) <= room {
        lines.push(part(0..text.len()));
        return;
    }
    let (mut start, mut width) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        let cells = cluster.width().min(2);
        if width + cells > room {
            lines.push(part(start..at));
            (start, width) = (at, 0);
        }
        width += cells;
    }
    lines.push(part(start..text.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::explorer::row::Colours;

    #[test]
    fn rows_wrap_by_cells() {
        let row = |text: &str, error: Option<&str>| {
            Row::new(
                Entry {
                    text: text.into(),
                    error: error.map(str::to_owned),
                    ..Entry::default()
                },
                Colours::Shown,
            )
        };
        let lines = |row: &Row, room| -> Vec<String> {
            let lines = wrapped(row, room).into_iter();
            lines.map(|wrapped| wrapped.line).collect()
        };
        assert_eq!(lines(&row("abcdefgh", None), 3), ["abc", "def", "gh"]);
        assert_eq!(lines(&row("日本語", None), 5), ["日本", "語"]);
        assert_eq!(
            lines(&row("a\n\tb\n", Some("e\u{1b}")), 10),
            ["a", "    b", "e␛"]
        );
        assert_eq!(lines(&row(&"x".repeat(100_000), None), 10).len(), MAX_LINES);
        let coloured = wrapped(&row("ab\u{1b}[31mcdef\u{1b}[0mg", None), 4);
        let ranges: Vec<Range<usize>> = coloured
            .iter()
            .flat_map(|line| line.inks.iter().map(|(range, _)| range.clone()))
            .collect();
        assert_eq!(coloured[1].line, "efg");
        assert_eq!(ranges, [2..4, 0..2]);
    }
}
