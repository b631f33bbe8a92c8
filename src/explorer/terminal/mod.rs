//! The terminal: taken and given back, painted with as few bytes as can be, watched.

mod guard;
mod hangup;
mod keyboard;
mod notice;
mod paint;
mod program;
mod style;

pub(super) use guard::{Guard, give_back};
pub(super) use hangup::watch;
pub(super) use keyboard::{Keyboard, Typed};
pub(super) use notice::notify;
pub(super) use paint::Painter;
pub(super) use program::view_in;

use super::theme::Depth;

/// The colours that the environment tells, for a user who said nothing.
pub(super) fn depth() -> Depth {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some()
        || set("TERM").is_none_or(|term| term == "dumb" || term.starts_with("vt"))
    {
        Depth::None
    } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
        Depth::Truecolor
    } else {
        Depth::Sixteen
    }
}
