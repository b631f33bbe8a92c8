//! Looking for something without hiding the rest: in the window first, then in the whole log.

use super::{detail, load, notice};
use crate::base::Time;
use crate::entry::{Key, Level, Position};
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::request::Number;
use crate::explorer::state::{Edge, Focus, Search, State};
use crate::explorer::widgets::lines_of;
use crate::query::{Cursor, Direction, Expression, Matcher, Query};

/// Searches for what was typed: words, or `/a regex/`. Nothing typed ends the search.
pub(super) fn start(state: &mut State, text: &str) -> Effects {
    set(state, text);
    if state.search.is_none() {
        Effects::none()
    } else {
        let is_detail = state.focus == Focus::Detail;
        again(
            state,
            if is_detail {
                Direction::Newer
            } else {
                Direction::Older
            },
        )
    }
}

/// Marks what is being typed.
pub(super) fn set(state: &mut State, text: &str) {
    let as_regex = (text.len() > 2 && text.starts_with('/') && text.ends_with('/'))
        .then(|| text.parse().ok())
        .flatten();
    let query: Query = as_regex.unwrap_or_else(|| Expression::contains(text).into());
    state.search = (!text.is_empty()).then(|| Search {
        matcher: Matcher::compile(&query, state.now),
        query,
        text: text.to_owned(),
    });
}

/// The next match of the search.
pub(super) fn again(state: &mut State, direction: Direction) -> Effects {
    if state.focus == Focus::Detail && state.search.is_some() {
        return detail::search(state, direction);
    }
    let Some(search) = &state.search else {
        notice(state, "nothing is searched for · / searches", false);
        return Effects::none();
    };
    let (query, matcher) = (search.query.clone(), search.matcher.clone());
    find(state, &query, &matcher, direction)
}

/// The next entry of a level or more severe; of warnings, warnings only.
pub(super) fn level(state: &mut State, level: Level, direction: Direction) -> Effects {
    let wanted = match level {
        Level::Warn => Expression::equals(crate::query::Field::Level, level.word()),
        _ => Expression::at_least(level),
    };
    let query = Query(wanted);
    let matcher = Matcher::compile(&query, state.now);
    find(state, &query, &matcher, direction)
}

/// The first entry of a level or more severe from a time on.
pub(super) fn from(state: &mut State, time: Time, level: Level) -> Effects {
    state.live.following = false;
    let key = Key {
        time,
        position: Position(0),
    };
    let direction = Direction::Newer;
    let asked = ask(
        state,
        &Query(Expression::at_least(level)),
        Cursor { key, direction },
    );
    state.heading = Some(time);
    asked
}

/// Asks the log for the next match of what is also wanted.
fn ask(state: &mut State, wanted: &Query, cursor: Cursor) -> Effects {
    let number = state.requests.next();
    state.requests.find = Some(number);
    state.heading = None;
    Effect::Find {
        number,
        query: state.query().and(wanted),
        now: state.now,
        cursor,
    }
    .into()
}

fn find(state: &mut State, query: &Query, matcher: &Matcher, direction: Direction) -> Effects {
    let (rows, selected) = (state.window.rows(), state.scroll.selected);
    let found = match direction {
        Direction::Newer => (selected + 1..rows.len()).find(|at| matcher.matches(&rows[*at].entry)),
        Direction::Older => (0..selected.min(rows.len()))
            .rev()
            .find(|at| matcher.matches(&rows[*at].entry)),
    };
    if let Some(at) = found {
        select(state, at);
        return Effects::none();
    }
    let (edge, last) = match direction {
        Direction::Older => (state.window.older, rows.front()),
        Direction::Newer => (state.window.newer, rows.back()),
    };
    let (Edge::More(_), Some(key)) = (edge, last.map(super::super::row::Row::key)) else {
        notice(state, no_match(direction), false);
        return Effects::none();
    };
    ask(state, query, Cursor { key, direction })
}

fn no_match(direction: Direction) -> &'static str {
    match direction {
        Direction::Older => "no earlier match",
        Direction::Newer => "no later match",
    }
}

/// Selects a row near the middle of the pane when it is not in sight.
fn select(state: &mut State, at: usize) {
    let height = usize::from(crate::explorer::layout::areas(state).log.height);
    let between = at.min(state.scroll.selected)..at.max(state.scroll.selected);
    let moved: usize = between.map(|row| lines_of(state, row)).sum();
    let line = if at > state.scroll.selected {
        state.scroll.line + moved
    } else {
        state.scroll.line.wrapping_sub(moved)
    };
    state.scroll.line = if line < height { line } else { height / 2 };
    state.scroll.selected = at;
    state.live.following = false;
}

/// The log was searched.
pub(super) fn found(
    state: &mut State,
    number: Number,
    direction: Direction,
    place: Option<Key>,
) -> Effects {
    if state.requests.find != Some(number) {
        return Effects::none();
    }
    state.requests.find = None;
    state.progress = None;
    if let Some(key) = place {
        state.live.following = false;
        state.scroll.line = usize::from(crate::explorer::layout::areas(state).log.height) / 2;
        load::around(state, key)
    } else {
        notice(state, no_match(direction), false);
        Effects::none()
    }
}
