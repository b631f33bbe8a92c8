//! Styles as terminal sequences: the short forms that every terminal knows.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What a cell looks like, apart from its symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    foreground: Color,
    background: Color,
    modifier: Modifier,
}

impl Look {
    pub fn of(cell: &Cell) -> Self {
        Self {
            foreground: cell.fg,
            background: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// Whether a blank cell of this look is the same as an erased one.
    pub fn is_plain(self) -> bool {
        let seen = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
        self.background == Color::Reset && !self.modifier.intersects(seen)
    }

    /// Writes what changes `from` into this look.
    pub fn write(self, from: Self, out: &mut Vec<u8>) {
        if self == from {
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        // What is taken away is taken away by starting over: shorter than undoing one by one.
        let lost = from.modifier - self.modifier;
        let reset = !lost.is_empty() || self == Self::default();
        let base = if reset { Self::default() } else { from };
        if reset {
            codes.push("0".to_owned());
        }
        for (modifier, code) in [
            (Modifier::BOLD, "1"),
            (Modifier::DIM, "2"),
            (Modifier::ITALIC, "3"),
            (Modifier::UNDERLINED, "4"),
            (Modifier::REVERSED, "7"),
            (Modifier::CROSSED_OUT, "9"),
        ] {
            if (self.modifier - base.modifier).contains(modifier) {
                codes.push(code.to_owned());
            }
        }
        if self.foreground != base.foreground {
            codes.push(color(self.foreground, 30));
        }
        if self.background != base.background {
            codes.push(color(self.background, 40));
        }
        out.extend_from_slice(b"\x1b[");
        // A lone reset is shortest without its number.
        if codes != ["0"] {
            out.extend_from_slice(codes.join(";").as_bytes());
        }
        out.push(b'm');
    }
}

/// The code of a colour; `base` is 30 for the foreground, 40 for the background.
fn color(color: Color, base: u8) -> String {
    let number = |offset: u8| (base + offset).to_string();
    match color {
        Color::Reset => number(9),
        Color::Black => number(0),
        Color::Red => number(1),
        Color::Green => number(2),
        Color::Yellow => number(3),
        Color::Blue => number(4),
        Color::Magenta => number(5),
        Color::Cyan => number(6),
        Color::Gray => number(7),
        Color::DarkGray => number(60),
        Color::LightRed => number(61),
        Color::LightGreen => number(62),
        Color::LightYellow => number(63),
        Color::LightBlue => number(64),
        Color::LightMagenta => number(65),
        Color::LightCyan => number(66),
        Color::White => number(67),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}
