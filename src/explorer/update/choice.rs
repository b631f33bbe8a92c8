//! Keys for a list of values that can be chosen.

use super::filter::apply;
use super::overlay::{InList, in_list};
use super::{columns, timeline};
use crate::explorer::effect::Effects;
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Choice, Overlay, Purpose};
use crate::explorer::state::State;

/// A key while values are offered.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Some(Overlay::Choice {
        choices, listing, ..
    }) = state.overlays.last_mut()
    else {
        return None;
    };
    let count = Choice::narrowed(choices, listing).count();
    match in_list(listing, key, count) {
        InList::Entered if count > 0 => return Some(run(state)),
        InList::Closed => drop(state.overlays.pop()),
        InList::Other if matches!(key.code, Code::Char('q' | '+' | '-')) => {
            state.overlays.pop();
        }
        InList::Entered | InList::Moved | InList::Typed | InList::Other => {}
    }
    Some(Effects::none())
}

/// Does what the value under the cursor is for.
pub(super) fn run(state: &mut State) -> Effects {
    let Some(Overlay::Choice {
        choices, listing, ..
    }) = state.overlays.pop()
    else {
        return Effects::none();
    };
    let chosen = Choice::narrowed(&choices, &listing).nth(listing.cursor);
    let Some(choice) = chosen.cloned() else {
        return Effects::none();
    };
    match choice.what {
        Purpose::Filter(sense) => apply(state, sense, choice.field, &choice.value),
        Purpose::Column => columns::toggle(state, choice.field),
        Purpose::Range => timeline::choose(state, &choice.value),
    }
}
