//! Draws the state into a buffer and says what was drawn where. Reads only.

use ratatui::buffer::Buffer;

use super::layout::{areas, fits};
use super::overlays::Overlay;
use super::panes;
use super::regions::Regions;
use super::state::State;
use super::theme::Theme;
use super::widgets::put;

/// Draws everything.
pub(super) fn view(state: &State, theme: Theme, buffer: &mut Buffer) -> Regions {
    let mut regions = Regions::default();
    if !fits(state.size) {
        too_small(state, theme, buffer);
        return regions;
    }
    let areas = areas(state);
    panes::title(state, theme, areas.title, buffer, &mut regions);
    panes::query_bar(state, theme, areas.query, buffer, &mut regions);
    if let (Some(sources), Some(filters), Some(values)) =
        (areas.sources, areas.filters, areas.values)
    {
        panes::sources(state, theme, sources, buffer, &mut regions);
        panes::filters(state, theme, filters, buffer, &mut regions);
        panes::values(state, theme, values, buffer, &mut regions);
    }
    if let Some(area) = areas.timeline {
        panes::timeline(state, theme, area, buffer, &mut regions);
    }
    panes::log(state, theme, areas.log, buffer, &mut regions);
    if let Some(area) = areas.detail {
        panes::detail(state, theme, area, buffer, &mut regions);
    }
    panes::status(state, theme, areas.status, buffer, &mut regions);
    panes::hints(state, theme, areas.hints, buffer);
    panes::completions(state, theme, areas.query, buffer);
    for overlay in &state.overlays {
        match overlay {
            Overlay::Help { scroll } => panes::help(state, theme, *scroll, buffer, &mut regions),
            Overlay::Palette { input, cursor } => {
                panes::palette(state, theme, input, *cursor, buffer, &mut regions);
            }
            Overlay::Pipelines { cursor, is_open } => {
                let at = (*cursor, *is_open);
                panes::pipelines(state, theme, at, buffer, &mut regions);
            }
            Overlay::Streams(listing) => {
                panes::streams(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Blobs { listing, saving } => {
                let at = (listing, saving.as_ref());
                panes::blobs(state, theme, at, buffer, &mut regions);
            }
            Overlay::Events { tab, listing } => {
                let at = (*tab, listing);
                panes::events(state, theme, at, buffer, &mut regions);
            }
            Overlay::Case { listing, saving } => {
                let at = (listing, saving.as_ref());
                panes::case(state, theme, at, buffer, &mut regions);
            }
            Overlay::Patterns { listing, view } => {
                let at = (listing, *view);
                panes::patterns(state, theme, at, buffer, &mut regions);
            }
            Overlay::Waterfall(listing) => {
                panes::waterfall(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Members { cursor } => {
                panes::members(state, theme, *cursor, buffer, &mut regions);
            }
            Overlay::Columns { cursor } => {
                panes::columns(state, theme, *cursor, buffer, &mut regions);
            }
            Overlay::Saved(listing) => {
                panes::saved(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Quiet(listing) => {
                panes::quiet(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Fields(listing) => {
                panes::fields(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Differences(listing) => {
                panes::differences(state, theme, listing, buffer, &mut regions);
            }
            Overlay::Choice {
                title,
                choices,
                listing,
            } => panes::choice(theme, (title, choices, listing), buffer, &mut regions),
        }
    }
    regions
}

fn too_small(state: &State, theme: Theme, buffer: &mut Buffer) {
    let (width, height) = state.size;
    let lines = [
        "needs a larger window".to_owned(),
        format!("{width}×{height} now, 40×10 at least"),
        "q leaves".to_owned(),
    ];
    for (index, line) in (0..height).zip(lines) {
        put(buffer, 0, index, width, &line, theme.attention());
    }
}
