//! How each pane looks. Panes do not see each other; all draw from the state.

mod band;
mod detail;
mod events;
mod kept;
mod list;
mod log;
mod pipelines;
mod popups;
mod query_bar;
mod status;
mod title;

pub(super) use band::{filters, sources, values};
pub(super) use detail::detail;
pub(super) use events::events;
pub(super) use kept::{blobs, streams};
pub(super) use log::log;
pub(super) use pipelines::pipelines;
pub(super) use popups::{choice, completions, help, palette};
pub(super) use query_bar::query_bar;
pub(super) use status::{hints, status};
pub(super) use title::title;
