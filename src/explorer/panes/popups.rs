//! What lies above the panes: help, palette, choices, completions.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use tui_input::Input;

use crate::entry::visible;
use crate::explorer::overlays::HelpRow;
use crate::explorer::overlays::{Choice, Listing, help_rows, matching};
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::State;
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{frame, put, put_right, scrolled, width_of};

/// Completions in sight at once.
const MAX_COMPLETIONS: u16 = 8;

fn centered(buffer: &Buffer, width: u16, height: u16) -> Rect {
    let area = buffer.area;
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 3,
        width,
        height,
    )
}

pub(in crate::explorer) fn help(
    state: &State,
    theme: Theme,
    scroll: usize,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let rows = help_rows(&state.keymap);
    // Two columns where there is room, so that everything is in sight.
    let two = buffer.area.width >= 110;
    let needed = if two {
        rows.len().div_ceil(2)
    } else {
        rows.len()
    };
    let height = u16::try_from(needed + 2)
        .unwrap_or(u16::MAX)
        .min(buffer.area.height.saturating_sub(2));
    let widest = if two { 150 } else { 74 };
    let area = centered(buffer, widest, height);
    let inner = frame(
        buffer,
        area,
        "Keys · j k scroll · any other key closes",
        true,
        theme,
    );
    let per_column = usize::from(inner.height);
    let columns = if two { 2 } else { 1 };
    let first = scroll.min(rows.len().saturating_sub(per_column * columns));
    let width = inner.width / u16::try_from(columns).unwrap_or(1);
    for (index, row) in rows
        .iter()
        .skip(first)
        .take(per_column * columns)
        .enumerate()
    {
        let x = inner.x + width * u16::try_from(index / per_column).unwrap_or(0);
        let y = inner.y + u16::try_from(index % per_column).unwrap_or(0);
        match row {
            HelpRow::Heading(title) => drop(put(
                buffer,
                x,
                y,
                width,
                title,
                theme.title().add_modifier(Modifier::UNDERLINED),
            )),
            HelpRow::Keys(keys, words) => {
                put(buffer, x + 1, y, 17, keys, theme.key());
                put(
                    buffer,
                    x + 19,
                    y,
                    width.saturating_sub(20),
                    words,
                    ratatui::style::Style::new(),
                );
            }
            HelpRow::Text(text) => drop(put(
                buffer,
                x + 1,
                y,
                width.saturating_sub(2),
                text,
                ratatui::style::Style::new(),
            )),
        }
    }
    if first + per_column * columns < rows.len() {
        put_right(
            buffer,
            area.x,
            area.right() - 2,
            area.bottom() - 1,
            " more below ",
            theme.attention(),
        );
    }
    regions.add(buffer.area, Target::Pane(state.focus));
}

pub(in crate::explorer) fn palette(
    state: &State,
    theme: Theme,
    input: &Input,
    cursor: usize,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    regions.add(buffer.area, Target::Pane(state.focus));
    let found = matching(input.value());
    let area = centered(buffer, 64, 18);
    let inner = frame(buffer, area, "What do you want to do?", true, theme);
    let shown = visible(input.value()).text.into_owned();
    let x = put(buffer, inner.x, inner.y, inner.width, "› ", theme.title());
    put(
        buffer,
        x,
        inner.y,
        inner.width.saturating_sub(2),
        &shown,
        theme.key(),
    );
    regions.cursor = Some((
        (x + u16::try_from(width_of(&shown)).unwrap_or(0)).min(inner.right() - 1),
        inner.y,
    ));
    let list = Rect::new(
        inner.x,
        inner.y + 1,
        inner.width,
        inner.height.saturating_sub(1),
    );
    let first = scrolled(cursor, list.height);
    for (y, (at, action)) in (list.y..list.bottom()).zip(found.iter().enumerate().skip(first)) {
        let line = Rect::new(list.x, y, list.width, 1);
        regions.add(line, Target::Item(at));
        let keys = state.keymap.keys_of(*action).join(" ");
        let right = put_right(buffer, list.x, list.right(), y, &keys, theme.dim());
        put(
            buffer,
            list.x,
            y,
            right.saturating_sub(list.x + 1),
            action.row().title,
            ratatui::style::Style::new(),
        );
        buffer.set_style(line, theme.cursor_line(at == cursor));
    }
    if found.is_empty() {
        put(
            buffer,
            list.x,
            list.y,
            list.width,
            "nothing is called so",
            theme.dim(),
        );
    }
}

pub(in crate::explorer) fn choice(
    theme: Theme,
    (title, choices, listing): (&str, &[Choice], &Listing),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    regions.add(buffer.area, Target::Query);
    let typed = visible(listing.text.value()).text;
    let title = if listing.is_typing || !typed.is_empty() {
        format!("{title} · / {typed}▏")
    } else {
        format!("{title} · enter · / narrows · esc")
    };
    let labels = choices.iter().map(|choice| width_of(&choice.label));
    let widest = labels.max().unwrap_or(0).max(width_of(&title));
    let width = u16::try_from(widest + 4)
        .unwrap_or(80)
        .min(buffer.area.width.saturating_sub(4).min(100));
    let height = u16::try_from(choices.len() + 2)
        .unwrap_or(20)
        .min(buffer.area.height.saturating_sub(4));
    let area = centered(buffer, width, height);
    let inner = frame(buffer, area, &title, true, theme);
    let cursor = listing.cursor;
    let first = scrolled(cursor, inner.height);
    let rows = Choice::narrowed(choices, listing).enumerate().skip(first);
    for (y, (at, choice)) in (inner.y..inner.bottom()).zip(rows) {
        let line = Rect::new(inner.x, y, inner.width, 1);
        regions.add(line, Target::Item(at));
        put(
            buffer,
            inner.x,
            y,
            inner.width,
            &choice.label,
            ratatui::style::Style::new(),
        );
        buffer.set_style(line, theme.cursor_line(at == cursor));
    }
    if Choice::narrowed(choices, listing).next().is_none() {
        let text = "nothing is called so";
        put(buffer, inner.x, inner.y, inner.width, text, theme.dim());
    }
}

/// The list below the query bar.
pub(in crate::explorer) fn completions(
    state: &State,
    theme: Theme,
    bar: Rect,
    buffer: &mut Buffer,
) {
    let Some(prompt) = &state.prompt else { return };
    let completion = &prompt.completion;
    if completion.values.is_empty() {
        return;
    }
    let widest = completion
        .values
        .iter()
        .map(|value| width_of(value))
        .max()
        .unwrap_or(0)
        .clamp(8, 40);
    let width = u16::try_from(widest + 2).unwrap_or(42);
    let before = visible(prompt.text().get(..completion.start).unwrap_or_default())
        .text
        .into_owned();
    let x = (bar.x + 9 + u16::try_from(width_of(&before)).unwrap_or(0))
        .min(bar.right().saturating_sub(width));
    let height = u16::try_from(completion.values.len())
        .unwrap_or(MAX_COMPLETIONS)
        .min(MAX_COMPLETIONS);
    let outer = Rect::new(x.saturating_sub(1), bar.bottom(), width + 2, height + 2)
        .intersection(buffer.area);
    let area = frame(buffer, outer, "tab", true, theme);
    let chosen = completion.chosen.unwrap_or(0);
    let first = scrolled(chosen, area.height);
    for (y, (at, value)) in
        (area.y..area.bottom()).zip(completion.values.iter().enumerate().skip(first))
    {
        let line = Rect::new(area.x, y, area.width, 1);
        let style = if completion.chosen == Some(at) {
            theme.selected(true)
        } else {
            theme.namespace()
        };
        put(
            buffer,
            area.x + 1,
            y,
            area.width.saturating_sub(2),
            &visible(value).text,
            style,
        );
        if completion.chosen == Some(at) {
            buffer.set_style(line, theme.selected(true));
        }
    }
}
