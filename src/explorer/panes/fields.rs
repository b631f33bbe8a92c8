//! Fields, the useful first: how many rows have them, how many values, the most frequent one.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::list::{Column, Pane, headed};
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::overlays::{Listing, Overlay};
use crate::explorer::regions::Regions;
use crate::explorer::state::State;
use crate::explorer::theme::Theme;

const COLUMNS: [Column; 3] = [("IN ROWS", 8), ("VALUES", 7), ("MOST FREQUENT", 24)];
/// Cells of the most frequent value.
const TOP: u16 = 14;
/// Cells of a bar.
const BAR: u64 = 8;

/// A share; what is there is never told to be none.
fn share(count: u64, of: u64) -> String {
    match count * 100 / of {
        0 if count > 0 => "<1%".to_owned(),
        percent => format!("{percent}%"),
    }
}

pub(in crate::explorer) fn fields(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let insight = &state.insight;
    let rows = insight.fields(listing);
    let differs = insight.differences.now.is_some();
    let first = if differs {
        " · ≠ differs in the span"
    } else {
        " · the useful first"
    };
    let title = format!(
        "{} fields of the rows around{first}",
        grouped(rows.len() as u64)
    );
    let for_columns = matches!(state.overlays.first(), Some(Overlay::Columns { .. }));
    let keys = if for_columns {
        "enter adds it as a column, or takes it away · / narrows · esc closes"
    } else {
        "enter counts its values in all that matches · c column · / narrows · esc closes"
    };
    let pane = Pane {
        title: &title,
        keys,
        none: "the rows have no fields",
        name: "FIELD",
        columns: &COLUMNS,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, &insight.fields, listing, None, buffer) else {
        return;
    };
    let most = rows.iter().map(|of| of.entries).max().unwrap_or(1).max(1);
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |of, width| {
            let name = of.field.name();
            let sign = if insight.difference_of(name).is_some() {
                "≠ "
            } else {
                "  "
            };
            let style = if state.columns.has(&of.field) {
                theme.good()
            } else {
                Style::new()
            };
            let (value, count) = &of.top;
            let filled = (count * BAR).div_ceil(of.entries.max(1)).min(BAR);
            let bar = "▆".repeat(usize::try_from(filled).unwrap_or(0));
            let top = headed(visible(value).text.into_owned(), TOP);
            let many = if of.values >= 1_000 { "+" } else { "" };
            let told = vec![
                share(of.entries, most),
                format!("{}{many}", of.values),
                format!("{top} {bar:<8}"),
            ];
            (
                headed(format!("{sign}{}", visible(name).text), width),
                style,
                told,
            )
        },
    );
}
