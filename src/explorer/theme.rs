//! Roles and their styles. Meaning is never carried by colour alone: levels have letters, the cursor a sign, matches an
//! underline.

use ratatui::style::{Color, Modifier, Style};

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
    /// 24-bit.
    Truecolor,
}

/// Styles by role.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Theme {
    depth: Depth,
}

impl Theme {
    pub fn new(depth: Depth) -> Self {
        Self { depth }
    }

    fn color(self, sixteen: Color, rgb: (u8, u8, u8)) -> Style {
        match self.depth {
            Depth::None => Style::new(),
            Depth::Sixteen => Style::new().fg(sixteen),
            Depth::Truecolor => Style::new().fg(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    /// Text that brings its own colours along.
    pub fn ink(self, ink: Ink) -> Style {
        style_of(ink, self.depth)
    }

    pub fn level(self, level: Level) -> Style {
        match level {
            Level::Trace | Level::Debug => self.dim(),
            Level::Info => self.color(Color::Green, (125, 174, 163)),
            Level::Warn => self
                .color(Color::Yellow, (224, 175, 104))
                .add_modifier(Modifier::BOLD),
            Level::Error => self
                .color(Color::Red, (234, 105, 98))
                .add_modifier(Modifier::BOLD),
            Level::Fatal => self
                .color(Color::Red, (234, 105, 98))
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
        self.color(Color::Red, (234, 105, 98))
    }

    pub fn dim(self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            Depth::Truecolor => Style::new().fg(Color::Rgb(135, 142, 156)),
        }
    }

    /// A bar of what is usual.
    pub fn bar(self) -> Style {
        match self.depth {
            Depth::None => Style::new().add_modifier(Modifier::DIM),
            Depth::Sixteen => Style::new().fg(Color::Blue),
            Depth::Truecolor => Style::new().fg(Color::Rgb(68, 82, 110)),
        }
    }

    pub fn namespace(self) -> Style {
        self.color(Color::Cyan, (122, 162, 247))
    }

    /// What stands for something that cannot be shown.
    pub fn mark(self) -> Style {
        self.color(Color::Magenta, (187, 154, 247))
            .add_modifier(Modifier::DIM)
    }

    /// What the search or the query found.
    pub fn found(self) -> Style {
        self.color(Color::Yellow, (224, 175, 104))
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

    /// The line under the cursor of a small pane.
    pub fn cursor_line(self, focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        }
    }

    pub fn title(self) -> Style {
        self.color(Color::Cyan, (122, 162, 247))
            .add_modifier(Modifier::BOLD)
    }

    pub fn heading(self, focused: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if focused {
            style.patch(self.color(Color::Cyan, (122, 162, 247)))
        } else {
            style.patch(self.dim())
        }
    }

    pub fn border(self, focused: bool) -> Style {
        if focused {
            self.color(Color::Cyan, (122, 162, 247))
        } else {
            self.dim()
        }
    }

    pub fn chip(self, enabled: bool, negated: bool) -> Style {
        match (enabled, negated) {
            (false, _) => self.dim().add_modifier(Modifier::CROSSED_OUT),
            (true, false) => self.color(Color::Green, (158, 206, 106)),
            (true, true) => self.color(Color::Red, (234, 105, 98)),
        }
    }

    /// A key in the hints.
    pub fn key(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        self.color(Color::Green, (158, 206, 106))
            .add_modifier(Modifier::BOLD)
    }

    pub fn attention(self) -> Style {
        self.color(Color::Yellow, (224, 175, 104))
            .add_modifier(Modifier::BOLD)
    }

    pub fn failure(self) -> Style {
        self.color(Color::Red, (234, 105, 98))
            .add_modifier(Modifier::BOLD)
    }
}
