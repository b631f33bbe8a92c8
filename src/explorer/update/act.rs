//! Actions: each arm is one call.

use super::{
    case, columns, detail, events, fields, filter, insight, jump, kept, load, members, navigate,
    notice, prompt, saved, search, select, timeline,
};
use crate::entry::Level;
use crate::explorer::action::Action;
use crate::explorer::effect::{Effect, Effects, Program};
use crate::explorer::overlays::{Overlay, Sense};
use crate::explorer::state::{Focus, PromptKind, Shown, State, Times};
use crate::query::{Direction, Field};

/// Does what a key or the palette asked for.
pub(super) fn act(state: &mut State, action: Action) -> Effects {
    match action {
        Action::Down => select::vertical(state, 1),
        Action::Up => select::vertical(state, -1),
        Action::Left => select::horizontal(state, -1),
        Action::Right => select::horizontal(state, 1),
        Action::HalfPageDown => select::vertical(state, navigate::page_rows(state) / 2),
        Action::HalfPageUp => select::vertical(state, -navigate::page_rows(state) / 2),
        Action::PageDown => select::vertical(state, navigate::page_rows(state)),
        Action::PageUp => select::vertical(state, -navigate::page_rows(state)),
        Action::Oldest => select::oldest(state),
        Action::Newest => select::newest(state),
        Action::Follow => navigate::follow_or_hold(state),
        Action::NextError => search::level(state, Level::Error, Direction::Newer),
        Action::PreviousError => search::level(state, Level::Error, Direction::Older),
        Action::NextWarning => search::level(state, Level::Warn, Direction::Newer),
        Action::PreviousWarning => search::level(state, Level::Warn, Direction::Older),
        Action::Search => prompt::open(state, PromptKind::Search),
        Action::NextMatch => search::again(state, Direction::Newer),
        Action::PreviousMatch => search::again(state, Direction::Older),
        Action::Query => prompt::open(state, PromptKind::Query),
        Action::TextFilter => prompt::open(state, PromptKind::TextFilter),
        Action::LevelTrace => filter::level(state, Some(Level::Trace)),
        Action::LevelDebug => filter::level(state, Some(Level::Debug)),
        Action::LevelInfo => filter::level(state, Some(Level::Info)),
        Action::LevelWarn => filter::level(state, Some(Level::Warn)),
        Action::LevelError => filter::level(state, Some(Level::Error)),
        Action::LevelAll => filter::level(state, None),
        Action::Include => filter::value(state, Sense::Include),
        Action::Exclude => filter::value(state, Sense::Exclude),
        Action::ToggleFilter => filter::toggle(state),
        Action::InvertFilter => filter::invert(state),
        Action::RemoveFilter => filter::remove(state),
        Action::ToggleAllFilters => filter::toggle_all(state),
        Action::ClearFilters => filter::clear(state),
        Action::Trace => jump::pivot(state, &Field::Trace),
        Action::Waterfall => insight::trace(state),
        Action::Instance => jump::pivot(state, &Field::Instance),
        Action::Namespace => jump::pivot(state, &Field::Namespace),
        Action::Back => jump::back(state),
        Action::Forward => jump::forward(state),
        Action::Details => select::enter(state),
        Action::DetailsBeside => detail::turn(state),
        Action::Close => close(state),
        Action::Logs => members::open(state),
        Action::Sources => select::sources(state),
        Action::NextPane => select::next_pane(state, 1),
        Action::PreviousPane => select::next_pane(state, -1),
        Action::Wrap => wrap(state),
        Action::Zone => {
            std::mem::swap(&mut state.zone, &mut state.other_zone);
            Effects::none()
        }
        Action::Times => times(state),
        Action::Runs => runs(state),
        Action::Column => filter::column(state),
        Action::Columns => columns::open(state),
        Action::Pager => detail::show_in(state, Program::Pager),
        Action::Editor => detail::show_in(state, Program::Editor),
        Action::Mark => case::note(state),
        Action::Case => case::open(state),
        Action::Source => jump::pivot(state, &Field::Source),
        Action::Moment => jump::moment(state),
        Action::Export => prompt::open(state, PromptKind::Export),
        Action::CopyCommand => detail::copy_command(state),
        Action::Copy => detail::copy(state),
        Action::Disguise => detail::disguise(state),
        Action::CopyJson => detail::copy_json(state),
        Action::Pipelines => pipelines(state),
        Action::Streams => kept::streams(state),
        Action::Blobs => kept::blobs(state),
        Action::Events => events::open(state),
        Action::BarBack => timeline::step(state, -1),
        Action::BarForward => timeline::step(state, 1),
        Action::BurstBack => timeline::burst(state, false),
        Action::BurstForward => timeline::burst(state, true),
        Action::JumpToTime => prompt::open(state, PromptKind::Time),
        Action::ContextMore => filter::context(state, true),
        Action::ContextLess => filter::context(state, false),
        Action::Patterns => insight::patterns(state),
        Action::Quiet => insight::quiet(state),
        Action::Fields => fields::open(state),
        Action::Saved => saved::open(state),
        Action::Save => saved::ask(state),
        Action::Differences => insight::differences(state),
        Action::Timeline => timeline::toggle(state),
        Action::SelectSpan => select::span(state),
        Action::Range => timeline::ranges(state),
        Action::Palette => overlay(state, Overlay::palette()),
        Action::Help => overlay(state, Overlay::help()),
        Action::Redraw => redraw(state),
        Action::Suspend => Effect::Suspend.into(),
        Action::Cancel => cancel(state),
        Action::Quit => quit(state),
        Action::QuitNow => Effect::Quit.into(),
    }
}

fn overlay(state: &mut State, overlay: Overlay) -> Effects {
    state.overlays.push(overlay);
    Effects::none()
}

fn pipelines(state: &mut State) -> Effects {
    state.overlays.push(Overlay::pipelines());
    state.moving.answered.asked = true;
    Effect::Pipelines.into()
}

/// From the time of day to the time since the row before, to the time since this row.
fn times(state: &mut State) -> Effects {
    let here = state.selected().map(|row| row.entry.time);
    let (next, text) = match (state.times, here) {
        (Times::Clock, _) => (Times::Deltas, "times since the row before"),
        (Times::Deltas, Some(here)) => (Times::Since(here), "times before and after this row"),
        _ => (Times::Clock, "the time of day"),
    };
    state.times = next;
    notice(state, text, false);
    Effects::none()
}

/// Shows rows that say the same as one, or each.
fn runs(state: &mut State) -> Effects {
    state.folds_runs = !state.folds_runs;
    let text = if state.folds_runs {
        "rows that say the same are shown as one"
    } else {
        "every row is shown"
    };
    notice(state, text, false);
    Effects::none()
}

fn wrap(state: &mut State) -> Effects {
    state.scroll.wrap = !state.scroll.wrap;
    state.scroll.sideways = 0;
    Effects::none()
}

/// Draws all anew, and asks again where a question failed.
fn redraw(state: &mut State) -> Effects {
    let again = if state.window.stalled {
        load::again(state)
    } else {
        timeline::ask_again(state).and(load::values(state))
    };
    Effects::from(Effect::Redraw).and(again)
}

/// Stops what runs; whether anything did.
fn stop(state: &mut State) -> Option<Effects> {
    let requests = &mut state.requests;
    let running: Vec<_> = [
        requests.load.take(),
        requests.extend.take(),
        requests.find.take(),
    ]
    .into_iter()
    .flatten()
    .collect();
    if running.is_empty() {
        return None;
    }
    state.window.stalled = true;
    state.progress = None;
    notice(
        state,
        "stopped: what was found so far is shown · moving on asks for more",
        false,
    );
    let stopped = Effects(running.into_iter().map(Effect::Stop).collect());
    Some(stopped.and(load::stopped(state)))
}

/// Leaves the innermost thing that is open.
fn close(state: &mut State) -> Effects {
    if let Some(stopped) = stop(state) {
        return stopped;
    }
    if state.picking.take().is_some() {
        return Effects::none();
    }
    if state.detail.is_some() {
        return detail::close(state);
    }
    if state.focus == Focus::Timeline && state.timeline.anchor.take().is_some() {
        // What is being selected is left first.
    } else if state.focus != Focus::Log {
        state.focus = Focus::Log;
    } else if state.search.is_some() {
        state.search = None;
    } else if state.sources_open {
        state.sources_open = false;
    } else if state.shown != Shown::Log {
        return jump::back(state);
    }
    Effects::none()
}

fn quit(state: &mut State) -> Effects {
    if state.detail.is_some() {
        return detail::close(state);
    }
    if state.focus == Focus::Timeline {
        state.focus = Focus::Log;
        return Effects::none();
    }
    if state.focus != Focus::Log {
        return select::sources(state);
    }
    if state.history.has_behind() {
        let effects = jump::back(state);
        let key = state.keymap.key_of(Action::QuitNow);
        notice(
            state,
            format!("back where you were · {key} leaves the program"),
            false,
        );
        return effects;
    }
    Effect::Quit.into()
}

fn cancel(state: &mut State) -> Effects {
    if state.leaving {
        return Effect::Quit.into();
    }
    state.leaving = true;
    let stopped = stop(state).unwrap_or_default();
    notice(state, "ctrl-c again leaves", false);
    stopped
}
