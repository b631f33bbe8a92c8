//! The detail pane: the selected entry, line by line.

use std::sync::Arc;

use super::notice;
use crate::entry::{Entry, Position, visible};
use crate::explorer::effect::{Effect, Effects, Program};
use crate::explorer::row::Row;
use crate::explorer::sharing::Shared;
use crate::explorer::state::{Detail, Focus, Shown, State};
use crate::query::{Direction, Field, KNOWN_FIELDS};

/// Lines of a text that are shown while it is folded.
const FOLDED_LINES: usize = 6;

/// A line of the detail pane.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct DetailLine {
    /// The field's name on its first line, else empty.
    pub name: String,
    /// What is shown, made safe.
    pub text: String,
    /// The field and its value, to include, exclude and copy.
    pub value: Option<(Field, String)>,
    /// Says that lines are folded here.
    pub fold: bool,
}

/// The lines of an entry.
pub(in crate::explorer) fn detail_lines(row: &Row, unfolded: bool) -> Vec<DetailLine> {
    let entry = &row.entry;
    let mut lines = Vec::new();
    let mut add = |name: &str, field: Field, value: &str| {
        let mut texts: Vec<String> = value
            .trim_end_matches('\n')
            .split('\n')
            .map(|line| {
                visible(line.trim_end_matches('\r'))
                    .text
                    .replace('␉', "    ")
            })
            .collect();
        let hidden = texts.len().saturating_sub(FOLDED_LINES);
        let folds = hidden > 1 && !unfolded;
        if folds {
            texts.truncate(FOLDED_LINES);
        }
        for (index, text) in texts.into_iter().enumerate() {
            let name = if index == 0 {
                visible(name).text.into_owned()
            } else {
                String::new()
            };
            lines.push(DetailLine {
                name,
                text,
                value: Some((field.clone(), value.to_owned())),
                fold: false,
            });
        }
        if folds {
            let text = format!("… {hidden} more lines · enter shows them");
            lines.push(DetailLine {
                name: String::new(),
                text,
                value: Some((field, value.to_owned())),
                fold: true,
            });
        }
    };
    add("time", Field::Other("time".into()), &entry.time.to_string());
    add("level", Field::Level, entry.level.word());
    for field in KNOWN_FIELDS
        .iter()
        .filter(|field| !matches!(field, Field::Level | Field::Text | Field::Error))
    {
        if let Some(value) = field.own_value(entry) {
            add(field.name(), field.clone(), &value);
        }
    }
    add("text", Field::Text, &entry.text);
    if let Some(error) = &entry.error {
        add("error", Field::Error, error);
    }
    for (name, value) in &entry.fields {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        add(name, Field::Other(name.clone()), &text);
    }
    add("id", Field::Other("id".into()), &entry.position.to_string());
    lines
}

/// Opens the pane on the selected row; when it is open, goes there.
pub(super) fn open(state: &mut State) -> Effects {
    if state.detail.is_some() {
        state.focus = Focus::Detail;
    } else if state.selected().is_some() {
        state.detail = Some(Detail::default());
    }
    Effects::none()
}

/// Keeps the pane in step with the selected row; asks for the rest of an entry of which the window holds the head,
/// and for what else is known of its request.
pub(super) fn refresh(state: &mut State) -> Effects {
    let Some(row) = state.detailed() else {
        return Effects::none();
    };
    let more =
        row.cut || (state.joins && state.shown == Shown::Log && row.entry.scope.trace.is_some());
    let position = row.entry.position;
    let count = state
        .detail
        .as_ref()
        .map_or(0, |detail| detail_lines(row, detail.unfolded).len());
    let Some(detail) = &mut state.detail else {
        return Effects::none();
    };
    detail.cursor = detail.cursor.min(count.saturating_sub(1));
    if !more || detail.asked == Some(position) {
        return Effects::none();
    }
    detail.asked = Some(position);
    Effect::Whole(position).into()
}

/// The whole of the entry came.
pub(super) fn whole(state: &mut State, position: Position, entry: Option<Box<Entry>>) -> Effects {
    if let (Some(detail), Some(entry)) = (&mut state.detail, entry)
        && entry.position == position
    {
        detail.whole = Some(Box::new(Row::whole(*entry, state.window.colours)));
    }
    Effects::none()
}

/// Closes the pane.
pub(super) fn close(state: &mut State) -> Effects {
    state.detail = None;
    if state.focus == Focus::Detail {
        state.focus = Focus::Log;
    }
    Effects::none()
}

/// Puts the pane beside the log, or below it; it is opened, if it is not.
pub(super) fn turn(state: &mut State) -> Effects {
    if state.detail.is_none() {
        state.is_detail_beside = true;
        return open(state);
    }
    state.is_detail_beside = !state.is_detail_beside;
    Effects::none()
}

/// Shows long texts whole, or folds them again.
pub(super) fn fold(state: &mut State) -> Effects {
    if let Some(detail) = &mut state.detail {
        detail.unfolded = !detail.unfolded;
    }
    Effects::none()
}

/// Moves the cursor in the pane.
pub(super) fn move_by(state: &mut State, rows: i32) {
    let unfolded = state.detail.as_ref().is_some_and(|detail| detail.unfolded);
    let last = state
        .detailed()
        .map_or(0, |row| detail_lines(row, unfolded).len())
        .saturating_sub(1);
    if let Some(detail) = &mut state.detail {
        detail.cursor = detail.cursor.saturating_add_signed(rows as isize).min(last);
    }
}

/// The field and value under the cursor; of the time, the id and long texts there is nothing to include.
pub(super) fn value_at_cursor(state: &mut State) -> Option<(Field, String)> {
    let line = current_line(state)?;
    let (field, value) = line.value?;
    if matches!(&field, Field::Other(name) if name == "time" || name == "id")
        || value.contains('\n')
    {
        notice(
            state,
            format!("{field} cannot be filtered by this value"),
            false,
        );
        return None;
    }
    Some((field, value))
}

/// The field under the cursor.
pub(super) fn field_at_cursor(state: &State) -> Option<Field> {
    Some(current_line(state)?.value?.0)
}

fn current_line(state: &State) -> Option<DetailLine> {
    let detail = state.detail.as_ref()?;
    let mut lines = detail_lines(state.detailed()?, detail.unfolded);
    (detail.cursor < lines.len()).then(|| lines.swap_remove(detail.cursor))
}

/// The selected rows; the selection is left. Nothing where there is none.
fn picked(state: &mut State) -> Option<Vec<Arc<Entry>>> {
    let rows = state.picked_rows()?;
    let entries = rows.into_iter().map(|row| Arc::clone(&row.entry)).collect();
    state.picking = None;
    Some(entries)
}

fn share(state: &State, shared: Shared) -> Effects {
    Effect::Copy(shared, state.disguises).into()
}

/// Shares with pseudonyms from now on, or without.
pub(super) fn disguise(state: &mut State) -> Effects {
    state.disguises = !state.disguises;
    let text = if state.disguises {
        "copies and exports have pseudonyms: user-1, token-1"
    } else {
        "copies and exports are exact"
    };
    notice(state, text, false);
    Effects::none()
}

/// Copies the value under the cursor, or the row or the selected rows as lines of text.
pub(super) fn copy(state: &mut State) -> Effects {
    if state.focus == Focus::Log
        && let Some(entries) = picked(state)
    {
        return share(state, Shared::Lines(entries));
    }
    let text = match state.focus {
        Focus::Log | Focus::Timeline => {
            let entry = state.detailed().map(|row| Arc::clone(&row.entry));
            let Some(entry) = entry else {
                return Effects::none();
            };
            return share(state, Shared::Lines(vec![entry]));
        }
        Focus::Detail => current_line(state)
            .and_then(|line| line.value)
            .map(|(_, value)| value),
        Focus::Values => state.values.chosen(),
        Focus::Sources => state
            .namespaces
            .get(state.source_cursor)
            .map(|count| count.name.clone()),
        Focus::Filters => state
            .filters
            .chips
            .get(state.chip_cursor)
            .map(|chip| chip.condition().to_string()),
    };
    text.map_or_else(Effects::none, |text| share(state, Shared::Text(text)))
}

/// Shows the selected rows, the details or all rows in memory in another program.
pub(super) fn show_in(state: &mut State, program: Program) -> Effects {
    let text = match picked(state) {
        Some(entries) => Shared::Lines(entries).print(None),
        None if state.focus == Focus::Detail => {
            let lines = state.detailed().map(|row| detail_lines(row, true));
            let printed = lines
                .into_iter()
                .flatten()
                .map(|line| format!("{:<12} {}", line.name, line.text));
            printed.collect::<Vec<_>>().join("\n")
        }
        None => {
            let rows = state.window.rows().iter();
            Shared::Lines(rows.map(|row| Arc::clone(&row.entry)).collect()).print(None)
        }
    };
    // Neither program is to be trusted with what may be in a log.
    let safe: Vec<_> = text.split('\n').map(|line| visible(line).text).collect();
    Effect::View(program, safe.join("\n") + "\n").into()
}

/// The next line of the details that the search finds; from the last the first again.
pub(super) fn search(state: &mut State, direction: Direction) -> Effects {
    let (Some(search), Some(detail), Some(row)) = (&state.search, &state.detail, state.detailed())
    else {
        return Effects::none();
    };
    let lines = detail_lines(row, true);
    let is_found = |at: &usize| {
        let line = &lines[*at];
        [&line.name, &line.text]
            .iter()
            .any(|text| !search.matcher.spans(text).is_empty())
    };
    let (before, after) = (
        0..detail.cursor.min(lines.len()),
        (detail.cursor + 1).min(lines.len())..lines.len(),
    );
    let found = match direction {
        Direction::Newer => after.chain(before).find(is_found),
        Direction::Older => before.rev().chain(after.rev()).find(is_found),
    };
    let here = detail.cursor;
    let found = found.or_else(|| Some(here).filter(|at| *at < lines.len() && is_found(at)));
    match (found, &mut state.detail) {
        (Some(at), Some(detail)) => {
            // Folded lines are in the way of what was found.
            detail.unfolded = true;
            detail.cursor = at;
        }
        _ => notice(
            state,
            "the details do not have it · esc, and n looks in the log",
            false,
        ),
    }
    Effects::none()
}

/// Copies the entry, or the selected ones, as JSON.
pub(super) fn copy_json(state: &mut State) -> Effects {
    if let Some(entries) = picked(state) {
        return share(state, Shared::Json(entries));
    }
    let entry = state.detailed().map(|row| Arc::clone(&row.entry));
    entry.map_or_else(Effects::none, |entry| {
        share(state, Shared::Json(vec![entry]))
    })
}

/// Copies the command that shows the same to somebody else.
pub(super) fn copy_command(state: &mut State) -> Effects {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut command = "tailwater".to_owned();
    for source in &state.case.sources {
        command.push(' ');
        command.push_str(&quoted(source));
    }
    let query = state.query();
    if !query.is_everything() {
        command.push_str(&format!(" --query {}", quoted(&query.to_string())));
    }
    if let Some(row) = state.selected().filter(|_| !state.live.following) {
        command.push_str(&format!(" --at {}", row.entry.time));
    }
    // A command with pseudonyms would find nothing.
    Effect::Copy(Shared::Text(command), false).into()
}
