//! Roles and their styles. Meaning is never carried by colour alone: levels have letters, the cursor a sign, matches an
//! underline.

mod palette;

use ratatui::style::{Color, Modifier, Style};

pub use palette::Palette;

use self::palette::Hue;
use super::ink::style_of;
use crate::entry::Level;
use crate::entry::ink::Ink;

/// Colours that may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None: bold, dim, underline and reverse only.
    None,
    /// The terminal's own palette of 16, so that the user's theme rules.
    #[default]
    Sixteen,
    /// The palette of 256.
    Indexed,
    /// 24-bit.
    Truecolor,
}

/// Styles by role.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Theme {
    depth: Depth,
    palette: Palette,
}

impl Theme {
    pub fn new(depth: Depth, palette: Palette) -> Self {
        Self { depth, palette }
    }

    fn color(self, hue: Hue) -> Style {
        hue.color(self.depth)
            .map_or_else(Style::new, |color| Style::new().fg(color))
    }

    /// Text that brings its own colours along.
    pub fn ink(self, ink: Ink) -> Style {
        style_of(ink, self.depth)
    }

    pub fn level(self, level: Level) -> Style {
        match level {
            Level::Trace | Level::Debug => self.dim(),
            Level::Info => self.color(self.palette.info),
            Level::Warn => self
                .color(self.palette.warning)
                .add_modifier(Modifier::BOLD),
            Level::Error => self.color(self.palette.error).add_modifier(Modifier::BOLD),
            Level::Fatal => self
                .color(self.palette.error)
                .add_modifier(Modifier::BOLD | Modifier::REVERSED),
        }
    }

    /// The words of an entry.
    pub fn text(self, level: Level) -> Style {
        if level <= Level::Debug {
            self.dim()
        } else {
            Style::new()
        }
    }

    pub fn error_text(self) -> Style {
        self.color(self.palette.error)
    }

    pub fn dim(self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            Depth::Indexed | Depth::Truecolor => self.color(self.palette.dim),
        }
    }

    /// A bar of what is usual.
    pub fn bar(self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::DIM),
            _ => self.color(self.palette.bar),
        }
    }

    pub fn namespace(self) -> Style {
        self.color(self.palette.namespace)
    }

    /// One of several logs; beyond six the colours come again.
    pub fn member(self, index: usize) -> Style {
        let palette = self.palette;
        let hues = [
            palette.namespace,
            palette.good,
            palette.mark,
            palette.found,
            palette.info,
            palette.error,
        ];
        self.color(hues[index % hues.len()])
    }

    /// What stands for something that cannot be shown.
    pub fn mark(self) -> Style {
        self.color(self.palette.mark).add_modifier(Modifier::DIM)
    }

    /// What the search or the query found.
    pub fn found(self) -> Style {
        self.color(self.palette.found)
            .add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
    }

    /// The sign and the time of the selected row.
    pub fn selected(self, focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::BOLD)
        }
    }

    /// The line under the cursor of a small pane: one block, whatever colours its words have.
    pub fn cursor_line(self, focused: bool) -> Style {
        if focused {
            Style::new()
                .fg(Color::Reset)
                .bg(Color::Reset)
                .remove_modifier(Modifier::DIM)
                .add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        }
    }

    pub fn title(self) -> Style {
        self.color(self.palette.accent).add_modifier(Modifier::BOLD)
    }

    pub fn heading(self, focused: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if focused {
            style.patch(self.color(self.palette.accent))
        } else {
            style.patch(self.dim())
        }
    }

    pub fn border(self, focused: bool) -> Style {
        if focused {
            self.color(self.palette.accent)
        } else {
            self.dim()
        }
    }

    pub fn chip(self, enabled: bool, negated: bool) -> Style {
        match (enabled, negated) {
            (false, _) => self.dim().add_modifier(Modifier::CROSSED_OUT),
            (true, false) => self.color(self.palette.good),
            (true, true) => self.color(self.palette.error),
        }
    }

    /// A key in the hints.
    pub fn key(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        self.color(self.palette.good).add_modifier(Modifier::BOLD)
    }

    pub fn attention(self) -> Style {
        self.color(self.palette.warning)
            .add_modifier(Modifier::BOLD)
    }

    pub fn failure(self) -> Style {
        self.color(self.palette.error).add_modifier(Modifier::BOLD)
    }
}
