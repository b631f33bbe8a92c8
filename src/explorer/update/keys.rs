//! Keys, top layer down: an overlay, a prompt, the program.

use std::time::Duration;

use super::{act, notice, overlay, prompt};
use crate::explorer::effect::Effects;
use crate::explorer::keymap::{Code, Key, Resolved};
use crate::explorer::state::{Notice, State};

/// After this time the next key takes a notice away.
const READ: Duration = Duration::from_secs(1);

/// A key was pressed.
pub(super) fn press(state: &mut State, key: Key) -> Effects {
    let is_cancel = key
        == Key {
            code: Code::Char('c'),
            ctrl: true,
            alt: false,
        };
    if !is_cancel {
        state.leaving = false;
    }
    // What was said was read by now: it is no longer in the way.
    let read = |of: &Notice| state.now.since(of.since) >= READ;
    if state.notice.as_ref().is_some_and(read) {
        state.notice = None;
    }
    if state.overlays.last().is_some() {
        return overlay::press(state, key);
    }
    if state.prompt.is_some() {
        return prompt::press(state, key);
    }
    state.pressed.push(key);
    match state.keymap.resolve(&state.pressed) {
        Resolved::Pending => Effects::none(),
        Resolved::Action(action) => {
            state.pressed.clear();
            act::act(state, action)
        }
        Resolved::None => {
            let keys = std::mem::take(&mut state.pressed);
            let text: Vec<_> = keys.iter().map(ToString::to_string).collect();
            notice(
                state,
                format!("{} does nothing here · ? shows the keys", text.join(" ")),
                false,
            );
            Effects::none()
        }
    }
}

/// Text was pasted: it is text, never keys.
pub(super) fn paste(state: &mut State, text: &str) -> Effects {
    if state.overlays.last().is_some() {
        return overlay::paste(state, text);
    }
    if state.prompt.is_some() {
        return prompt::paste(state, text);
    }
    notice(
        state,
        "pasted text goes into a prompt: press f, / or & first",
        false,
    );
    Effects::none()
}
