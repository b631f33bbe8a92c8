//! What went quiet: lines that came with a steady beat, and stopped.

use std::time::Duration;

use ratatui::buffer::Buffer;

use super::insight::{clock, more};
use super::list::{Column, Pane, headed};
use crate::base::Time;
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::State;
use crate::explorer::theme::Theme;

const COLUMNS: [Column; 4] = [("EVERY", 9), ("NONE SINCE", 12), ("MISSED", 8), ("CAME", 8)];

pub(in crate::explorer) fn quiet(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let insight = &state.insight;
    let rows = insight.quiet(listing);
    let told = insight.patterns.now.as_ref();
    let looked_at = told.map_or(0, |told| told.looked_at);
    let title = format!(
        "{} went quiet, of {} entries{}",
        rows.len(),
        grouped(looked_at),
        more(state)
    );
    let pane = Pane {
        title: &title,
        keys: "enter goes to the last of them · / narrows · esc closes",
        none: "nothing went quiet: what came with a steady beat goes on",
        name: "WHO, AND WHAT IT SAID",
        columns: &COLUMNS,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, &insight.patterns, listing, None, buffer) else {
        return;
    };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |of, width| {
            let name = format!("{}  {}", visible(&of.who).text, visible(&of.text).text);
            let told = vec![
                beat(Duration::from_nanos(of.every)),
                clock(state, Time(of.last)),
                grouped(of.missed),
                grouped(of.count),
            ];
            (headed(name, width), theme.attention(), told)
        },
    );
}

/// A beat, in two digits.
fn beat(every: Duration) -> String {
    match every.as_millis() {
        millis @ 0..10_000 => format!("{}.{}s", millis / 1_000, millis % 1_000 / 100),
        millis @ 10_000..120_000 => format!("{}s", millis / 1_000),
        millis @ 120_000..7_200_000 => format!("{}m", millis / 60_000),
        millis => format!("{}h", millis / 3_600_000),
    }
}
