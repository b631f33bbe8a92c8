//! The first line: what is explored, and the chips that narrow it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::Time;
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Chip, Lens, Shown, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{put, put_right, width_of};

pub(in crate::explorer) fn title(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let right = match state.timeline.matching() {
        // What is not indexed is not counted as a whole.
        _ if state.total() == 0 && state.window.len() > 0 => " ".to_owned(),
        Some(count) if !state.filters.is_empty() => {
            format!("{} of {} entries ", grouped(count), grouped(state.total()))
        }
        _ => format!("{} entries ", grouped(state.total())),
    };
    let end = put_right(buffer, area.x, area.right(), area.y, &right, theme.dim());
    let mut x = put(
        buffer,
        area.x,
        area.y,
        end - area.x,
        " tailwater ",
        theme.title(),
    );
    let name = visible(&state.name).text;
    let room = end.saturating_sub(x);
    x = match &state.shown {
        Shown::Log => put(buffer, x, area.y, room, &name, theme.dim()),
        Shown::Kept(key) => {
            let text = format!("{name} ▸ {}", visible(key).text);
            put(buffer, x, area.y, room, &text, theme.key())
        }
    };
    x = x.saturating_add(2);
    if let Some(text) = time_and_lens(state) {
        let room = end.saturating_sub(x);
        x = put(buffer, x, area.y, room, &text, theme.attention()).saturating_add(2);
    }
    if let Some(level) = state.filters.level {
        let text = format!("≥ {level}");
        x = put(
            buffer,
            x,
            area.y,
            end.saturating_sub(x),
            &text,
            theme.level(level),
        )
        .saturating_add(2);
    }
    for (index, chip) in state.filters.chips.iter().enumerate() {
        let text = chip_text(chip);
        let room = end.saturating_sub(x + 1);
        if usize::from(room) < width_of(&text).min(12) {
            put(
                buffer,
                x,
                area.y,
                room,
                &format!("+{} more", state.filters.chips.len() - index),
                theme.dim(),
            );
            break;
        }
        let start = x;
        x = put(
            buffer,
            x,
            area.y,
            room,
            &text,
            theme.chip(chip.enabled, chip.negated),
        );
        regions.add(Rect::new(start, area.y, x - start, 1), Target::Chip(index));
        x = x.saturating_add(2);
    }
}

/// The range of time, and what is looked at instead of what the filters let through.
fn time_and_lens(state: &State) -> Option<String> {
    let lens = match &state.filters.lens {
        Some(Lens::Off) => Some("filters off · X on".to_owned()),
        Some(Lens::Context(words, _)) => Some(format!("context: {words} · z Z")),
        None => None,
    };
    let range = state.filters.range.map(|(from, to)| {
        let form = |time: Time| {
            let form = state.zone.row_form(time);
            form.get(11..19).unwrap_or_default().to_owned()
        };
        if to == Time::MAX {
            format!("from {}", form(from))
        } else {
            format!("{}–{}", form(from), form(to))
        }
    });
    match (range, lens) {
        (Some(range), Some(lens)) => Some(format!("{range} · {lens}")),
        (range, lens) => range.or(lens),
    }
}

/// A chip in words; one that is off says so without colour too.
pub(in crate::explorer) fn chip_text(chip: &Chip) -> String {
    let condition = match &chip.name {
        Some(name) if chip.negated => format!("not ≈ {name}"),
        Some(name) => format!("≈ {name}"),
        None => chip.condition().to_string(),
    };
    let sign = if chip.enabled { "●" } else { "○" };
    format!("{sign} {}", visible(&condition).text)
}
