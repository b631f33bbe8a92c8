//! A trace as a waterfall.

use ratatui::buffer::Buffer;

use super::list::{Column, Pane, headed, span};
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::State;
use crate::explorer::theme::Theme;

/// Cells of what is told beside the bars.
const TOOK: Column = ("TOOK", 9);
const LINES: Column = ("LINES", 6);

pub(in crate::explorer) fn waterfall(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let answered = &state.insight.trace;
    let told = answered.now.as_ref();
    let title = told.map_or_else(
        || "Trace".to_owned(),
        |told| {
            let part = if told.is_partial { "the first " } else { "" };
            let (count, trace) = (grouped(told.entries as u64), visible(&told.trace).text);
            format!(
                "Trace {trace} · {part}{count} entries · {}",
                span(told.to.since(told.from))
            )
        },
    );
    let half = buffer.area.width.saturating_sub(2) / 2;
    let cells = half.saturating_sub(TOOK.1 + LINES.1 + 1);
    let columns = [("", cells), TOOK, LINES];
    let rows: Vec<_> = told
        .iter()
        .flat_map(|told| &told.bars)
        .filter(|bar| listing.holds(&bar.name))
        .collect();
    let pane = Pane {
        title: &title,
        none: "nothing of it is kept",
        keys: "enter goes to its line, or to its error · / narrows · esc closes",
        name: "WHO, AND WHAT IT SAID FIRST",
        columns: &columns,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, answered, listing, None, buffer) else {
        return;
    };
    let Some(told) = told else { return };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |bar, width| {
            let took = bar.to.since(bar.from);
            let took = match took.as_millis() {
                0 if took.is_zero() => String::new(),
                0..10_000 => format!("{}ms", took.as_millis()),
                millis => format!("{}s", millis / 1_000),
            };
            let name = format!("{} {}", &bar.worst.word()[..1], bar.name);
            let line = told.line(bar, usize::from(cells.saturating_sub(1)));
            let columns = vec![line, took, bar.entries.to_string()];
            (headed(name, width), theme.level(bar.worst), columns)
        },
    );
}
