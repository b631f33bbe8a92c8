//! Events, listeners and firings: looking through them, and going to the moment of one in the log.

use super::overlay::{InList, in_list};
use super::{jump, notice};
use crate::api::{ActionForm, FiringAnswer};
use crate::entry::decode::time::parse;
use crate::explorer::action::Action;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{EventsTab, Listing, Overlay};
use crate::explorer::state::{Happened, State, attribute};
use crate::query::{Expression, Field, Query};

/// Opens the list: at the firings, when there are some that nobody has looked at.
pub(super) fn open(state: &mut State) -> Effects {
    let tab = match state.happening.unseen {
        0 => EventsTab::History,
        _ => EventsTab::Firings,
    };
    state.overlays.push(Overlay::Events {
        tab,
        listing: Listing::default(),
    });
    seen(state, tab);
    state.happening.history.asked = true;
    state.happening.listeners.asked = true;
    Effects(vec![
        Effect::EventHistory { before: None },
        Effect::Listeners,
    ])
}

/// Asks for what the open list shows, while it is open.
pub(super) fn refresh(state: &mut State, tab: EventsTab) -> Effects {
    let happening = &mut state.happening;
    match tab {
        EventsTab::History if happening.history.may_ask() => {
            happening.history.asked = true;
            Effect::EventHistory { before: None }.into()
        }
        EventsTab::Listeners if happening.listeners.may_ask() => {
            happening.listeners.asked = true;
            Effect::Listeners.into()
        }
        _ => Effects::none(),
    }
}

fn seen(state: &mut State, tab: EventsTab) {
    if tab == EventsTab::Firings {
        state.happening.unseen = 0;
    }
}

/// A listener fired.
pub(super) fn fired(state: &mut State, firing: FiringAnswer) -> Effects {
    let told = said(&firing);
    let key = state.keymap.key_of(Action::Events);
    let text = format!(
        "⚑ {told} in {} · {key} and enter lead there",
        firing.namespace
    );
    state.happening.fired(firing);
    if let Some(Overlay::Events { tab, .. }) = state.overlays.last() {
        seen(state, *tab);
    }
    notice(state, text, false);
    Effects::none()
}

/// A firing in words: its own, or the types of its events.
pub(in crate::explorer) fn said(firing: &FiringAnswer) -> String {
    let own = match &firing.action {
        Some(ActionForm::View { text, .. } | ActionForm::Log { text }) => text.clone(),
        _ => None,
    };
    own.unwrap_or_else(|| {
        let kinds = firing.events.iter().map(|event| attribute(event, "type"));
        kinds.collect::<Vec<_>>().join(" + ")
    })
}

/// A key while the list is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let Some(Overlay::Events { tab, listing }) = state.overlays.last_mut() else {
        return None;
    };
    let count = state.happening.items(*tab, listing).len();
    let shown = *tab;
    match (in_list(listing, key, count), key.code) {
        (InList::Entered, _) => return Some(enter(state)),
        (InList::Moved, _) if shown == EventsTab::History && listing.cursor + 1 >= count => {
            return Some(more(state));
        }
        (InList::Other, Code::Tab | Code::Right) => return Some(turn(state, shown.next())),
        (InList::Other, Code::BackTab | Code::Left) => return Some(turn(state, shown.previous())),
        (InList::Closed, _) | (InList::Other, Code::Char('q' | 'V')) => {
            state.overlays.pop();
        }
        _ => {}
    }
    Some(Effects::none())
}

fn turn(state: &mut State, to: EventsTab) -> Effects {
    if let Some(Overlay::Events { tab, listing }) = state.overlays.last_mut() {
        *tab = to;
        *listing = Listing::default();
    }
    seen(state, to);
    refresh(state, to)
}

fn more(state: &mut State) -> Effects {
    match state.happening.more().map(str::to_owned) {
        Some(before) if state.happening.history.may_ask() => {
            state.happening.history.asked = true;
            let before = Some(before);
            Effect::EventHistory { before }.into()
        }
        _ => Effects::none(),
    }
}

/// Goes to the moment of what is under the cursor, or to the events that a listener waits for.
pub(super) fn enter(state: &mut State) -> Effects {
    let Some(Overlay::Events { tab, listing }) = state.overlays.last() else {
        return Effects::none();
    };
    let items = state.happening.items(*tab, listing);
    let Some(item) = items.get(listing.cursor) else {
        return Effects::none();
    };
    let of_trace = |trace: Option<&str>| {
        let trace = trace.filter(|trace| !trace.is_empty());
        Query(trace.map_or(Expression::Everything, |trace| {
            Expression::equals(Field::Trace, trace)
        }))
    };
    let (moment, query) = match item {
        Happened::Listener(listener) => {
            let kind = listener.listening_for_event_types.first().cloned();
            let effects = turn(state, EventsTab::History);
            if let Some(Overlay::Events { listing, .. }) = state.overlays.last_mut() {
                listing.text = tui_input::Input::new(kind.unwrap_or_default());
            }
            return effects;
        }
        Happened::Event(event) => {
            let own = [attribute(&event.event, "time"), &event.received_at];
            let moment = own.iter().find_map(|text| parse(text, state.now));
            (moment, of_trace(event.trace.as_deref()))
        }
        Happened::Firing(firing) => {
            let last = firing.events.last();
            let own = last
                .map(|event| attribute(event, "time"))
                .unwrap_or_default();
            let query = match &firing.action {
                Some(ActionForm::View {
                    query: Some(typed), ..
                }) => typed.parse().unwrap_or_default(),
                _ => of_trace(firing.trace.as_deref()),
            };
            let own = [own, &firing.at];
            (own.iter().find_map(|text| parse(text, state.now)), query)
        }
    };
    if let Some(moment) = moment {
        return jump::to_moment(state, moment, query);
    }
    notice(state, "it says no time that is understood", true);
    Effects::none()
}
