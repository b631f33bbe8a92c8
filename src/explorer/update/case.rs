//! Marks and evidence: marking rows, looking through the marks, handing them on.

use tui_input::Input;

use super::overlay::{edit, step_of};
use super::{jump, notice};
use crate::explorer::action::Action;
use crate::explorer::case::{CaseForm, Mark};
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Listing, Overlay};
use crate::explorer::state::{Prompt, PromptKind, State};
use crate::query::Query;

/// What a case is called unless something else is typed.
const FILE: &str = "incident.md";

/// What an export is called unless something else is typed.
pub(super) const EXPORT: &str = "entries.ndjson";

/// Writes everything that is asked for into a file.
pub(super) fn export(state: &mut State, path: String) -> Effects {
    if path.is_empty() {
        return Effects::none();
    }
    notice(state, "exporting …", false);
    Effect::Export {
        query: state.query(),
        now: state.now,
        path,
        disguised: state.disguises,
    }
    .into()
}

/// Asks for a note on the row; the one that it has is there.
pub(super) fn note(state: &mut State) -> Effects {
    let Some(row) = state.selected() else {
        return Effects::none();
    };
    let note = state.case.of(row.key()).map(|mark| mark.note.clone());
    state.prompt = Some(Prompt::new(PromptKind::Note, note.unwrap_or_default()));
    Effects::none()
}

/// Marks the row with what was typed.
pub(super) fn mark(state: &mut State, note: String) -> Effects {
    let Some(row) = state.detailed() else {
        return Effects::none();
    };
    let mark = Mark {
        entry: (*row.entry).clone(),
        note,
        query: state.filters.own().to_string(),
    };
    state.case.mark(mark);
    let count = state.case.marks.len();
    let key = state.keymap.key_of(Action::Case);
    let rows = if count == 1 { "row" } else { "rows" };
    notice(
        state,
        format!("marked: {count} {rows} · {key} shows and saves them"),
        false,
    );
    Effects::none()
}

/// Opens the list of marks.
pub(super) fn open(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Case {
        listing: Listing::default(),
        saving: None,
    });
    Effects::none()
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Some(Overlay::Case { listing, saving }) = state.overlays.last_mut() else {
        return None;
    };
    if let Some(path) = saving {
        match (key.code, key.ctrl) {
            (Code::Esc, _) | (Code::Char('c'), true) => *saving = None,
            (Code::Enter, _) if !path.value().trim().is_empty() => {
                let path = path.value().trim().to_owned();
                *saving = None;
                return Some(save(state, path));
            }
            _ => drop(edit(path, key)),
        }
        return Some(Effects::none());
    }
    let last = state.case.marks.len().saturating_sub(1);
    match (key.code, key.ctrl) {
        (Code::Esc, _) | (Code::Char('c'), true) | (Code::Char('q' | '\''), false) => {
            state.overlays.pop();
        }
        (Code::Enter, _) => return Some(enter(state)),
        _ if let Some(step) = step_of(key, false) => {
            listing.cursor = listing.cursor.saturating_add_signed(step).min(last);
        }
        (Code::Char('d' | 'x') | Code::Delete, false) if !state.case.marks.is_empty() => {
            state.case.marks.remove(listing.cursor.min(last));
            listing.cursor = listing.cursor.min(last.saturating_sub(1));
        }
        (Code::Char('s'), false) if !state.case.marks.is_empty() => {
            *saving = Some(Input::new(FILE.to_owned()));
        }
        _ => {}
    }
    Some(Effects::none())
}

fn save(state: &mut State, path: String) -> Effects {
    state.case.query = state.filters.own().to_string();
    Effect::WriteCase {
        form: CaseForm::of(std::path::Path::new(&path)),
        case: Box::new(state.case.clone()),
        path,
        disguised: state.disguises,
    }
    .into()
}

/// Goes to the moment of a mark, with what was asked for when it was found.
pub(super) fn enter(state: &mut State) -> Effects {
    let Some(Overlay::Case { listing, .. }) = state.overlays.last() else {
        return Effects::none();
    };
    let Some(mark) = state.case.marks.get(listing.cursor) else {
        return Effects::none();
    };
    let (key, query) = (mark.entry.key(), mark.query.parse::<Query>());
    jump::to_row(state, key, query.unwrap_or_default())
}
