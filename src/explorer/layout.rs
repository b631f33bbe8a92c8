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
    let detail = if state.detail.is_some() {
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
    if band > 0 {
        let third = width / 3;
        areas.sources = Some(Rect::new(0, 2, third, band));
        areas.filters = Some(Rect::new(third, 2, third, band));
        areas.values = Some(Rect::new(third * 2, 2, width - third * 2, band));
    }
    areas
}

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

/// Cells of a column that shows a chosen field.
pub(super) const FIELD_COLUMN: u16 = 14;

/// The columns of the log pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub time: u16,
    pub level: u16,
    /// 0 when there is only one namespace.
    pub namespace: u16,
    /// How many of the chosen fields have room.
    pub fields: u16,
    /// Where the text starts.
    pub text: u16,
}

/// Chooses the columns for the width of the screen.
pub(super) fn columns(state: &State) -> Columns {
    let level = if state.size.0 >= 100 { 5 } else { 1 };
    let longest = state
        .namespaces
        .iter()
        .map(|count| count.name.chars().count())
        .max()
        .unwrap_or(0);
    let namespace = if state.namespaces.len() > 1 {
        u16::try_from(longest).unwrap_or(14).clamp(4, 14)
    } else {
        0
    };
    let time = 12;
    let fixed = 1 + time + 1 + level + 1 + if namespace > 0 { namespace + 1 } else { 0 };
    // The text keeps half of the screen.
    let room = (state.size.0 / 2).saturating_sub(fixed) / (FIELD_COLUMN + 1);
    let fields = u16::try_from(state.columns.len()).unwrap_or(room).min(room);
    Columns {
        time,
        level,
        namespace,
        fields,
        text: fixed + fields * (FIELD_COLUMN + 1),
    }
}
