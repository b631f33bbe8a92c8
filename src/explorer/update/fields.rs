//! Fields, the useful first; the values of one in the Values pane.

use super::overlay::{InList, in_list};
use super::{columns, load};
use crate::explorer::effect::Effects;
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Listing, Overlay};
use crate::explorer::state::{Focus, State};
use crate::query::{Facets, Field};

/// Rows that are looked at, around the selected one.
const ROWS: usize = 2_000;

/// Opens the list.
pub(super) fn open(state: &mut State) -> Effects {
    look(state);
    state.overlays.push(Overlay::Fields(Listing::default()));
    Effects::none()
}

fn look(state: &mut State) {
    let first = state.scroll.selected.saturating_sub(ROWS / 2);
    let rows = state.window.rows().iter().skip(first).take(ROWS);
    state
        .insight
        .look_at_fields(rows.map(|row| row.entry.as_ref()));
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Overlay::Fields(listing) = state.overlays.last_mut()? else {
        return None;
    };
    let count = state.insight.fields(listing).len();
    match (in_list(listing, key, count), key.code) {
        (InList::Entered, _) => return Some(enter(state)),
        (InList::Other, Code::Char('c')) => {
            if let Some(field) = chosen(state) {
                return Some(columns::toggle(state, field));
            }
        }
        (InList::Closed, _) | (InList::Other, Code::Char('q' | 'I')) => {
            state.overlays.pop();
        }
        _ => {}
    }
    Some(Effects::none())
}

fn chosen(state: &State) -> Option<Field> {
    let Overlay::Fields(listing) = state.overlays.last()? else {
        return None;
    };
    let fields = state.insight.fields(listing);
    fields.get(listing.cursor).map(|of| of.field.clone())
}

/// The values of the field under the cursor, in everything that the query matches.
pub(super) fn enter(state: &mut State) -> Effects {
    let Some(field) = chosen(state) else {
        return Effects::none();
    };
    state.overlays.pop();
    // Asked for from the list of columns, it becomes one.
    if matches!(state.overlays.last(), Some(Overlay::Columns { .. })) {
        return columns::toggle(state, field);
    }
    state.sources_open = true;
    state.focus = Focus::Values;
    values_of(state, field)
}

fn values_of(state: &mut State, field: Field) -> Effects {
    state.values.field = field;
    state.values.cursor = 0;
    state.values.facets = Facets::default();
    load::values(state)
}

/// The values of the next field, or the one before.
pub(super) fn turn(state: &mut State, step: isize) -> Effects {
    // The order stays while one goes through it.
    if state.insight.fields.now.as_ref().is_none_or(Vec::is_empty) {
        look(state);
    }
    let fields: Vec<Field> = state
        .insight
        .fields(&Listing::default())
        .iter()
        .map(|of| of.field.clone())
        .collect();
    let at = fields
        .iter()
        .position(|field| *field == state.values.field)
        .unwrap_or(0);
    let Some(count) = std::num::NonZero::new(fields.len()) else {
        return Effects::none();
    };
    let next = (at + count.get()).saturating_add_signed(step) % count;
    match fields.into_iter().nth(next) {
        Some(field) => values_of(state, field),
        None => Effects::none(),
    }
}
