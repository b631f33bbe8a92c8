//! The one-line inputs.

use super::{case, filter, load, members, notice, saved, search, timeline};
use crate::base::units::parse_duration;
use crate::base::{Time, Zone};
use crate::entry::decode::time;
use crate::entry::visible;
use crate::explorer::effect::{Effect, Effects};
use crate::explorer::keymap::{Code, Key};
use crate::explorer::request::Number;
use crate::explorer::state::{Chip, Completion, Prompt, PromptKind, State};
use crate::query::{Completing, Expression, Values, ValuesRequest, completing};

/// Opens a prompt.
pub(super) fn open(state: &mut State, kind: PromptKind) -> Effects {
    let text = match kind {
        PromptKind::Query => state.filters.typed_text.clone(),
        PromptKind::Export => case::EXPORT.to_owned(),
        _ => String::new(),
    };
    state.prompt = Some(Prompt::new(kind, text));
    complete(state)
}

/// A key while a prompt is open.
pub(super) fn press(state: &mut State, key: Key) -> Effects {
    let Some(prompt) = &mut state.prompt else {
        return Effects::none();
    };
    match (key.code, key.ctrl) {
        (Code::Esc, _) | (Code::Char('c'), true) => leave(state),
        (Code::Enter, _) => submit(state),
        (Code::Tab, _) => choose(state, 1),
        (Code::BackTab, _) => choose(state, -1),
        (Code::Up, _) | (Code::Char('p'), true) => recall(state, 1),
        (Code::Down, _) | (Code::Char('n'), true) => recall(state, -1),
        (Code::Backspace, false) if prompt.text().is_empty() => leave(state),
        _ if prompt.edit(key) => edited(state),
        _ => Effects::none(),
    }
}

/// Pasted text goes into the prompt.
pub(super) fn paste(state: &mut State, text: &str) -> Effects {
    if let Some(prompt) = &mut state.prompt {
        prompt.insert(text.trim_end_matches(['\r', '\n']));
    }
    edited(state)
}

/// The text changed: search marks and the live filter change with it.
fn edited(state: &mut State) -> Effects {
    let Some(prompt) = &mut state.prompt else {
        return Effects::none();
    };
    prompt.recalled = 0;
    let (kind, text) = (prompt.kind, prompt.text().to_owned());
    match kind {
        PromptKind::Query => complete(state),
        PromptKind::Search => {
            search::set(state, &text);
            Effects::none()
        }
        PromptKind::TextFilter => {
            state.filters.preview = Some(text);
            load::again(state)
        }
        PromptKind::Time
        | PromptKind::Note
        | PromptKind::Export
        | PromptKind::Save
        | PromptKind::Skew(_)
        | PromptKind::Format(_) => Effects::none(),
    }
}

/// Leaves without taking what was typed.
fn leave(state: &mut State) -> Effects {
    let Some(prompt) = state.prompt.take() else {
        return Effects::none();
    };
    match prompt.kind {
        PromptKind::TextFilter
            if state
                .filters
                .preview
                .take()
                .is_some_and(|text| !text.is_empty()) =>
        {
            load::again(state)
        }
        PromptKind::Search => {
            state.search = None;
            Effects::none()
        }
        _ => Effects::none(),
    }
}

fn submit(state: &mut State) -> Effects {
    let Some(prompt) = &state.prompt else {
        return Effects::none();
    };
    if prompt.error().is_some() {
        // The bar says what is wrong; the text stays to be mended.
        return Effects::none();
    }
    let (kind, text) = (prompt.kind, prompt.text().trim().to_owned());
    state.prompt = None;
    if !text.is_empty() {
        state.lines.retain(|line| *line != (kind, text.clone()));
        state.lines.push((kind, text.clone()));
    }
    match kind {
        PromptKind::Query => query(state, text),
        PromptKind::Time => to_time(state, &text),
        PromptKind::Note => case::mark(state, text),
        PromptKind::Export => case::export(state, text),
        PromptKind::Save => saved::save(state, &text),
        PromptKind::Skew(member) => members::correct(state, member, &text),
        PromptKind::Format(file) => members::take_for(state, file, text),
        PromptKind::Search => search::start(state, &text),
        PromptKind::TextFilter => {
            state.filters.preview = None;
            if !text.is_empty() {
                state.filters.add(Chip::include(Expression::contains(text)));
            }
            filter::changed(state)
        }
    }
}

/// Goes to a typed time; the place is remembered.
fn to_time(state: &mut State, text: &str) -> Effects {
    if text.is_empty() {
        return Effects::none();
    }
    if let Some(time) = when(text, state.now, timeline::here(state), &state.zone) {
        super::jump::leave(state);
        return timeline::to_time(state, time);
    }
    let expected = "expected a time such as 12:03, 2026-03-14 12:03:00, -15m or +5s";
    let found = visible(text).text.into_owned();
    notice(state, format!("{expected}, found {found}"), true);
    Effects::none()
}

/// The time that is meant: `-15m` before now, `+5s` after the row, `12:03` of the row's day on
/// the clocks that are shown, or a whole one of any layout.
fn when(text: &str, now: Time, row: Time, zone: &Zone) -> Option<Time> {
    if let Some(span) = text
        .strip_prefix('-')
        .and_then(|text| parse_duration(text.trim()).ok())
    {
        return Some(now.earlier(span));
    }
    if let Some(span) = text
        .strip_prefix('+')
        .and_then(|text| parse_duration(text.trim()).ok())
    {
        return Some(row.later(span));
    }
    let is_clock = text.contains(':')
        && text
            .chars()
            .all(|of| of.is_ascii_digit() || matches!(of, ':' | '.'));
    if is_clock {
        let seconds = if text.matches(':').count() == 1 {
            ":00"
        } else {
            ""
        };
        let hour = if text.find(':') == Some(1) { "0" } else { "" };
        let form = zone.row_form(row);
        let day = form.get(..10)?;
        return zone.read(&format!("{day}T{hour}{text}{seconds}"));
    }
    time::parse(text, now)
}

/// Takes a typed query.
pub(super) fn query(state: &mut State, text: String) -> Effects {
    let Ok(query) = text.parse() else {
        return Effects::none();
    };
    if query == state.filters.typed {
        state.filters.typed_text = text;
        return Effects::none();
    }
    super::jump::leave(state);
    state.filters.typed = query;
    state.filters.lens = None;
    state.filters.typed_text = text;
    filter::changed(state)
}

/// Asks for completions of the word at the caret.
fn complete(state: &mut State) -> Effects {
    let Some(prompt) = &mut state.prompt else {
        return Effects::none();
    };
    prompt.completion = Completion::default();
    if prompt.kind != PromptKind::Query {
        return Effects::none();
    }
    let request = match completing(prompt.text(), prompt.caret()) {
        Some(Completing::Name(start, word)) => {
            prompt.completion = Completion {
                start,
                names: true,
                ..Completion::default()
            };
            ValuesRequest::Names(word)
        }
        Some(Completing::Value(start, field, word)) => {
            prompt.completion = Completion {
                start,
                names: false,
                ..Completion::default()
            };
            ValuesRequest::Of(field, word)
        }
        None => return Effects::none(),
    };
    let number = state.requests.next();
    state.requests.complete = Some(number);
    Effect::Complete { number, request }.into()
}

/// Completions came.
pub(super) fn completions(state: &mut State, number: Number, values: Values) -> Effects {
    if state.requests.complete == Some(number) {
        state.requests.complete = None;
        if let Some(prompt) = &mut state.prompt {
            prompt.completion.values = values;
        }
    }
    Effects::none()
}

/// Puts the next completion into the text.
fn choose(state: &mut State, step: isize) -> Effects {
    let Some(prompt) = &mut state.prompt else {
        return Effects::none();
    };
    let count = prompt.completion.values.len();
    if count == 0 {
        return Effects::none();
    }
    let next = match prompt.completion.chosen {
        None if step > 0 => 0,
        None => count - 1,
        Some(at) => (at + count).saturating_add_signed(step) % count,
    };
    prompt.completion.chosen = Some(next);
    let value = prompt
        .completion
        .values
        .get(next)
        .cloned()
        .unwrap_or_default();
    let word = if prompt.completion.names {
        format!("{value}:")
    } else {
        quoted(&value)
    };
    let start = prompt.completion.start.min(prompt.text().len());
    let text = format!("{}{word}", &prompt.text()[..start]);
    prompt.set(text);
    // A single name is settled: its values are next.
    if count == 1 {
        complete(state)
    } else {
        Effects::none()
    }
}

fn quoted(value: &str) -> String {
    let query = Expression::equals(crate::query::Field::Other("x".into()), value).to_string();
    query.trim_start_matches("x:").to_owned()
}

/// Brings back an earlier line.
fn recall(state: &mut State, step: isize) -> Effects {
    let Some(prompt) = &mut state.prompt else {
        return Effects::none();
    };
    let kind = prompt.kind;
    let earlier: Vec<&String> = state
        .lines
        .iter()
        .rev()
        .filter(|(of, _)| *of == kind)
        .map(|(_, text)| text)
        .collect();
    let recalled = prompt
        .recalled
        .saturating_add_signed(step)
        .min(earlier.len());
    let text = recalled
        .checked_sub(1)
        .and_then(|at| earlier.get(at))
        .map(|text| (*text).clone())
        .unwrap_or_default();
    prompt.set(text);
    let effects = edited(state);
    if let Some(prompt) = &mut state.prompt {
        prompt.recalled = recalled;
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_type_them() {
        let (now, row) = (
            Time(2_000_000_000_000_000_000),
            Time(1_000_000_000_000_000_000),
        );
        let of = |text: &str| when(text, now, row, &Zone::default()).map(|time| time.to_string());
        for (text, expected) in [
            ("-15m", "2033-05-18T03:18:20Z"),
            ("+ 5s", "2001-09-09T01:46:45Z"),
            ("12:03", "2001-09-09T12:03:00Z"),
            ("9:03:04.5", "2001-09-09T09:03:04.5Z"),
            ("2026-03-14 09:00:00", "2026-03-14T09:00:00Z"),
            ("2026-03-14T09:00:00+01:00", "2026-03-14T08:00:00Z"),
            ("1773478800", "2026-03-14T09:00:00Z"),
        ] {
            assert_eq!(of(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["yesterday", "-", "25:00", "+x", ":"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
