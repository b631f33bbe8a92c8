//! Entries to columns and back.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
    UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use serde_json::Value;

use super::schema::{
    BRANCH, FIELDS, Kind, LEVEL, NAMESPACE, OPTIONAL, OWN, POSITION, Shape, TEXT, TIME,
};
use crate::base::Time;
use crate::entry::{Entry, Fields, Level, Position, Scope};

/// Columns being filled, row by row.
#[derive(Debug)]
pub(super) struct Filling {
    shape: Shape,
    times: TimestampNanosecondBuilder,
    positions: UInt64Builder,
    levels: StringBuilder,
    namespaces: StringBuilder,
    texts: StringBuilder,
    optional: [StringBuilder; 13],
    branches: Int64Builder,
    fields: StringBuilder,
    own: Vec<OwnBuilder>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
enum OwnBuilder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
}

impl Filling {
    pub fn new(shape: Shape) -> Self {
        let own = shape.own.iter().map(|own| match own.kind {
            Kind::Text => OwnBuilder::Text(StringBuilder::new()),
            Kind::Integer => OwnBuilder::Integer(Int64Builder::new()),
            Kind::Float => OwnBuilder::Float(Float64Builder::new()),
            Kind::Boolean => OwnBuilder::Boolean(BooleanBuilder::new()),
        });
        Self {
            times: TimestampNanosecondBuilder::new().with_timezone("UTC"),
            positions: UInt64Builder::new(),
            levels: StringBuilder::new(),
            namespaces: StringBuilder::new(),
            texts: StringBuilder::new(),
            optional: Default::default(),
            branches: Int64Builder::new(),
            fields: StringBuilder::new(),
            own: own.collect(),
            rows: 0,
            bytes: 0,
            shape,
        }
    }

    pub fn push(&mut self, entry: &Entry) {
        self.times.append_value(entry.time.0);
        self.positions.append_value(entry.position.0);
        self.levels.append_value(entry.level.word());
        self.namespaces.append_value(&entry.scope.namespace);
        self.texts.append_value(&entry.text);
        self.bytes += entry.text.len() + 64;
        for ((builder, value), has) in self
            .optional
            .iter_mut()
            .zip(entry.optional_texts())
            .zip(self.shape.optional)
        {
            if has {
                builder.append_option(value.as_deref());
                self.bytes += value.as_ref().map_or(0, String::len);
            }
        }
        if self.shape.branch {
            self.branches.append_option(entry.scope.branch);
        }
        if self.shape.fields {
            let rest = self.shape.rest(&entry.fields);
            self.bytes += rest.as_ref().map_or(0, String::len);
            self.fields.append_option(rest);
        }
        for (builder, own) in self.own.iter_mut().zip(&self.shape.own) {
            let value = entry.fields.get(&own.name);
            match builder {
                OwnBuilder::Text(builder) => {
                    let text = value.and_then(Value::as_str);
                    self.bytes += text.map_or(0, str::len);
                    builder.append_option(text);
                }
                OwnBuilder::Integer(builder) => {
                    builder.append_option(value.and_then(Value::as_i64));
                }
                OwnBuilder::Float(builder) => {
                    builder.append_option(
                        value.filter(|value| value.is_f64()).and_then(Value::as_f64),
                    );
                }
                OwnBuilder::Boolean(builder) => {
                    builder.append_option(value.and_then(Value::as_bool));
                }
            }
        }
        self.rows += 1;
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was pushed, and starts anew.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.bytes) = (0, 0);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.times.finish()),
            Arc::new(self.positions.finish()),
            Arc::new(self.levels.finish()),
            Arc::new(self.namespaces.finish()),
            Arc::new(self.texts.finish()),
        ];
        for (builder, has) in self.optional.iter_mut().zip(self.shape.optional) {
            if has {
                columns.push(Arc::new(builder.finish()));
            }
        }
        if self.shape.branch {
            columns.push(Arc::new(self.branches.finish()));
        }
        if self.shape.fields {
            columns.push(Arc::new(self.fields.finish()));
        }
        for builder in &mut self.own {
            columns.push(match builder {
                OwnBuilder::Text(builder) => Arc::new(builder.finish()),
                OwnBuilder::Integer(builder) => Arc::new(builder.finish()),
                OwnBuilder::Float(builder) => Arc::new(builder.finish()),
                OwnBuilder::Boolean(builder) => Arc::new(builder.finish()),
            });
        }
        RecordBatch::try_new(self.shape.written(), columns)
    }
}

/// A text column, whichever way it is held.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextColumn<'a> {
    Plain(&'a arrow_array::StringArray),
    /// Codes, and the values they stand for.
    Dictionary(
        &'a arrow_array::DictionaryArray<Int32Type>,
        &'a arrow_array::StringArray,
    ),
}

impl<'a> TextColumn<'a> {
    /// `None` when the column holds something else.
    pub fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Self::Plain(array.as_string())),
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_dictionary_opt::<Int32Type>()?;
                Some(Self::Dictionary(
                    dictionary,
                    dictionary.values().as_string_opt()?,
                ))
            }
            _ => None,
        }
    }

    pub fn get(self, row: usize) -> Option<&'a str> {
        match self {
            Self::Plain(array) => (!array.is_null(row)).then(|| array.value(row)),
            Self::Dictionary(array, values) => array.key(row).map(|code| values.value(code)),
        }
    }
}

/// Columns by name, as many rows in each.
#[derive(Debug)]
pub(super) struct Columns {
    pub rows: usize,
    /// In the order of the schema.
    pub arrays: Vec<(String, ArrayRef)>,
}

impl Columns {
    fn get(&self, name: &str) -> Option<&ArrayRef> {
        self.arrays
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, array)| array)
    }

    fn text(&self, name: &str) -> Option<TextColumn<'_>> {
        TextColumn::of(self.get(name)?.as_ref())
    }

    /// The entries of all rows; `None` when a column that must be there is not, or has another type.
    pub fn entries(&self) -> Option<Vec<Entry>> {
        let times = self
            .get(TIME)?
            .as_primitive_opt::<TimestampNanosecondType>()?;
        let positions = self.get(POSITION)?.as_primitive_opt::<UInt64Type>()?;
        let (levels, namespaces, texts) =
            (self.text(LEVEL)?, self.text(NAMESPACE)?, self.text(TEXT)?);
        let optional = OPTIONAL.map(|name| self.text(name));
        let branches = self
            .get(BRANCH)
            .and_then(|array| array.as_primitive_opt::<Int64Type>());
        let mut fields = FieldsReader::new(self);
        let owned = |column: Option<TextColumn<'_>>, row| {
            column.and_then(|column| column.get(row)).map(str::to_owned)
        };
        (0..self.rows)
            .map(|row| {
                let [
                    trace,
                    span,
                    instance,
                    workflow,
                    state,
                    status,
                    called_as,
                    callpath,
                    route,
                    activity,
                    track,
                    error,
                    source,
                ] = optional.map(|column| owned(column, row));
                Some(Entry {
                    position: Position(positions.value(row)),
                    time: Time(times.value(row)),
                    level: levels.get(row)?.parse::<Level>().ok()?,
                    scope: Scope {
                        namespace: namespaces.get(row)?.to_owned(),
                        trace,
                        span,
                        instance,
                        workflow,
                        state,
                        status,
                        branch: branches
                            .filter(|branches| !branches.is_null(row))
                            .map(|branches| branches.value(row)),
                        called_as,
                        callpath,
                        route,
                        activity,
                        track,
                    },
                    text: texts.get(row)?.to_owned(),
                    error,
                    source,
                    fields: fields.get(row),
                })
            })
            .collect()
    }
}

/// Puts fields together from their JSON and their own columns.
pub(super) struct FieldsReader<'a> {
    rest: Option<TextColumn<'a>>,
    own: HashMap<&'a str, &'a ArrayRef>,
    /// Objects by their code in the dictionary: most entries share a few.
    parsed: HashMap<usize, Fields>,
}

impl<'a> FieldsReader<'a> {
    fn new(columns: &'a Columns) -> Self {
        let own = columns
            .arrays
            .iter()
            .filter_map(|(name, array)| Some((name.strip_prefix(OWN)?, array)));
        Self {
            rest: columns.text(FIELDS),
            own: own.collect(),
            parsed: HashMap::new(),
        }
    }

    /// Only what has no column of its own.
    pub fn of_rest(rest: TextColumn<'a>) -> Self {
        Self {
            rest: Some(rest),
            own: HashMap::new(),
            parsed: HashMap::new(),
        }
    }

    pub fn get(&mut self, row: usize) -> Fields {
        let mut fields = match self.rest {
            Some(TextColumn::Dictionary(codes, values)) => match codes.key(row) {
                Some(code) => self
                    .parsed
                    .entry(code)
                    .or_insert_with(|| parse(values.value(code)))
                    .clone(),
                None => return Fields::new(),
            },
            Some(plain) => match plain.get(row) {
                Some(text) => parse(text),
                None => return Fields::new(),
            },
            None => return Fields::new(),
        };
        for (name, value) in fields.iter_mut().filter(|(_, value)| value.is_null()) {
            if let Some(own) = self
                .own
                .get(name.as_str())
                .and_then(|array| own_value(array.as_ref(), row))
            {
                *value = own;
            }
        }
        fields
    }
}

pub(super) fn parse(text: &str) -> Fields {
    serde_json::from_str(text).unwrap_or_default()
}

/// The value in a field's own column.
pub(super) fn own_value(array: &dyn Array, row: usize) -> Option<Value> {
    if let Some(text) = TextColumn::of(array) {
        return text.get(row).map(|text| Value::String(text.to_owned()));
    }
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row).into()),
        DataType::Float64 => Some(array.as_primitive::<Float64Type>().value(row).into()),
        DataType::Boolean => Some(array.as_boolean().value(row).into()),
        _ => None,
    }
}
