//! Saved queries, and how those that are watched stand.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Time;
use crate::base::units::parse_duration;
use crate::explorer::memory::SavedQuery;
use crate::explorer::overlays::Listing;
use crate::query::Query;

/// The time in which entries are counted, unless it is said.
const WITHIN: Duration = Duration::from_mins(1);

/// A saved query.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Saved {
    pub name: String,
    pub written: SavedQuery,
    /// From the configuration: it is not for the explorer to change.
    pub is_fixed: bool,
    pub watch: Option<Watch>,
}

/// What is watched, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Watch {
    pub query: Query,
    pub more_than: u64,
    pub within: Duration,
    /// Entries in the time until now; none before it was counted.
    pub count: Option<u64>,
    /// Entries in the times before, oldest first.
    pub before: Vec<u64>,
    /// Since when there are more than there should be.
    pub fired: Option<Time>,
    /// Why the last count failed.
    pub failed: Option<String>,
}

impl Watch {
    fn of(written: &SavedQuery) -> Option<Self> {
        let within = written
            .within
            .as_deref()
            .and_then(|text| parse_duration(text).ok());
        Some(Self {
            query: written.query.parse().ok()?,
            more_than: written.more_than?,
            within: within.unwrap_or(WITHIN),
            count: None,
            before: Vec::new(),
            fired: None,
            failed: None,
        })
    }
}

/// All of them, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct SavedQueries(pub Vec<Saved>);

impl SavedQueries {
    /// Those of the configuration and those that were saved here; of two of a name that of the configuration.
    pub fn new(fixed: &BTreeMap<String, SavedQuery>, kept: &BTreeMap<String, SavedQuery>) -> Self {
        let mut saved = Self::default();
        for (name, written) in kept {
            saved.put(name.clone(), written.clone(), false);
        }
        for (name, written) in fixed {
            saved.put(name.clone(), written.clone(), true);
        }
        saved
    }

    /// Saves one; that of the same name makes room.
    pub fn put(&mut self, name: String, written: SavedQuery, is_fixed: bool) {
        let saved = Saved {
            watch: Watch::of(&written),
            written,
            is_fixed,
            name,
        };
        match self.0.binary_search_by(|of| of.name.cmp(&saved.name)) {
            Ok(at) => self.0[at] = saved,
            Err(at) => self.0.insert(at, saved),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Saved> {
        self.0.iter().find(|saved| saved.name == name)
    }

    pub fn watch_mut(&mut self, name: &str) -> Option<&mut Watch> {
        let saved = self.0.iter_mut().find(|saved| saved.name == name)?;
        saved.watch.as_mut()
    }

    /// Those that the list is narrowed to.
    pub fn listed(&self, listing: &Listing) -> Vec<&Saved> {
        let holds =
            |saved: &&Saved| listing.holds(&saved.name) || listing.holds(&saved.written.query);
        self.0.iter().filter(holds).collect()
    }

    /// Those that were saved here.
    pub fn kept(&self) -> BTreeMap<String, SavedQuery> {
        let own = self.0.iter().filter(|saved| !saved.is_fixed);
        own.map(|saved| (saved.name.clone(), saved.written.clone()))
            .collect()
    }

    /// Those that fired and have not calmed down.
    pub fn fired(&self) -> impl Iterator<Item = (&Saved, &Watch)> {
        let watched = self
            .0
            .iter()
            .filter_map(|saved| Some((saved, saved.watch.as_ref()?)));
        watched.filter(|(_, watch)| watch.fired.is_some())
    }

    pub fn has_watches(&self) -> bool {
        self.0.iter().any(|saved| saved.watch.is_some())
    }
}
