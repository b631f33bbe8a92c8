//! Text on a line: cut to its room, moved sideways, styled in runs.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Characters that may share a cell: a base and a few marks. More is an attack on the eyes.
const MAX_CLUSTER_CHARS: usize = 5;

/// Cells a text takes.
pub(in crate::explorer) fn width_of(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.graphemes(true).map(cluster_width).sum()
    }
}

/// Terminals draw one or two cells; what claims none is drawn with its neighbour.
fn cluster_width(cluster: &str) -> usize {
    cluster.width().min(2)
}

/// Puts text at a place, cut to `room` cells; the column after it.
pub(in crate::explorer) fn put(
    buffer: &mut Buffer,
    x: u16,
    y: u16,
    room: u16,
    text: &str,
    style: Style,
) -> u16 {
    let mut runs = Runs::new(text, style);
    runs.draw(buffer, x, y, room, 0)
}

/// Puts text so that it ends before `right`; the column where it starts.
pub(in crate::explorer) fn put_right(
    buffer: &mut Buffer,
    left: u16,
    right: u16,
    y: u16,
    text: &str,
    style: Style,
) -> u16 {
    let width = u16::try_from(width_of(text))
        .unwrap_or(u16::MAX)
        .min(right.saturating_sub(left));
    put(buffer, right - width, y, width, text, style);
    right - width
}

/// A text with styles on parts of it; later ones are patched over earlier ones.
#[derive(Debug)]
pub(in crate::explorer) struct Runs<'t> {
    text: &'t str,
    base: Style,
    layers: Vec<(Range<usize>, Style)>,
}

impl<'t> Runs<'t> {
    pub fn new(text: &'t str, base: Style) -> Self {
        Self {
            text,
            base,
            layers: Vec::new(),
        }
    }

    /// Patches a style over a range of bytes.
    pub fn over(&mut self, range: Range<usize>, style: Style) {
        self.layers.push((range, style));
    }

    fn style_at(&self, byte: usize) -> Style {
        self.layers
            .iter()
            .filter(|(range, _)| range.contains(&byte))
            .fold(self.base, |style, (_, over)| style.patch(*over))
    }

    /// Draws what is beyond `skip` cells into `room` cells; the column after it. Text that is cut shows `…`.
    pub fn draw(&mut self, buffer: &mut Buffer, x: u16, y: u16, room: u16, skip: usize) -> u16 {
        let (mut at, mut column) = (0, 0);
        let end = skip + usize::from(room);
        for (byte, cluster) in self.text.grapheme_indices(true) {
            let width = cluster_width(cluster);
            if column >= skip && width > 0 {
                if column + width > end {
                    break;
                }
                let place = (x + u16::try_from(column - skip).unwrap_or(room), y);
                if let Some(cell) = buffer.cell_mut(place) {
                    set(cell, cluster, self.style_at(byte));
                }
                if width == 2
                    && let Some(cell) = buffer.cell_mut((place.0 + 1, y))
                {
                    cell.reset();
                }
            }
            column += width;
            at = byte + cluster.len();
        }
        let drawn = u16::try_from(column.min(end).saturating_sub(skip)).unwrap_or(room);
        if at < self.text.len() && room > 0 {
            // Something is left: the last cell says so.
            let last = x + room - 1;
            let previous_is_wide = last > x
                && buffer
                    .cell((last - 1, y))
                    .is_some_and(|cell| cell.symbol().width() == 2);
            if previous_is_wide && let Some(cell) = buffer.cell_mut((last - 1, y)) {
                cell.set_symbol(" ");
            }
            if let Some(cell) = buffer.cell_mut((last, y)) {
                set(cell, "…", self.base);
            }
            return x + room;
        }
        x + drawn
    }
}

fn set(cell: &mut ratatui::buffer::Cell, cluster: &str, style: Style) {
    let end = cluster
        .char_indices()
        .nth(MAX_CLUSTER_CHARS)
        .map_or(cluster.len(), |(at, _)| at);
    cell.set_symbol(&cluster[..end]);
    cell.set_style(style);
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn drawn(text: &str, room: u16, skip: usize) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, room, 1));
        Runs::new(text, Style::new()).draw(&mut buffer, 0, 0, room, skip);
        let mut shown = String::new();
        let mut hidden = false;
        for cell in buffer.content() {
            if !hidden {
                shown.push_str(cell.symbol());
            }
            hidden = cell.symbol().width() == 2;
        }
        shown
    }

    #[test]
    fn text_is_cut_and_moved_by_cells() {
        let cases = [
            ("short", 8, 0, "short   "),
            ("exactly8", 8, 0, "exactly8"),
            ("longer than that", 8, 0, "longer …"),
            ("longer than that", 8, 7, "than th…"),
            ("longer than that", 8, 12, "that    "),
            ("日本語", 6, 0, "日本語"),
            ("日本語", 5, 0, "日本…"),
            ("日本語", 4, 0, "日 …"),
            ("e\u{301}x", 4, 0, "e\u{301}x  "),
        ];
        for (text, room, skip, wanted) in cases {
            assert_eq!(drawn(text, room, skip), wanted, "{text} {room} {skip}");
        }
        let tower = format!("e{}x", "\u{301}".repeat(50));
        assert!(drawn(&tower, 4, 0).chars().count() < 12);
    }
}
