//! The second line: the typed query, or the open prompt with the place where it is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::entry::visible;
use crate::explorer::regions::{Regions, Target};
use crate::explorer::state::{Prompt, State};
use crate::explorer::theme::Theme;
use crate::explorer::widgets::{Runs, put, width_of};

pub(in crate::explorer) fn query_bar(
    state: &State,
    theme: Theme,
    area: Rect,
    buffer: &mut Buffer,
    regions: &mut Regions,
) {
    regions.add(area, Target::Query);
    if let Some(prompt) = &state.prompt {
        open(prompt, theme, area, buffer, regions);
        return;
    }
    let mut x = put(buffer, area.x, area.y, area.width, " query › ", theme.dim());
    let typed = &state.filters.typed_text;
    if typed.is_empty() && state.search.is_none() {
        put(
            buffer,
            x,
            area.y,
            area.right() - x,
            "f types a query · / searches · & keeps only rows with a text",
            theme.dim(),
        );
        return;
    }
    x = put(
        buffer,
        x,
        area.y,
        area.right() - x,
        &visible(typed).text,
        theme.key(),
    );
    if let Some(search) = &state.search {
        let text = format!(
            "  search /{}  n next · N previous · esc ends ",
            visible(&search.text).text
        );
        put(
            buffer,
            x,
            area.y,
            area.right().saturating_sub(x),
            &text,
            theme.found(),
        );
    }
}

fn open(prompt: &Prompt, theme: Theme, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
    let sign = format!(" {} ", prompt.kind.sign());
    let x = put(buffer, area.x, area.y, area.width, &sign, theme.title());
    // What is wrong is said on the last line, which has room for it; here is where.
    let error = prompt.error();
    let room = area.right().saturating_sub(x + 1);
    // What is typed is drawn made safe; the caret is found in what is drawn.
    let before = visible(&prompt.text()[..prompt.caret()]).text.into_owned();
    let shown = visible(prompt.text()).text.into_owned();
    let caret = width_of(&before);
    let skip = caret.saturating_sub(usize::from(room.saturating_sub(2)));
    let mut runs = Runs::new(&shown, theme.key());
    if let Some(error) = &error {
        let from = visible(prompt.text().get(..error.offset).unwrap_or_default())
            .text
            .len();
        runs.over(
            from..shown.len(),
            theme.failure().add_modifier(Modifier::UNDERLINED),
        );
    }
    runs.draw(buffer, x, area.y, room, skip);
    regions.cursor = Some((x + u16::try_from(caret - skip).unwrap_or(0), area.y));
}
