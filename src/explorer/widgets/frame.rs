//! A pane's border and heading, and which part of a list is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Borders, Clear, Widget};

use super::put;
use crate::explorer::theme::Theme;

/// Draws the border of a pane with its heading; the room inside.
pub(in crate::explorer) fn frame(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    focused: bool,
    theme: Theme,
) -> Rect {
    Clear.render(area, buffer);
    let block = Block::new()
        .borders(Borders::ALL)
        .border_type(BorderType::Rounded)
        .border_style(theme.border(focused));
    let inner = block.inner(area);
    block.render(area, buffer);
    let title = format!(" {title} ");
    put(
        buffer,
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        &title,
        theme.heading(focused),
    );
    inner
}

/// The place of a pane that covers all but the first line of the screen.
pub(in crate::explorer) fn below_title(screen: Rect) -> Rect {
    let height = screen.height.saturating_sub(1);
    Rect::new(screen.x, screen.y + 1, screen.width, height)
}

/// The first item in sight of a list, so that the item under the cursor is.
pub(in crate::explorer) fn scrolled(cursor: usize, height: u16) -> usize {
    cursor.saturating_sub(usize::from(height).saturating_sub(1))
}
