//! How the state changes: pure, one message at a time.

mod act;
mod case;
mod choice;
mod columns;
mod detail;
mod events;
mod fields;
mod filter;
mod insight;
mod jump;
mod kept;
mod keys;
mod live;
mod load;
mod members;
mod navigate;
mod overlay;
mod prompt;
mod saved;
mod search;
mod select;
mod timeline;

use std::time::Duration;

use super::effect::{Effect, Effects};
use super::message::Message;
use super::overlays::Overlay;
use super::state::{Notice, Shown, State};
use crate::base::Time;

pub(super) use detail::detail_lines;
pub(super) use events::said;
pub(super) use members::printed as printed_skew;

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(6);
/// How often counts of namespaces are taken anew while entries arrive.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// After which a first page that failed is asked for again.
const RETRY: Duration = Duration::from_secs(2);
/// How often the status is looked at while something in it passes with time.
const WAKE_EVERY: Duration = Duration::from_secs(1);

/// What a fresh explorer asks for: what is newest, or what lies around a time.
pub(super) fn start(state: &mut State, at: Option<Time>) -> Effects {
    let watching = saved::begin(state);
    let begun = Effects(vec![Effect::Namespaces, Effect::Firings]).and(watching);
    begun.and(match at {
        Some(at) => timeline::to_time(state, at),
        None => load::newest(state),
    })
}

/// Takes in what happened.
pub(super) fn update(state: &mut State, message: Message) -> Effects {
    if matches!(
        message,
        Message::Key(_) | Message::Clicked(_) | Message::Wheel(..)
    ) {
        state.seeking = None;
    }
    let effects = match message {
        Message::Clock(now) => {
            state.now = now;
            return Effects::none();
        }
        Message::Resized(width, height) => resized(state, width, height),
        Message::Key(key) => keys::press(state, key),
        Message::Pasted(text) => keys::paste(state, &text),
        Message::Clicked(target) => select::click(state, target),
        Message::Wheel(target, rows) => select::wheel(state, target, rows),
        Message::Loaded { number, page, done } => load::loaded(state, number, page, done),
        Message::Extended { number, page } => load::extended(state, number, page),
        Message::Scanning { number, progress } => load::scanning(state, number, progress),
        Message::Found {
            number,
            direction,
            place,
        } => search::found(state, number, direction, place),
        Message::Live(number, live) => live::live(state, number, live),
        Message::Standing(standing) => members::told(state, standing),
        Message::Files(files) => members::told_files(state, files),
        Message::Namespaces(counts) => load::namespaces(state, counts),
        Message::Pipelines(answer) => {
            state.moving.told(state.now, answer);
            Effects::none()
        }
        Message::Streams(answer) => {
            state.kept.streams.told(answer);
            Effects::none()
        }
        Message::Blobs {
            prefix,
            after,
            answer,
        } => {
            state.kept.took(&prefix, after.as_deref(), answer);
            kept::listed(state)
        }
        Message::EventHistory { before, answer } => {
            state.happening.took(before.as_deref(), answer);
            Effects::none()
        }
        Message::Listeners(answer) => {
            state.happening.listeners.told(answer);
            Effects::none()
        }
        Message::Fired(firing) => events::fired(state, *firing),
        Message::Facets {
            number,
            field,
            facets,
        } => load::counted(state, number, &field, facets),
        Message::Counted {
            number,
            counts,
            done,
        } => timeline::counted(state, number, counts, done),
        Message::CountedAll { number, levels } => timeline::counted_all(state, number, levels),
        Message::Patterns {
            number,
            answer,
            done,
        } => insight::told_patterns(state, number, answer, done),
        Message::Traced {
            number,
            trace,
            answer,
        } => insight::told_trace(state, number, trace, answer),
        Message::Compared {
            number,
            answer,
            done,
        } => insight::told_differences(state, number, answer, done),
        Message::Completions { number, values } => prompt::completions(state, number, values),
        Message::Whole { position, entry } => detail::whole(state, position, entry),
        Message::Failed { number, reason } => failed(state, number, &reason),
        Message::Loading(reading) => loading(state, reading),
        Message::WatchesDue => saved::due(state),
        Message::Watched { name, answer } => saved::counted(state, &name, answer),
        Message::Done(outcome) => {
            let is_failure = outcome.is_err();
            let (Ok(text) | Err(text)) = outcome;
            notice(state, text, is_failure);
            Effects::none()
        }
        Message::Woke => woke(state),
    };
    navigate::settle(state);
    let effects = effects
        .and(load::prefetch(state))
        .and(detail::refresh(state));
    let effects = within_reach(state, effects);
    effects.and(wake(state))
}

/// Leaves out what reaches out, where that is not allowed, and says so.
fn within_reach(state: &mut State, mut effects: Effects) -> Effects {
    let count = effects.0.len();
    effects
        .0
        .retain(|effect| !state.is_read_only || !effect.reaches_out());
    if effects.0.len() < count {
        let text = "this screen is read-only: nothing is written, no program started";
        notice(state, text, true);
    }
    effects
}

/// Files are being read, or were read to their end.
fn loading(state: &mut State, reading: Option<(u64, u64)>) -> Effects {
    let finished = state.loading.is_some() && reading.is_none();
    state.loading = reading;
    state.live.uncounted = true;
    if finished {
        return Effects::from(Effect::Namespaces).and(timeline::ask_again(state));
    }
    Effects::none()
}

fn resized(state: &mut State, width: u16, height: u16) -> Effects {
    if (width, height) == state.size {
        return Effects::none();
    }
    state.size = (width, height);
    Effects::from(Effect::Redraw).and(timeline::ask(state))
}

/// Tells something for a while.
fn notice(state: &mut State, text: impl Into<String>, failure: bool) {
    state.notice = Some(Notice {
        text: text.into(),
        failure,
        since: state.now,
        until: state.now.later(NOTICE),
    });
}

fn failed(state: &mut State, number: super::request::Number, reason: &str) -> Effects {
    if state.requests.load == Some(number) && state.shown != Shown::Log {
        // There is nothing of it to be seen: back to where one came from.
        let effects = jump::back(state);
        notice(state, reason, true);
        return effects;
    }
    if state.requests.load == Some(number) {
        // Nothing is on its way any more: it is asked again after a while.
        let again = state.now.later(RETRY);
        state.live.link = super::state::Link::Lost {
            reason: reason.to_owned(),
            again,
        };
    }
    let requests = &mut state.requests;
    let rows = [&mut requests.load, &mut requests.extend, &mut requests.find];
    let counts = [
        &mut requests.facets,
        &mut requests.complete,
        &mut requests.histogram,
    ];
    let ended = |slots: [&mut Option<super::request::Number>; 3]| {
        let slot = slots.into_iter().find(|slot| **slot == Some(number));
        slot.and_then(Option::take).is_some()
    };
    let means = if ended(rows) {
        state.progress = None;
        state.window.stalled = true;
        "what is on screen stays; G or ctrl-l tries again"
    } else if ended(counts) {
        "rows are as they were; counts may be old until ctrl-l tries again"
    } else {
        return Effects::none();
    };
    notice(state, format!("{reason} · {means}"), true);
    Effects::none()
}

/// Whether something is on the screen that is asked for again and again.
fn watches(state: &State) -> bool {
    let is_watched = |overlay: &Overlay| {
        matches!(
            overlay,
            Overlay::Pipelines { .. } | Overlay::Streams(_) | Overlay::Events { .. }
        )
    };
    state.overlays.iter().any(is_watched)
}

fn woke(state: &mut State) -> Effects {
    let mut asking = match state.overlays.last() {
        Some(Overlay::Events { tab, .. }) => events::refresh(state, *tab),
        _ => Effects::none(),
    };
    for overlay in &state.overlays {
        let asked = match overlay {
            Overlay::Pipelines { .. } if state.moving.answered.may_ask() => {
                state.moving.answered.asked = true;
                Effect::Pipelines
            }
            Overlay::Streams(_) if state.kept.streams.may_ask() => {
                state.kept.streams.asked = true;
                Effect::Streams
            }
            _ => continue,
        };
        asking = asking.and(asked.into());
    }
    asking.and(woke_for_log(state))
}

fn woke_for_log(state: &mut State) -> Effects {
    state.waking = false;
    state.live.forget(state.now);
    if state
        .notice
        .as_ref()
        .is_some_and(|notice| notice.until <= state.now)
    {
        state.notice = None;
    }
    if let super::state::Link::Lost { again, .. } = &state.live.link
        && *again <= state.now
        && state.requests.load.is_none()
        && state.requests.follow.is_none()
    {
        return load::again(state).and(Effect::Namespaces.into());
    }
    if state.live.uncounted && state.now.since(state.live.counted) >= COUNT_EVERY {
        state.live.counted = state.now;
        state.live.uncounted = false;
        return Effects::from(Effect::Namespaces).and(timeline::refresh(state));
    }
    Effects::none()
}

/// Asks to be woken while something on the screen passes with time; an explorer at rest sleeps.
fn wake(state: &mut State) -> Effects {
    let reconnecting = matches!(state.live.link, super::state::Link::Lost { .. });
    if state.waking
        || !(state.notice.is_some()
            || state.live.is_busy()
            || state.live.uncounted
            || watches(state)
            || reconnecting)
    {
        return Effects::none();
    }
    state.waking = true;
    Effect::Wake(WAKE_EVERY).into()
}
