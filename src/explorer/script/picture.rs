//! A screen as a picture (SVG 1.1).

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

use crate::explorer::ink::rgb_of;

/// The size of a cell, of the letters and of the edge, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);
const LETTERS: f64 = 14.0;
const EDGE: f64 = 12.0;
/// The colours of a terminal that was not told any.
const GROUND: (u8, u8, u8) = (22, 24, 29);
const WORDS: (u8, u8, u8) = (214, 218, 226);

/// How a cell is painted.
#[derive(Clone, Copy, PartialEq)]
struct Paint {
    letters: (u8, u8, u8),
    ground: Option<(u8, u8, u8)>,
    modifier: Modifier,
}

impl Paint {
    fn of(cell: &Cell) -> Self {
        let letters = rgb_of(cell.fg).unwrap_or(WORDS);
        let ground = rgb_of(cell.bg);
        let (letters, ground) = if cell.modifier.contains(Modifier::REVERSED) {
            (ground.unwrap_or(GROUND), Some(letters))
        } else {
            (letters, ground)
        };
        let letters = if cell.modifier.contains(Modifier::DIM) {
            half(letters, ground.unwrap_or(GROUND))
        } else {
            letters
        };
        Self {
            letters,
            ground,
            modifier: cell.modifier,
        }
    }
}

/// A colour between two.
fn half(a: (u8, u8, u8), b: (u8, u8, u8)) -> (u8, u8, u8) {
    (a.0.midpoint(b.0), a.1.midpoint(b.1), a.2.midpoint(b.2))
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The picture of a screen.
pub(super) fn picture(screen: &Buffer) -> String {
    let (columns, rows) = (f64::from(screen.area.width), f64::from(screen.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * EDGE, rows * CELL.1 + 2.0 * EDGE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace\" font-size=\"{LETTERS}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        hex(GROUND)
    );
    let row_width = usize::from(screen.area.width).max(1);
    for (y, row) in (0_u32..).zip(screen.content.chunks(row_width)) {
        let mut x = 0;
        while x < row.len() {
            let paint = Paint::of(&row[x]);
            let (start, mut text) = (x, String::new());
            while x < row.len() && Paint::of(&row[x]) == paint {
                text.push_str(row[x].symbol());
                x += row[x].symbol().width().max(1);
            }
            run(&mut svg, (start, x.min(row.len()), y), paint, &text);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Cells beside each other that are painted alike.
#[expect(
    clippy::cast_precision_loss,
    reason = "a screen has some hundred columns"
)]
fn run(svg: &mut String, (start, end, y): (usize, usize, u32), paint: Paint, text: &str) {
    let (x, width) = (EDGE + start as f64 * CELL.0, (end - start) as f64 * CELL.0);
    let top = EDGE + f64::from(y) * CELL.1;
    if let Some(ground) = paint.ground {
        let (height, ground) = (CELL.1, hex(ground));
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{ground}\"/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let mut look = String::new();
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        if paint.modifier.contains(modifier) {
            look.push_str(attribute);
        }
    }
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let (base, fill) = (top + CELL.1 * 0.75, hex(paint.letters));
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{base:.1}\" fill=\"{fill}\"{look} textLength=\"{width:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{escaped}</text>"
    );
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Style};

    use super::*;

    #[test]
    fn a_picture_has_the_words_and_colours_of_the_screen() {
        let mut screen = Buffer::empty(Rect::new(0, 0, 20, 2));
        let red = Style::new()
            .fg(Color::Rgb(255, 0, 0))
            .add_modifier(Modifier::BOLD);
        screen.set_string(0, 0, "a<b", red);
        screen.set_string(4, 0, "日本", Style::new().add_modifier(Modifier::REVERSED));
        let svg = picture(&screen);
        assert!(
            svg.contains("fill=\"#ff0000\" font-weight=\"bold\"") && svg.contains(">a&lt;b<"),
            "{svg}"
        );
        assert!(
            svg.contains(">日本<") && svg.contains("width=\"33.6\""),
            "{svg}"
        );
        assert_eq!(svg.matches("<text").count(), 2);
    }
}
