//! Patterns, what is different, what went quiet: lists over the whole screen.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::list::{Column, Pane, headed, sparkline};
use crate::base::Time;
use crate::base::units::{grouped, short_count};
use crate::entry::{Level, visible};
use crate::explorer::overlays::{Listing, PatternsView};
use crate::explorer::regions::Regions;
use crate::explorer::state::State;
use crate::explorer::theme::Theme;
use crate::query::{Difference, Template};

const PATTERN_COLUMNS: [Column; 5] = [
    ("COUNT", 7),
    ("OVER TIME", 22),
    ("FIRST", 10),
    ("SHARE", 7),
    ("LAST", 10),
];
const DIFFERENCE_COLUMNS: [Column; 4] = [("CHANGE", 8), ("SPAN", 8), ("BEFORE", 8), ("LINES", 8)];
const QUIET_COLUMNS: [Column; 4] = [("EVERY", 9), ("NONE SINCE", 12), ("MISSED", 8), ("CAME", 8)];

fn clock(state: &State, time: Time) -> String {
    state
        .zone
        .row_form(time)
        .get(11..19)
        .unwrap_or_default()
        .to_owned()
}

/// Whether this is of a small part, and more is being looked at.
fn more(state: &State) -> &'static str {
    if state.insight.is_partial {
        " · looking at more …"
    } else {
        ""
    }
}

/// Lines of one shape.
pub(in crate::explorer) fn patterns(
    state: &State,
    theme: Theme,
    (listing, view): (&Listing, PatternsView),
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let insight = &state.insight;
    let rows = insight.templates(listing, view);
    let told = insight.patterns.now.as_ref();
    let of = told.map_or_else(String::new, |told| {
        let part = if told.partial { "the newest " } else { "" };
        format!(" of {part}{} entries", grouped(told.looked_at))
    });
    let new = match insight.since {
        _ if view == PatternsView::Appeared => " · in the order they appeared".to_owned(),
        Some(since) if view == PatternsView::New => {
            format!(" · only ★ new since {}", clock(state, since))
        }
        Some(since) => format!(" · ★ new since {}", clock(state, since)),
        None => String::new(),
    };
    let title = format!("{} patterns{of}{new}{}", rows.len(), more(state));
    let pane = Pane {
        title: &title,
        keys: "enter shows · x hides · n new, in order · / narrows · esc closes",
        none: match view {
            PatternsView::All => "nothing matches",
            PatternsView::New | PatternsView::Appeared => "nothing is new: n shows all",
        },
        name: "PATTERN",
        columns: &PATTERN_COLUMNS,
        reserved: 0,
    };
    let looked_at = told.map_or(1, |told| told.looked_at.max(1));
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
            let sign = if insight.is_new(of) { "★ " } else { "  " };
            let worst = Level::ALL
                .into_iter()
                .rev()
                .find(|level| of.levels[*level as usize] > 0);
            let worst = worst.unwrap_or_default();
            let name = format!("{sign}{} {}", &worst.word()[..1], visible(&of.text).text);
            (
                headed(name, width),
                theme.level(worst),
                told_of(state, of, looked_at),
            )
        },
    );
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn told_of(state: &State, of: &Template, looked_at: u64) -> Vec<String> {
    let share = of.count as f64 * 100.0 / looked_at as f64;
    vec![
        short_count(of.count),
        sparkline(&of.over_time),
        clock(state, Time(of.first)),
        format!("{share:.1}%"),
        clock(state, Time(of.last)),
    ]
}

/// What is different in a span.
pub(in crate::explorer) fn differences(
    state: &State,
    theme: Theme,
    listing: &Listing,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let insight = &state.insight;
    let rows = insight.differences(listing);
    let (from, to) = insight.span;
    let told = insight.differences.now.as_ref();
    let sizes = told.map_or_else(String::new, |told| {
        let part = if told.partial { "the newest " } else { "" };
        let (inside, outside) = (grouped(told.inside), grouped(told.outside));
        format!(" · {part}{inside} entries against {outside} before")
    });
    let title = format!(
        "What is different in {}–{}{sizes}",
        clock(state, from),
        clock(state, to)
    );
    let pane = Pane {
        title: &title,
        keys: "enter shows where it begins · x hides · / narrows · esc closes",
        none: "nothing differs: it is as before",
        name: "FIELD OR PATTERN",
        columns: &DIFFERENCE_COLUMNS,
        reserved: 0,
    };
    let Some(list) = pane.draw(state, theme, &insight.differences, listing, None, buffer) else {
        return;
    };
    let Some(told) = told else { return };
    list.rows(
        &rows,
        listing.cursor,
        theme,
        buffer,
        regions,
        |of, width| {
            let (inside, outside) = told.shares(of);
            let name = match &of.field {
                Some(field) => format!("  {} = {}", visible(field).text, visible(&of.value).text),
                None => format!("≈ {}", visible(&of.value).text),
            };
            let percent = |share: f64| format!("{:.1}%", share * 100.0);
            let columns = vec![
                change(of, inside, outside),
                percent(inside),
                percent(outside),
                short_count(of.inside),
            ];
            let style = if inside > outside {
                theme.attention()
            } else {
                Style::new()
            };
            (headed(name, width), style, columns)
        },
    );
}

/// How a share changed.
fn change(of: &Difference, inside: f64, outside: f64) -> String {
    match (of.inside, of.outside) {
        (_, 0) => "★ new".to_owned(),
        (0, _) => "gone".to_owned(),
        _ if inside >= outside => format!("×{:.1}", inside / outside),
        _ => format!("÷{:.1}", outside / inside),
    }
}

/// What went quiet: lines that came with a steady beat, and stopped.
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
        columns: &QUIET_COLUMNS,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_show_what_there_is_and_where_there_is_nothing() {
        let mut parts = vec![0; 40];
        (parts[0], parts[20], parts[39]) = (1, 80, 40);
        assert_eq!(sparkline(&parts), "▁         █        ▄");
        assert_eq!(sparkline(&[]), "");
    }
}
