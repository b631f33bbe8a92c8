//! The case: rows that were marked, with their notes.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use tui_input::Input;

use super::list::{Column, Pane};
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::put;

const COLUMNS: [Column; 3] = [("TIME", 13), ("LEVEL", 7), ("NAMESPACE", 14)];

pub(in crate::explorer) fn case(
    state: &State,
    theme: Theme,
    (listing, saving): (&Listing, Option<&Input>),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let marks: Vec<_> = state.case.marks.iter().collect();
    let count = marks.len();
    let title = format!("Case · {count} marked");
    let told = Answered::known();
    let pane = Pane {
        title: &title,
        none: "nothing is marked: m marks the row",
        keys: if saving.is_some() {
            ""
        } else {
            "enter goes there · s saves (.md .csv .ndjson, or a case) · d removes · esc closes"
        },
        name: "NOTE",
        columns: &COLUMNS,
        reserved: if marks.is_empty() { 0 } else { 4 },
    };
    let Some(list) = pane.draw(state, theme, &told, listing, saving, buffer) else {
        return;
    };
    list.rows(&marks, listing.cursor, theme, buffer, regions, |mark, _| {
        let entry = &mark.entry;
        let (name, style) = if mark.note.is_empty() {
            (visible(&entry.text).text.into_owned(), theme.dim())
        } else {
            (visible(&mark.note).text.into_owned(), Style::new())
        };
        let time = state.zone.row_form(entry.time);
        let columns = vec![
            time.get(11..).unwrap_or_default().to_owned(),
            entry.level.word().to_owned(),
            visible(&entry.scope.namespace).text.into_owned(),
        ];
        (name, style, columns)
    });
    let Some(mark) = marks.get(listing.cursor) else {
        return;
    };
    let area = list.below;
    let text = visible(&mark.entry.text).text;
    let query = match visible(&mark.query).text {
        query if query.is_empty() => "found without a filter".to_owned(),
        query => format!("found by: {query}"),
    };
    let lines = [(text.as_ref(), Style::new()), (query.as_str(), theme.dim())];
    for (y, (line, style)) in (area.y + 1..area.bottom()).zip(lines) {
        put(
            buffer,
            area.x + 1,
            y,
            area.width.saturating_sub(2),
            line,
            style,
        );
    }
}
