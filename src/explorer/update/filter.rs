//! Narrowing: chips, levels, values.

use super::{columns, detail, load, notice, timeline};
use crate::entry::{Level, visible};
use crate::explorer::effect::Effects;
use crate::explorer::overlays::{Choice, Overlay, Purpose, Sense};
use crate::explorer::row::Row;
use crate::explorer::state::{Chip, Focus, Lens, State};
use crate::query::{Expression, Field, KNOWN_FIELDS};

/// Values longer than this are not offered: they name one entry, not many.
const MAX_OFFERED: usize = 200;

/// After the question changed: asks again, the selected row stays where it is.
pub(super) fn changed(state: &mut State) -> Effects {
    state.chip_cursor = state
        .chip_cursor
        .min(state.filters.chips.len().saturating_sub(1));
    load::again(state)
}

/// Shows this level and more severe ones.
pub(super) fn level(state: &mut State, level: Option<Level>) -> Effects {
    state.filters.level = level;
    state.filters.lens = None;
    changed(state)
}

/// Includes or excludes the value under the cursor; of a log row, one of its values is chosen.
pub(super) fn value(state: &mut State, sense: Sense) -> Effects {
    match state.focus {
        Focus::Timeline => match sense {
            Sense::Include => timeline::zoom_in(state),
            Sense::Exclude => timeline::zoom_out(state),
        },
        Focus::Log | Focus::Filters => choose_value(state, Purpose::Filter(sense)),
        Focus::Detail => match detail::value_at_cursor(state) {
            Some((field, value)) => apply(state, sense, field, &value),
            None => Effects::none(),
        },
        Focus::Sources => match state
            .namespaces
            .get(state.source_cursor)
            .map(|count| count.name.clone())
        {
            Some(name) => apply(state, sense, Field::Namespace, &name),
            None => Effects::none(),
        },
        Focus::Values => match state.values.chosen() {
            Some(value) => apply(state, sense, state.values.field.clone(), &value),
            None => Effects::none(),
        },
    }
}

/// Shows one value of the field in the Values pane only; the one that is shown already, all again.
pub(super) fn only_value(state: &mut State) -> Effects {
    let Some(value) = state.values.chosen() else {
        return Effects::none();
    };
    let field = state.values.field.clone();
    only(state, &field, &value)
}

/// Adds a chip for a value.
pub(super) fn apply(state: &mut State, sense: Sense, field: Field, value: &str) -> Effects {
    let expression = Expression::equals(field, value);
    state.filters.add(match sense {
        Sense::Include => Chip::include(expression),
        Sense::Exclude => Chip::exclude(expression),
    });
    state.chip_cursor = state.filters.chips.len().saturating_sub(1);
    changed(state)
}

/// Offers the values of the selected row.
fn choose_value(state: &mut State, what: Purpose) -> Effects {
    let Some(row) = state.selected() else {
        return Effects::none();
    };
    let entry = &row.entry;
    let known = KNOWN_FIELDS
        .iter()
        .filter(|field| !matches!(field, Field::Text))
        .cloned();
    let fields = known.chain(entry.fields.keys().map(|name| Field::Other(name.clone())));
    let choices: Vec<Choice> = fields
        .filter_map(|field| {
            let value = field.value(entry)?;
            let fits = !value.is_empty() && value.len() <= MAX_OFFERED;
            fits.then(|| Choice {
                label: format!(
                    "{:<12} {}",
                    visible(field.name()).text,
                    visible(&value).text
                ),
                what,
                value: value.into_owned(),
                field,
            })
        })
        .collect();
    state.overlays.push(Overlay::choice(what, choices));
    Effects::none()
}

/// Shows or hides the field under the cursor as a column; of a log row, one of its fields is chosen.
pub(super) fn column(state: &mut State) -> Effects {
    match state.focus {
        Focus::Values => {
            let field = state.values.field.clone();
            columns::toggle(state, field)
        }
        Focus::Detail => match detail::field_at_cursor(state) {
            Some(field) => columns::toggle(state, field),
            None => Effects::none(),
        },
        Focus::Log | Focus::Timeline | Focus::Sources | Focus::Filters => {
            choose_value(state, Purpose::Column)
        }
    }
}

/// Shows one value of a field only; the one that is shown already, all again.
pub(super) fn only(state: &mut State, field: &Field, value: &str) -> Effects {
    let chip = Chip::include(Expression::equals(field.clone(), value));
    let was_only = state.filters.chips.contains(&chip);
    state.filters.lens = None;
    state
        .filters
        .chips
        .retain(|chip| chip.field().as_ref() != Some(field) || chip.negated);
    if !was_only {
        state.filters.chips.push(chip);
    }
    changed(state)
}

/// The chip that keys act on: the one under the cursor, or the newest.
fn current(state: &State) -> Option<usize> {
    let last = state.filters.chips.len().checked_sub(1)?;
    Some(if state.focus == Focus::Filters {
        state.chip_cursor.min(last)
    } else {
        last
    })
}

fn with_current(state: &mut State, change: impl FnOnce(&mut Vec<Chip>, usize)) -> Effects {
    let Some(at) = current(state) else {
        notice(
            state,
            "there is no filter yet · + and - make one, f types a query",
            false,
        );
        return Effects::none();
    };
    change(&mut state.filters.chips, at);
    changed(state)
}

/// Switches the chip off or on.
pub(super) fn toggle(state: &mut State) -> Effects {
    with_current(state, |chips, at| chips[at].enabled = !chips[at].enabled)
}

/// Turns the chip around.
pub(super) fn invert(state: &mut State) -> Effects {
    with_current(state, |chips, at| chips[at].negated = !chips[at].negated)
}

/// Removes the chip.
pub(super) fn remove(state: &mut State) -> Effects {
    with_current(state, |chips, at| drop(chips.remove(at)))
}

/// Looks at what all filters hide, in its place among what they show; and back.
pub(super) fn toggle_all(state: &mut State) -> Effects {
    state.filters.lens = match state.filters.lens {
        Some(_) => None,
        None => Some(Lens::Off),
    };
    changed(state)
}

/// Looks at what surrounds the row: first in its own instance or source, then its namespace, then everywhere; or less again.
pub(super) fn context(state: &mut State, more: bool) -> Effects {
    let Some(row) = state.selected() else {
        return Effects::none();
    };
    let scopes = scopes(row);
    let at = scopes
        .iter()
        .position(|scope| state.filters.lens.as_ref() == Some(scope));
    let next = match (at, more) {
        (None, true) => Some(0),
        (None, false) => None,
        (Some(at), true) => Some((at + 1).min(scopes.len() - 1)),
        (Some(at), false) => at.checked_sub(1),
    };
    if at == next {
        let text = if more {
            "everything around it is shown · Z shows less"
        } else {
            "z shows what surrounds this row"
        };
        notice(state, text, false);
        return Effects::none();
    }
    if state.filters.lens.is_none() {
        super::jump::leave(state);
    }
    state.live.following = false;
    state.filters.lens = next.and_then(|at| scopes.into_iter().nth(at));
    changed(state)
}

/// How far what surrounds a row goes, the nearest first.
fn scopes(row: &Row) -> Vec<Lens> {
    let near = [
        ("this instance", Field::Instance),
        ("this source", Field::Source),
        ("this namespace", Field::Namespace),
    ];
    let own = near.into_iter().filter_map(|(words, field)| {
        let value = field.own_value(&row.entry)?.into_owned();
        Some(Lens::Context(words, Expression::equals(field, value)))
    });
    let all = Lens::Context("everywhere", Expression::Everything);
    own.chain([all]).collect()
}

/// Removes everything that narrows; the place is remembered.
pub(super) fn clear(state: &mut State) -> Effects {
    super::jump::leave(state);
    state.filters = crate::explorer::state::Filters::default();
    changed(state)
}
