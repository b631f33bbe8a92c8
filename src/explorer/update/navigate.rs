//! Moving through the log pane.
//!
//! The selected row is the anchor: it stands on a line of the pane, and whatever is spliced in around it, it stays there.

use super::load;
use crate::explorer::effect::Effects;
use crate::explorer::layout::areas;
use crate::explorer::state::State;
use crate::explorer::widgets::lines_of;

/// Rows that a page moves.
pub(super) fn page_rows(state: &State) -> i32 {
    i32::from(areas(state).log.height.max(2)) - 1
}

/// Moves the selection; reaching the end of a window that is attached follows again.
pub(super) fn move_by(state: &mut State, rows: i32) -> Effects {
    let last = state.window.len().saturating_sub(1);
    let from = state.scroll.selected;
    let to = state.shown_from(from, rows);
    state.touched = true;
    state.window.stalled = false;
    if rows.unsigned_abs() > 1 {
        // A page moves the view with the selection: the line stays.
        state.scroll.selected = to;
    } else {
        let height = usize::from(areas(state).log.height);
        state.scroll.selected = to;
        let between: usize = (from.min(to)..from.max(to))
            .map(|row| lines_of(state, row))
            .sum();
        state.scroll.line = if to > from {
            (state.scroll.line + between).min(height)
        } else {
            state.scroll.line.saturating_sub(between)
        };
    }
    if rows < 0 {
        state.live.following = false;
    } else if to == last && to > from && state.window.is_attached() {
        resume(state);
    }
    Effects::none()
}

/// Moves the view under the selection, as the wheel does.
pub(super) fn scroll_by(state: &mut State, rows: i32) -> Effects {
    let last = state.window.len().saturating_sub(1);
    state.touched = true;
    state.window.stalled = false;
    state.scroll.selected = state.shown_from(state.scroll.selected, rows);
    if rows < 0 {
        state.live.following = false;
    } else if state.scroll.selected == last && state.window.is_attached() {
        resume(state);
    }
    Effects::none()
}

fn resume(state: &mut State) {
    state.live.following = true;
    state.live.arrived = 0;
}

/// Selects the newest row, on the last line.
pub(super) fn to_end(state: &mut State) {
    state.scroll.selected = state.window.len().saturating_sub(1);
    state.scroll.line = usize::from(areas(state).log.height);
}

/// To the newest entry of the whole query.
pub(super) fn newest(state: &mut State) -> Effects {
    if state.window.is_attached() && state.requests.load.is_none() && !state.window.stalled {
        resume(state);
        to_end(state);
        return Effects::none();
    }
    load::newest(state)
}

/// To the oldest entry of the whole query.
pub(super) fn oldest(state: &mut State) -> Effects {
    load::oldest(state)
}

/// Follows, or holds the view still.
pub(super) fn follow_or_hold(state: &mut State) -> Effects {
    if state.live.following {
        state.live.following = false;
        return Effects::none();
    }
    newest(state)
}

/// Brings the scroll position within what there is: no empty space while there are rows to fill it.
pub(super) fn settle(state: &mut State) {
    let height = usize::from(areas(state).log.height);
    if state.window.len() == 0 || height == 0 {
        state.scroll.selected = 0;
        state.scroll.line = 0;
        return;
    }
    state.scroll.selected = state.scroll.selected.min(state.window.len() - 1);
    if state.live.following && state.window.is_attached() {
        to_end(state);
    }
    let own = lines_of(state, state.scroll.selected).min(height);
    // The selected row is whole on the screen.
    let mut line = state.scroll.line.min(height - own);
    // No empty lines below while rows above could fill them.
    let below = lines_from(state, state.scroll.selected, height);
    line = line.max(height.saturating_sub(below));
    // No empty lines above: the first row stands on the first line.
    state.scroll.line = line.min(lines_before(state, state.scroll.selected, height));
}

/// Lines that the rows before `row` take, counted to `most`.
pub(super) fn lines_before(state: &State, row: usize, most: usize) -> usize {
    let mut lines = 0;
    for above in (0..row).rev() {
        lines += lines_of(state, above);
        if lines >= most {
            return most;
        }
    }
    lines
}

/// Lines that `row` and the rows after it take, counted to `most`.
fn lines_from(state: &State, row: usize, most: usize) -> usize {
    let mut lines = 0;
    for below in row..state.window.len() {
        lines += lines_of(state, below);
        if lines >= most {
            return most;
        }
    }
    lines
}
