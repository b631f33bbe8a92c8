//! Streams and blobs: looking through them, and showing the lines of one in the log pane.

use tui_input::Input;

use super::overlay::{InList, edit, in_list};
use super::{jump, load, notice};
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Listing, Overlay};
use crate::explorer::row::Colours;
use crate::explorer::state::{Filters, Item, Link, Prompt, PromptKind, Shown, State, Window};

/// Opens the list of streams.
pub(super) fn streams(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Streams(Listing::default()));
    state.kept.streams.asked = true;
    Effect::Streams.into()
}

/// Opens the list of blobs, where it was left.
pub(super) fn blobs(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Blobs {
        listing: Listing::default(),
        saving: None,
    });
    go(state, state.kept.prefix.clone(), None)
}

/// Asks for a level of blobs.
fn go(state: &mut State, prefix: String, left: Option<String>) -> Effects {
    state.kept.go(prefix);
    state.kept.left = left;
    if let Some(Overlay::Blobs { listing, .. }) = state.overlays.last_mut() {
        *listing = Listing::default();
    }
    ask(state, None)
}

fn ask(state: &mut State, after: Option<String>) -> Effects {
    state.kept.blobs.asked = true;
    Effect::Blobs {
        prefix: state.kept.prefix.clone(),
        after,
    }
    .into()
}

/// A page of blobs came: the cursor goes to what was left.
pub(super) fn listed(state: &mut State) -> Effects {
    let Some(Overlay::Blobs { listing, .. }) = state.overlays.last_mut() else {
        return Effects::none();
    };
    if let Some(left) = &state.kept.left {
        let items = state.kept.items(listing);
        let is_left = |item: &Item<'_>| item.key() == left && matches!(item, Item::Folder(_));
        if let Some(at) = items.iter().position(is_left) {
            listing.cursor = at;
            state.kept.left = None;
        }
    }
    Effects::none()
}

/// A key while one of the lists is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let kept = &state.kept;
    let (listing, count, saving) = match state.overlays.last_mut()? {
        Overlay::Streams(listing) => {
            let count = kept.streams(listing).len();
            (listing, count, None)
        }
        Overlay::Blobs { listing, saving } => {
            let count = kept.items(listing).len();
            (listing, count, Some(saving))
        }
        _ => return None,
    };
    if let Some(Some(path)) = &saving {
        let path = path.clone();
        return Some(type_path(state, key, path));
    }
    let is_blobs = saving.is_some();
    match (in_list(listing, key, count), key.code) {
        (InList::Entered, _) => return Some(enter(state)),
        (InList::Moved, _) if is_blobs && listing.cursor + 1 >= count => return Some(more(state)),
        (InList::Other, Code::Backspace | Code::Left | Code::Char('h')) if is_blobs => {
            return Some(up(state));
        }
        (InList::Other, Code::Right | Code::Char('l')) if is_blobs => return Some(enter(state)),
        (InList::Other, Code::Char('s')) if is_blobs => return Some(save(state)),
        (InList::Closed, _) | (InList::Other, Code::Char('q' | 'L' | 'B')) => {
            state.overlays.pop();
        }
        _ => {}
    }
    Some(Effects::none())
}

/// The next page of blobs, if the cursor has come to the end of this one.
fn more(state: &mut State) -> Effects {
    match state.kept.more().map(str::to_owned) {
        Some(after) if state.kept.blobs.may_ask() => ask(state, Some(after)),
        _ => Effects::none(),
    }
}

/// Text is pasted where text is typed.
pub(super) fn paste(overlay: &mut Overlay, text: &str) {
    let input = match overlay {
        Overlay::Blobs {
            saving: Some(path), ..
        }
        | Overlay::Case {
            saving: Some(path), ..
        } => path,
        other => match other.listing_mut() {
            Some(listing) if listing.is_typing => &mut listing.text,
            _ => return,
        },
    };
    let mut prompt = Prompt::new(PromptKind::Search, String::new());
    prompt.input = input.clone();
    prompt.insert(text.trim());
    *input = prompt.input;
}

/// Opens what is under the cursor: shows a stream or a blob, goes into a folder.
pub(super) fn enter(state: &mut State) -> Effects {
    match state.overlays.last() {
        Some(Overlay::Streams(listing)) => {
            let streams = state.kept.streams(listing);
            let chosen = streams.get(listing.cursor).map(|stream| stream.key.clone());
            chosen.map_or_else(Effects::none, |key| show(state, key))
        }
        Some(Overlay::Blobs { listing, .. }) => {
            match state.kept.items(listing).get(listing.cursor).copied() {
                Some(Item::Folder(folder)) => {
                    let folder = folder.to_owned();
                    go(state, folder, None)
                }
                Some(Item::Blob(blob)) => {
                    let key = blob.key.clone();
                    show(state, key)
                }
                None => Effects::none(),
            }
        }
        _ => Effects::none(),
    }
}

/// Up one level; at the top the list is closed.
fn up(state: &mut State) -> Effects {
    let prefix = std::mem::take(&mut state.kept.prefix);
    if prefix.is_empty() {
        state.overlays.pop();
        return Effects::none();
    }
    let above = prefix.rsplit_once('/').map_or("", |(above, _)| above);
    let above = above.to_owned();
    go(state, above, Some(prefix))
}

/// Asks where the blob under the cursor shall be saved.
fn save(state: &mut State) -> Effects {
    let Some(Overlay::Blobs { listing, saving }) = state.overlays.last_mut() else {
        return Effects::none();
    };
    match state.kept.items(listing).get(listing.cursor) {
        Some(Item::Blob(blob)) => {
            let name = blob.key.rsplit('/').next().unwrap_or_default();
            *saving = Some(Input::new(name.to_owned()));
        }
        Some(Item::Folder(_)) => {
            let text = "a folder is saved with tailwater store zip";
            notice(state, text, false);
        }
        None => {}
    }
    Effects::none()
}

fn type_path(state: &mut State, key: Key, mut path: Input) -> Effects {
    let Some(Overlay::Blobs { listing, saving }) = state.overlays.last_mut() else {
        return Effects::none();
    };
    match (key.code, key.ctrl) {
        (Code::Esc, _) | (Code::Char('c'), true) => *saving = None,
        (Code::Enter, _) if !path.value().trim().is_empty() => {
            *saving = None;
            let items = state.kept.items(listing);
            let key = items.get(listing.cursor).map(|item| item.key().to_owned());
            let Some(key) = key else {
                return Effects::none();
            };
            let path = path.value().trim().to_owned();
            notice(state, format!("saving {key} …"), false);
            return Effect::Save { key, path }.into();
        }
        _ => {
            edit(&mut path, key);
            *saving = Some(path);
        }
    }
    Effects::none()
}

/// Shows the lines of a stream or a blob in the log pane; backspace returns.
fn show(state: &mut State, key: String) -> Effects {
    jump::leave(state);
    state.overlays.clear();
    state.filters = Filters::default();
    let turned = turn_to(state, Shown::Kept(key));
    turned.and(load::newest(state))
}

/// Turns the log pane to other lines; what it showed is gone from it. They are to be loaded next.
pub(super) fn turn_to(state: &mut State, shown: Shown) -> Effects {
    if state.shown == shown {
        return Effects::none();
    }
    state.shown = shown.clone();
    state.window = Window::default();
    state.window.colours = match shown {
        Shown::Log => Colours::Marked,
        Shown::Kept(_) => Colours::Shown,
    };
    state.namespaces.clear();
    state.detail = None;
    state.live.link = Link::Connecting;
    (state.scroll.selected, state.scroll.line) = (0, 0);
    Effects(vec![Effect::Show(shown), Effect::Namespaces])
}
