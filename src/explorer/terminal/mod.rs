//! The terminal: taken and given back, painted with as few bytes as can be, watched.

mod guard;
mod hangup;
mod paint;
mod style;

pub(super) use guard::{Guard, give_back};
pub(super) use hangup::watch;
pub(super) use paint::Painter;

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
