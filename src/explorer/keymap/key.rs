//! Keys, as the explorer knows them: without a terminal library.

use std::fmt;

/// A key with its modifiers. Shift is part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With control.
    pub ctrl: bool,
    /// With alt.
    pub alt: bool,
}

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

const NAMES: [(&str, Code); 19] = [
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
    ("f1", Code::F(1)),
    ("f2", Code::F(2)),
    ("f5", Code::F(5)),
];

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
        }
    }
}

/// `g g` or `ctrl-d`; `None` when it is no sequence of keys.
pub(in crate::explorer) fn parse_sequence(text: &str) -> Option<Vec<Key>> {
    let keys: Option<Vec<_>> = text.split(' ').map(parse).collect();
    keys.filter(|keys| !keys.is_empty())
}

fn parse(text: &str) -> Option<Key> {
    if let Some(rest) = text.strip_prefix("ctrl-").filter(|rest| !rest.is_empty()) {
        return parse(rest).map(|key| Key { ctrl: true, ..key });
    }
    if let Some(rest) = text.strip_prefix("alt-").filter(|rest| !rest.is_empty()) {
        return parse(rest).map(|key| Key { alt: true, ..key });
    }
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Some(Key::plain(*code));
    }
    let mut characters = text.chars();
    let only = characters.next().filter(|_| characters.next().is_none())?;
    Some(Key::plain(Code::Char(only)))
}

pub(super) fn print_sequence(keys: &[Key]) -> String {
    keys.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modifiers = match (self.ctrl, self.alt) {
            (true, true) => "ctrl-alt-",
            (true, false) => "ctrl-",
            (false, true) => "alt-",
            (false, false) => "",
        };
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.pad(&format!("{modifiers}{name}")),
            (None, Code::Char(character)) => f.pad(&format!("{modifiers}{character}")),
            (None, Code::F(number)) => f.pad(&format!("{modifiers}f{number}")),
            (None, _) => f.pad(modifiers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_and_read_back() {
        for text in [
            "j",
            "ctrl-d",
            "alt-right",
            "space",
            "shift-tab",
            "g g",
            "-",
            "ctrl-alt-x",
            "?",
            "ctrl--",
        ] {
            let keys = parse_sequence(text).expect(text);
            assert_eq!(print_sequence(&keys), text);
        }
        for bad in ["", "ctrl-", "hyper-x", "jj"] {
            assert_eq!(parse_sequence(bad), None, "{bad}");
        }
    }
}
