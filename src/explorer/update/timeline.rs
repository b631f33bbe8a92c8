//! The counts above the log: asking for them, moving in time, zooming.

use std::time::Duration;

use super::{filter, jump, load, notice, search};
use crate::base::Time;
use crate::base::units::parse_duration;
use crate::entry::{Key, Level, Position};
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::layout::areas;
use crate::explorer::overlays::{Choice, Overlay, Purpose};
use crate::explorer::request::{At, Number};
use crate::explorer::state::{Focus, State};
use crate::query::{Field, Histogram};

/// A count that took so long is asked again after ten times that.
const REST: u32 = 10;

/// Asks for counts of the question as it is now, unless they are known or on their way.
pub(super) fn ask(state: &mut State) -> Effects {
    let wanted = (state.query(), state.size.0);
    if state.timeline.asked.as_ref() == Some(&wanted) {
        return Effects::none();
    }
    ask_again(state)
}

/// Asks anew: entries have arrived.
pub(super) fn refresh(state: &mut State) -> Effects {
    let timeline = &state.timeline;
    let rested = state.now.since(timeline.asked_at) >= timeline.took * REST;
    if state.requests.histogram.is_some() || !rested {
        return Effects::none();
    }
    ask_again(state)
}

/// Asks anew, whatever is known.
pub(super) fn ask_again(state: &mut State) -> Effects {
    if !is_shown(state) {
        return Effects::none();
    }
    let (query, width) = (state.query(), state.size.0);
    let number = state.requests.next();
    state.requests.histogram = Some(number);
    let wanted = (query.clone(), width);
    state.timeline.fills = state.timeline.asked.as_ref() != Some(&wanted);
    state.timeline.asked = Some(wanted);
    state.timeline.asked_at = state.now;
    let without = state.filters.without();
    Effect::Histogram {
        number,
        all: (without != query).then_some(without),
        query,
        now: state.now,
        buckets: usize::from(width),
    }
    .into()
}

fn is_shown(state: &State) -> bool {
    areas(state).timeline.is_some()
}

/// Counts came.
pub(super) fn counted(state: &mut State, number: Number, counts: Histogram, done: bool) -> Effects {
    // Counts that are taken anew replace those that are there when they are whole.
    if state.requests.histogram == Some(number) && (done || state.timeline.fills) {
        if done {
            state.requests.histogram = None;
        }
        state.timeline.took = state.now.since(state.timeline.asked_at);
        state.timeline.counts = counts;
        if state.timeline.counted != Some(number) {
            state.timeline.all = None;
        }
        state.timeline.counted = Some(number);
    }
    Effects::none()
}

/// What there is without filters came.
pub(super) fn counted_all(state: &mut State, number: Number, all: [u64; 6]) -> Effects {
    if state.requests.histogram == Some(number) || state.timeline.counted == Some(number) {
        state.timeline.counted = Some(number);
        state.timeline.all = Some(all);
    }
    Effects::none()
}

/// Gives the pane the keys; again hides it, and once more shows it.
pub(super) fn toggle(state: &mut State) -> Effects {
    if state.focus == Focus::Timeline {
        state.focus = Focus::Log;
        state.timeline.is_hidden = true;
        return Effects::none();
    }
    state.timeline.is_hidden = false;
    if !is_shown(state) {
        notice(state, "there is no room for the timeline here", false);
        return Effects::none();
    }
    state.timeline.cursor = here(state);
    state.timeline.anchor = None;
    state.focus = Focus::Timeline;
    ask(state)
}

/// Where one is in time. Who goes somewhere is there already: keys that are typed before its rows came are meant for there.
pub(super) fn here(state: &State) -> Time {
    if state.focus == Focus::Timeline {
        return state.timeline.cursor;
    }
    if let Some(heading) = state.heading.filter(|_| state.requests.find.is_some()) {
        return heading;
    }
    if let At::Around(key) = state.landing
        && state.requests.load.is_some()
        && !state.touched
    {
        return key.time;
    }
    state.selected().map_or(state.now, |row| row.entry.time)
}

/// Some buckets back, or forward.
pub(super) fn step(state: &mut State, buckets: isize) -> Effects {
    let timeline = &state.timeline;
    let last = timeline.len().saturating_sub(1);
    let at = timeline.bucket(here(state));
    go(state, at.saturating_add_signed(buckets).min(last))
}

/// To the next burst, or the one before.
pub(super) fn burst(state: &mut State, forward: bool) -> Effects {
    let at = state.timeline.bucket(here(state));
    if let Some(bucket) = state.timeline.next_burst(at, forward) {
        return to_burst(state, bucket);
    }
    let text = if forward {
        "there is no burst after this · { goes back"
    } else {
        "there is no burst before this · } goes forward"
    };
    notice(state, text, false);
    Effects::none()
}

/// To the first severe entry of a burst, and says what the burst is.
fn to_burst(state: &mut State, bucket: usize) -> Effects {
    let timeline = &state.timeline;
    let buckets = timeline.burst_around(bucket);
    let (from, to) = timeline.times(&buckets);
    let levels = timeline
        .counts
        .buckets
        .iter()
        .take(buckets.end)
        .skip(buckets.start);
    let (errors, warnings) = levels.fold((0, 0), |(errors, warnings), levels| {
        (errors + levels[4] + levels[5], warnings + levels[3])
    });
    let clock = |time| {
        state
            .zone
            .row_form(time)
            .get(11..19)
            .unwrap_or_default()
            .to_owned()
    };
    let text = format!(
        "burst {}–{}: {errors} errors, {warnings} warnings",
        clock(from),
        clock(to)
    );
    notice(state, text, false);
    state.timeline.cursor = from;
    let severe = if errors > 0 {
        Level::Error
    } else {
        Level::Warn
    };
    search::from(state, from, severe)
}

/// To a bucket; the log goes with it.
pub(super) fn go(state: &mut State, bucket: usize) -> Effects {
    if state.timeline.len() == 0 {
        return Effects::none();
    }
    let time = state.timeline.begins(bucket);
    state.timeline.cursor = time;
    to_time(state, time)
}

/// Shows the first entry at a time, or after it.
pub(super) fn to_time(state: &mut State, time: Time) -> Effects {
    state.live.following = false;
    // What follows is what is looked for.
    state.scroll.line = usize::from(areas(state).log.height) / 4;
    // The very first position: whatever happened at that time lies after it.
    let position = Position(0);
    load::around(state, Key { time, position })
}

/// The time from the first to the last of the selected rows.
fn picked(state: &State) -> Option<(Time, Time)> {
    let rows = state.picked_rows()?;
    let (first, last) = (rows.first()?, rows.last()?);
    Some((
        first.entry.time,
        last.entry.time.later(Duration::from_nanos(1)),
    ))
}

/// Narrows the log to the time of the selected rows.
pub(super) fn zoom_to_rows(state: &mut State) -> Effects {
    let range = picked(state);
    state.picking = None;
    narrow(state, range)
}

/// Begins to select a span where one is, or leaves it.
pub(super) fn select(state: &mut State) -> Effects {
    if state.focus != Focus::Timeline {
        let effects = toggle(state);
        state.timeline.anchor = Some(state.timeline.cursor);
        return effects;
    }
    state.timeline.anchor = match state.timeline.anchor {
        Some(_) => None,
        None => Some(state.timeline.cursor),
    };
    Effects::none()
}

/// The span that is meant: what is selected, what the log is narrowed to, or the burst where one is.
pub(super) fn span(state: &State) -> Option<(Time, Time)> {
    if state.picking.is_some() {
        return picked(state);
    }
    let timeline = &state.timeline;
    if timeline.len() == 0 {
        return None;
    }
    let selected = timeline
        .selected()
        .filter(|_| state.focus == Focus::Timeline);
    if selected.is_none() && state.filters.range.is_some() {
        return state.filters.range;
    }
    let buckets = selected.unwrap_or_else(|| timeline.burst_around(timeline.bucket(here(state))));
    Some(timeline.times(&buckets))
}

/// Narrows the log to what is selected, or to the half around where one is.
pub(super) fn zoom_in(state: &mut State) -> Effects {
    let timeline = &state.timeline;
    if timeline.len() < 2 {
        notice(state, "there is nothing to zoom into", false);
        return Effects::none();
    }
    let buckets = timeline.selected().unwrap_or_else(|| {
        let (at, quarter) = (timeline.bucket(timeline.cursor), timeline.len().div_ceil(4));
        at.saturating_sub(quarter)..(at + quarter + 1).min(timeline.len())
    });
    let range = timeline.times(&buckets);
    narrow(state, Some(range))
}

/// Widens what the log is narrowed to; from a wide range to everything.
pub(super) fn zoom_out(state: &mut State) -> Effects {
    let Some((from, to)) = state.filters.range else {
        notice(state, "the whole time is shown", false);
        return Effects::none();
    };
    let span = to.since(from);
    let wider = (from.earlier(span), to.later(span));
    let (first, last) = state.timeline.whole.unwrap_or((Time::MIN, Time::MAX));
    let wider = (wider.0.max(first), wider.1.min(last));
    narrow(state, (wider != (first, last)).then_some(wider))
}

/// Ranges that are offered: until now, and around the row.
const RANGES: [(&str, &str); 10] = [
    ("the last 5 minutes", "5m"),
    ("the last 15 minutes", "15m"),
    ("the last hour", "1h"),
    ("the last 6 hours", "6h"),
    ("the last day", "24h"),
    ("the last 7 days", "7d"),
    ("5 seconds around the row", "±5s"),
    ("1 minute around the row", "±1m"),
    ("10 minutes around the row", "±10m"),
    ("all the time", ""),
];

/// Offers ranges of time.
pub(super) fn ranges(state: &mut State) -> Effects {
    let choices = RANGES.map(|(label, value)| Choice {
        label: label.to_owned(),
        what: Purpose::Range,
        field: Field::Text,
        value: value.to_owned(),
    });
    let overlay = Overlay::choice(Purpose::Range, choices.into());
    state.overlays.push(overlay);
    Effects::none()
}

/// Narrows the log to a range that was offered.
pub(super) fn choose(state: &mut State, value: &str) -> Effects {
    let range = if let Some(span) = value.strip_prefix('±') {
        let at = here(state);
        let span = parse_duration(span).ok();
        span.map(|span| (at.earlier(span), at.later(span)))
    } else {
        let span = parse_duration(value).ok();
        span.map(|span| (state.now.earlier(span), Time::MAX))
    };
    narrow(state, range)
}

/// Narrows the log to a range of time, or to none.
pub(super) fn narrow(state: &mut State, range: Option<(Time, Time)>) -> Effects {
    if state.filters.range.is_none() && state.timeline.len() > 0 {
        let all = 0..state.timeline.len();
        state.timeline.whole = Some(state.timeline.times(&all));
    }
    jump::leave(state);
    state.filters.range = range;
    state.timeline.anchor = None;
    let at = state.timeline.cursor;
    if state.focus == Focus::Timeline {
        let inside = range.is_none_or(|(from, to)| from <= at && at < to);
        let time = if inside {
            at
        } else {
            range.map_or(at, |(from, _)| from)
        };
        state.timeline.cursor = time;
        return to_time(state, time);
    }
    filter::changed(state)
}
