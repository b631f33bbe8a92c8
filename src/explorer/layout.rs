//! Where the panes stand: a pure function of the state, used to draw and to scroll.
//!
//! ```text
//! title      name, namespaces, chips
//! query      the typed query, or the open prompt
//! band       sources | filters | values          on demand, and on tall screens
//! timeline   entries over time                   where there is room
//! log        the full width: rows move by a scroll region
//! detail     the selected entry                  on demand
//! status     following, rate, time, counts
//! hints      keys of the pane
//! ```

use ratatui::layout::Rect;

use super::state::State;
use crate::query::Field;

/// Below this nothing useful fits.
pub(super) const MIN_SIZE: (u16, u16) = (40, 10);

/// The panes' places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Areas {
    pub title: Rect,
    pub query: Rect,
    pub sources: Option<Rect>,
    pub filters: Option<Rect>,
    pub values: Option<Rect>,
    pub timeline: Option<Rect>,
    pub log: Rect,
    pub detail: Option<Rect>,
    pub status: Rect,
    pub hints: Rect,
}

/// Whether the screen is large enough.
pub(super) fn fits(size: (u16, u16)) -> bool {
    size.0 >= MIN_SIZE.0 && size.1 >= MIN_SIZE.1
}

/// Places the panes.
pub(super) fn areas(state: &State) -> Areas {
    let (width, height) = state.size;
    let row = |y, height| Rect::new(0, y, width, height);
    let fixed = 4;
    let room = height.saturating_sub(fixed);
    let band = if state.sources_open {
        (height / 4).clamp(5, 12).min(room.saturating_sub(4))
    } else {
        0
    };
    let is_beside = state.detail.is_some() && state.is_detail_beside && width >= BESIDE;
    let beside = if is_beside { width * 2 / 5 } else { 0 };
    let detail = if state.detail.is_some() && beside == 0 {
        (room.saturating_sub(band) * 2 / 5).clamp(3, 24)
    } else {
        0
    };
    let timeline = timeline_height(state, room.saturating_sub(band + detail));
    let log = room.saturating_sub(timeline + band + detail);
    let mut areas = Areas {
        title: row(0, 1),
        query: row(1, 1),
        timeline: (timeline > 0).then(|| row(2 + band, timeline)),
        log: row(2 + band + timeline, log),
        detail: (detail > 0).then(|| row(2 + band + timeline + log, detail)),
        status: row(height.saturating_sub(2), 1),
        hints: row(height.saturating_sub(1), 1),
        ..Areas::default()
    };
    if beside > 0 {
        let log = areas.log;
        let left = log.width - beside;
        areas.log.width = left;
        areas.detail = Some(Rect::new(left, log.y, beside, log.height));
    }
    if band > 0 {
        let third = width / 3;
        areas.sources = Some(Rect::new(0, 2, third, band));
        areas.filters = Some(Rect::new(third, 2, third, band));
        areas.values = Some(Rect::new(third * 2, 2, width - third * 2, band));
    }
    areas
}

/// Columns from which on details may lie beside the log. There rows are drawn again when they move: it costs a slow link more.
const BESIDE: u16 = 110;

/// Lines of the timeline that are no bars: marks and labels.
pub(super) const LABEL_LINES: u16 = 2;

/// Lines of the timeline: bars and labels; the log keeps most of the room.
fn timeline_height(state: &State, room: u16) -> u16 {
    if state.timeline.is_hidden {
        return 0;
    }
    match room {
        0..12 => 0,
        12..30 => LABEL_LINES + 2,
        30..50 => LABEL_LINES + 4,
        _ => LABEL_LINES + 6,
    }
}

/// The columns of the log pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub time: u16,
    /// The log that an entry is of; 0 where there is one alone.
    pub member: u16,
    /// Those of the state that have room, by their index, and their cells.
    pub cells: Vec<(usize, u16)>,
    /// Where the text starts.
    pub text: u16,
}

impl Columns {
    /// The cells of a column of the state, by its index; none where it has no room.
    pub fn width_of(&self, index: usize) -> Option<u16> {
        let placed = self.cells.iter().find(|(of, _)| *of == index);
        placed.map(|(_, width)| *width)
    }
}

/// Cells of the time.
const TIME: u16 = 12;

/// Chooses the columns for the width of the screen.
pub(super) fn columns(state: &State) -> Columns {
    let room = areas(state).log.width;
    let member = member_width(state);
    let mut text = 1 + TIME + 1 + if member > 0 { member + 1 } else { 0 };
    let mut cells = Vec::new();
    for (index, column) in state.columns.0.iter().enumerate() {
        let width = match column.field {
            Field::Level => column.width.unwrap_or(if room >= 100 { 5 } else { 1 }),
            Field::Namespace => column.width.unwrap_or_else(|| namespace_width(state)),
            _ => column.width_of_field(),
        };
        // The text keeps half of the screen; level and namespace are always in sight.
        let is_usual = matches!(column.field, Field::Level | Field::Namespace);
        if width > 0 && (is_usual || text + width < room / 2) {
            cells.push((index, width));
            text += width + 1;
        }
    }
    Columns {
        time: TIME,
        member,
        cells,
        text,
    }
}

/// Names of logs have little room: they are known by their colour.
fn member_width(state: &State) -> u16 {
    if !state.members.are_several() {
        return 0;
    }
    let names = state
        .members
        .standing
        .iter()
        .map(|of| of.name.chars().count());
    let most = if state.size.0 >= 100 { 12 } else { 6 };
    u16::try_from(names.max().unwrap_or(0))
        .unwrap_or(most)
        .clamp(1, most)
}

/// 0 when there is only one namespace.
fn namespace_width(state: &State) -> u16 {
    if state.namespaces.len() < 2 {
        return 0;
    }
    let lengths = state
        .namespaces
        .iter()
        .map(|count| count.name.chars().count());
    u16::try_from(lengths.max().unwrap_or(0))
        .unwrap_or(14)
        .clamp(4, 14)
}
