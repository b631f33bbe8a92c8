//! A list over the whole screen, narrowed by typing: what panes of the kind share.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_input::Input;

use crate::base::Time;
use crate::entry::decode::time::parse;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Answered, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{below_title, frame, put, put_right, scrolled, width_of};

/// A column at the right: its heading, and its cells.
pub(super) type Column = (&'static str, u16);

/// How long ago a time was, in two or three signs.
pub(super) fn age(time: &str, now: Time) -> String {
    let Some(time) = parse(time, now) else {
        return String::new();
    };
    let seconds = now.since(time).as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long something took, in at most two units.
pub(super) fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..60_000 => format!("{}.{:03}s", millis / 1_000, millis % 1_000),
        60_000..3_600_000 => format!("{}m {:02}s", millis / 60_000, millis / 1_000 % 60),
        3_600_000..172_800_000 => format!("{}h {:02}m", millis / 3_600_000, millis / 60_000 % 60),
        _ => format!("{}d {:02}h", millis / 86_400_000, millis / 3_600_000 % 24),
    }
}

/// Of a name that has no room its end is worth more.
pub(super) fn shortened(name: String, width: u16) -> String {
    let room = usize::from(width);
    if width_of(&name) <= room {
        return name;
    }
    let mut shown = String::new();
    for character in name.chars().rev() {
        let longer = format!("{character}{shown}");
        if width_of(&longer) + 1 > room {
            break;
        }
        shown = longer;
    }
    format!("…{shown}")
}

/// Of what is said its beginning is worth more.
pub(super) fn headed(name: String, width: u16) -> String {
    let room = usize::from(width);
    match name.char_indices().nth(room) {
        Some(_) => {
            let head: String = name.chars().take(room.saturating_sub(1)).collect();
            format!("{head}…")
        }
        None => name,
    }
}

/// Signs of a sparkline, from little to much.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Cells of a sparkline.
const SPARK_CELLS: usize = 20;

/// How often over time, each part against the highest; where there is nothing, nothing is drawn.
pub(super) fn sparkline(parts: &[u64]) -> String {
    let each = parts.len().div_ceil(SPARK_CELLS).max(1);
    let sums: Vec<u64> = parts.chunks(each).map(|some| some.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let sign = |sum: &u64| {
        if *sum == 0 {
            return ' ';
        }
        let at = usize::try_from((sum * 8).div_ceil(most)).unwrap_or(8);
        SPARKS[at.clamp(1, 8) - 1]
    };
    sums.iter().map(sign).collect()
}

/// What a list is.
pub(super) struct Pane<'p> {
    pub title: &'p str,
    /// What is said when there is nothing in it.
    pub none: &'p str,
    /// What to press, in the last line.
    pub keys: &'p str,
    pub name: &'static str,
    pub columns: &'p [Column],
    /// Lines below the rows that are drawn by somebody else.
    pub reserved: u16,
}

/// Where its rows are drawn.
pub(super) struct List<'p> {
    area: Rect,
    /// The lines that are drawn by somebody else.
    pub below: Rect,
    columns: &'p [Column],
}

impl<'p> Pane<'p> {
    /// Draws all but the rows; nothing if there are none.
    pub fn draw<T>(
        self,
        state: &State,
        theme: Theme,
        answered: &Answered<T>,
        listing: &Listing,
        saving: Option<&Input>,
        buffer: &mut Buffer,
    ) -> Option<List<'p>> {
        let inner = frame(buffer, below_title(buffer.area), self.title, true, theme);
        let (x, width) = (inner.x + 1, inner.width.saturating_sub(2));
        let foot = inner.bottom().saturating_sub(1);
        let typed = match saving {
            Some(path) => Some(("save as › ", path)),
            None if listing.is_typing || !listing.text.value().is_empty() => {
                Some(("/ ", &listing.text))
            }
            None => None,
        };
        let said = match (typed, &state.notice, &answered.failed) {
            (Some((sign, input)), ..) => {
                let text = format!("{sign}{}▏", visible(input.value()).text);
                Some((text, theme.key()))
            }
            (None, Some(notice), _) => {
                let style = if notice.failure {
                    theme.failure()
                } else {
                    theme.attention()
                };
                Some((visible(&notice.text).text.into_owned(), style))
            }
            (None, None, Some(reason)) => {
                let text = format!("cannot be asked: {}", visible(reason).text);
                Some((text, theme.failure()))
            }
            (None, None, None) => Some((self.keys.to_owned(), theme.dim())),
        };
        if let Some((text, style)) = said {
            put(buffer, x, foot, width, &text, style);
        }
        let instead = if answered.is_nowhere {
            Some("a service keeps them: tailwater serve, then tailwater URL")
        } else if answered.now.is_none() && answered.failed.is_none() {
            Some("asking …")
        } else {
            None
        };
        if let Some(text) = instead {
            put(buffer, x, inner.y, width, text, theme.dim());
            return None;
        }
        // The name keeps half of the width.
        let mut room = inner.width / 2;
        let has_room = |(_, width): &&Column| {
            let has_room = *width <= room;
            room = room.saturating_sub(*width);
            has_room
        };
        let count = self.columns.iter().take_while(has_room).count();
        let columns = &self.columns[..count];
        let rest = inner.height.saturating_sub(2);
        let height = rest.saturating_sub(self.reserved);
        let area = Rect::new(inner.x, inner.y + 1, inner.width, height);
        let below = Rect::new(inner.x, area.bottom(), inner.width, rest - height);
        put(buffer, x, inner.y, width, self.name, theme.dim());
        let list = List {
            area,
            below,
            columns,
        };
        for ((right, _), (heading, _)) in list.places().zip(columns) {
            put_right(buffer, x, right, inner.y, heading, theme.dim());
        }
        put(buffer, x, area.y, width, self.none, theme.dim());
        Some(list)
    }
}

impl List<'_> {
    /// The right edge and the cells of each column.
    fn places(&self) -> impl Iterator<Item = (u16, u16)> {
        let all: u16 = self.columns.iter().map(|(_, width)| width).sum();
        let mut right = self.area.right().saturating_sub(1 + all);
        self.columns.iter().map(move |(_, width)| {
            right += width;
            (right, *width)
        })
    }

    /// Draws the rows in sight: each a name of so many cells at most, and what is told beside it.
    pub fn rows<T: Copy>(
        &self,
        rows: &[T],
        cursor: usize,
        theme: Theme,
        buffer: &mut Buffer,
        regions: &mut Regions,
        tell: impl Fn(T, u16) -> (String, Style, Vec<String>),
    ) {
        let area = self.area;
        let first = scrolled(cursor, area.height);
        let left = area.x + 1;
        let right = self
            .places()
            .next()
            .map_or(area.right(), |(right, width)| right.saturating_sub(width));
        let blank = " ".repeat(usize::from(area.width));
        for (y, (at, row)) in (area.y..area.bottom()).zip(rows.iter().enumerate().skip(first)) {
            let line = Rect::new(area.x, y, area.width, 1);
            regions.add(line, Target::Item(at));
            put(buffer, area.x, y, area.width, &blank, Style::new());
            let (name, style, told) = tell(*row, right.saturating_sub(left + 1));
            put(buffer, left, y, right.saturating_sub(left), &name, style);
            for ((right, width), text) in self.places().zip(told) {
                put_right(buffer, right - width, right, y, &text, theme.dim());
            }
            if at == cursor {
                buffer.set_style(line, theme.cursor_line(true));
            }
        }
    }
}
