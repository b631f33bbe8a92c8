//! From one screen to the next with as few bytes as can be.
//!
//! Rows of the log pane that moved are moved by the terminal itself: a scroll region is set, line feeds at its bottom or
//! reverse indexes at its top move it (every terminal knows these), and only what came into sight is drawn. The rest is a
//! difference of cells; blank ends of lines are erased, not written.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::style::Look;

/// Cells left alone between two changes that are drawn over rather than jumped: a jump takes some six bytes.
const GAP: usize = 5;

/// What the terminal shows, and how to change it.
#[derive(Debug)]
pub(in crate::explorer) struct Painter {
    shown: Buffer,
    /// The next frame starts from a cleared screen.
    anew: bool,
    cursor: Option<(u16, u16)>,
}

impl Painter {
    pub fn new() -> Self {
        Self {
            shown: Buffer::empty(Rect::default()),
            anew: true,
            cursor: None,
        }
    }

    /// Whatever the terminal shows is forgotten.
    pub fn forget(&mut self) {
        self.anew = true;
    }

    /// The bytes that make the terminal show `next`; none when it does already. Rows within `region` may be moved.
    pub fn paint(&mut self, next: &Buffer, region: Rect, cursor: Option<(u16, u16)>) -> Vec<u8> {
        let mut out = Vec::new();
        if self.anew || self.shown.area != next.area {
            self.shown = Buffer::empty(next.area);
            self.anew = false;
            self.cursor = None;
            out.extend_from_slice(b"\x1b[?25l\x1b[m\x1b[H\x1b[2J");
        }
        let mut pen = Pen {
            look: Look::default(),
            place: None,
        };
        if let Some(rows) = moved_rows(&self.shown, next, region) {
            self.scroll(region, rows, &mut out, &mut pen);
        }
        for y in next.area.y..next.area.bottom() {
            paint_row(&self.shown, next, y, &mut out, &mut pen);
        }
        pen.look(Look::default(), &mut out);
        if !out.is_empty() || self.cursor != cursor {
            match cursor {
                Some((x, y)) => {
                    out.extend_from_slice(format!("\x1b[{};{}H\x1b[?25h", y + 1, x + 1).as_bytes());
                }
                None if self.cursor.is_some() => out.extend_from_slice(b"\x1b[?25l"),
                None => {}
            }
            self.cursor = cursor;
        }
        self.shown.clone_from(next);
        if out.is_empty() {
            return out;
        }
        // Terminals that know it show the frame at once; the others ignore it.
        [b"\x1b[?2026h", out.as_slice(), b"\x1b[?2026l"].concat()
    }

    /// Moves the rows of the region up (or, negative, down) on the terminal and in what is known of it.
    fn scroll(&mut self, region: Rect, rows: i32, out: &mut Vec<u8>, pen: &mut Pen) {
        let (top, bottom) = (region.y + 1, region.bottom());
        let count = rows.unsigned_abs() as usize;
        out.extend_from_slice(format!("\x1b[{top};{bottom}r").as_bytes());
        if rows > 0 {
            out.extend_from_slice(format!("\x1b[{bottom}H").as_bytes());
            out.extend(std::iter::repeat_n(b'\n', count));
        } else {
            out.extend_from_slice(format!("\x1b[{top}H").as_bytes());
            out.extend(std::iter::repeat_n(b"\x1bM", count).flatten());
        }
        out.extend_from_slice(b"\x1b[r");
        pen.place = None;
        let width = usize::from(self.shown.area.width);
        let (from, to) = (
            usize::from(region.y) * width,
            usize::from(region.bottom()) * width,
        );
        let moved = count * width;
        let Some(cells) = self.shown.content.get_mut(from..to) else {
            return;
        };
        if rows > 0 {
            cells.rotate_left(moved);
            let kept = cells.len() - moved;
            cells[kept..].iter_mut().for_each(Cell::reset);
        } else {
            cells.rotate_right(moved);
            cells[..moved].iter_mut().for_each(Cell::reset);
        }
    }
}

/// How the rows of the region moved, if drawing them again would cost much more: up positive, down negative.
fn moved_rows(shown: &Buffer, next: &Buffer, region: Rect) -> Option<i32> {
    if region.width != next.area.width || region.height < 4 || region.bottom() > next.area.bottom()
    {
        return None;
    }
    let width = usize::from(next.area.width);
    let row = |buffer: &Buffer, y: u16| -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        let start = usize::from(y) * width;
        // The first cells hold the mark of the selected row, which moves on its own.
        for cell in buffer
            .content
            .get(start + 14.min(width)..start + width)
            .into_iter()
            .flatten()
        {
            cell.symbol().hash(&mut hasher);
        }
        hasher.finish()
    };
    let rows = |buffer: &Buffer| -> Vec<u64> {
        (region.y..region.bottom())
            .map(|y| row(buffer, y))
            .collect()
    };
    let (old, new) = (rows(shown), rows(next));
    let height = old.len();
    let blank = row(&Buffer::empty(next.area), 0);
    let matches = |shift: i32| -> usize {
        let at = |y: usize| {
            y.checked_add_signed(shift as isize)
                .and_then(|from| old.get(from))
        };
        new.iter()
            .enumerate()
            .filter(|(y, hash)| **hash != blank && at(*y) == Some(*hash))
            .count()
    };
    let still = matches(0);
    let most = i32::try_from(height).unwrap_or(0) - 1;
    let best = (1..=most)
        .flat_map(|shift| [shift, -shift])
        .map(|shift| (matches(shift), shift))
        .max_by_key(|(count, shift)| (*count, -shift.abs()))?;
    // Worth it when it saves more than a line or two.
    (best.0 > still + 2).then_some(best.1)
}

/// Where the terminal writes next, and how.
struct Pen {
    look: Look,
    place: Option<(u16, u16)>,
}

impl Pen {
    fn look(&mut self, look: Look, out: &mut Vec<u8>) {
        look.write(self.look, out);
        self.look = look;
    }

    fn go(&mut self, x: u16, y: u16, out: &mut Vec<u8>) {
        match self.place {
            Some(place) if place == (x, y) => {}
            Some((from, row)) if row == y && x > from => {
                out.extend_from_slice(forward(x - from).as_bytes());
            }
            _ => out.extend_from_slice(to(x, y).as_bytes()),
        }
        self.place = Some((x, y));
    }
}

fn forward(cells: u16) -> String {
    if cells == 1 {
        "\x1b[C".to_owned()
    } else {
        format!("\x1b[{cells}C")
    }
}

fn to(x: u16, y: u16) -> String {
    if x == 0 {
        format!("\x1b[{}H", y + 1)
    } else {
        format!("\x1b[{};{}H", y + 1, x + 1)
    }
}

fn paint_row(shown: &Buffer, next: &Buffer, y: u16, out: &mut Vec<u8>, pen: &mut Pen) {
    let width = next.area.width;
    let start = usize::from(y) * usize::from(width);
    let row = start..start + usize::from(width);
    let (Some(old), Some(new)) = (shown.content.get(row.clone()), next.content.get(row)) else {
        return;
    };
    if old == new {
        return;
    }
    // Wide characters take two cells: a row that has or had some is drawn from its first change to its end, so that no
    // half of one is left behind.
    let wide = old
        .iter()
        .chain(new)
        .any(|cell| cell.symbol().len() > 1 && cell.symbol().width() > 1);
    let erasable = |cell: &Cell| cell.symbol() == " " && Look::of(cell).is_plain();
    let end_of = |cells: &[Cell]| {
        cells
            .iter()
            .rposition(|cell| !erasable(cell))
            .map_or(0, |at| at + 1)
    };
    let (old_end, end) = (end_of(old), end_of(new));
    let mut x = if wide { wide_start(old, new) } else { 0 };
    while x < end {
        if !wide && old[x] == new[x] {
            x += 1;
            continue;
        }
        pen.go(column(x), y, out);
        loop {
            pen.look(Look::of(&new[x]), out);
            out.extend_from_slice(new[x].symbol().as_bytes());
            x += new[x].symbol().width().clamp(1, 2);
            // On over a short stretch without a change: a jump would take as many bytes.
            let same = if wide {
                0
            } else {
                (x..end).take_while(|x| old[*x] == new[*x]).count()
            };
            if x >= end || same > GAP || x + same >= end {
                break;
            }
        }
        // At the right edge terminals disagree about where the cursor is.
        pen.place = (x < usize::from(width)).then_some((column(x), y));
        if wide {
            break;
        }
    }
    // The last character may reach one cell beyond its own.
    let end = end.max(x);
    if end < usize::from(width) && (old_end > end || wide) {
        pen.go(column(end), y, out);
        pen.look(Look::default(), out);
        out.extend_from_slice(b"\x1b[K");
    }
}

fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}

/// The first cell that differs and does not lie within a wide character.
fn wide_start(old: &[Cell], new: &[Cell]) -> usize {
    let mut start = 0;
    let mut x = 0;
    while let (Some(a), Some(b)) = (old.get(x), new.get(x)) {
        let (wide_a, wide_b) = (a.symbol().width(), b.symbol().width());
        start = x;
        if a != b || wide_a != wide_b {
            break;
        }
        x += wide_b.max(1);
    }
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    const WIDTH: u16 = 40;
    const HEIGHT: u16 = 12;
    const REGION: Rect = Rect {
        x: 0,
        y: 2,
        width: WIDTH,
        height: 8,
    };

    fn screen(lines: &[(String, u8)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for (y, (line, style)) in (0..HEIGHT).zip(lines) {
            let style = match style % 4 {
                0 => Style::new(),
                1 => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
                2 => Style::new().add_modifier(Modifier::REVERSED),
                _ => Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::Blue),
            };
            buffer.set_stringn(0, y, line, usize::from(WIDTH), style);
        }
        buffer
    }

    /// What an independent terminal shows of the bytes, with its looks.
    fn assert_shows(parser: &vt100::Parser, wanted: &Buffer) {
        for y in 0..HEIGHT {
            let mut skip = false;
            for x in 0..WIDTH {
                let (cell, want) = (
                    parser.screen().cell(y, x).expect("a cell"),
                    wanted.cell((x, y)).expect("a cell"),
                );
                if !skip {
                    let shown = if cell.has_contents() {
                        cell.contents()
                    } else {
                        " "
                    };
                    assert_eq!(shown, want.symbol(), "cell {x} of row {y}");
                    assert_eq!(
                        cell.inverse(),
                        want.modifier.contains(Modifier::REVERSED),
                        "cell {x} of row {y}"
                    );
                    // A bold blank looks like any blank.
                    let bold = cell.bold() == want.modifier.contains(Modifier::BOLD);
                    assert!(bold || want.symbol() == " ", "cell {x} of row {y}");
                    assert_eq!(
                        cell.bgcolor() == vt100::Color::Default,
                        want.bg == Color::Reset,
                        "cell {x} of row {y}"
                    );
                }
                skip = !skip && want.symbol().width() == 2;
            }
        }
    }

    fn lines() -> impl Strategy<Value = Vec<(String, u8)>> {
        prop::collection::vec(
            ("[a-c ]{0,45}|[a-b日本 ]{0,25}", 0..4_u8),
            usize::from(HEIGHT),
        )
    }

    proptest! {
        #[test]
        fn a_terminal_shows_what_was_drawn(frames in prop::collection::vec((lines(), -5..6_i32), 1..6)) {
            let mut parser = vt100::Parser::new(HEIGHT.try_into().expect("not zero"), WIDTH.try_into().expect("not zero"), 0);
            let mut painter = Painter::new();
            let mut previous: Option<Vec<(String, u8)>> = None;
            for (mut lines, shift) in frames {
                // Some frames are the one before with its region moved.
                if let (Some(before), true) = (&previous, shift != 0) {
                    #[expect(clippy::needless_range_loop, reason = "rows move from one place to another")]
                    for y in 2..10_usize {
                        if let Some(from) = y.checked_add_signed(shift as isize).filter(|from| (2..10).contains(from)) {
                            lines[y] = before[from].clone();
                        }
                    }
                }
                let next = screen(&lines);
                parser.process(&painter.paint(&next, REGION, None));
                assert_shows(&parser, &next);
                prop_assert!(painter.paint(&next, REGION, None).is_empty(), "an unchanged screen costs nothing");
                previous = Some(lines);
            }
        }
    }

    #[test]
    fn a_row_of_scrolling_costs_a_row() {
        let row = |n: i32| (format!("              row number {n} of the log"), 0);
        let mut painter = Painter::new();
        let frame = |first: i32| {
            screen(
                &(0..i32::from(HEIGHT))
                    .map(|y| {
                        if (2..10).contains(&y) {
                            row(first + y)
                        } else {
                            (format!("fixed {y}"), 1)
                        }
                    })
                    .collect::<Vec<_>>(),
            )
        };
        painter.paint(&frame(0), REGION, None);
        let down = painter.paint(&frame(1), REGION, None);
        let up = painter.paint(&frame(0), REGION, None);
        assert!(down.len() < 90, "{}", String::from_utf8_lossy(&down));
        assert!(up.len() < 90, "{}", String::from_utf8_lossy(&up));
    }
}
