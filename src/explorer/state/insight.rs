//! What there is rather than the lines of it: patterns, what is different in a span, a trace put together.

use super::{Answered, Waterfall};
use crate::base::Time;
use crate::entry::Entry;
use crate::explorer::overlays::{Listing, PatternsView};
use crate::query::{Difference, Differences, FieldUse, Quiet, Template, Templates, fields_of};

/// Such a part of the time is its beginning.
const BEGINNING: i64 = 20;

/// Patterns and differences, as they were last told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Insight {
    pub patterns: Answered<Templates>,
    pub differences: Answered<Differences>,
    /// Of the patterns, what begins here is new.
    pub since: Option<Time>,
    /// Which span is compared with what lies before it.
    pub span: (Time, Time),
    /// Fields of the rows around the selected one, those that differ in the span first.
    pub fields: Answered<Vec<FieldUse>>,
    /// A trace, put together.
    pub trace: Answered<Waterfall>,
    /// More is being looked at.
    pub is_partial: bool,
}

impl Insight {
    /// Whether a pattern was not seen before the time since which patterns are new. What was looked at has to reach back
    /// beyond it.
    pub fn is_new(&self, template: &Template) -> bool {
        let from = self.patterns.now.as_ref().map(|told| told.from);
        self.since.is_some_and(|since| {
            template.first >= since.0 && from.is_some_and(|from| from < since.0)
        })
    }

    /// Patterns that the list is narrowed to.
    pub fn templates(&self, listing: &Listing, view: PatternsView) -> Vec<&Template> {
        let Some(told) = &self.patterns.now else {
            return Vec::new();
        };
        // What is first seen in the first part was there from the beginning, as far as can be told.
        let early = told
            .from
            .saturating_add(told.to.saturating_sub(told.from) / BEGINNING);
        let is_listed = |of: &&Template| match view {
            PatternsView::All => true,
            PatternsView::New => self.is_new(of),
            PatternsView::Appeared => of.first > early,
        };
        let all = told.templates.iter();
        let mut listed: Vec<&Template> = all
            .filter(|of| listing.holds(&of.text))
            .filter(is_listed)
            .collect();
        if view == PatternsView::Appeared {
            listed.sort_by_key(|of| of.first);
        }
        listed
    }

    /// Looks at the fields of some entries: those that differ most in the span that was compared come first.
    pub fn look_at_fields<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        let mut fields = fields_of(entries);
        // A stable sort: of what does not differ, the useful stays first.
        fields.sort_by_key(|of| self.difference_of(of.field.name()).unwrap_or(usize::MAX));
        self.fields.told(Ok(Some(fields)));
    }

    /// Which of the differences is the first that a field has.
    pub fn difference_of(&self, field: &str) -> Option<usize> {
        let told = self
            .differences
            .now
            .iter()
            .flat_map(|told| &told.differences);
        told.into_iter()
            .position(|of| of.field.as_deref() == Some(field))
    }

    /// Fields that the list is narrowed to.
    pub fn fields(&self, listing: &Listing) -> Vec<&FieldUse> {
        let told = self.fields.now.iter().flatten();
        told.filter(|of| listing.holds(of.field.name()) || listing.holds(&of.top.0))
            .collect()
    }

    /// Beats that stopped, of those the list is narrowed to.
    pub fn quiet(&self, listing: &Listing) -> Vec<&Quiet> {
        let told = self.patterns.now.iter().flat_map(|told| &told.quiet);
        told.filter(|of| listing.holds(&of.who) || listing.holds(&of.text))
            .collect()
    }

    /// Differences that the list is narrowed to.
    pub fn differences(&self, listing: &Listing) -> Vec<&Difference> {
        let told = self.differences.now.iter();
        let all = told.flat_map(|told| &told.differences);
        all.filter(|of| {
            listing.holds(&of.value) || of.field.as_ref().is_some_and(|name| listing.holds(name))
        })
        .collect()
    }
}
