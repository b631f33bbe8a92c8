//! Colours that text brings along, as styles: within what the screen can show, and never so that text cannot be read.

use ratatui::style::{Color, Modifier, Style};

use super::theme::Depth;
use crate::entry::ink::{Colour, Ink};

/// Letters and ground whose brightness differs by less than this (of 255) cannot be told apart.
const LEAST_CONTRAST: i32 = 48;
/// Letters as dark or as bright as this may be those of the screen's own ground.
const DARK: i32 = 48;
const BRIGHT: i32 = 180;

/// The terminal's own sixteen, as most terminals show them.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (229, 229, 229),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
];

/// How text of an ink looks: colours that would hide it are left out.
pub(super) fn style_of(ink: Ink, depth: Depth) -> Style {
    let mut style = Style::new();
    for (is, modifier) in [
        (ink.is_bold, Modifier::BOLD),
        (ink.is_dim, Modifier::DIM),
        (ink.is_italic, Modifier::ITALIC),
        (ink.is_underlined, Modifier::UNDERLINED),
        (ink.is_inverse, Modifier::REVERSED),
    ] {
        if is {
            style = style.add_modifier(modifier);
        }
    }
    if depth == Depth::None {
        return style;
    }
    let brightness = |colour: Colour| brightness(rgb(colour));
    match (ink.letters, ink.ground) {
        (Some(letters), Some(ground)) => {
            if (brightness(letters) - brightness(ground)).abs() >= LEAST_CONTRAST {
                style = style.fg(color(letters, depth)).bg(color(ground, depth));
            }
        }
        // Whether the screen is dark or bright is not known.
        (Some(letters), None) => {
            if (DARK..BRIGHT).contains(&brightness(letters)) || is_colourful(rgb(letters)) {
                style = style.fg(color(letters, depth));
            }
        }
        // Nor what its letters are.
        (None, Some(ground)) => {
            let ground_is_dark = brightness(ground) < 128;
            let letters = Colour::Indexed(if ground_is_dark { 15 } else { 0 });
            style = style.fg(color(letters, depth)).bg(color(ground, depth));
        }
        (None, None) => {}
    }
    style
}

fn color(colour: Colour, depth: Depth) -> Color {
    let own = |index: u8| match index {
        0 => Color::Black,
        1 => Color::Red,
        2 => Color::Green,
        3 => Color::Yellow,
        4 => Color::Blue,
        5 => Color::Magenta,
        6 => Color::Cyan,
        7 => Color::Gray,
        8 => Color::DarkGray,
        9 => Color::LightRed,
        10 => Color::LightGreen,
        11 => Color::LightYellow,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::LightCyan,
        _ => Color::White,
    };
    match colour {
        Colour::Indexed(index @ 0..=15) => own(index),
        other if depth == Depth::Truecolor => {
            let (r, g, b) = rgb(other);
            Color::Rgb(r, g, b)
        }
        Colour::Indexed(index) if depth == Depth::Indexed => Color::Indexed(index),
        other if depth == Depth::Indexed => Color::Indexed(nearest_indexed(rgb(other))),
        other => own(nearest(rgb(other))),
    }
}

fn distance((r, g, b): (u8, u8, u8), wanted: (u8, u8, u8)) -> i32 {
    let difference = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
    difference(r, wanted.0) + difference(g, wanted.1) + difference(b, wanted.2)
}

/// A colour of the screen in 24 bits, as most terminals show it; none of what the terminal chooses.
pub(super) fn rgb_of(color: Color) -> Option<(u8, u8, u8)> {
    let own = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) => Some(rgb(Colour::Indexed(index))),
        other => own.iter().position(|of| *of == other).map(|at| SIXTEEN[at]),
    }
}

/// The colour of the palette of 256 that is nearest; not one of the 16, which are what the user made of them.
pub(super) fn nearest_indexed(wanted: (u8, u8, u8)) -> u8 {
    let nearest = (16..=255).min_by_key(|index| distance(rgb(Colour::Indexed(*index)), wanted));
    nearest.unwrap_or(u8::MAX)
}

/// The terminal's own colour that is nearest.
fn nearest(wanted: (u8, u8, u8)) -> u8 {
    let distance = |of| distance(of, wanted);
    let all = (0_u8..).zip(SIXTEEN);
    let nearest = all.min_by_key(|(_, colour)| distance(*colour));
    nearest.map_or(7, |(index, _)| index)
}

/// A colour of the palette of 256: the sixteen, a cube of 6 × 6 × 6, 24 greys.
fn rgb(colour: Colour) -> (u8, u8, u8) {
    match colour {
        Colour::Rgb(r, g, b) => (r, g, b),
        Colour::Indexed(index @ 0..=15) => SIXTEEN[usize::from(index)],
        Colour::Indexed(index @ 16..=231) => {
            let step = |place: u8| match (index - 16) / place % 6 {
                0 => 0,
                step => 55 + 40 * step,
            };
            (step(36), step(6), step(1))
        }
        Colour::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// How bright a colour is, to 255 (ITU-R BT.601).
fn brightness((r, g, b): (u8, u8, u8)) -> i32 {
    (299 * i32::from(r) + 587 * i32::from(g) + 114 * i32::from(b)) / 1_000
}

/// Whether it is more than a grey: then it can be told from black and from white.
fn is_colourful((r, g, b): (u8, u8, u8)) -> bool {
    r.max(g).max(b) - r.min(g).min(b) >= 96
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(letters: Option<Colour>, ground: Option<Colour>, depth: Depth) -> Style {
        let ink = Ink {
            letters,
            ground,
            ..Ink::default()
        };
        style_of(ink, depth)
    }

    #[test]
    fn colours_are_those_the_screen_has_and_hide_nothing() {
        let indexed = |index| Some(Colour::Indexed(index));
        let plain = Style::new();
        let table = [
            (indexed(1), None, Depth::Sixteen, plain.fg(Color::Red)),
            (indexed(1), None, Depth::None, plain),
            // Orange of the large palette.
            (
                indexed(208),
                None,
                Depth::Sixteen,
                plain.fg(Color::LightRed),
            ),
            (
                indexed(208),
                None,
                Depth::Truecolor,
                plain.fg(Color::Rgb(255, 135, 0)),
            ),
            (
                Some(Colour::Rgb(1, 2, 200)),
                None,
                Depth::Sixteen,
                plain.fg(Color::Blue),
            ),
            // Black on what may be black, white on what may be white, red on red.
            (indexed(0), None, Depth::Sixteen, plain),
            (indexed(15), None, Depth::Sixteen, plain),
            (indexed(1), indexed(1), Depth::Truecolor, plain),
            (indexed(233), indexed(232), Depth::Truecolor, plain),
            (
                None,
                indexed(4),
                Depth::Sixteen,
                plain.fg(Color::White).bg(Color::Blue),
            ),
            (
                indexed(0),
                indexed(3),
                Depth::Sixteen,
                plain.fg(Color::Black).bg(Color::Yellow),
            ),
        ];
        for (letters, ground, depth, wanted) in table {
            assert_eq!(
                style(letters, ground, depth),
                wanted,
                "{letters:?} {ground:?} {depth:?}"
            );
        }
        let bold = Ink {
            is_bold: true,
            letters: indexed(2),
            ..Ink::default()
        };
        let wanted = plain.add_modifier(Modifier::BOLD);
        assert_eq!(style_of(bold, Depth::None), wanted);
    }
}
