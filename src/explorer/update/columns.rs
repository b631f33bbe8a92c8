//! The list of columns: order, width, away.

use super::overlay::step_of;
use super::{fields, notice};
use crate::explorer::effect::Effects;
use crate::explorer::keymap::{Code, Key};
use crate::explorer::layout::columns;
use crate::explorer::overlays::Overlay;
use crate::explorer::state::{Column, Shape, State};
use crate::query::Field;

/// Opens the list.
pub(super) fn open(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Columns { cursor: 0 });
    Effects::none()
}

/// Shows a field as a column, or hides it. What the text shows already is not shown twice.
pub(super) fn toggle(state: &mut State, field: Field) -> Effects {
    if matches!(field, Field::Text | Field::Error) {
        notice(state, format!("{field} is shown already"), false);
    } else {
        state.columns.toggle(field);
    }
    Effects::none()
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Some(Overlay::Columns { cursor }) = state.overlays.last() else {
        return None;
    };
    let at = *cursor;
    let mut moved = at;
    match (key.code, key.ctrl) {
        (Code::Esc, _) | (Code::Char('c'), true) | (Code::Char('q' | 'O') | Code::Enter, false) => {
            state.overlays.pop();
            return Some(Effects::none());
        }
        (Code::Char('<' | 'K') | Code::Left, false) => moved = state.columns.shift(at, -1),
        (Code::Char('>' | 'J') | Code::Right, false) => moved = state.columns.shift(at, 1),
        (Code::Char('+' | '='), false) => widen(state, at, true),
        (Code::Char('-'), false) => widen(state, at, false),
        (Code::Char('d' | 'x') | Code::Delete, false) if at < state.columns.0.len() => {
            state.columns.0.remove(at);
        }
        (Code::Char('a'), false) => return Some(fields::open(state)),
        (Code::Char('0'), false) => state.columns = Shape::default(),
        _ => {
            if let Some(step) = step_of(key, false) {
                moved = at.saturating_add_signed(step);
            }
        }
    }
    let last = state.columns.0.len().saturating_sub(1);
    if let Some(Overlay::Columns { cursor }) = state.overlays.last_mut() {
        *cursor = moved.min(last);
    }
    Some(Effects::none())
}

fn widen(state: &mut State, at: usize, is_wider: bool) {
    let own = || state.columns.0.get(at).map(Column::width_of_field);
    let now = columns(state).width_of(at).or_else(own);
    state.columns.widen(at, now.unwrap_or(1), is_wider);
}
