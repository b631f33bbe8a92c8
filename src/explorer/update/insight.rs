//! Patterns, and what is different: asking for them, and narrowing the log by what they show.

use super::overlay::{InList, in_list};
use super::{filter, jump, load, notice, timeline};
use crate::base::Time;
use crate::entry::Entry;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::overlays::{Listing, Overlay, PatternsView};
use crate::explorer::request::Number;
use crate::explorer::state::{Answered, Chip, State, Waterfall};
use crate::query::{Differences, Expression, Field, Query, Templates};

/// Opens the patterns of what is asked for. What begins in the burst where one is, or in what is selected, is new.
pub(super) fn patterns(state: &mut State) -> Effects {
    let whole = state.timeline.times(&(0..state.timeline.len()));
    let span = timeline::span(state).filter(|span| span.0 > whole.0);
    state.insight.since = span.map(|(from, _)| from);
    state.insight.patterns = Answered::default();
    state.overlays.push(Overlay::Patterns {
        listing: Listing::default(),
        view: PatternsView::default(),
    });
    let query = state.query();
    ask_patterns(state, query)
}

/// Opens what went quiet, whatever the filters hide: a silence is heard only beside those who go on.
pub(super) fn quiet(state: &mut State) -> Effects {
    state.insight.patterns = Answered::default();
    state.overlays.push(Overlay::Quiet(Listing::default()));
    let query = state.filters.without();
    ask_patterns(state, query)
}

fn ask_patterns(state: &mut State, query: Query) -> Effects {
    let number = state.requests.next();
    state.requests.insight = Some(number);
    Effect::Patterns {
        number,
        query,
        now: state.now,
    }
    .into()
}

/// Opens what is different in the span that is selected, or in the burst where one is.
pub(super) fn differences(state: &mut State) -> Effects {
    let Some((from, to)) = timeline::span(state) else {
        notice(state, "there is nothing to compare yet", false);
        return Effects::none();
    };
    state.insight.span = (from, to);
    state.insight.differences = Answered::default();
    state
        .overlays
        .push(Overlay::Differences(Listing::default()));
    let number = state.requests.next();
    state.requests.insight = Some(number);
    Effect::Compare {
        number,
        query: state.query(),
        now: state.now,
        from,
        to,
    }
    .into()
}

/// Whether an answer is that of the question that was asked last; `done` says that nothing more of it comes.
fn is_told(state: &mut State, number: Number, done: bool) -> bool {
    let asked = &mut state.requests.insight;
    let is_asked = *asked == Some(number);
    if is_asked && done {
        *asked = None;
    }
    is_asked
}

/// Patterns came, of a small part first.
pub(super) fn told_patterns(
    state: &mut State,
    number: Number,
    answer: Result<Templates, String>,
    done: bool,
) -> Effects {
    if is_told(state, number, done) {
        state.insight.is_partial = !done;
        state.insight.patterns.told(answer.map(Some));
    }
    Effects::none()
}

/// Differences came, of a small part first.
pub(super) fn told_differences(
    state: &mut State,
    number: Number,
    answer: Result<Differences, String>,
    done: bool,
) -> Effects {
    if is_told(state, number, done) {
        state.insight.is_partial = !done;
        state.insight.differences.told(answer.map(Some));
    }
    Effects::none()
}

/// Puts the trace of the row together.
pub(super) fn trace(state: &mut State) -> Effects {
    let trace = state
        .selected()
        .and_then(|row| row.entry.scope.trace.clone());
    let Some(trace) = trace else {
        notice(state, "this entry has no trace", false);
        return Effects::none();
    };
    state.insight.trace = Answered::default();
    state.overlays.push(Overlay::Waterfall(Listing::default()));
    let number = state.requests.next();
    state.requests.insight = Some(number);
    Effect::Trace {
        number,
        trace,
        now: state.now,
    }
    .into()
}

/// The entries of a trace came.
pub(super) fn told_trace(
    state: &mut State,
    number: Number,
    trace: String,
    answer: Result<(Vec<Entry>, bool), String>,
) -> Effects {
    if is_told(state, number, true) {
        let put_together =
            |(entries, more): (Vec<Entry>, bool)| Some(Waterfall::new(trace, &entries, more));
        state.insight.trace.told(answer.map(put_together));
    }
    Effects::none()
}

/// A key while one of the lists is open; nothing if it is not for it.
pub(super) fn press(state: &mut State, key: Key) -> Option<Effects> {
    let insight = &state.insight;
    let (listing, count, view) = match state.overlays.last_mut()? {
        Overlay::Patterns { listing, view } => {
            let count = insight.templates(listing, *view).len();
            (listing, count, Some(view))
        }
        Overlay::Differences(listing) => {
            let count = insight.differences(listing).len();
            (listing, count, None)
        }
        Overlay::Quiet(listing) => {
            let count = insight.quiet(listing).len();
            (listing, count, None)
        }
        Overlay::Waterfall(listing) => {
            let bars = insight.trace.now.iter().flat_map(|told| &told.bars);
            let count = bars.filter(|bar| listing.holds(&bar.name)).count();
            (listing, count, None)
        }
        _ => return None,
    };
    match (in_list(listing, key, count), key.code) {
        (InList::Entered, _) | (InList::Other, Code::Char('+' | '=')) => return Some(enter(state)),
        (InList::Other, Code::Char('x' | '-')) => return Some(hide(state)),
        (InList::Other, Code::Char('n')) => {
            if let Some(view) = view {
                *view = view.next();
                if *view == PatternsView::New && state.insight.since.is_none() {
                    *view = view.next();
                }
                listing.cursor = 0;
            }
        }
        (InList::Closed, _) | (InList::Other, Code::Char('q' | 'p' | 'D' | 'T' | ',')) => {
            state.overlays.pop();
        }
        _ => {}
    }
    Some(Effects::none())
}

/// What is under the cursor as a condition.
fn chosen(state: &State) -> Option<Chip> {
    match state.overlays.last()? {
        Overlay::Patterns { listing, view } => {
            let templates = state.insight.templates(listing, *view);
            let template = templates.get(listing.cursor)?;
            let name = template.text.clone();
            Some(Chip::include(template.expression()).called(name))
        }
        Overlay::Quiet(listing) => {
            let quiet = state.insight.quiet(listing);
            let of = quiet.get(listing.cursor)?;
            let name = format!("{} {}", of.who, of.text);
            Some(Chip::include(of.expression()).called(name))
        }
        Overlay::Differences(listing) => {
            let differences = state.insight.differences(listing);
            let of = differences.get(listing.cursor)?;
            let chip = Chip::include(of.expression());
            // Values of fields read well by themselves.
            Some(match of.field {
                None => chip.called(of.value.clone()),
                Some(_) => chip,
            })
        }
        _ => None,
    }
}

/// When what is under the cursor began, where that is what is looked for.
fn began(state: &State) -> Option<Time> {
    match state.overlays.last()? {
        Overlay::Patterns { listing, view } if *view != PatternsView::All => {
            let templates = state.insight.templates(listing, *view);
            templates.get(listing.cursor).map(|of| Time(of.first))
        }
        // The last of them, and what follows in its place.
        Overlay::Quiet(listing) => {
            let quiet = state.insight.quiet(listing);
            quiet.get(listing.cursor).map(|of| Time(of.last))
        }
        _ => None,
    }
}

/// Only lines of what is under the cursor; of what is new from the first on, of a difference in its span.
pub(super) fn enter(state: &mut State) -> Effects {
    if let Some(Overlay::Waterfall(listing)) = state.overlays.last() {
        let told = state.insight.trace.now.as_ref();
        let bars = told.into_iter().flat_map(|told| &told.bars);
        let bar = bars
            .filter(|bar| listing.holds(&bar.name))
            .nth(listing.cursor);
        let Some((bar, told)) = bar.zip(told) else {
            return Effects::none();
        };
        let query = Query(Expression::equals(Field::Trace, told.trace.clone()));
        let key = bar.key;
        return jump::to_row(state, key, query);
    }
    let Some(chip) = chosen(state) else {
        return Effects::none();
    };
    let is_difference = matches!(state.overlays.last(), Some(Overlay::Differences(_)));
    let began = began(state);
    jump::leave(state);
    state.overlays.clear();
    state.filters.add(chip);
    if is_difference {
        state.filters.range = Some(state.insight.span);
        return load::oldest(state);
    }
    match began {
        Some(began) => timeline::to_time(state, began),
        None => filter::changed(state),
    }
}

/// Hides lines of what is under the cursor; the list stays.
fn hide(state: &mut State) -> Effects {
    let Some(chip) = chosen(state) else {
        return Effects::none();
    };
    let name = chip
        .name
        .clone()
        .unwrap_or_else(|| chip.condition().to_string());
    notice(state, format!("hidden: {name}"), false);
    let negated = true;
    state.filters.add(Chip { negated, ..chip });
    filter::changed(state)
}
