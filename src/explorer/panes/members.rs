//! Several logs explored as one: how it is with each, how far its entries reach, how its clock is corrected.

use ratatui::buffer::Buffer;

use super::list::{Column, Pane, headed};
use crate::backend::{Standing, State as Answers};
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, State};
use crate::explorer::theme::Theme;
use crate::explorer::update::printed_skew;

const COLUMNS: [Column; 4] = [
    ("NEWEST", 13),
    ("BEHIND", 9),
    ("UNANSWERED", 12),
    ("CLOCK", 10),
];

pub(in crate::explorer) fn members(
    state: &State,
    theme: Theme,
    cursor: usize,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let rows: Vec<(usize, &Standing)> = state.members.standing.iter().enumerate().collect();
    let title = format!("{} logs, merged by time", rows.len());
    let pane = Pane {
        title: &title,
        keys: "enter corrects a clock, as +2s or -300ms · esc closes",
        none: "there are none",
        name: "LOG",
        columns: &COLUMNS,
        reserved: 0,
    };
    let told = Answered {
        now: Some(()),
        ..Answered::default()
    };
    let Some(list) = pane.draw(state, theme, &told, &Listing::default(), None, buffer) else {
        return;
    };
    list.rows(
        &rows,
        cursor,
        theme,
        buffer,
        regions,
        |(at, standing), width| {
            let (sign, words, style) = match &standing.state {
                Answers::Ok => ("● ", String::new(), theme.member(at)),
                Answers::Failed { reason, .. } => (
                    "✗ ",
                    format!(" · {}", visible(reason).text),
                    theme.failure(),
                ),
            };
            let name = headed(
                format!("{sign}{}{words}", visible(&standing.name).text),
                width,
            );
            let newest = state.members.newest(at);
            let clock = newest.map(|time| state.zone.row_form(time).split_off(11));
            let behind = newest.map(|time| behind(state, at, time));
            let told = vec![
                clock.unwrap_or_default(),
                behind.unwrap_or_default(),
                if standing.missed > 0 {
                    grouped(standing.missed)
                } else {
                    String::new()
                },
                if standing.skew == 0 {
                    String::new()
                } else {
                    printed_skew(standing.skew)
                },
            ];
            (name, style, told)
        },
    );
}

/// How far the newest entry of a log lies behind the newest of all.
fn behind(state: &State, member: usize, time: crate::base::Time) -> String {
    let all = 0..state.members.standing.len();
    let newest = all
        .filter(|other| *other != member)
        .filter_map(|other| state.members.newest(other))
        .max();
    let behind = newest.map(|newest| newest.since(time)).unwrap_or_default();
    if behind.is_zero() {
        return "newest".to_owned();
    }
    format!("{}.{}s", behind.as_secs(), behind.subsec_millis() / 100)
}
