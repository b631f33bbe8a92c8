//! Filling the window: from an end, around a row, beyond its edges.

use super::{navigate, timeline};
use crate::entry::Key;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::layout::areas;
use crate::explorer::request::At;
use crate::explorer::request::Number;
use crate::explorer::state::{Edge, MAX_ROWS, State};
use crate::query::{Cursor, Facets, Field, NamespaceCount, Page, Progress};

/// Entries of a page beyond an edge.
const EXTEND: usize = 500;
/// Entries of the first page: a few screens.
const FIRST: usize = 200;
/// Screens of rows before an edge at which the next page is asked for.
const AHEAD: usize = 3;

/// Shows the newest entries and follows.
pub(super) fn newest(state: &mut State) -> Effects {
    state.live.following = true;
    state.live.arrived = 0;
    load(state, At::Newest)
}

/// Shows the oldest entries.
pub(super) fn oldest(state: &mut State) -> Effects {
    state.live.following = false;
    load(state, At::Oldest)
}

/// Shows what surrounds a row.
pub(super) fn around(state: &mut State, key: Key) -> Effects {
    load(state, At::Around(key))
}

/// Asks the same place again: after the question changed, or after a failure.
pub(super) fn again(state: &mut State) -> Effects {
    match state
        .selected()
        .map(super::super::row::Row::key)
        .filter(|_| !state.live.following)
    {
        Some(key) => around(state, key),
        None => newest(state),
    }
}

fn load(state: &mut State, at: At) -> Effects {
    let number = state.requests.next();
    let limit = FIRST.max(usize::from(areas(state).log.height) * 2);
    state.requests.load = Some(number);
    // What arrived before is in what is read now.
    state.live.arrived = 0;
    state.requests.extend = None;
    state.requests.find = None;
    state.progress = None;
    state.window.stalled = false;
    // What the old feed still brings answers the old question.
    state.requests.follow = None;
    state.head = None;
    state.touched = false;
    state.landing = at;
    // Until the answer comes the old rows stand where they fit.
    state.landing_line = state.scroll.line;
    Effects::from(Effect::Load {
        number,
        query: state.query(),
        now: state.now,
        at,
        limit,
    })
    .and(values(state))
    .and(timeline::ask(state))
}

/// Asks for the values of the Values pane, while it is open.
pub(super) fn values(state: &mut State) -> Effects {
    if !state.sources_open {
        return Effects::none();
    }
    let number = state.requests.next();
    state.requests.facets = Some(number);
    Effect::Facets {
        number,
        query: state.query(),
        now: state.now,
        field: state.values.field.clone(),
    }
    .into()
}

/// Namespaces were counted.
pub(super) fn namespaces(state: &mut State, counts: Vec<NamespaceCount>) -> Effects {
    state.namespaces = counts;
    state.live.uncounted = false;
    state.live.counted = state.now;
    Effects::none()
}

/// A scan goes on.
pub(super) fn scanning(state: &mut State, number: Number, progress: Progress) -> Effects {
    let requests = &state.requests;
    if [requests.load, requests.extend, requests.find].contains(&Some(number)) {
        state.progress = Some(progress);
    }
    Effects::none()
}

/// Values for the Values pane came.
pub(super) fn counted(state: &mut State, number: Number, field: &Field, facets: Facets) -> Effects {
    if state.requests.facets == Some(number) && state.values.field == *field {
        state.requests.facets = None;
        let last = facets.values.len().saturating_sub(1);
        state.values.facets = facets;
        state.values.cursor = state.values.cursor.min(last);
    }
    Effects::none()
}

/// A page to replace the window came.
pub(super) fn loaded(state: &mut State, number: Number, page: Page, done: bool) -> Effects {
    if state.requests.load != Some(number) {
        return Effects::none();
    }
    if done {
        state.requests.load = None;
        state.progress = None;
    } else {
        state.progress = Some(page.progress);
    }
    state.members.saw(&page.entries);
    let head = page.head;
    state.head = Some(head);
    // Until a scan is done, its page grows: what the user selected meanwhile stays selected.
    let kept = state
        .selected()
        .map(super::super::row::Row::key)
        .filter(|_| state.touched);
    state.window.replace(page);
    state.seeking = match state.landing {
        At::Around(key) if done && state.window.len() == 0 => Some(key),
        _ => None,
    };
    match (kept, state.landing) {
        (Some(key), _) => state.scroll.selected = state.nearest(key),
        (None, At::Newest) => navigate::to_end(state),
        (None, At::Oldest) => (state.scroll.selected, state.scroll.line) = (0, 0),
        (None, At::Around(key)) => {
            state.scroll.selected = state.nearest(key);
            state.scroll.line = state.landing_line;
        }
    }
    if done {
        follow(state, head).and(standing(state))
    } else {
        Effects::none()
    }
}

/// How it is with several logs: one that did not answer is told at once.
fn standing(state: &State) -> Effects {
    if state.members.are_several() {
        Effect::Standing.into()
    } else {
        Effects::none()
    }
}

/// A load was stopped: what it found stays, and what arrives is followed from there.
pub(super) fn stopped(state: &mut State) -> Effects {
    match state.head {
        Some(head) if state.requests.follow.is_none() => follow(state, head),
        _ => Effects::none(),
    }
}

/// Follows what arrives after a position. What arrived before is in the page that told the position.
fn follow(state: &mut State, after: crate::entry::Position) -> Effects {
    let number = state.requests.next();
    state.requests.follow = Some(number);
    Effect::Follow {
        number,
        query: state.query(),
        now: state.now,
        after,
    }
    .into()
}

/// A page beyond an edge came.
pub(super) fn extended(state: &mut State, number: Number, page: Page) -> Effects {
    if state.requests.extend != Some(number) {
        return Effects::none();
    }
    state.requests.extend = None;
    state.progress = None;
    if state.extending_older {
        state.scroll.selected += state.window.extend_older(page);
        return Effects::none();
    }
    let head = page.head;
    let fallen = state.window.extend_newer(page);
    state.scroll.selected = state.scroll.selected.saturating_sub(fallen);
    // At the end again: what arrived since the page was read comes through a feed from there on.
    if state.window.is_attached() {
        follow(state, head)
    } else {
        Effects::none()
    }
}

/// Asks for the next page when the view comes near an edge behind which there is more.
pub(super) fn prefetch(state: &mut State) -> Effects {
    if state.requests.load.is_some() || state.requests.extend.is_some() || state.window.stalled {
        return Effects::none();
    }
    let near = usize::from(areas(state).log.height) * AHEAD;
    let (selected, rows) = (state.scroll.selected, state.window.len());
    // Of rows that are folded as one more are needed to fill the screen, within what the window holds.
    let may_fill = rows < MAX_ROWS / 2;
    let is_near = |selected| {
        selected < near || (may_fill && navigate::lines_before(state, selected, near) < near)
    };
    let cursor = match (state.window.older, state.window.newer) {
        (Edge::More(cursor), _) if is_near(selected) => (cursor, true),
        (_, Edge::More(cursor)) if rows.saturating_sub(selected) < near => (cursor, false),
        _ => return Effects::none(),
    };
    extend(state, cursor.0, cursor.1)
}

fn extend(state: &mut State, cursor: Cursor, older: bool) -> Effects {
    let number = state.requests.next();
    state.requests.extend = Some(number);
    state.extending_older = older;
    Effect::Extend {
        number,
        query: state.query(),
        now: state.now,
        cursor,
        limit: EXTEND,
    }
    .into()
}
