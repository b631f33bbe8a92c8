//! The screen told in lines, one after the other, without boxes and without moving about: for screen readers, and for
//! terminals that can do nothing else. Keys, state and answers are those of the screen; only what changed is told.

use std::mem::Discriminant;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::overlays::{HelpRow, Overlay, help_rows};
use super::row::Row;
use super::state::{Focus, State};
use super::theme::{Depth, Palette, Theme};
use super::update::detail_lines;
use super::view::view;
use crate::entry::{Key, visible};

/// Rows that are told one by one when many arrive at once: nobody listens to more.
const MAX_TOLD: usize = 40;

/// What was told last.
#[derive(Debug)]
pub(super) struct Plain {
    /// Of the screen that is told: without colours.
    theme: Theme,
    has_begun: bool,
    /// The newest row that was told while following.
    newest: Option<Key>,
    selected: Option<Key>,
    following: bool,
    notice: Option<String>,
    prompt: Option<String>,
    /// The line under the cursor of a pane or a list.
    cursor: Option<String>,
    overlay: Option<Discriminant<Overlay>>,
    focus: Focus,
    title: String,
    has_detail: bool,
}

impl Plain {
    pub fn new() -> Self {
        Self {
            theme: Theme::new(Depth::None, Palette::default()),
            has_begun: false,
            newest: None,
            selected: None,
            following: false,
            notice: None,
            prompt: None,
            cursor: None,
            overlay: None,
            focus: Focus::default(),
            title: String::new(),
            has_detail: false,
        }
    }

    /// What is to be told since the last time.
    pub fn tell(&mut self, state: &State) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.has_begun {
            self.has_begun = true;
            lines.push(
                "tailwater, told in lines: j and k move, ? lists the keys, q leaves".to_owned(),
            );
        }
        let screen = drawn(state, self.theme);
        if state.overlays.is_empty() {
            self.tell_title(&screen, &mut lines);
        }
        self.tell_where(state, &screen, &mut lines);
        self.tell_log(state, &mut lines);
        self.tell_detail(state, &mut lines);
        let notice = state
            .notice
            .as_ref()
            .map(|notice| visible(&notice.text).text.into_owned());
        if notice != self.notice {
            lines.extend(notice.clone());
            self.notice = notice;
        }
        lines
    }

    /// What is explored, and what narrows it.
    fn tell_title(&mut self, screen: &Buffer, lines: &mut Vec<String>) {
        let title = words(row(screen, 0)).replace(" entries", "");
        // The count changes all the time, and is asked for by looking.
        let title = title
            .trim_end_matches(|of: char| of.is_ascii_digit() || matches!(of, ',' | ' '))
            .to_owned();
        if title != self.title {
            lines.push(title.clone());
            self.title = title;
        }
    }

    /// What is typed, and what the cursor of a list or a pane stands on.
    fn tell_where(&mut self, state: &State, screen: &Buffer, lines: &mut Vec<String>) {
        let prompt = state.prompt.as_ref().map(|prompt| {
            let wrong = prompt
                .error()
                .map(|error| format!(" ({error})"))
                .unwrap_or_default();
            format!(
                "{} {}{}",
                prompt.kind.sign(),
                visible(prompt.text()).text,
                visible(&wrong).text
            )
        });
        if prompt != self.prompt {
            lines.extend(prompt.clone());
            self.prompt = prompt;
        }
        let overlay = state.overlays.last().map(std::mem::discriminant);
        let opened = overlay.is_some() && overlay != self.overlay;
        let closed = overlay.is_none() && self.overlay.is_some();
        self.overlay = overlay;
        if closed {
            lines.push("back in the log".to_owned());
        }
        if state.focus != self.focus {
            self.focus = state.focus;
            lines.push(format!("in {}", name_of(state.focus)));
        }
        if matches!(state.overlays.last(), Some(Overlay::Help { .. })) {
            if opened {
                lines.extend(help_rows(&state.keymap).into_iter().map(|row| match row {
                    HelpRow::Heading(text) | HelpRow::Text(text) => text.to_owned(),
                    HelpRow::Keys(keys, does) => format!("{keys}: {does}"),
                }));
            }
            return;
        }
        if opened {
            // The frame of a list says what it is.
            let titles = (0..screen.area.height).map(|y| row(screen, y));
            let title = titles.into_iter().find(|cells| {
                cells
                    .iter()
                    .any(|cell| cell.symbol() == "┌" || cell.symbol() == "╭")
            });
            lines.extend(title.map(words));
        }
        let has_cursor =
            !state.overlays.is_empty() || !matches!(state.focus, Focus::Log | Focus::Timeline);
        let cursor = has_cursor.then(|| under_cursor(screen)).flatten();
        if cursor != self.cursor {
            lines.extend(cursor.clone());
            self.cursor = cursor;
        }
    }

    fn tell_log(&mut self, state: &State, lines: &mut Vec<String>) {
        if state.live.following != self.following && state.window.len() > 0 {
            self.following = state.live.following;
            let text = if self.following {
                "following"
            } else {
                "held: space follows again"
            };
            lines.push(text.to_owned());
        }
        if state.live.following {
            let rows = state.window.rows();
            let first = self.newest.map_or(
                rows.len().saturating_sub(usize::from(state.size.1) / 2),
                |newest| match state.window.search(newest) {
                    Ok(at) => at + 1,
                    Err(at) => at,
                },
            );
            let left_out = rows.len().saturating_sub(first + MAX_TOLD);
            if left_out > 0 {
                lines.push(format!(
                    "{left_out} entries are not told: space holds, k goes back"
                ));
            }
            lines.extend(
                rows.iter()
                    .skip(first + left_out)
                    .map(|row| line_of(state, row)),
            );
            self.newest = rows.back().map(Row::key).or(self.newest);
            self.selected = self.newest;
            return;
        }
        self.newest = None;
        let selected = state.selected();
        if selected.map(Row::key) != self.selected && state.requests.load.is_none() {
            self.selected = selected.map(Row::key);
            lines.extend(selected.map(|row| line_of(state, row)));
        }
    }

    fn tell_detail(&mut self, state: &State, lines: &mut Vec<String>) {
        let has_detail = state.detail.is_some();
        if has_detail
            && !self.has_detail
            && let Some(row) = state.detailed()
        {
            lines.extend(
                detail_lines(row, false)
                    .into_iter()
                    .map(|line| format!("{} {}", line.name, line.text)),
            );
        }
        self.has_detail = has_detail;
    }
}

fn name_of(focus: Focus) -> &'static str {
    match focus {
        Focus::Log => "the log",
        Focus::Timeline => "the timeline",
        Focus::Sources => "sources",
        Focus::Filters => "filters",
        Focus::Values => "values",
        Focus::Detail => "details",
    }
}

/// A row with everything of it, in words.
fn line_of(state: &State, row: &Row) -> String {
    let time = state.zone.row_form(row.entry.time).split_off(11);
    let mark = if state.case.of(row.key()).is_some() {
        "marked "
    } else {
        ""
    };
    format!(
        "{mark}{time} {} {} {}",
        row.level().word(),
        row.namespace,
        row.line
    )
}

fn drawn(state: &State, theme: Theme) -> Buffer {
    let (width, height) = state.size;
    let mut screen = Buffer::empty(Rect::new(0, 0, width, height));
    view(state, theme, &mut screen);
    screen
}

fn row(screen: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(screen.area.width);
    let start = usize::from(y) * width;
    screen.content.get(start..start + width).unwrap_or_default()
}

/// The words of some cells, without boxes and bars, blanks only once.
fn words<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> String {
    let is_drawing = |of: char| matches!(of, '\u{2500}'..='\u{259f}');
    let text: String = cells.into_iter().map(Cell::symbol).collect();
    let words = text
        .split_whitespace()
        .map(|word| word.trim_matches(is_drawing));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What the cursor of a pane or a list stands on: the longest line that is turned around.
fn under_cursor(screen: &Buffer) -> Option<String> {
    let turned = |y| {
        row(screen, y)
            .iter()
            .filter(|cell| cell.modifier.contains(Modifier::REVERSED))
    };
    let y = (0..screen.area.height).max_by_key(|y| turned(*y).count())?;
    Some(words(turned(y))).filter(|words| !words.is_empty())
}
