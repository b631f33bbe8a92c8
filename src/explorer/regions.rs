//! What was drawn where: the shape of the screen, by which the mouse is understood.

use ratatui::layout::Rect;

use super::state::Focus;

/// What lies under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A row of the window.
    Row(usize),
    Query,
    Source(usize),
    Chip(usize),
    Value(usize),
    /// A line of the detail pane.
    Detail(usize),
    /// An item of the topmost overlay.
    Item(usize),
    Status,
    /// A bucket of the timeline.
    Bucket(usize),
    /// A pane's empty part.
    Pane(Focus),
}

/// What was drawn where.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    /// The log pane: rows that move here are scrolled, not drawn again.
    pub log: Rect,
    /// Later ones lie above earlier ones.
    pub targets: Vec<(Rect, Target)>,
    /// Where the text cursor is shown.
    pub cursor: Option<(u16, u16)>,
}

impl Regions {
    pub fn add(&mut self, area: Rect, target: Target) {
        self.targets.push((area, target));
    }

    /// What lies at a cell.
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let hit = |(area, _): &&(Rect, Target)| area.contains((column, row).into());
        self.targets
            .iter()
            .rev()
            .find(hit)
            .map(|(_, target)| *target)
    }
}
