//! A test of a field, put to a row group: its own column first, then its value among the fields.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;
use foldhash::{HashMap, HashMapExt};
use serde_json::Value;

use super::Error;
use super::rows::{TextColumn, own_value, parse};
use super::schema::{BRANCH, FIELDS, LEVEL, NAMESPACE, OPTIONAL, OWN, TEXT};
use super::select::{Selecting, valid};
use crate::entry::Fields;
use crate::query::{Field, Test, Value as Wanted};

impl Selecting<'_> {
    /// The field's own value decides where there is one, the value among the fields where there is none.
    pub(super) fn field(
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
                    if values.iter().all(|value| matches!(value, Wanted::Holds(_))) =>
                {
                    let mut found = BooleanBuffer::new_unset(self.rows);
                    for value in values {
                        if let Wanted::Holds(search) = value {
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
        debug_assert!(OPTIONAL.contains(&name) || [LEVEL, TEXT, NAMESPACE].contains(&name));
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
