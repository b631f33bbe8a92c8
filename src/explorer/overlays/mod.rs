//! What lies above the panes: help, palette, choices. `update/overlay.rs` gives them the keys.

mod help;
mod listing;
mod palette;

pub(super) use help::{HelpRow, help_rows};
pub(super) use listing::Listing;
pub(super) use palette::matching;

use tui_input::Input;

use crate::query::Field;

/// Something that lies above the panes.
#[derive(Clone, Debug)]
pub(super) enum Overlay {
    /// Keys by group, scrolled.
    Help { scroll: usize },
    /// Actions by name.
    Palette { input: Input, cursor: usize },
    /// What pipelines do; one of them in detail when it is open.
    Pipelines { cursor: usize, is_open: bool },
    /// Open streams.
    Streams(Listing),
    /// Blobs, level by level; and where one is to be saved, while that is typed.
    Blobs {
        listing: Listing,
        saving: Option<Input>,
    },
    /// Events, listeners or firings.
    Events { tab: EventsTab, listing: Listing },
    /// Lines of one shape; perhaps only those that are new.
    Patterns {
        listing: Listing,
        view: PatternsView,
    },
    /// What was marked; and where it is to be saved, while that is typed.
    Case {
        listing: Listing,
        saving: Option<Input>,
    },
    /// A trace, put together.
    Waterfall(Listing),
    /// Logs that are explored as one.
    Members { cursor: usize },
    /// Saved queries.
    Saved(Listing),
    /// The columns of the log.
    Columns { cursor: usize },
    /// Fields, the useful first.
    Fields(Listing),
    /// Beats that stopped.
    Quiet(Listing),
    /// What is different in a span.
    Differences(Listing),
    /// One of several values.
    Choice {
        title: &'static str,
        choices: Vec<Choice>,
        listing: Listing,
    },
}

/// Which patterns are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PatternsView {
    /// All, the most frequent first.
    #[default]
    All,
    /// Those that are new since a time.
    New,
    /// Those that were not there from the beginning, in the order in which they appeared.
    Appeared,
}

impl PatternsView {
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::New,
            Self::New => Self::Appeared,
            Self::Appeared => Self::All,
        }
    }
}

/// Which list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventsTab {
    /// Those that were taken.
    History,
    /// What waits for them.
    Listeners,
    /// What listeners fired with.
    Firings,
}

impl EventsTab {
    pub const ALL: [Self; 3] = [Self::History, Self::Listeners, Self::Firings];

    pub const fn title(self) -> &'static str {
        match self {
            Self::History => "Events",
            Self::Listeners => "Listeners",
            Self::Firings => "Fired",
        }
    }

    pub const fn next(self) -> Self {
        match self {
            Self::History => Self::Listeners,
            Self::Listeners => Self::Firings,
            Self::Firings => Self::History,
        }
    }

    pub const fn previous(self) -> Self {
        self.next().next()
    }
}

/// A value that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// As it is shown, made safe.
    pub label: String,
    pub what: Purpose,
    pub field: Field,
    pub value: String,
}

/// What a value does to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Include,
    Exclude,
}

/// What is done with a value that is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It narrows the log.
    Filter(Sense),
    /// Its field becomes a column, or ceases to be one.
    Column,
    /// The log is narrowed to a range of time.
    Range,
}

impl Overlay {
    /// The list it is, if it is one that is narrowed by typing.
    pub fn listing_mut(&mut self) -> Option<&mut Listing> {
        match self {
            Self::Streams(listing)
            | Self::Blobs { listing, .. }
            | Self::Events { listing, .. }
            | Self::Patterns { listing, .. }
            | Self::Case { listing, .. }
            | Self::Waterfall(listing)
            | Self::Saved(listing)
            | Self::Fields(listing)
            | Self::Quiet(listing)
            | Self::Choice { listing, .. }
            | Self::Differences(listing) => Some(listing),
            Self::Help { .. }
            | Self::Palette { .. }
            | Self::Pipelines { .. }
            | Self::Members { .. }
            | Self::Columns { .. } => None,
        }
    }

    pub fn help() -> Self {
        Self::Help { scroll: 0 }
    }

    pub fn pipelines() -> Self {
        Self::Pipelines {
            cursor: 0,
            is_open: false,
        }
    }

    pub fn palette() -> Self {
        Self::Palette {
            input: Input::default(),
            cursor: 0,
        }
    }

    pub fn choice(what: Purpose, choices: Vec<Choice>) -> Self {
        let title = match what {
            Purpose::Filter(Sense::Include) => "only entries with",
            Purpose::Filter(Sense::Exclude) => "hide entries with",
            Purpose::Column => "show or hide as a column",
            Purpose::Range => "only this time",
        };
        Self::Choice {
            title,
            choices,
            listing: Listing::default(),
        }
    }
}

impl Choice {
    /// Those that are in a list, by what is typed.
    pub fn narrowed<'c>(
        choices: &'c [Self],
        listing: &'c Listing,
    ) -> impl Iterator<Item = &'c Self> {
        choices.iter().filter(|choice| listing.holds(&choice.label))
    }
}
