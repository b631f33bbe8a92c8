//! The list of columns.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::list::{Column as Heading, Pane};
use crate::entry::visible;
use crate::explorer::layout::columns as placed;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, Column, State};
use crate::explorer::theme::Theme;

const COLUMNS: [Heading; 2] = [("CELLS", 7), ("IN SIGHT", 10)];

pub(in crate::explorer) fn columns(
    state: &State,
    theme: Theme,
    cursor: usize,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let told = Answered::known();
    let pane = Pane {
        title: "Columns · the time before them, the text after them",
        keys: "< > moves · + - width · a adds · d removes · 0 as at first · esc closes",
        none: "there are none: a adds one",
        name: "COLUMN",
        columns: &COLUMNS,
        reserved: 0,
    };
    let listing = Listing::default();
    let Some(list) = pane.draw(state, theme, &told, &listing, None, buffer) else {
        return;
    };
    let shown = placed(state);
    let rows: Vec<(usize, &Column)> = state.columns.0.iter().enumerate().collect();
    list.rows(&rows, cursor, theme, buffer, regions, |(at, column), _| {
        let told = match shown.width_of(at) {
            Some(cells) => vec![cells.to_string(), "yes".into()],
            None => vec![String::new(), "no room".into()],
        };
        (
            visible(column.field.name()).text.into_owned(),
            Style::new(),
            told,
        )
    });
}
