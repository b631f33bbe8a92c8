//! The list of logs that are explored as one; correcting their clocks.

use super::overlay::step_of;
use super::{load, notice};
use crate::backend::{FileStanding, Standing};
use crate::base::units::parse_duration;
use crate::entry::visible;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::Overlay;
use crate::explorer::state::{Prompt, PromptKind, State};

/// Opens the list.
pub(super) fn open(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Members { cursor: 0 });
    Effect::Standing.into()
}

/// How it is with each came.
pub(super) fn told(state: &mut State, standing: Vec<Standing>) -> Effects {
    let is_first = state.members.standing.is_empty();
    state.members.standing = standing;
    if is_first {
        let rows = state.window.rows().iter();
        state.members.saw(rows.map(|row| row.entry.as_ref()));
    }
    Effects::none()
}

/// The plain files among what is explored came.
pub(super) fn told_files(state: &mut State, files: Vec<FileStanding>) -> Effects {
    state.members.files = files;
    Effects::none()
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let are_files = state.members.are_files();
    let count = if are_files {
        state.members.files.len()
    } else {
        state.members.standing.len()
    };
    let last = count.saturating_sub(1);
    let are_several = state.members.are_several();
    let Some(Overlay::Members { cursor }) = state.overlays.last_mut() else {
        return None;
    };
    match (key.code, key.ctrl) {
        (Code::Esc, _) | (Code::Char('c'), true) | (Code::Char('q'), false) => {
            state.overlays.pop();
        }
        (Code::Enter, _) if are_files => {
            let at = *cursor;
            state.overlays.pop();
            let format = state.members.files.get(at).map(|file| file.format.clone());
            let format = format.unwrap_or_default();
            state.prompt = Some(Prompt::new(PromptKind::Format(at), format));
        }
        (Code::Enter, _) if are_several => {
            let at = *cursor;
            state.overlays.pop();
            let skew = state
                .members
                .standing
                .get(at)
                .map(|standing| printed(standing.skew));
            state.prompt = Some(Prompt::new(PromptKind::Skew(at), skew.unwrap_or_default()));
        }
        _ => {
            if let Some(step) = step_of(key, false) {
                *cursor = cursor.saturating_add_signed(step).min(last);
            }
        }
    }
    Some(Effects::none())
}

/// Nanoseconds as they are typed: `+2.5s`, `-300ms`.
pub(in crate::explorer) fn printed(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { '-' } else { '+' };
    let (seconds, rest) = (
        nanoseconds.unsigned_abs() / 1_000_000_000,
        nanoseconds.unsigned_abs() % 1_000_000_000,
    );
    let millis = rest / 1_000_000;
    match (seconds, millis) {
        (0, 0) => "0s".to_owned(),
        (0, millis) => format!("{sign}{millis}ms"),
        (seconds, 0) => format!("{sign}{seconds}s"),
        (seconds, millis) => format!("{sign}{}ms", seconds * 1_000 + millis),
    }
}

fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = parse_duration(rest.trim()).ok()?;
    Some(sign * i64::try_from(span.as_nanos()).ok()?)
}

/// Takes the lines of a plain log for a format.
pub(super) fn take_for(state: &mut State, file: usize, format: String) -> Effects {
    let Some(file) = state.members.files.get(file) else {
        return Effects::none();
    };
    let log = file.log.clone();
    Effects::from(Effect::Format { log, format })
        .and(load::again(state))
        .and(super::timeline::ask_again(state))
}

/// Corrects a clock as it was typed.
pub(super) fn correct(state: &mut State, member: usize, text: &str) -> Effects {
    let Some(nanoseconds) = read(text) else {
        let found = visible(text).text.into_owned();
        notice(
            state,
            format!("expected a time such as +2s or -300ms, found {found}"),
            true,
        );
        return Effects::none();
    };
    if let Some(standing) = state.members.standing.get_mut(member) {
        standing.skew = nanoseconds;
        let text = format!(
            "{}: {} is added to its times",
            visible(&standing.name).text,
            printed(nanoseconds)
        );
        notice(state, text, false);
    }
    let corrected = Effects::from(Effect::Skew(member, nanoseconds));
    corrected
        .and(load::again(state))
        .and(super::timeline::ask_again(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_are_read_as_they_are_printed() {
        for (text, nanoseconds) in [
            ("+2s", 2_000_000_000),
            ("-300ms", -300_000_000),
            ("+1500ms", 1_500_000_000),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Some(nanoseconds), "{text}");
            assert_eq!(printed(nanoseconds), text);
        }
        assert_eq!((read("5m"), read("soon")), (Some(300_000_000_000), None));
    }
}
