//! The log pane: one row an entry, the full width of the screen.
//!
//! ```text
//! ▌09:00:12.480 ERROR payments     could not persist order o-17  connection reset by peer
//! ```
//! The selected row is marked at its left edge and in its time only: moving the mark costs a few bytes on the wire.

use std::ops::Range;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{shortened, span};
use crate::base::Time;
use crate::entry::ink::Ink;
use crate::entry::visible;
use crate::explorer::layout::{Columns, columns};
use crate::explorer::regions::{Regions, Target};
use crate::explorer::row::Row;
use crate::explorer::state::{Column, Edge, Focus, Shown, State, Times};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{Runs, lines_of, put, width_of, wrapped};
use crate::query::{Field, Matcher};

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
    let picked = state.picked();
    let (first, skipped) = first_in_sight(state);
    let mut y = i32::from(area.y) - i32::try_from(skipped).unwrap_or(0);
    for (at, row) in state.window.rows().iter().enumerate().skip(first) {
        if y >= i32::from(area.bottom()) {
            break;
        }
        if state.is_folded(at) {
            continue;
        }
        let run = state.run(at);
        let height = draw_row(
            &Drawn {
                state,
                theme,
                columns: &columns,
                matcher: &matcher,
                selected: at == state.scroll.selected,
                is_picked: picked.as_ref().is_some_and(|picked| picked.contains(&at)),
                run,
                silence: state.silence(at),
                is_beside: has_lens && !matcher.matches(&row.entry),
                before: at
                    .checked_sub(run)
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
    columns: &'s Columns,
    matcher: &'s Matcher,
    selected: bool,
    /// Whether it lies in the selection.
    is_picked: bool,
    /// How many rows it stands for.
    run: usize,
    /// The unusual silence before it.
    silence: Option<Duration>,
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
    let (mut y, mut above) = (y, 0);
    if let Some(silence) = drawn.silence {
        if let Some(y) = inside(y) {
            draw_silence(drawn, silence, area, y, buffer);
        }
        (y, above) = (y + 1, 1);
    }
    if let Some(y) = inside(y) {
        draw_head(drawn, row, area, y, buffer);
    }
    let mut x = area.x + drawn.columns.text;
    if drawn.run > 1 {
        let count = format!("×{} ", drawn.run);
        if let Some(y) = inside(y) {
            let room = area.right().saturating_sub(x);
            put(buffer, x, y, room, &count, drawn.theme.attention());
        }
        x += column(width_of(&count));
    }
    let room = area.right().saturating_sub(x);
    if !drawn.state.scroll.wrap {
        if let Some(y) = inside(y) {
            let skip = drawn.state.scroll.sideways;
            let text = (row.line.as_str(), row.inks.as_slice());
            draw_text(drawn, row, text, (x, y, room), skip, buffer);
        }
        return above + 1;
    }
    let x = area.x + drawn.columns.text;
    let room = area.right().saturating_sub(x);
    let lines = wrapped(row, room.max(10));
    let count = lines.len().min(usize::from(area.height));
    for (offset, line) in (0_i32..).zip(lines.iter().take(count)) {
        if let Some(y) = inside(y + offset) {
            let text = (line.line.as_str(), line.inks.as_slice());
            draw_text(drawn, row, text, (x, y, room), 0, buffer);
        }
    }
    above + i32::try_from(count).unwrap_or(1)
}

/// A line for a time in which nothing was said.
fn draw_silence(drawn: &Drawn<'_>, silence: Duration, area: Rect, y: u16, buffer: &mut Buffer) {
    let theme = drawn.theme;
    let text = format!("── {} of silence ", span(silence));
    let x = put(
        buffer,
        area.x + 1,
        y,
        area.width.saturating_sub(1),
        &text,
        theme.dim(),
    );
    let rest = usize::from(area.right().saturating_sub(x)).min(24);
    put(
        buffer,
        x,
        y,
        area.right().saturating_sub(x),
        &"─".repeat(rest),
        theme.dim(),
    );
}

fn column(cells: usize) -> u16 {
    u16::try_from(cells).unwrap_or(0)
}

fn draw_head(drawn: &Drawn<'_>, row: &Row, area: Rect, y: u16, buffer: &mut Buffer) {
    let Drawn {
        state,
        theme,
        columns,
        selected,
        is_picked,
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
        match (*selected, is_marked, *is_picked, *is_beside) {
            (_, true, ..) => "◆",
            (true, ..) => "▌",
            (false, _, true, _) => "▎",
            (false, _, false, true) => "┊",
            (false, ..) => " ",
        },
        if *selected || is_marked || *is_picked {
            theme.title()
        } else {
            theme.dim()
        },
    );
    x += 1;
    let time = match (state.times, drawn.before) {
        (Times::Deltas, Some(before)) => delta(row.entry.time, before),
        (Times::Since(origin), _) => delta(row.entry.time, origin),
        (Times::Deltas | Times::Clock, _) => state.zone.row_form(row.entry.time).split_off(11),
    };
    let clock = time.as_str();
    let style = if *selected {
        theme.selected(focused)
    } else {
        theme.dim()
    };
    put(buffer, x, y, columns.time, clock, style);
    x += columns.time + 1;
    if columns.member > 0 {
        if let Some(member) = state.members.of(row.entry.position) {
            let standing = state.members.standing.get(member);
            let name = standing.map(|of| visible(&of.name).text.into_owned());
            let name = shortened(name.unwrap_or_default(), columns.member);
            put(buffer, x, y, columns.member, &name, theme.member(member));
        }
        x += columns.member + 1;
    }
    for (index, width) in &columns.cells {
        if let Some(column) = state.columns.0.get(*index) {
            draw_cell(column, row, *theme, (x, y, *width), buffer);
        }
        x += width + 1;
    }
}

fn draw_cell(
    column: &Column,
    row: &Row,
    theme: Theme,
    (x, y, width): (u16, u16, u16),
    buffer: &mut Buffer,
) {
    match &column.field {
        Field::Level => {
            let word = row.level().word();
            let word = word.get(..usize::from(width)).unwrap_or(word);
            put(buffer, x, y, width, word, theme.level(row.level()));
        }
        Field::Namespace => {
            put(buffer, x, y, width, &row.namespace, theme.namespace());
        }
        field => {
            if let Some(value) = field.value(&row.entry) {
                put(buffer, x, y, width, &visible(&value).text, theme.dim());
            }
        }
    }
}

/// How long after another, or before it, as wide as a clock; long times are seen by their unit.
fn delta(time: Time, other: Time) -> String {
    let sign = if time < other { '-' } else { '+' };
    let text = span(time.since(other).max(other.since(time)));
    format!("{:>12}", format!("{sign}{text}"))
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
        _ => {
            let query = state.query();
            let shown = visible(&query.to_string()).text.into_owned();
            let meant = query
                .misnamed()
                .map(|(found, meant)| format!("did you mean {meant} by {}?", visible(found).text));
            let keys = "X switches the filters off · C removes them · f edits the query";
            let lines = [
                Some("nothing matches".into()),
                Some(shown),
                meant,
                Some(keys.into()),
            ];
            lines.into_iter().flatten().collect()
        }
    };
    let top = area.y + area.height.saturating_sub(3) / 3;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let width = u16::try_from(width_of(&line))
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
