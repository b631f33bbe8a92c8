//! The log pane: one row an entry, the full width of the screen.
//!
//! ```text
//! ▌09:00:12.480 ERROR payments     could not persist order o-17  connection reset by peer
//! ```
//! The selected row is marked at its left edge and in its time only: moving the mark costs a few bytes on the wire.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::Time;
use crate::entry::ink::Ink;
use crate::entry::visible;
use crate::explorer::layout::{Columns, FIELD_COLUMN, columns};
use crate::explorer::regions::{Regions, Target};
use crate::explorer::row::Row;
use crate::explorer::state::{Edge, Focus, Shown, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{Runs, lines_of, put, wrapped};
use crate::query::Matcher;

pub(in crate::explorer) fn log(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    regions.log = area;
    regions.add(area, Target::Pane(Focus::Log));
    if state.window.len() == 0 {
        empty(state, theme, area, buffer);
        return;
    }
    let columns = columns(state);
    // Through a lens, what the filters would hide is told apart.
    let own = state.filters.own();
    let matcher = Matcher::compile(&own, state.now);
    let has_lens = state.filters.lens.is_some();
    let (first, skipped) = first_in_sight(state);
    let mut y = i32::from(area.y) - i32::try_from(skipped).unwrap_or(0);
    for (at, row) in state.window.rows().iter().enumerate().skip(first) {
        if y >= i32::from(area.bottom()) {
            break;
        }
        let height = draw_row(
            &Drawn {
                state,
                theme,
                columns,
                matcher: &matcher,
                selected: at == state.scroll.selected,
                is_beside: has_lens && !matcher.matches(&row.entry),
                before: at
                    .checked_sub(1)
                    .and_then(|before| state.window.rows().get(before))
                    .map(|before| before.entry.time),
            },
            row,
            area,
            y,
            buffer,
        );
        let top = y.max(i32::from(area.y));
        let visible = (y + height).min(i32::from(area.bottom())) - top;
        if visible > 0 {
            let (top, visible) = (
                u16::try_from(top).unwrap_or(0),
                u16::try_from(visible).unwrap_or(0),
            );
            regions.add(Rect::new(area.x, top, area.width, visible), Target::Row(at));
        }
        y += height;
    }
}

/// The first row of which a line is in sight, and how many of its lines are not.
fn first_in_sight(state: &State) -> (usize, usize) {
    let (mut at, mut line) = (state.scroll.selected, state.scroll.line);
    while line > 0 && at > 0 {
        at -= 1;
        let lines = lines_of(state, at);
        if lines > line {
            return (at, lines - line);
        }
        line -= lines;
    }
    (at, 0)
}

/// What drawing a row needs.
struct Drawn<'s> {
    state: &'s State,
    theme: Theme,
    columns: Columns,
    matcher: &'s Matcher,
    selected: bool,
    /// Whether the filters would hide it.
    is_beside: bool,
    /// When the row before it was.
    before: Option<Time>,
}

/// Draws a row whose first line is `y` (which may lie above the pane); how many lines it takes.
fn draw_row(drawn: &Drawn<'_>, row: &Row, area: Rect, y: i32, buffer: &mut Buffer) -> i32 {
    let inside = |y: i32| {
        u16::try_from(y)
            .ok()
            .filter(|y| (area.y..area.bottom()).contains(y))
    };
    if let Some(y) = inside(y) {
        draw_head(drawn, row, area, y, buffer);
    }
    let x = area.x + drawn.columns.text;
    let room = area.right().saturating_sub(x);
    if !drawn.state.scroll.wrap {
        if let Some(y) = inside(y) {
            let skip = drawn.state.scroll.sideways;
            let text = (row.line.as_str(), row.inks.as_slice());
            draw_text(drawn, row, text, (x, y, room), skip, buffer);
        }
        return 1;
    }
    let lines = wrapped(row, room.max(10));
    let count = lines.len().min(usize::from(area.height));
    for (offset, line) in (0_i32..).zip(lines.iter().take(count)) {
        if let Some(y) = inside(y + offset) {
            let text = (line.line.as_str(), line.inks.as_slice());
            draw_text(drawn, row, text, (x, y, room), 0, buffer);
        }
    }
    i32::try_from(count).unwrap_or(1)
}

fn draw_head(drawn: &Drawn<'_>, row: &Row, area: Rect, y: u16, buffer: &mut Buffer) {
    let Drawn {
        state,
        theme,
        columns,
        selected,
        is_beside,
        ..
    } = drawn;
    let focused = state.focus == Focus::Log;
    let is_marked = state.case.of(row.key()).is_some();
    let mut x = area.x;
    put(
        buffer,
        x,
        y,
        1,
        match (*selected, is_marked, *is_beside) {
            (_, true, _) => "◆",
            (true, ..) => "▌",
            (false, _, true) => "┊",
            (false, _, false) => " ",
        },
        if *selected || is_marked {
            theme.title()
        } else {
            theme.dim()
        },
    );
    x += 1;
    let time = match drawn.before {
        Some(before) if state.deltas => delta(row.entry.time, before),
        _ => state.zone.row_form(row.entry.time).split_off(11),
    };
    let clock = time.as_str();
    let style = if *selected {
        theme.selected(focused)
    } else {
        theme.dim()
    };
    put(buffer, x, y, columns.time, clock, style);
    x += columns.time + 1;
    let word = row.level().word();
    let word = if columns.level == 1 { &word[..1] } else { word };
    put(buffer, x, y, columns.level, word, theme.level(row.level()));
    x += columns.level + 1;
    if columns.namespace > 0 {
        put(
            buffer,
            x,
            y,
            columns.namespace,
            &row.namespace,
            theme.namespace(),
        );
        x += columns.namespace + 1;
    }
    for field in state.columns.iter().take(usize::from(columns.fields)) {
        if let Some(value) = field.value(&row.entry) {
            put(
                buffer,
                x,
                y,
                FIELD_COLUMN,
                &visible(&value).text,
                theme.dim(),
            );
        }
        x += FIELD_COLUMN + 1;
    }
}

/// How long after the row before, as wide as a clock; long gaps are seen by their unit.
fn delta(time: Time, before: Time) -> String {
    let millis = time.since(before).as_millis();
    let text = match millis {
        0..60_000 => format!("+{}.{:03}s", millis / 1_000, millis % 1_000),
        60_000..3_600_000 => format!("+{}m {:02}s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("+{}h {:02}m", millis / 3_600_000, millis / 60_000 % 60),
    };
    format!("{text:>12}")
}

fn draw_text(
    drawn: &Drawn<'_>,
    row: &Row,
    (line, inks): (&str, &[(Range<usize>, Ink)]),
    (x, y, room): (u16, u16, u16),
    skip: usize,
    buffer: &mut Buffer,
) {
    let theme = drawn.theme;
    // Only what can be in sight is looked at: a line may be 32 KiB long.
    let cut = line
        .char_indices()
        .nth(skip + usize::from(room) + 64)
        .map_or(line.len(), |(at, _)| at);
    let sight = &line[..cut];
    let base = if drawn.is_beside {
        theme.dim()
    } else {
        theme.text(row.level())
    };
    let mut runs = Runs::new(line, base);
    for (range, ink) in inks.iter().take_while(|(range, _)| range.start < cut) {
        runs.over(range.clone(), theme.ink(*ink));
    }
    if std::ptr::eq(line, row.line.as_str()) {
        if let Some(at) = row.error_at {
            runs.over(at..line.len(), theme.error_text());
        }
        for mark in row.marks.iter().take_while(|mark| mark.start < cut) {
            runs.over(mark.clone(), theme.mark());
        }
    }
    let searched = drawn
        .state
        .search
        .as_ref()
        .map(|search| search.matcher.spans(sight))
        .unwrap_or_default();
    for span in drawn.matcher.spans(sight).into_iter().chain(searched) {
        runs.over(span, theme.found());
    }
    runs.draw(buffer, x, y, room, skip);
}

/// What an empty pane says: why it is empty, and what to press.
fn empty(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    use crate::explorer::state::Link;
    let searching = state.requests.load.is_some();
    let lines: Vec<String> = match (&state.live.link, searching) {
        (Link::Lost { reason, .. }, _) => vec![
            "no answer yet".into(),
            visible(reason).text.into_owned(),
            "it is tried again by itself".into(),
        ],
        (_, true) => vec!["searching …".into()],
        _ if state.window.older != Edge::End => vec![
            "nothing found so far".into(),
            "k goes on searching older entries".into(),
        ],
        _ if state.filters.is_empty() && state.shown != Shown::Log => vec![
            "there are no lines".into(),
            "they appear here as they arrive".into(),
        ],
        _ if state.filters.is_empty() => vec![
            "the log is empty".into(),
            "send entries with `tailwater ingest`, or POST them to a running service".into(),
            "they appear here as they arrive".into(),
        ],
        _ => vec![
            "nothing matches".into(),
            visible(&state.query().to_string()).text.into_owned(),
            "X switches the filters off · C removes them · f edits the query".into(),
        ],
    };
    let top = area.y + area.height.saturating_sub(3) / 3;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let width = u16::try_from(crate::explorer::widgets::width_of(&line))
            .unwrap_or(area.width)
            .min(area.width);
        put(
            buffer,
            area.x + (area.width - width) / 2,
            y,
            width,
            &line,
            theme.dim(),
        );
    }
}
