//! Long rows on several lines.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::width_of;
use crate::entry::visible;
use crate::explorer::layout::{areas, columns};
use crate::explorer::row::Row;
use crate::explorer::state::State;

/// Lines that one row takes at the most; details show the rest.
const MAX_LINES: usize = 40;

/// Lines that a row of the window takes.
pub(in crate::explorer) fn lines_of(state: &State, row: usize) -> usize {
    if !state.scroll.wrap {
        return 1;
    }
    let height = usize::from(areas(state).log.height).max(1);
    let room = state.size.0.saturating_sub(columns(state).text).max(10);
    state
        .window
        .rows()
        .get(row)
        .map_or(1, |row| wrapped(row, room).len().min(height))
}

/// The text and the error of a row on lines of `room` cells, made safe.
pub(in crate::explorer) fn wrapped(row: &Row, room: u16) -> Vec<String> {
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
        let shown = visible(head.trim_end_matches('\r'))
            .text
            .replace('␉', "    ");
        cut(&shown, room, &mut lines);
    }
    lines.truncate(MAX_LINES);
    lines
}

fn cut(text: &str, room: usize, lines: &mut Vec<String>) {
    if width_of(text) <= room {
        lines.push(text.to_owned());
        return;
    }
    let (mut line, mut width) = (String::new(), 0);
    for cluster in text.graphemes(true) {
        let cells = cluster.width().min(2);
        if width + cells > room {
            lines.push(std::mem::take(&mut line));
            width = 0;
        }
        line.push_str(cluster);
        width += cells;
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    #[test]
    fn rows_wrap_by_cells() {
        let row = |text: &str, error: Option<&str>| {
            Row::new(Entry {
                text: text.into(),
                error: error.map(str::to_owned),
                ..Entry::default()
            })
        };
        assert_eq!(wrapped(&row("abcdefgh", None), 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped(&row("日本語", None), 5), ["日本", "語"]);
        assert_eq!(
            wrapped(&row("a\n\tb\n", Some("e\u{1b}")), 10),
            ["a", "    b", "e␛"]
        );
        assert_eq!(
            wrapped(&row(&"x".repeat(100_000), None), 10).len(),
            MAX_LINES
        );
    }
}
