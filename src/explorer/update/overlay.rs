//! Keys, paste and mouse for the topmost overlay.

use tui_input::Input;

use super::act::act;
use super::{case, choice, columns, events, fields, insight, kept, members, saved};
use crate::explorer::effect::Effects;
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Listing, Overlay, help_rows, matching};
use crate::explorer::regions::Target;
use crate::explorer::state::{Prompt, PromptKind, State};

/// A key while an overlay is open.
pub(super) fn press(state: &mut State, key: Key) -> Effects {
    let lists = [
        kept::press,
        events::press,
        insight::press,
        case::press,
        fields::press,
        columns::press,
        saved::press,
        members::press,
        choice::press,
    ];
    if let Some(effects) = lists.into_iter().find_map(|press| press(state, key)) {
        return effects;
    }
    let leaves = matches!(
        (key.code, key.ctrl),
        (Code::Esc, _) | (Code::Char('c'), true)
    );
    if leaves {
        // What is open within is left first.
        match state.overlays.last_mut() {
            Some(Overlay::Pipelines { is_open, .. }) if *is_open => *is_open = false,
            _ => drop(state.overlays.pop()),
        }
        return Effects::none();
    }
    let count = state.moving.pipelines().len();
    let Some(overlay) = state.overlays.last_mut() else {
        return Effects::none();
    };
    let step = step_of(key, matches!(overlay, Overlay::Palette { .. }));
    match overlay {
        Overlay::Help { scroll } => match step {
            Some(step) => {
                *scroll = scroll
                    .saturating_add_signed(step)
                    .min(help_rows(&state.keymap).len());
            }
            None => drop(state.overlays.pop()),
        },
        Overlay::Palette { input, cursor } => match step {
            Some(step) => {
                *cursor = cursor
                    .saturating_add_signed(step)
                    .min(matching(input.value()).len().saturating_sub(1));
            }
            None if key.code == Code::Enter => return run_palette(state),
            None => {
                if edit(input, key) {
                    *cursor = 0;
                }
            }
        },
        Overlay::Pipelines { cursor, is_open } => match step {
            Some(step) => {
                *cursor = cursor
                    .saturating_add_signed(step)
                    .min(count.saturating_sub(1));
            }
            None if key.code == Code::Enter => *is_open = count > 0 && !*is_open,
            None if matches!(key.code, Code::Char('q' | 'P')) && !*is_open => {
                drop(state.overlays.pop());
            }
            None if key.code == Code::Char('q') => *is_open = false,
            None => {}
        },
        Overlay::Streams(_)
        | Overlay::Blobs { .. }
        | Overlay::Events { .. }
        | Overlay::Patterns { .. }
        | Overlay::Differences(_)
        | Overlay::Quiet(_)
        | Overlay::Waterfall(_)
        | Overlay::Fields(_)
        | Overlay::Saved(_)
        | Overlay::Members { .. }
        | Overlay::Columns { .. }
        | Overlay::Choice { .. }
        | Overlay::Case { .. } => {}
    }
    Effects::none()
}

/// How far a key moves in a list; where text is typed, letters do not.
pub(super) fn step_of(key: Key, typing: bool) -> Option<isize> {
    match (key.code, key.ctrl) {
        (Code::Down, _) | (Code::Char('n'), true) => Some(1),
        (Code::Up, _) | (Code::Char('p'), true) => Some(-1),
        (Code::PageDown, _) | (Code::Char('d' | 'f'), true) => Some(10),
        (Code::PageUp, _) | (Code::Char('u' | 'b'), true) => Some(-10),
        (Code::Char('j'), false) if !typing => Some(1),
        (Code::Char('k'), false) if !typing => Some(-1),
        (Code::Char(' '), false) if !typing => Some(10),
        (Code::Home | Code::Char('g'), false) if !typing => Some(isize::MIN / 2),
        (Code::End | Code::Char('G'), false) if !typing => Some(isize::MAX / 2),
        _ => None,
    }
}

/// What a key does in a list that is narrowed by typing.
pub(super) enum InList {
    /// The cursor moved.
    Moved,
    /// What is under the cursor is to be opened.
    Entered,
    /// The list is to be closed.
    Closed,
    /// It was typed, or the typing ended.
    Typed,
    /// It means something to the list alone.
    Other,
}

/// Moves in a list of so many items, or narrows it.
pub(super) fn in_list(listing: &mut Listing, key: Key, count: usize) -> InList {
    match (key.code, key.ctrl) {
        (Code::Esc, _) if listing.is_typing || !listing.text.value().is_empty() => {
            *listing = Listing::default();
        }
        (Code::Esc, _) | (Code::Char('c'), true) => return InList::Closed,
        (Code::Enter, _) if listing.is_typing && count != 1 => listing.is_typing = false,
        (Code::Enter, _) => return InList::Entered,
        _ if let Some(step) = step_of(key, listing.is_typing) => {
            let last = count.saturating_sub(1);
            listing.cursor = listing.cursor.saturating_add_signed(step).min(last);
            return InList::Moved;
        }
        // They choose another list where there are several.
        (Code::Tab | Code::BackTab, _) => return InList::Other,
        _ if listing.is_typing => {
            edit(&mut listing.text, key);
            listing.cursor = 0;
        }
        (Code::Char('/'), _) => listing.is_typing = true,
        _ => return InList::Other,
    }
    InList::Typed
}

/// Edits a line of text; whether it changed.
pub(super) fn edit(input: &mut Input, key: Key) -> bool {
    let mut prompt = Prompt::new(PromptKind::Search, String::new());
    prompt.input = input.clone();
    let is_edited = prompt.edit(key);
    *input = prompt.input;
    is_edited
}

fn run_palette(state: &mut State) -> Effects {
    let Some(Overlay::Palette { input, cursor }) = state.overlays.pop() else {
        return Effects::none();
    };
    match matching(input.value()).get(cursor) {
        Some(action) => act(state, *action),
        None => Effects::none(),
    }
}

/// Pasted text goes where text is typed.
pub(super) fn paste(state: &mut State, text: &str) -> Effects {
    match state.overlays.last_mut() {
        Some(Overlay::Palette { input, cursor }) => {
            let mut prompt = Prompt::new(PromptKind::Search, input.value().to_owned());
            prompt.insert(text.trim());
            (*input, *cursor) = (prompt.input, 0);
        }
        Some(other) => kept::paste(other, text),
        None => {}
    }
    Effects::none()
}

/// An item was clicked, or what lies outside.
pub(super) fn click(state: &mut State, target: Target) -> Effects {
    let Target::Item(at) = target else {
        state.overlays.pop();
        return Effects::none();
    };
    match state.overlays.last_mut() {
        Some(Overlay::Palette { cursor, .. }) => {
            *cursor = at;
            run_palette(state)
        }
        Some(Overlay::Choice { listing, .. }) => {
            listing.cursor = at;
            choice::run(state)
        }
        Some(Overlay::Pipelines { cursor, is_open }) => {
            *is_open = *cursor == at;
            *cursor = at;
            Effects::none()
        }
        Some(Overlay::Columns { cursor } | Overlay::Members { cursor }) => {
            *cursor = at;
            Effects::none()
        }
        Some(overlay) => {
            // The first click chooses, the second opens.
            let listing = overlay.listing_mut();
            let chosen = listing.map(|listing| std::mem::replace(&mut listing.cursor, at));
            if chosen == Some(at) {
                return enter(state);
            }
            Effects::none()
        }
        None => Effects::none(),
    }
}

/// Opens what is under the cursor of a list.
fn enter(state: &mut State) -> Effects {
    match state.overlays.last() {
        Some(Overlay::Streams(_) | Overlay::Blobs { .. }) => kept::enter(state),
        Some(
            Overlay::Patterns { .. }
            | Overlay::Differences(_)
            | Overlay::Quiet(_)
            | Overlay::Waterfall(_),
        ) => insight::enter(state),
        Some(Overlay::Saved(_)) => saved::enter(state),
        Some(Overlay::Fields(_)) => fields::enter(state),
        Some(Overlay::Case { .. }) => case::enter(state),
        Some(Overlay::Events { .. }) => events::enter(state),
        _ => Effects::none(),
    }
}

/// The wheel turned.
pub(super) fn wheel(state: &mut State, rows: i32) -> Effects {
    let code = if rows > 0 { Code::Down } else { Code::Up };
    for _ in 0..rows.unsigned_abs() {
        let _ = press(state, Key::plain(code));
    }
    Effects::none()
}
