//! What there is rather than the lines of it: patterns, and what is different in a span.

use super::{Answered, Listing};
use crate::base::Time;
use crate::query::{Difference, Differences, Template, Templates};

/// Patterns and differences, as they were last told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Insight {
    pub patterns: Answered<Templates>,
    pub differences: Answered<Differences>,
    /// Of the patterns, what begins here is new.
    pub since: Option<Time>,
    /// Which span is compared with what lies before it.
    pub span: (Time, Time),
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
    pub fn templates(&self, listing: &Listing, only_new: bool) -> Vec<&Template> {
        let told = self.patterns.now.iter().flat_map(|told| &told.templates);
        told.filter(|of| listing.holds(&of.text) && (!only_new || self.is_new(of)))
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
