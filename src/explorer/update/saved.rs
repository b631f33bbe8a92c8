//! Saved queries: saving, choosing, watching them.

use std::time::Duration;

use super::overlay::{InList, in_list};
use super::{jump, load, notice};
use crate::base::units::{parse_duration, print_duration};
use crate::entry::visible;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::memory::SavedQuery;
use crate::explorer::message::WatchCount;
use crate::explorer::overlays::{Listing, Overlay};
use crate::explorer::state::{Filters, Prompt, PromptKind, State};

/// How often what is watched is counted: often enough to be told in time, seldom enough not to be noticed.
const LEAST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(30);
/// Counts in the time that is watched.
const COUNTS: u32 = 6;

/// Opens the list.
pub(super) fn open(state: &mut State) -> Effects {
    state.overlays.push(Overlay::Saved(Listing::default()));
    Effects::none()
}

/// Asks under which name the query is to be saved.
pub(super) fn ask(state: &mut State) -> Effects {
    state.prompt = Some(Prompt::new(PromptKind::Save, String::new()));
    Effects::none()
}

/// Saves what is asked for now: `name`, or `name > 5 in 1m` to be told.
pub(super) fn save(state: &mut State, text: &str) -> Effects {
    let (name, watch) = match text.rsplit_once('>') {
        Some((name, watch)) => (name.trim(), Some(watch.trim())),
        None => (text.trim(), None),
    };
    if name.is_empty() {
        return Effects::none();
    }
    let mut saved = SavedQuery {
        query: state.filters.own().to_string(),
        ..SavedQuery::default()
    };
    if let Some(watch) = watch {
        let (count, within) = watch.split_once(" in ").unwrap_or((watch, "1m"));
        let (count, within) = (count.trim().parse(), within.trim());
        let (Ok(count), Ok(_)) = (count, parse_duration(within)) else {
            let found = visible(watch).text.into_owned();
            notice(
                state,
                format!("expected a name, or a name > 5 in 1m; found {found}"),
                true,
            );
            return Effects::none();
        };
        (saved.more_than, saved.within) = (Some(count), Some(within.to_owned()));
    }
    // The query is saved anew; that it is watched stays.
    if let Some(old) = state.saved.get(name).filter(|_| watch.is_none()) {
        saved.more_than = old.written.more_than;
        saved.within.clone_from(&old.written.within);
    }
    if state.saved.get(name).is_some_and(|saved| saved.is_fixed) {
        notice(
            state,
            format!("{name} is in the configuration: it is changed there"),
            true,
        );
        return Effects::none();
    }
    let had_watches = state.saved.has_watches();
    state.saved.put(name.to_owned(), saved, false);
    notice(state, format!("saved as {name}"), false);
    let begun = if had_watches {
        Effects::none()
    } else {
        begin(state)
    };
    keep(state).and(begun)
}

fn keep(state: &State) -> Effects {
    Effect::Keep(state.saved.kept()).into()
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Overlay::Saved(listing) = state.overlays.last_mut()? else {
        return None;
    };
    let count = state.saved.listed(listing).len();
    match (in_list(listing, key, count), key.code) {
        (InList::Entered, _) => return Some(enter(state)),
        (InList::Other, Code::Char('d') | Code::Delete) => return Some(remove(state)),
        (InList::Other, Code::Char('a' | 'A')) => {
            state.overlays.pop();
            return Some(ask(state));
        }
        (InList::Closed, _) | (InList::Other, Code::Char('q' | 'K')) => {
            state.overlays.pop();
        }
        _ => {}
    }
    Some(Effects::none())
}

fn chosen(state: &State) -> Option<(String, SavedQuery, bool)> {
    let Overlay::Saved(listing) = state.overlays.last()? else {
        return None;
    };
    let listed = state.saved.listed(listing);
    let saved = listed.get(listing.cursor)?;
    Some((saved.name.clone(), saved.written.clone(), saved.is_fixed))
}

/// Asks the query under the cursor; the place is remembered.
pub(super) fn enter(state: &mut State) -> Effects {
    let Some((_, saved, _)) = chosen(state) else {
        return Effects::none();
    };
    let Ok(query) = saved.query.parse() else {
        return Effects::none();
    };
    jump::leave(state);
    state.overlays.clear();
    state.filters = Filters {
        typed: query,
        typed_text: saved.query,
        ..Filters::default()
    };
    load::newest(state)
}

fn remove(state: &mut State) -> Effects {
    let Some((name, _, is_fixed)) = chosen(state) else {
        return Effects::none();
    };
    if is_fixed {
        notice(
            state,
            format!("{name} is in the configuration: it is removed there"),
            true,
        );
        return Effects::none();
    }
    state.saved.0.retain(|saved| saved.name != name);
    keep(state)
}

/// Begins to watch.
pub(super) fn begin(state: &mut State) -> Effects {
    if !state.saved.has_watches() {
        return Effects::none();
    }
    due(state)
}

/// Counts what is watched, and comes again.
pub(super) fn due(state: &mut State) -> Effects {
    let mut effects = Effects::none();
    let mut wait = MOST;
    for saved in &state.saved.0 {
        let Some(watch) = &saved.watch else {
            continue;
        };
        wait = wait.min(watch.within / COUNTS).max(LEAST);
        effects = effects.and(
            Effect::Watch {
                name: saved.name.clone(),
                query: watch.query.clone(),
                now: state.now,
                within: watch.within,
            }
            .into(),
        );
    }
    if effects.0.is_empty() {
        return effects;
    }
    effects.and(Effect::WakeWatches(wait).into())
}

/// A watch was counted: when it fires it is told once, until it has calmed down.
pub(super) fn counted(
    state: &mut State,
    name: &str,
    answer: Result<WatchCount, String>,
) -> Effects {
    let now = state.now;
    let Some(watch) = state.saved.watch_mut(name) else {
        return Effects::none();
    };
    let counts = match answer {
        Ok(counts) => counts,
        Err(reason) => {
            watch.failed = Some(reason);
            return Effects::none();
        }
    };
    watch.failed = None;
    watch.count = Some(counts.count);
    watch.before = counts.before;
    let is_more = counts.count > watch.more_than;
    let fires = is_more && watch.fired.is_none();
    if !is_more {
        watch.fired = None;
    } else if fires {
        watch.fired = Some(now);
    }
    if !fires {
        return Effects::none();
    }
    let within = print_duration(watch.within);
    let text = format!(
        "{}: {} in {within}, more than {}",
        visible(name).text,
        counts.count,
        watch.more_than
    );
    notice(state, format!("⚑ {text}"), true);
    Effect::Notify(text).into()
}
