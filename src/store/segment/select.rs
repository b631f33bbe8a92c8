//! A question put to a row group, a column at a time.
//!
//! The matcher's conditions come cheapest first; each is asked only about the rows that the ones before left over, and a
//! column is decoded only when some are left. A dictionary's values are tested once each.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, StringArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_schema::DataType;
use serde_json::Value;

use super::rows::{TextColumn, own_value, parse};
use super::schema::{BRANCH, FIELDS, LEVEL, OPTIONAL, OWN, TEXT};
use super::{Error, Segment};
use crate::base::Time;
use crate::entry::{Fields, Level};
use crate::query::{Field, Matcher, Node, Search, Test, Texts};

impl Segment {
    /// The rows of a row group, among those of the range, that match.
    pub fn select(
        &self,
        group: usize,
        matcher: &Matcher,
        range: Range<usize>,
    ) -> Result<BooleanBuffer, Error> {
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        let mut asked = BooleanBufferBuilder::new(rows);
        asked.append_n(range.start.min(rows), false);
        asked.append_n(range.end.min(rows).saturating_sub(range.start), true);
        asked.append_n(rows - asked.len(), false);
        let selecting = Selecting {
            segment: self,
            group,
            rows,
        };
        self.cache
            .counters
            .rows
            .fetch_add(range.len() as u64, Ordering::Relaxed);
        selecting.node(matcher.root(), asked.finish())
    }
}

struct Selecting<'s> {
    segment: &'s Segment,
    group: usize,
    rows: usize,
}

impl Selecting<'_> {
    /// The rows of `asked` for which the condition holds.
    fn node(&self, node: &Node, asked: BooleanBuffer) -> Result<BooleanBuffer, Error> {
        if asked.count_set_bits() == 0 {
            return Ok(asked);
        }
        match node {
            Node::Everything => Ok(asked),
            Node::All(parts) => parts
                .iter()
                .try_fold(asked, |left, part| self.node(part, left)),
            Node::Any(parts) => {
                let mut found = BooleanBuffer::new_unset(self.rows);
                for part in parts {
                    let left = &asked & &!&found;
                    found = &found | &self.node(part, left)?;
                }
                Ok(found)
            }
            Node::Not(inner) => Ok(&asked & &!&self.node(inner, asked.clone())?),
            Node::Levels(wanted) => {
                let of = |word: &str| {
                    word.parse::<Level>()
                        .is_ok_and(|level| wanted & (1 << level as u8) != 0)
                };
                self.column_of_texts(LEVEL, &asked, &of)
                    .map(|(found, _)| found)
            }
            Node::Time(from, to) => self.between(*from, *to, &asked),
            Node::Text(search) => {
                let found = self.searched(TEXT, search, &asked)?;
                let left = &asked & &!&found;
                Ok(&found | &self.searched("error", search, &left)?)
            }
            Node::Field(field, test) => self.field(field, test, &asked),
        }
    }

    /// Rows are sorted by time: two binary searches.
    fn between(&self, from: Time, to: Time, asked: &BooleanBuffer) -> Result<BooleanBuffer, Error> {
        let times = self.segment.times(self.group)?;
        let start = times.partition_point(|time| *time < from.0);
        let end = if to == Time::MAX {
            self.rows
        } else {
            times.partition_point(|time| *time < to.0).max(start)
        };
        let mut wanted = BooleanBufferBuilder::new(self.rows);
        wanted.append_n(start, false);
        wanted.append_n(end - start, true);
        wanted.append_n(self.rows - end, false);
        Ok(asked & &wanted.finish())
    }

    /// The rows of a text column that hold something.
    fn searched(
        &self,
        name: &str,
        search: &Search,
        asked: &BooleanBuffer,
    ) -> Result<BooleanBuffer, Error> {
        let count = asked.count_set_bits();
        let array = if count == 0 {
            None
        } else {
            self.segment.column(self.group, name)?
        };
        let Some(array) = array else {
            return Ok(BooleanBuffer::new_unset(self.rows));
        };
        match TextColumn::of(array.as_ref()) {
            // Where most rows are asked about, all texts are searched as one.
            Some(TextColumn::Plain(texts)) if count * 4 >= self.rows => {
                Ok(&rows_with(texts, search) & asked)
            }
            Some(TextColumn::Dictionary(codes, values)) => {
                let wanted: Vec<bool> = rows_with(values, search).iter().collect();
                Ok(self.rows_coded(codes, &wanted, asked))
            }
            Some(column) => Ok(self.rows_where(asked, |row| {
                column.get(row).is_some_and(|text| search.is_match(text))
            })),
            None => Err(self.segment.damaged(self.group, "a column of texts")),
        }
    }

    fn rows_where(
        &self,
        asked: &BooleanBuffer,
        mut test: impl FnMut(usize) -> bool,
    ) -> BooleanBuffer {
        if asked.count_set_bits() * 4 >= self.rows * 3 {
            return &BooleanBuffer::collect_bool(self.rows, test) & asked;
        }
        let mut found = BooleanBufferBuilder::new(self.rows);
        found.append_n(self.rows, false);
        for row in asked.set_indices() {
            if test(row) {
                found.set_bit(row, true);
            }
        }
        found.finish()
    }

    /// The rows whose value in the dictionary is wanted.
    fn rows_coded(
        &self,
        codes: &DictionaryArray<Int32Type>,
        wanted: &[bool],
        asked: &BooleanBuffer,
    ) -> BooleanBuffer {
        let mut wanted_codes = (0_i32..)
            .zip(wanted)
            .filter(|(_, wanted)| **wanted)
            .map(|(code, _)| code);
        let (Some(first), second) = (wanted_codes.next(), wanted_codes.next()) else {
            return BooleanBuffer::new_unset(self.rows);
        };
        let keys = codes.keys().values();
        // Where there is no value the code means nothing.
        let found = match second {
            None => BooleanBuffer::collect_bool(self.rows, |row| keys[row] == first),
            Some(_) => BooleanBuffer::collect_bool(self.rows, |row| {
                usize::try_from(keys[row])
                    .ok()
                    .and_then(|code| wanted.get(code))
                    .copied()
                    .unwrap_or(false)
            }),
        };
        let found = &found & asked;
        match codes.keys().nulls() {
            Some(nulls) => &found & nulls.inner(),
            None => found,
        }
    }

    /// The rows of a text column that pass, and those that have a value at all.
    fn column_of_texts(
        &self,
        name: &str,
        asked: &BooleanBuffer,
        test: &dyn Fn(&str) -> bool,
    ) -> Result<(BooleanBuffer, BooleanBuffer), Error> {
        let Some(array) = self.segment.column(self.group, name)? else {
            let none = BooleanBuffer::new_unset(self.rows);
            return Ok((none.clone(), none));
        };
        let column = TextColumn::of(array.as_ref())
            .ok_or_else(|| self.segment.damaged(self.group, "a column of texts"))?;
        let found = match column {
            TextColumn::Plain(_) => self.rows_where(asked, |row| column.get(row).is_some_and(test)),
            TextColumn::Dictionary(codes, values) => {
                let wanted: Vec<bool> = (0..values.len())
                    .map(|code| test(values.value(code)))
                    .collect();
                self.rows_coded(codes, &wanted, asked)
            }
        };
        Ok((found, valid(&array)))
    }

    /// The field's own value decides where there is one, the value among the fields where there is none.
    fn field(
        &self,
        field: &Field,
        test: &Test,
        asked: &BooleanBuffer,
    ) -> Result<BooleanBuffer, Error> {
        let passes = |word: &str| test.passes(word);
        let name = field.name();
        let (found, has) = match field {
            Field::Other(_) => (None, None),
            Field::Branch => self.branch(test, asked)?.unzip(),
            // A search of these is a search of all their texts at once.
            Field::Text | Field::Error => match test {
                Test::Is(values)
                    if values
                        .iter()
                        .all(|value| matches!(value, crate::query::Value::Holds(_))) =>
                {
                    let mut found = BooleanBuffer::new_unset(self.rows);
                    for value in values {
                        if let crate::query::Value::Holds(search) = value {
                            found = &found | &self.searched(name, search, &(asked & &!&found))?;
                        }
                    }
                    let has = self
                        .segment
                        .column(self.group, name)?
                        .map(|array| valid(&array));
                    (Some(found), has)
                }
                _ => self.known(name, asked, &passes)?,
            },
            _ => self.known(name, asked, &passes)?,
        };
        let left = match &has {
            Some(has) => asked & &!has,
            None => asked.clone(),
        };
        let among_fields = self.among_fields(name, test, &left)?;
        Ok(match found {
            Some(found) => &found | &among_fields,
            None => among_fields,
        })
    }

    fn known(
        &self,
        name: &str,
        asked: &BooleanBuffer,
        test: &dyn Fn(&str) -> bool,
    ) -> Result<(Option<BooleanBuffer>, Option<BooleanBuffer>), Error> {
        debug_assert!(
            OPTIONAL.contains(&name) || [LEVEL, TEXT, super::schema::NAMESPACE].contains(&name)
        );
        let (found, has) = self.column_of_texts(name, asked, test)?;
        Ok((Some(found), Some(has)))
    }

    fn branch(
        &self,
        test: &Test,
        asked: &BooleanBuffer,
    ) -> Result<Option<(BooleanBuffer, BooleanBuffer)>, Error> {
        let array = self.segment.column(self.group, BRANCH)?;
        let Some(branches) = array
            .as_ref()
            .and_then(|array| array.as_primitive_opt::<Int64Type>())
        else {
            return Ok(None);
        };
        let found = self.rows_where(asked, |row| {
            !branches.is_null(row) && test.passes(&branches.value(row).to_string())
        });
        Ok(array.as_ref().map(|array| (found, valid(array))))
    }

    fn among_fields(
        &self,
        name: &str,
        test: &Test,
        asked: &BooleanBuffer,
    ) -> Result<BooleanBuffer, Error> {
        let nothing = || Ok(BooleanBuffer::new_unset(self.rows));
        if asked.count_set_bits() == 0 || !self.segment.names_possible(self.group, name) {
            return nothing();
        }
        let own = self.segment.column(self.group, &format!("{OWN}{name}"))?;
        let found = own.as_ref().map(|own| self.own(own, test, asked));
        let left = match &own {
            Some(own) => asked & &!&valid(own),
            None => asked.clone(),
        };
        let rest = if left.count_set_bits() == 0 {
            None
        } else {
            self.segment.column(self.group, FIELDS)?
        };
        let in_rest = match rest.as_ref().and_then(|rest| TextColumn::of(rest.as_ref())) {
            Some(TextColumn::Dictionary(codes, values)) => {
                let mut wanted: HashMap<usize, bool> = HashMap::new();
                let mut of = |code: usize| {
                    *wanted
                        .entry(code)
                        .or_insert_with(|| passes(name, test, &parse(values.value(code))))
                };
                Some(self.rows_where(&left, |row| codes.key(row).is_some_and(&mut of)))
            }
            Some(column) => Some(self.rows_where(&left, |row| {
                column
                    .get(row)
                    .is_some_and(|text| passes(name, test, &parse(text)))
            })),
            None => None,
        };
        match (found, in_rest) {
            (Some(found), Some(in_rest)) => Ok(&found | &in_rest),
            (Some(found), None) | (None, Some(found)) => Ok(found),
            (None, None) => nothing(),
        }
    }

    /// The rows whose value in a field's own column passes.
    fn own(&self, own: &ArrayRef, test: &Test, asked: &BooleanBuffer) -> BooleanBuffer {
        if let Some(column) = TextColumn::of(own.as_ref()) {
            return match column {
                TextColumn::Plain(_) => self.rows_where(asked, |row| {
                    column.get(row).is_some_and(|word| test.passes(word))
                }),
                TextColumn::Dictionary(codes, values) => {
                    let wanted: Vec<bool> = (0..values.len())
                        .map(|code| test.passes(values.value(code)))
                        .collect();
                    self.rows_coded(codes, &wanted, asked)
                }
            };
        }
        if let Test::Compare(comparison, _, Some(bound)) = test {
            let holds = |value: f64| {
                value
                    .partial_cmp(bound)
                    .is_some_and(|ordering| comparison.holds(ordering))
            };
            match own.data_type() {
                DataType::Int64 => {
                    let values = own.as_primitive::<Int64Type>();
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "numbers are compared as doubles, here as everywhere"
                    )]
                    return self.rows_where(asked, |row| {
                        !values.is_null(row) && holds(values.value(row) as f64)
                    });
                }
                DataType::Float64 => {
                    let values = own.as_primitive::<Float64Type>();
                    return self.rows_where(asked, |row| {
                        !values.is_null(row) && holds(values.value(row))
                    });
                }
                _ => {}
            }
        }
        self.rows_where(asked, |row| {
            own_value(own.as_ref(), row).is_some_and(|value| test.passes_json(&value))
        })
    }
}

/// Whether the value of this name passes.
fn passes(name: &str, test: &Test, fields: &Fields) -> bool {
    lookup(fields, name).is_some_and(|value| test.passes_json(value))
}

fn lookup<'v>(fields: &'v Fields, name: &str) -> Option<&'v Value> {
    Field::lookup(fields, name).filter(|value| !value.is_null())
}

fn rows_with(texts: &StringArray, search: &Search) -> BooleanBuffer {
    let mut found = BooleanBufferBuilder::new(texts.len());
    found.append_n(texts.len(), false);
    let laid = Texts {
        bytes: texts.value_data(),
        offsets: texts.value_offsets(),
    };
    search.each_match(laid, |row| found.set_bit(row, true));
    let found = found.finish();
    match texts.nulls() {
        Some(nulls) => &found & nulls.inner(),
        None => found,
    }
}

/// The rows that have a value.
fn valid(array: &ArrayRef) -> BooleanBuffer {
    match array.logical_nulls() {
        Some(nulls) => nulls.inner().clone(),
        None => BooleanBuffer::new_set(array.len()),
    }
}
