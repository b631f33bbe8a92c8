//! Several logs explored as one: how it is with each, how far its entries reach, how its clock is corrected.

use ratatui::buffer::Buffer;

use super::list::{Column, Pane, headed};
use crate::backend::{Standing, State as Answers};
use crate::base::Time;
use crate::base::units::grouped;
use crate::entry::visible;
use crate::explorer::overlays::Listing;
use crate::explorer::regions::Regions;
use crate::explorer::state::{Answered, Link, State};
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
    if state.members.are_files() {
        super::files::files(state, theme, cursor, buffer, regions);
        return;
    }
    let alone = [alone(state)];
    let standing = if state.members.are_several() {
        state.members.standing.as_slice()
    } else {
        &alone
    };
    let rows: Vec<(usize, &Standing)> = standing.iter().enumerate().collect();
    let title = match rows.len() {
        1 => "One log · name several to read them as one".to_owned(),
        count => format!("{count} logs, merged by time"),
    };
    let pane = Pane {
        title: &title,
        keys: if rows.len() > 1 {
            "enter corrects a clock, as +2s or -300ms · esc closes"
        } else {
            "esc closes"
        },
        none: "there are none",
        name: "LOG",
        columns: &COLUMNS,
        reserved: 0,
    };
    let told = Answered::known();
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
            let newest = newest(state, at);
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

/// How it is with a log that is explored by itself.
fn alone(state: &State) -> Standing {
    let answers = match &state.live.link {
        Link::Lost { reason, again } => Answers::Failed {
            reason: reason.clone(),
            since: *again,
        },
        Link::Connecting | Link::Live | Link::Ended => Answers::Ok,
    };
    Standing {
        name: state.name.clone(),
        state: answers,
        missed: state.live.losses,
        skew: 0,
    }
}

fn newest(state: &State, member: usize) -> Option<Time> {
    if state.members.are_several() {
        return state.members.newest(member);
    }
    let last = state
        .window
        .rows()
        .back()
        .filter(|_| state.window.is_attached());
    last.map(|row| row.entry.time)
}

/// How far the newest entry of a log lies behind the newest of the others; of one alone, behind now.
fn behind(state: &State, member: usize, time: Time) -> String {
    if !state.members.are_several() {
        return format!("{}s", state.now.since(time).as_secs());
    }
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
