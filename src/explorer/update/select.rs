//! Moving and choosing in whichever pane has the keys; the mouse.

use super::{detail, fields, filter, load, navigate, notice, overlay, prompt, timeline};
use crate::explorer::effect::Effects;
use crate::explorer::regions::Target;
use crate::explorer::row::Row;
use crate::explorer::state::{Focus, PromptKind, State};
use crate::explorer::widgets::lines_of;
use crate::query::Field;

/// Cells that the text moves sideways.
const SIDEWAYS: isize = 8;

/// Down, or up.
pub(super) fn vertical(state: &mut State, rows: i32) -> Effects {
    let step = |at: usize, count: usize| {
        at.saturating_add_signed(rows as isize)
            .min(count.saturating_sub(1))
    };
    match state.focus {
        Focus::Log | Focus::Timeline => return navigate::move_by(state, rows),
        Focus::Sources => state.source_cursor = step(state.source_cursor, state.namespaces.len()),
        Focus::Filters => state.chip_cursor = step(state.chip_cursor, state.filters.chips.len()),
        Focus::Values => {
            state.values.cursor = step(state.values.cursor, state.values.facets.values.len());
        }
        Focus::Detail => detail::move_by(state, rows),
    }
    Effects::none()
}

/// Right, or left.
pub(super) fn horizontal(state: &mut State, step: isize) -> Effects {
    if state.focus == Focus::Timeline {
        return timeline::step(state, step);
    }
    if state.focus == Focus::Values {
        return fields::turn(state, step);
    }
    if !state.scroll.wrap {
        state.scroll.sideways = state.scroll.sideways.saturating_add_signed(step * SIDEWAYS);
    }
    Effects::none()
}

/// To the beginning.
pub(super) fn oldest(state: &mut State) -> Effects {
    match state.focus {
        Focus::Log => navigate::oldest(state),
        Focus::Timeline => timeline::go(state, 0),
        _ => vertical(state, i32::MIN / 2),
    }
}

/// To the end.
pub(super) fn newest(state: &mut State) -> Effects {
    match state.focus {
        Focus::Log => navigate::newest(state),
        Focus::Timeline => timeline::go(state, state.timeline.len().saturating_sub(1)),
        _ => vertical(state, i32::MAX / 2),
    }
}

/// Enter: opens or chooses what is under the cursor.
pub(super) fn enter(state: &mut State) -> Effects {
    match state.focus {
        Focus::Log if state.picking.is_some() => timeline::zoom_to_rows(state),
        Focus::Log => detail::open(state),
        Focus::Timeline => timeline::zoom_in(state),
        Focus::Detail => detail::fold(state),
        Focus::Filters => filter::toggle(state),
        Focus::Sources => match state
            .namespaces
            .get(state.source_cursor)
            .map(|count| count.name.clone())
        {
            Some(name) => filter::only(state, &Field::Namespace, &name),
            None => Effects::none(),
        },
        Focus::Values => filter::only_value(state),
    }
}

/// Begins to select where one is, or leaves the selection: rows of the log, or a span of the timeline.
pub(super) fn span(state: &mut State) -> Effects {
    if state.focus != Focus::Log {
        return timeline::select(state);
    }
    if state.picking.take().is_some() {
        return Effects::none();
    }
    state.picking = state.selected().map(Row::key);
    if state.picking.is_some() {
        state.live.following = false;
        notice(
            state,
            "move to select · y copies · enter only this time · D what differs · esc leaves",
            false,
        );
    }
    Effects::none()
}

/// Opens the band above the log and goes there, or closes it.
pub(super) fn sources(state: &mut State) -> Effects {
    let inside = !matches!(state.focus, Focus::Log | Focus::Timeline | Focus::Detail);
    if state.sources_open && inside {
        state.sources_open = false;
        state.focus = Focus::Log;
        return Effects::none();
    }
    let was_open = state.sources_open;
    state.sources_open = true;
    state.focus = Focus::Sources;
    if was_open {
        Effects::none()
    } else {
        load::values(state)
    }
}

/// The next open pane.
pub(super) fn next_pane(state: &mut State, step: isize) -> Effects {
    let panes = state.panes();
    if panes.len() == 1 {
        return sources(state);
    }
    let at = panes
        .iter()
        .position(|pane| *pane == state.focus)
        .unwrap_or(0);
    let next = (at + panes.len()).saturating_add_signed(step) % panes.len();
    state.focus = panes.get(next).copied().unwrap_or_default();
    Effects::none()
}

/// The mouse button went down on something.
pub(super) fn click(state: &mut State, target: Target) -> Effects {
    if state.overlays.last().is_some() {
        return overlay::click(state, target);
    }
    match target {
        Target::Row(row) => {
            state.focus = Focus::Log;
            if row == state.scroll.selected {
                return detail::open(state);
            }
            state.live.following = false;
            let selected = state.scroll.selected;
            let between = row.min(selected)..row.max(selected);
            let lines: usize = between.map(|row| lines_of(state, row)).sum();
            let line = state.scroll.line;
            state.scroll.line = if row > selected {
                line + lines
            } else {
                line.saturating_sub(lines)
            };
            state.scroll.selected = row;
            Effects::none()
        }
        Target::Query => prompt::open(state, PromptKind::Query),
        Target::Source(at) => {
            (state.focus, state.source_cursor) = (Focus::Sources, at);
            enter(state)
        }
        Target::Chip(at) => {
            let focus = std::mem::replace(&mut state.focus, Focus::Filters);
            state.chip_cursor = at;
            let effects = filter::toggle(state);
            if !state.sources_open {
                state.focus = focus;
            }
            effects
        }
        Target::Value(at) => {
            (state.focus, state.values.cursor) = (Focus::Values, at);
            enter(state)
        }
        Target::Detail(line) => {
            state.focus = Focus::Detail;
            if let Some(detail) = &mut state.detail {
                detail.cursor = line;
            }
            Effects::none()
        }
        Target::Bucket(bucket) => {
            state.focus = Focus::Timeline;
            timeline::go(state, bucket)
        }
        Target::Status => navigate::follow_or_hold(state),
        Target::Pane(focus) => {
            state.focus = focus;
            Effects::none()
        }
        Target::Item(_) => Effects::none(),
    }
}

/// The wheel turned over something.
pub(super) fn wheel(state: &mut State, target: Target, rows: i32) -> Effects {
    if state.overlays.last().is_some() {
        return overlay::wheel(state, rows);
    }
    match target {
        Target::Bucket(bucket) => {
            state.focus = Focus::Timeline;
            state.timeline.cursor = state.timeline.begins(bucket);
            return if rows < 0 {
                timeline::zoom_in(state)
            } else {
                timeline::zoom_out(state)
            };
        }
        Target::Source(_) | Target::Pane(Focus::Sources) => state.focus = Focus::Sources,
        Target::Value(_) | Target::Pane(Focus::Values) => state.focus = Focus::Values,
        Target::Detail(_) | Target::Pane(Focus::Detail) => state.focus = Focus::Detail,
        _ => return navigate::scroll_by(state, rows),
    }
    vertical(state, rows)
}
