//! What arrives.

use std::time::Duration;

use super::notice;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::message::Live;
use crate::explorer::request::Number;
use crate::explorer::state::{Link, State};

/// The feed told something.
pub(super) fn live(state: &mut State, number: Number, live: Live) -> Effects {
    if state.requests.follow != Some(number) {
        return Effects::none();
    }
    match live {
        Live::Entries(entries, _) => {
            state.live.link = Link::Live;
            arrived(state, entries);
        }
        Live::Connected => {
            // One of several is there again: what it has is asked for.
            if state.members.failing().next().is_some() {
                return Effects::from(Effect::Standing).and(super::load::again(state));
            }
            if matches!(state.live.link, Link::Lost { .. }) {
                notice(state, "connected again: nothing was missed", false);
                state.live.uncounted = true;
            }
            state.live.link = Link::Live;
        }
        // Of several logs the others go on: which one does not is told with how it is with each.
        Live::Lost { .. } if state.members.are_several() => return Effect::Standing.into(),
        Live::Lost { reason, wait_ms } => {
            if !matches!(state.live.link, Link::Lost { .. }) {
                state.live.losses += 1;
            }
            state.live.link = Link::Lost {
                reason,
                again: state.now.later(Duration::from_millis(wait_ms)),
            };
        }
        Live::Ended => state.live.link = Link::Ended,
    }
    Effects::none()
}

fn arrived(state: &mut State, entries: Vec<crate::entry::Entry>) {
    if entries.is_empty() {
        return;
    }
    // What is older than all that is shown is being read, not happening.
    let newest = state
        .window
        .rows()
        .back()
        .map(crate::explorer::row::Row::key);
    let count = entries
        .iter()
        .filter(|entry| newest.is_none_or(|newest| entry.key() > newest))
        .count() as u64;
    state.live.note(state.now, count);
    if !state.live.following {
        state.live.arrived += count;
    }
    // A window that is elsewhere in the log lets them pass: pages bring them when the user returns.
    if !state.window.is_attached() {
        return;
    }
    state.members.saw(&entries);
    let was_empty = state.window.len() == 0;
    let (places, fallen) = state.window.arrive(entries);
    if let Some(key) = state.seeking {
        state.scroll.selected = state.nearest(key);
        state.scroll.line = state.landing_line;
        return;
    }
    if !was_empty && !state.live.following {
        for place in places {
            if place <= state.scroll.selected {
                state.scroll.selected += 1;
            }
        }
        state.scroll.selected = state.scroll.selected.saturating_sub(fallen);
    }
}
