//! Which colours: a theme is a file of hues by role, each as one of the terminal's own 16 and as 24 bits.

use std::path::Path;

use ratatui::style::Color;
use serde::Deserialize;

use super::Depth;
use crate::explorer::ink::nearest_indexed;

/// The built-in themes, by name.
pub(super) const THEMES: [(&str, &str); 4] = [
    ("dark", include_str!("../../../assets/themes/dark.toml")),
    ("light", include_str!("../../../assets/themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../../assets/themes/high-contrast.toml"),
    ),
    (
        "colour-blind",
        include_str!("../../../assets/themes/colour-blind.toml"),
    ),
];

/// Why there is no theme.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThemeError {
    /// There is none of this name.
    #[error(
        "expected a theme (dark, light, high-contrast, colour-blind) or a file of one, found {0}"
    )]
    Unknown(String),
    /// The file says something that is not understood.
    #[error("theme {name}: {source}")]
    Form {
        /// The theme.
        name: String,
        /// Where, and what was expected.
        source: toml::de::Error,
    },
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "(String, String)")]
pub(super) struct Hue {
    sixteen: Color,
    full: Color,
}

impl TryFrom<(String, String)> for Hue {
    type Error = String;

    fn try_from((sixteen, full): (String, String)) -> Result<Self, String> {
        let named = |text: &String, is_fit: fn(&Color) -> bool, expected: &str| {
            let color = text.parse::<Color>().ok().filter(is_fit);
            color.ok_or_else(|| format!("expected {expected}, found {text:?}"))
        };
        let own = |color: &Color| !matches!(color, Color::Rgb(..) | Color::Indexed(_));
        Ok(Self {
            sixteen: named(
                &sixteen,
                own,
                "one of the 16 colours, such as red or light-blue",
            )?,
            full: named(
                &full,
                |color| matches!(color, Color::Rgb(..)),
                "a colour such as #ea6962",
            )?,
        })
    }
}

impl Hue {
    /// As it can be shown; none where there are no colours.
    pub fn color(self, depth: Depth) -> Option<Color> {
        match depth {
            Depth::None => None,
            Depth::Sixteen => Some(self.sixteen),
            Depth::Indexed => match self.full {
                Color::Rgb(r, g, b) => Some(Color::Indexed(nearest_indexed((r, g, b)))),
                other => Some(other),
            },
            Depth::Truecolor => Some(self.full),
        }
    }
}

/// Hues by role. `dim` is used where there are more than 16 colours: there the terminal dims by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Palette {
    pub(super) info: Hue,
    pub(super) warning: Hue,
    pub(super) error: Hue,
    pub(super) dim: Hue,
    pub(super) bar: Hue,
    pub(super) namespace: Hue,
    pub(super) mark: Hue,
    pub(super) found: Hue,
    pub(super) accent: Hue,
    pub(super) good: Hue,
}

impl Default for Palette {
    fn default() -> Self {
        let (name, text) = THEMES[0];
        Self::read(name, text).expect("the built-in themes are read by a test")
    }
}

impl Palette {
    /// The theme of a name, or of a file.
    ///
    /// # Errors
    /// There is none, or it is not understood.
    pub fn named(name: &str) -> Result<Self, ThemeError> {
        if let Some((name, text)) = THEMES.iter().find(|(of, _)| *of == name) {
            return Self::read(name, text);
        }
        let unknown = |error: std::io::Error| ThemeError::Unknown(format!("{name} ({error})"));
        let text = std::fs::read_to_string(Path::new(name)).map_err(unknown)?;
        Self::read(name, &text)
    }

    fn read(name: &str, text: &str) -> Result<Self, ThemeError> {
        let form = |source| ThemeError::Form {
            name: name.to_owned(),
            source,
        };
        toml::from_str(text).map_err(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.
    fn luminance(color: Color) -> f64 {
        let Color::Rgb(r, g, b) = color else {
            panic!("not 24 bits: {color}")
        };
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn every_theme_can_be_read_on_its_ground() {
        for (name, text) in THEMES {
            let palette = Palette::read(name, text).expect(name);
            let ground = if name == "light" {
                Color::Rgb(255, 255, 255)
            } else {
                Color::Rgb(20, 20, 24)
            };
            let least = if name == "high-contrast" { 7.0 } else { 4.5 };
            let words = [
                palette.info,
                palette.warning,
                palette.error,
                palette.dim,
                palette.namespace,
                palette.mark,
                palette.found,
                palette.accent,
                palette.good,
            ];
            for hue in words {
                let (a, b) = (luminance(hue.full), luminance(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(
                    contrast >= least,
                    "{name}: {hue:?} has a contrast of {contrast:.1}"
                );
            }
        }
    }

    #[test]
    fn mistakes_in_a_theme_say_where_they_are() {
        let (_, text) = THEMES[0];
        let wrong = text.replace("#ea6962", "#red");
        let told = Palette::read("mine", &wrong)
            .expect_err("wrong")
            .to_string();
        assert!(
            told.contains("expected a colour such as") && told.contains("line"),
            "{told}"
        );
        let told = Palette::named("purple").expect_err("unknown").to_string();
        assert!(told.contains("high-contrast"), "{told}");
    }
}
