//! Colours that text brings along, as build logs do: the one kind of escape sequence that is obeyed rather than shown.
//!
//! Select Graphic Rendition (ECMA-48, 8.3.117) changes how text looks and nothing else. What is understood of it here is
//! given as data; every other sequence stays in the text and becomes visible where it is shown.

use regex::Regex;
use std::sync::LazyLock;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One of the terminal's own: 0 to 7, and 8 to 15 for the bright ones; to 255 those of the larger palette.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is on or off, beside the others"
)]
pub struct Ink {
    /// The colour of its letters.
    pub letters: Option<Colour>,
    /// The colour behind them.
    pub ground: Option<Colour>,
    /// Bold.
    pub is_bold: bool,
    /// Dim.
    pub is_dim: bool,
    /// Slanted.
    pub is_italic: bool,
    /// Underlined.
    pub is_underlined: bool,
    /// Letters and ground change places.
    pub is_inverse: bool,
}

/// Text that looks alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'t> {
    /// How it looks.
    pub ink: Ink,
    /// The text; it may hold anything but what set its ink.
    pub text: &'t str,
}

static SGR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("\x1b\\[([0-9;:]*)m").ok());

/// Text in runs that look alike, beginning with an ink; and the ink at its end.
#[must_use]
pub fn runs(text: &str, begin: Ink) -> (Vec<Run<'_>>, Ink) {
    let (mut runs, mut ink, mut at) = (Vec::new(), begin, 0);
    if memchr::memchr(0x1b, text.as_bytes()).is_none() {
        // As most text is.
        if !text.is_empty() {
            runs.push(Run { ink, text });
        }
        return (runs, ink);
    }
    let found = SGR.iter().flat_map(|sgr| sgr.captures_iter(text));
    for sequence in found {
        let (Some(whole), Some(numbers)) = (sequence.get(0), sequence.get(1)) else {
            continue;
        };
        if whole.start() > at {
            let text = &text[at..whole.start()];
            runs.push(Run { ink, text });
        }
        ink = ink.changed(numbers.as_str());
        at = whole.end();
    }
    if at < text.len() {
        let text = &text[at..];
        runs.push(Run { ink, text });
    }
    (runs, ink)
}

/// Text without what gives it ink.
#[must_use]
pub fn without(text: &str) -> String {
    runs(text, Ink::default())
        .0
        .iter()
        .map(|run| run.text)
        .collect()
}

impl Ink {
    fn changed(mut self, numbers: &str) -> Self {
        let mut numbers = numbers
            .split([';', ':'])
            .map(|number| number.parse::<u16>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => self = Self::default(),
                1 => self.is_bold = true,
                2 => self.is_dim = true,
                3 => self.is_italic = true,
                4 => self.is_underlined = true,
                7 => self.is_inverse = true,
                22 => (self.is_bold, self.is_dim) = (false, false),
                23 => self.is_italic = false,
                24 => self.is_underlined = false,
                27 => self.is_inverse = false,
                38 => self.letters = extended(&mut numbers).or(self.letters),
                48 => self.ground = extended(&mut numbers).or(self.ground),
                39 => self.letters = None,
                49 => self.ground = None,
                30..=37 => self.letters = indexed(number - 30),
                40..=47 => self.ground = indexed(number - 40),
                90..=97 => self.letters = indexed(number - 90 + 8),
                100..=107 => self.ground = indexed(number - 100 + 8),
                _ => {}
            }
        }
        self
    }

    /// The sequence that gives text this ink; nothing for none.
    #[must_use]
    pub fn sequence(self) -> String {
        let mut numbers = Vec::new();
        let words = [
            (self.is_bold, "1"),
            (self.is_dim, "2"),
            (self.is_italic, "3"),
            (self.is_underlined, "4"),
            (self.is_inverse, "7"),
        ];
        numbers.extend(
            words
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, word)| (*word).to_owned()),
        );
        for (colour, base) in [(self.letters, 38), (self.ground, 48)] {
            match colour {
                Some(Colour::Indexed(index)) => numbers.push(format!("{base};5;{index}")),
                Some(Colour::Rgb(r, g, b)) => numbers.push(format!("{base};2;{r};{g};{b}")),
                None => {}
            }
        }
        if numbers.is_empty() {
            return String::new();
        }
        format!("\x1b[{}m", numbers.join(";"))
    }
}

fn indexed(number: u16) -> Option<Colour> {
    u8::try_from(number).ok().map(Colour::Indexed)
}

fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<Colour> {
    let mut next = || numbers.next().and_then(|number| u8::try_from(number).ok());
    match next()? {
        5 => Some(Colour::Indexed(next()?)),
        2 => Some(Colour::Rgb(next()?, next()?, next()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, String)> {
        let (runs, _) = runs(text, Ink::default());
        let pair = |run: &Run| (run.ink.sequence(), run.text.to_owned());
        runs.iter().map(pair).collect()
    }

    #[test]
    fn colours_are_data_and_nothing_else_is_taken_away() {
        let table: [(&str, &[(&str, &str)]); 7] = [
            ("plain", &[("", "plain")]),
            (
                "\x1b[31mred\x1b[0m not",
                &[("\x1b[38;5;1m", "red"), ("", " not")],
            ),
            ("\x1b[1;92mok\x1b[22m", &[("\x1b[1;38;5;10m", "ok")]),
            (
                "\x1b[38;2;1;2;3;48;5;200mx",
                &[("\x1b[38;2;1;2;3;48;5;200m", "x")],
            ),
            (
                "\x1b[mx\x1b[4my\x1b[24mz",
                &[("", "x"), ("\x1b[4m", "y"), ("", "z")],
            ),
            (
                "\x1b[2Jgone\x1b]0;t\x07",
                &[("", "\x1b[2Jgone\x1b]0;t\x07")],
            ),
            ("\x1b[38;5mx\x1b[999999999mz", &[("", "x"), ("", "z")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected
                .iter()
                .map(|(ink, text)| ((*ink).to_owned(), (*text).to_owned()))
                .collect();
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert_eq!(without("a\x1b[31mb\x1b[0mc"), "abc");
        let (_, ink) = runs("\x1b[31m", Ink::default());
        assert_eq!(
            runs("next line", ink).0[0].ink.letters,
            Some(Colour::Indexed(1))
        );
    }
}
