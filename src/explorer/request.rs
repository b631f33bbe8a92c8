//! Numbers and places of requests: what state, messages and effects share.

use crate::entry::Key as Place;

/// The number of a request; the latest of its kind is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub u64);

/// Where a new window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Newest,
    Oldest,
    /// Around this place.
    Around(Place),
}
