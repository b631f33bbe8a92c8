//! Saved queries, and how those that are watched stand.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::list::{Column, Pane, headed, sparkline};
use crate::base::units::{grouped, print_duration};
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, Saved, State};
use crate::explorer::theme::Theme;

const COLUMNS: [Column; 3] = [("NOW", 9), ("TOLD AT", 14), ("BEFORE", 22)];

pub(in crate::explorer) fn saved(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let rows = state.saved.listed(listing);
    let title = match rows.len() {
        1 => "1 saved query".to_owned(),
        count => format!("{count} saved queries"),
    };
    let pane = Pane {
        title: &title,
        keys: "enter asks it · a saves what is asked now · d removes · / narrows · esc closes",
        none: "none is saved: a saves what is asked now, as name, or name > 5 in 1m",
        name: "QUERY",
        columns: &COLUMNS,
        reserved: 0,
    };
    let told = Answered::known();
    let Some(list) = pane.draw(state, theme, &told, listing, None, buffer) else {
        return;
    };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |of, width| {
            let has_fired = of.watch.as_ref().is_some_and(|watch| watch.fired.is_some());
            let sign = if has_fired { "⚑ " } else { "  " };
            let style = if has_fired {
                theme.failure()
            } else {
                Style::new()
            };
            let query = visible(&of.written.query).text;
            let query = if query.is_empty() {
                "all entries".into()
            } else {
                query
            };
            let name = format!("{sign}{} · {query}", visible(&of.name).text);
            (headed(name, width), style, told_of(of))
        },
    );
}

fn told_of(of: &Saved) -> Vec<String> {
    let Some(watch) = &of.watch else {
        return Vec::new();
    };
    let now = match (&watch.failed, watch.count) {
        (Some(_), _) => "failed".to_owned(),
        (None, Some(count)) => grouped(count),
        (None, None) => "…".to_owned(),
    };
    let limit = format!("> {} in {}", watch.more_than, print_duration(watch.within));
    vec![now, limit, sparkline(&watch.before)]
}
