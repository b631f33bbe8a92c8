//! The band above the log: sources, filters, values.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::title::chip_text;
use crate::base::units::short_count;
use crate::entry::visible;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Focus, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{frame, put, put_right, scrolled};
use crate::query::Field;

/// Namespaces with their counts and a mark for errors.
pub(in crate::explorer) fn sources(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let focused = state.focus == Focus::Sources;
    let inner = frame(buffer, area, &title(state), focused, theme);
    regions.add(area, Target::Pane(Focus::Sources));
    let only = state
        .filters
        .chips
        .iter()
        .filter(|chip| chip.enabled && !chip.negated && chip.field() == Some(Field::Namespace));
    let shown: Vec<String> = only.map(|chip| chip.expression.to_string()).collect();
    let first = scrolled(state.source_cursor, inner.height);
    for (y, (at, count)) in
        (inner.y..inner.bottom()).zip(state.namespaces.iter().enumerate().skip(first))
    {
        let chosen = shown.iter().any(|text| {
            text == &crate::query::Expression::equals(Field::Namespace, count.name.as_str())
                .to_string()
        });
        let under = at == state.source_cursor;
        let line = Rect::new(inner.x, y, inner.width, 1);
        regions.add(line, Target::Source(at));
        buffer.set_style(line, theme.cursor_line(focused && under));
        let errors = count.errors();
        let mut right = put_right(
            buffer,
            inner.x,
            inner.right(),
            y,
            &short_count(count.total()),
            theme.dim(),
        );
        if errors > 0 {
            let text = format!("{} err ", short_count(errors));
            right = put_right(buffer, inner.x, right, y, &text, theme.error_text());
        }
        let sign = if chosen { "● " } else { "  " };
        let x = put(buffer, inner.x, y, 2, sign, theme.good());
        let style = if chosen {
            theme.key()
        } else {
            theme.namespace()
        };
        put(
            buffer,
            x,
            y,
            right.saturating_sub(x + 1),
            &visible(&count.name).text,
            style,
        );
        buffer.set_style(line, theme.cursor_line(focused && under));
    }
}

/// What is explored, and what the lines of plain files are taken for.
fn title(state: &State) -> String {
    let name = visible(&state.name).text;
    match state.members.formats().as_slice() {
        [] => format!("Sources · {name}"),
        [format] => format!("Sources · {name} · {}", visible(format).text),
        formats => format!("Sources · {name} · {} formats", formats.len()),
    }
}

/// The conditions in force, to be switched, turned around and removed.
pub(in crate::explorer) fn filters(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let focused = state.focus == Focus::Filters;
    let inner = frame(buffer, area, "Filters", focused, theme);
    regions.add(area, Target::Pane(Focus::Filters));
    let mut y = inner.y;
    let say = |buffer: &mut Buffer, y: &mut u16, text: &str, style| {
        if *y < inner.bottom() {
            put(buffer, inner.x, *y, inner.width, text, style);
            *y += 1;
        }
    };
    let first = scrolled(state.chip_cursor, inner.height.saturating_sub(2));
    for (at, chip) in state.filters.chips.iter().enumerate().skip(first) {
        if y >= inner.bottom() {
            return;
        }
        let line = Rect::new(inner.x, y, inner.width, 1);
        regions.add(line, Target::Chip(at));
        say(
            buffer,
            &mut y,
            &chip_text(chip),
            theme.chip(chip.enabled, chip.negated),
        );
        buffer.set_style(line, theme.cursor_line(focused && at == state.chip_cursor));
    }
    match state.filters.level {
        Some(level) => say(
            buffer,
            &mut y,
            &format!("level {level} and above"),
            theme.level(level),
        ),
        None => say(buffer, &mut y, "all levels (1…5 the lowest)", theme.dim()),
    }
    if !state.filters.typed_text.is_empty() {
        say(
            buffer,
            &mut y,
            &format!("query {}", visible(&state.filters.typed_text).text),
            theme.key(),
        );
    }
    if state.filters.chips.is_empty() {
        say(
            buffer,
            &mut y,
            "no conditions · + and - add them",
            theme.dim(),
        );
    } else {
        say(
            buffer,
            &mut y,
            "x off/on · ! turn around · d remove",
            theme.dim(),
        );
    }
}

/// The most frequent values of a field, to include or exclude.
pub(in crate::explorer) fn values(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let focused = state.focus == Focus::Values;
    let field = state.values.field.clone();
    let facets = &state.values.facets;
    let newest = if facets.partial { " of the newest" } else { "" };
    let inner = frame(
        buffer,
        area,
        &format!("‹ {field} ›{newest}"),
        focused,
        theme,
    );
    regions.add(area, Target::Pane(Focus::Values));
    if facets.values.is_empty() {
        let text = if state.requests.facets.is_some() {
            "counting …"
        } else {
            "no values"
        };
        put(buffer, inner.x, inner.y, inner.width, text, theme.dim());
    }
    let most = facets.values.first().map_or(1, |facet| facet.count.max(1));
    let first = scrolled(state.values.cursor, inner.height);
    for (y, (at, facet)) in
        (inner.y..inner.bottom()).zip(facets.values.iter().enumerate().skip(first))
    {
        let line = Rect::new(inner.x, y, inner.width, 1);
        regions.add(line, Target::Value(at));
        let right = put_right(
            buffer,
            inner.x,
            inner.right(),
            y,
            &short_count(facet.count),
            theme.dim(),
        );
        let bar_room = u64::from(inner.width / 4).max(1);
        let bar = "▆".repeat(usize::try_from((facet.count * bar_room).div_ceil(most)).unwrap_or(1));
        let x = put_right(
            buffer,
            inner.x,
            right.saturating_sub(1),
            y,
            &bar,
            theme.namespace(),
        );
        put(
            buffer,
            inner.x,
            y,
            x.saturating_sub(inner.x + 1),
            &visible(&facet.value).text,
            theme.key(),
        );
        buffer.set_style(
            line,
            theme.cursor_line(focused && at == state.values.cursor),
        );
    }
}
