//! Going somewhere else and back to the very row.

use std::time::Duration;

use super::{kept, load, notice};
use crate::base::Time;
use crate::entry::{Key, Position};
use crate::explorer::effect::Effects;
use crate::explorer::state::{Chip, Filters, Place, Shown, State};
use crate::query::{Expression, Field, Query};

/// Where one is.
fn here(state: &State) -> Place {
    let anchor = state
        .selected()
        .map(super::super::row::Row::key)
        .filter(|_| !state.live.following);
    Place {
        shown: state.shown.clone(),
        filters: state.filters.clone(),
        anchor,
        line: state.scroll.line,
    }
}

/// Remembers the place that is about to be left. A row that is followed is remembered as that row.
pub(super) fn leave(state: &mut State) {
    let mut place = here(state);
    place.anchor = state.selected().map(super::super::row::Row::key);
    state.history.leave(place);
}

/// Shows everything that shares the selected row's value of a field, in every namespace; the row stays selected.
pub(super) fn pivot(state: &mut State, field: &Field) -> Effects {
    let Some(row) = state.selected() else {
        return Effects::none();
    };
    let Some(value) = field
        .own_value(&row.entry)
        .map(std::borrow::Cow::into_owned)
    else {
        notice(state, format!("this entry has no {field}"), false);
        return Effects::none();
    };
    let key = row.key();
    leave(state);
    state.filters = Filters {
        chips: vec![Chip::include(Expression::equals(field.clone(), value))],
        ..Filters::default()
    };
    state.live.following = false;
    load::around(state, key)
}

/// Shows what a query finds around a moment: the first entry at it or after it.
pub(super) fn to_moment(state: &mut State, moment: Time, query: Query) -> Effects {
    let key = Key {
        time: moment,
        position: Position(0),
    };
    to_row(state, key, query)
}

/// Shows what a query finds around a row.
pub(super) fn to_row(state: &mut State, key: Key, query: Query) -> Effects {
    leave(state);
    state.overlays.clear();
    state.filters = Filters::default();
    if !query.is_everything() {
        state.filters.chips = vec![Chip::include(query.0)];
    }
    let turned = kept::turn_to(state, Shown::Log);
    state.live.following = false;
    turned.and(load::around(state, key))
}

/// How far everything around a row goes.
const MOMENT: Duration = Duration::from_secs(5);

/// Shows everything that happened around the row, everywhere; the row stays selected.
pub(super) fn moment(state: &mut State) -> Effects {
    let Some(key) = state.selected().map(super::super::row::Row::key) else {
        return Effects::none();
    };
    leave(state);
    state.filters = Filters {
        range: Some((key.time.earlier(MOMENT), key.time.later(MOMENT))),
        ..Filters::default()
    };
    state.live.following = false;
    load::around(state, key)
}

/// Back to where one came from.
pub(super) fn back(state: &mut State) -> Effects {
    let place = state.history.back(here(state));
    go(state, place, "there is nowhere to go back to")
}

/// Forward to where one went back from.
pub(super) fn forward(state: &mut State) -> Effects {
    let place = state.history.forward(here(state));
    go(state, place, "there is nowhere to go forward to")
}

fn go(state: &mut State, place: Option<Place>, otherwise: &str) -> Effects {
    let Some(place) = place else {
        notice(state, otherwise, false);
        return Effects::none();
    };
    state.filters = place.filters;
    let turned = kept::turn_to(state, place.shown);
    state.scroll.line = place.line;
    turned.and(match place.anchor {
        Some(key) => {
            state.live.following = false;
            load::around(state, key)
        }
        None => load::newest(state),
    })
}
