//! A question put to a row group, a column at a time.
//!
//! The matcher's conditions come cheapest first; each is asked only about the rows that the ones before left over, and a
//! column is decoded only when some are left. A dictionary's values are tested once each.

use std::sync::atomic::Ordering;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::rows::TextColumn;
use super::schema::{LEVEL, TEXT};
use super::{Cached, Error, Group, Part, Segment};
use crate::base::Time;
use crate::entry::Level;
use crate::query::{Matcher, Node, Search, Texts};

impl Segment {
    /// The rows of a row group that match. What a question selects besides its times is kept: pages, histograms and
    /// facets of one question share it.
    pub fn select(&self, group: usize, matcher: &Matcher) -> Result<BooleanBuffer, Error> {
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        let selecting = Selecting {
            segment: self,
            group,
            rows,
        };
        let Some(question) = matcher.timeless() else {
            return selecting.node(matcher.root(), BooleanBuffer::new_set(rows));
        };
        let key = (
            self.number,
            group,
            Part::Selected(self.cache.number_of(question)),
        );
        let selected = self.cache.get_or_load(key, || {
            let besides = matcher.parts().iter();
            let mut besides = besides.filter(|part| !matches!(part, Node::Time(..)));
            let selected = besides.try_fold(BooleanBuffer::new_set(rows), |left, part| {
                selecting.node(part, left)
            })?;
            let counters = &self.cache.counters;
            counters.groups.fetch_add(1, Ordering::Relaxed);
            counters.rows.fetch_add(rows as u64, Ordering::Relaxed);
            let is_none = selected.count_set_bits() == 0;
            Ok(Cached::Selected((!is_none).then_some(selected)))
        })?;
        let (from, to) = matcher.time_range();
        match selected {
            Cached::Selected(Some(selected)) => selecting.between(from, to, &selected),
            _ => Ok(BooleanBuffer::new_unset(rows)),
        }
    }
}

pub(super) struct Selecting<'s> {
    pub segment: &'s Segment,
    pub group: usize,
    pub rows: usize,
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

    /// Rows are sorted by time: two binary searches, where not all are between.
    fn between(&self, from: Time, to: Time, asked: &BooleanBuffer) -> Result<BooleanBuffer, Error> {
        let within = |group: &Group| {
            from <= group.oldest.time && (group.newest.time < to || to == Time::MAX)
        };
        if self.segment.groups.get(self.group).is_some_and(within) {
            return Ok(asked.clone());
        }
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
    pub fn searched(
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

    pub fn rows_where(
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
    pub fn rows_coded(
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
    pub fn column_of_texts(
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
pub(super) fn valid(array: &ArrayRef) -> BooleanBuffer {
    match array.logical_nulls() {
        Some(nulls) => nulls.inner().clone(),
        None => BooleanBuffer::new_set(array.len()),
    }
}
