//! Counting what a question left of a row group.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use foldhash::{HashMap, HashMapExt};

use super::super::cache::Counted;
use super::rows::{FieldsReader, TextColumn, own_value};
use super::schema::{BRANCH, FIELDS, LEVEL, OPTIONAL, OWN};
use super::{Cached, Error, Part, Segment, Tally};
use crate::base::Time;
use crate::entry::Level;
use crate::query::{Field, Matcher, Node, Verdict, printed};

impl Segment {
    /// Gives the values of a field in the selected rows, and how often each occurs; a value may come several times.
    pub fn each_value(
        &self,
        group: usize,
        field: &Field,
        selected: &BooleanBuffer,
        add: &mut dyn FnMut(&str, u64),
    ) -> Result<(), Error> {
        let name = field.name();
        let mut left = selected.clone();
        match field {
            Field::Other(_) => {}
            Field::Branch => {
                if let Some(array) = self.column(group, BRANCH)?
                    && let Some(branches) = array.as_primitive_opt::<Int64Type>()
                {
                    left.set_indices()
                        .filter(|row| !branches.is_null(*row))
                        .for_each(|row| add(&branches.value(row).to_string(), 1));
                    left = without(&left, &array);
                }
            }
            _ => left = self.count_column(group, name, left, add)?,
        }
        if left.count_set_bits() > 0 && self.names_possible(group, name) {
            left = self.count_column(group, &format!("{OWN}{name}"), left, add)?;
        }
        let rest = if left.count_set_bits() > 0 && self.names_possible(group, name) {
            self.column(group, FIELDS)?
        } else {
            None
        };
        if let Some(column) = rest.as_ref().and_then(|rest| TextColumn::of(rest.as_ref())) {
            let mut reader = FieldsReader::of_rest(column);
            for row in left.set_indices() {
                let fields = reader.get(row);
                if let Some(value) = Field::lookup(&fields, name).filter(|value| !value.is_null()) {
                    add(&printed(value), 1);
                }
            }
        }
        Ok(())
    }

    /// Counts the values of one column; the rows that have none there.
    fn count_column(
        &self,
        group: usize,
        name: &str,
        rows: BooleanBuffer,
        add: &mut dyn FnMut(&str, u64),
    ) -> Result<BooleanBuffer, Error> {
        let Some(array) = self.column(group, name)? else {
            return Ok(rows);
        };
        match TextColumn::of(array.as_ref()) {
            Some(TextColumn::Dictionary(codes, values)) => {
                let mut counts = vec![0_u64; values.len()];
                rows.set_indices()
                    .filter_map(|row| codes.key(row))
                    .for_each(|code| counts[code] += 1);
                let counted = counts
                    .into_iter()
                    .enumerate()
                    .filter(|(_, count)| *count > 0);
                counted.for_each(|(code, count)| add(values.value(code), count));
            }
            Some(column) => rows
                .set_indices()
                .filter_map(|row| column.get(row))
                .for_each(|value| add(value, 1)),
            None => {
                let mut counts: HashMap<String, u64> = HashMap::new();
                for value in rows
                    .set_indices()
                    .filter_map(|row| own_value(array.as_ref(), row))
                {
                    *counts.entry(printed(&value).into_owned()).or_default() += 1;
                }
                for (value, count) in &counts {
                    add(value, *count);
                }
            }
        }
        Ok(without(&rows, &array))
    }

    /// Gives the keys at the top of the fields, each once or more; `false` when they are too many to name.
    pub fn each_name(&self, add: &mut dyn FnMut(&str)) -> bool {
        let noted = self.groups.iter().map(|group| &group.index.names);
        noted.flatten().flatten().for_each(|name| add(name));
        self.groups.iter().all(|group| group.index.names.is_some())
    }

    /// Gives time and level of the selected rows.
    pub fn each_time(
        &self,
        group: usize,
        selected: &BooleanBuffer,
        add: &mut dyn FnMut(Time, Level),
    ) -> Result<(), Error> {
        let times = self.times(group)?;
        let array = self.column(group, LEVEL)?;
        let levels = array
            .as_ref()
            .and_then(|array| TextColumn::of(array.as_ref()));
        let levels = levels.ok_or_else(|| self.damaged(group, "levels"))?;
        match levels {
            TextColumn::Dictionary(codes, values) => {
                let known: Vec<Level> = (0..values.len())
                    .map(|code| values.value(code).parse().unwrap_or_default())
                    .collect();
                for row in selected.set_indices() {
                    let level = codes.key(row).and_then(|code| known.get(code)).copied();
                    add(Time(times[row]), level.unwrap_or_default());
                }
            }
            TextColumn::Plain(_) => {
                for row in selected.set_indices() {
                    let level = levels.get(row).and_then(|word| word.parse().ok());
                    add(Time(times[row]), level.unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// The value of a column in every entry, counted when the segment was written: for columns with few values.
    pub fn tallied<'t>(
        &self,
        tally: &'t Tally,
        group: usize,
        field: &Field,
    ) -> Option<&'t [(String, u64)]> {
        let name = field.name();
        let known = OPTIONAL.contains(&name) || matches!(field, Field::Level | Field::Namespace);
        // Entries without a value of their own may have one among their fields.
        if known && self.names_possible(group, name) {
            return None;
        }
        let column = if known { name.to_owned() } else { return None };
        tally.values.get(&column).map(Vec::as_slice)
    }

    /// The same of the whole segment.
    pub fn tallied_values(&self, field: &Field) -> Result<Option<Counted>, Error> {
        let Some(column) = self.place_of(field.name()) else {
            return Ok(None);
        };
        let key = (self.number, 0, Part::Values(column));
        if let Some(Cached::Values(values)) = self.cache.get(&key) {
            return Ok(Some(values));
        }
        let mut counts: HashMap<String, u64> = HashMap::new();
        for group in 0..self.groups.len() {
            let tally = match self.tally(group) {
                Err(Error::Damaged { .. }) => return Ok(None),
                other => other?,
            };
            let Some(values) = self.tallied(&tally, group, field) else {
                return Ok(None);
            };
            for (value, count) in values {
                *counts.entry(value.clone()).or_default() += count;
            }
        }
        let values: Counted = counts.into_iter().collect();
        self.cache.keep(key, Cached::Values(Arc::clone(&values)));
        Ok(Some(values))
    }

    /// Whether a row group's fields can have this name, or lead to it.
    pub(super) fn names_possible(&self, group: usize, name: &str) -> bool {
        let names = self
            .groups
            .get(group)
            .and_then(|group| group.index.names.as_ref());
        let heads = name
            .match_indices('.')
            .filter_map(|(dot, _)| name.get(..dot));
        names.is_none_or(|names| {
            std::iter::once(name)
                .chain(heads)
                .any(|head| names.iter().any(|other| other == head))
        })
    }

    /// The counts that match, when they alone decide: bucket of time, level, namespace and count.
    pub fn matching_cells(&self, tally: &Tally, matcher: &Matcher) -> Option<Vec<Cell<'_>>> {
        if !of_cells(matcher.root()) {
            return None;
        }
        let mut cells = Vec::new();
        for (bucket, namespace, level, count) in &tally.cells {
            let name = self.namespaces.get(*namespace)?.name.as_str();
            let start = tally
                .first
                .saturating_add(i64::from(*bucket))
                .saturating_mul(tally.width);
            let end = start.saturating_add(tally.width - 1);
            let level = usize::from(*level);
            match matcher.verdict_of_cell((Time(start), Time(end)), level, name) {
                Verdict::None => {}
                Verdict::All => cells.push(Cell {
                    start,
                    level,
                    namespace: name,
                    count: *count,
                }),
                Verdict::Some => return None,
            }
        }
        Some(cells)
    }
}

/// A count of a [`Tally`] that matches.
#[derive(Debug)]
pub(in crate::store) struct Cell<'s> {
    /// Start of its bucket of time.
    pub start: i64,
    pub level: usize,
    pub namespace: &'s str,
    pub count: u64,
}

/// Whether time, level and namespace are all that is asked about.
fn of_cells(node: &Node) -> bool {
    match node {
        Node::Everything | Node::Levels(_) | Node::Time(..) | Node::Field(Field::Namespace, _) => {
            true
        }
        Node::All(parts) | Node::Any(parts) => parts.iter().all(of_cells),
        Node::Not(inner) => of_cells(inner),
        Node::Field(..) | Node::Text(_) => false,
    }
}

fn without(rows: &BooleanBuffer, array: &ArrayRef) -> BooleanBuffer {
    match array.logical_nulls() {
        Some(nulls) => rows & &!nulls.inner(),
        None => BooleanBuffer::new_unset(rows.len()),
    }
}
