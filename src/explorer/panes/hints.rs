//! The last line: what to press in the pane that has the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::entry::visible;
use crate::explorer::action::Action as A;
use crate::explorer::state::{Focus, Prompt, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{put, put_right};

type Hints = &'static [(A, &'static str)];

/// The most needed first: what has no room is left out.
const LOG: Hints = &[
    (A::Query, "query"),
    (A::Search, "search"),
    (A::Include, "only"),
    (A::Exclude, "hide"),
    (A::Trace, "trace"),
    (A::ContextMore, "context"),
    (A::BurstBack, "burst"),
    (A::Differences, "differs"),
    (A::Patterns, "patterns"),
    (A::NextError, "error"),
    (A::Details, "details"),
    (A::Sources, "sources"),
    (A::Follow, "follow/hold"),
    (A::Quit, "quit"),
];
const TIMELINE: Hints = &[
    (A::Left, "back"),
    (A::Right, "forward"),
    (A::BurstBack, "burst before"),
    (A::BurstForward, "next burst"),
    (A::SelectSpan, "select"),
    (A::Include, "zoom in"),
    (A::Exclude, "zoom out"),
    (A::Differences, "what differs"),
    (A::Timeline, "hide"),
    (A::Close, "back to the log"),
];
const CHIPS: Hints = &[
    (A::ToggleFilter, "off/on"),
    (A::InvertFilter, "turn around"),
    (A::RemoveFilter, "remove"),
    (A::NextPane, "next pane"),
    (A::Close, "back to the log"),
];
const LIST: Hints = &[
    (A::Details, "only this"),
    (A::Exclude, "hide"),
    (A::Right, "next field"),
    (A::NextPane, "next pane"),
    (A::Close, "back to the log"),
];
const FIELDS: Hints = &[
    (A::Include, "only"),
    (A::Exclude, "hide"),
    (A::Column, "column"),
    (A::Copy, "copy"),
    (A::CopyJson, "copy JSON"),
    (A::Details, "unfold"),
    (A::Close, "close"),
];

/// Keys of the pane that has the focus, or what is wrong with what is typed.
pub(in crate::explorer) fn hints(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x + 1;
    let room = area.width.saturating_sub(1);
    if let Some(error) = state.prompt.as_ref().and_then(Prompt::error) {
        let text = error.to_string();
        put(
            buffer,
            x,
            area.y,
            room,
            &visible(&text).text,
            theme.failure(),
        );
        return;
    }
    let key_of = |action| state.keymap.keys_of(action).into_iter().next();
    let help = format!("{} help ", key_of(A::Help).unwrap_or_default());
    let end = put_right(buffer, area.x, area.right(), area.y, &help, theme.key());
    if state.prompt.is_some() {
        let text = "enter takes it · tab completes · up brings earlier ones back · esc leaves";
        put(buffer, x, area.y, end.saturating_sub(x), text, theme.dim());
        return;
    }
    let offered = match state.focus {
        Focus::Log => LOG,
        Focus::Timeline => TIMELINE,
        Focus::Filters => CHIPS,
        Focus::Sources | Focus::Values => LIST,
        Focus::Detail => FIELDS,
    };
    for (action, words) in offered {
        let Some(key) = key_of(*action) else {
            continue;
        };
        let needed = u16::try_from(key.chars().count() + 1 + words.len() + 2).unwrap_or(u16::MAX);
        if x + needed > end {
            break;
        }
        x = put(buffer, x, area.y, end - x, &key, theme.key()) + 1;
        x = put(buffer, x, area.y, end.saturating_sub(x), words, theme.dim()) + 2;
    }
}
