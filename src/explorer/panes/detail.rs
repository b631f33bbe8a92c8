//! The selected entry, field by field.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Focus, State};
use crate::explorer::theme::Theme;
use crate::explorer::update::detail_lines;
use crate::explorer::widgets::{Runs, frame, put, scrolled, width_of};

/// Cells that names of fields may take.
const MAX_NAME: usize = 18;

pub(in crate::explorer) fn detail(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    let focused = state.focus == Focus::Detail;
    let (Some(row), Some(detail)) = (state.detailed(), &state.detail) else {
        frame(buffer, area, "Details", focused, theme);
        return;
    };
    let keys = if focused {
        "+ only · - hide · y copy · / search · enter unfold · esc close"
    } else {
        "tab to go in · esc close"
    };
    let inner = frame(buffer, area, &format!("Details · {keys}"), focused, theme);
    regions.add(area, Target::Pane(Focus::Detail));
    let lines = detail_lines(row, detail.unfolded);
    let names = lines
        .iter()
        .map(|line| width_of(&line.name))
        .max()
        .unwrap_or(0)
        .min(MAX_NAME);
    let names = u16::try_from(names).unwrap_or(0);
    let first = scrolled(detail.cursor, inner.height);
    for (y, (at, line)) in (inner.y..inner.bottom()).zip(lines.iter().enumerate().skip(first)) {
        let whole = Rect::new(inner.x, y, inner.width, 1);
        regions.add(whole, Target::Detail(at));
        put(buffer, inner.x, y, names, &line.name, theme.namespace());
        let x = inner.x + names + 1;
        let style = match line.name.as_str() {
            "level" => theme.level(row.level()),
            "error" => theme.error_text(),
            _ if line.fold => theme.dim(),
            _ => ratatui::style::Style::new(),
        };
        let mut runs = Runs::new(&line.text, style);
        let searched = state.search.as_ref();
        for span in searched
            .map(|search| search.matcher.spans(&line.text))
            .unwrap_or_default()
        {
            runs.over(span, theme.found());
        }
        runs.draw(buffer, x, y, inner.right().saturating_sub(x), 0);
        buffer.set_style(whole, theme.cursor_line(focused && at == detail.cursor));
    }
}
