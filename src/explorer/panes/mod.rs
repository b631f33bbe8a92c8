//! How each pane looks. Panes do not see each other; all draw from the state.

mod band;
mod case;
mod detail;
mod events;
mod hints;
mod insight;
mod kept;
mod list;
mod log;
mod pipelines;
mod popups;
mod query_bar;
mod status;
mod timeline;
mod title;
mod waterfall;

pub(super) use band::{filters, sources, values};
pub(super) use case::case;
pub(super) use detail::detail;
pub(super) use events::events;
pub(super) use hints::hints;
pub(super) use insight::{differences, patterns};
pub(super) use kept::{blobs, streams};
pub(super) use log::log;
pub(super) use pipelines::pipelines;
pub(super) use popups::{choice, completions, help, palette};
pub(super) use query_bar::query_bar;
pub(super) use status::status;
pub(super) use timeline::timeline;
pub(super) use title::title;
pub(super) use waterfall::waterfall;
