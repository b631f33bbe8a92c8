//! Places one has been, to go back to the very row.

use super::{Filters, Shown};
use crate::entry::Key;

/// Places that are remembered.
const MAX_PLACES: usize = 100;

/// A view and a row in it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Place {
    pub shown: Shown,
    pub filters: Filters,
    /// The selected row; `None` while following.
    pub anchor: Option<Key>,
    /// The line on which it stood.
    pub line: usize,
}

/// Where one came from, and where one went back from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct History {
    behind: Vec<Place>,
    ahead: Vec<Place>,
}

impl History {
    /// Remembers a place that is being left for a new one.
    pub fn leave(&mut self, place: Place) {
        self.ahead.clear();
        if self.behind.len() == MAX_PLACES {
            self.behind.remove(0);
        }
        self.behind.push(place);
    }

    /// Goes back from `here`.
    pub fn back(&mut self, here: Place) -> Option<Place> {
        let place = self.behind.pop()?;
        self.ahead.push(here);
        Some(place)
    }

    /// Goes forward from `here`.
    pub fn forward(&mut self, here: Place) -> Option<Place> {
        let place = self.ahead.pop()?;
        self.behind.push(here);
        Some(place)
    }

    /// Whether there is somewhere to go back to.
    pub fn has_behind(&self) -> bool {
        !self.behind.is_empty()
    }
}
