//! Text made safe to show: whatever could act on a terminal or deceive a reader becomes a visible mark.
//!
//! The one place where this is decided; the explorer and the command line's output both go through it. Copies and exports
//! do not: they keep the original bytes.

use std::borrow::Cow;
use std::ops::Range;

use super::bytes::undecodable;

/// Text to show, and where in it marks stand for what cannot be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible<'t> {
    /// What to show.
    pub text: Cow<'t, str>,
    /// The marks, as byte ranges of the text, in order.
    pub marks: Vec<Range<usize>>,
}

/// Makes text visible on one line: a newline is a mark too.
#[must_use]
pub fn visible(text: &str) -> Visible<'_> {
    if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Visible {
            text: Cow::Borrowed(text),
            marks: Vec::new(),
        };
    }
    if !text
        .chars()
        .any(|character| mark(character).is_some() || is_dropped(character))
    {
        return Visible {
            text: Cow::Borrowed(text),
            marks: Vec::new(),
        };
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut marks: Vec<Range<usize>> = Vec::new();
    for character in text.chars() {
        let start = shown.len();
        match mark(character) {
            Some(sign) => {
                shown.push_str(&sign);
                match marks.last_mut() {
                    Some(last) if last.end == start => last.end = shown.len(),
                    _ => marks.push(start..shown.len()),
                }
            }
            None if is_dropped(character) => {}
            None => shown.push(character),
        }
    }
    Visible {
        text: Cow::Owned(shown),
        marks,
    }
}

/// The mark that stands for a character, if it must not be shown as it is.
fn mark(character: char) -> Option<Cow<'static, str>> {
    let code = u32::from(character);
    if let Some(byte) = undecodable(character) {
        return Some(Cow::Owned(format!("<{byte:02X}>")));
    }
    match code {
        0x0A => Some(Cow::Borrowed("⏎")),
        // The pictures of the control characters: U+2400 and on.
        0x00..0x20 => char::from_u32(0x2400 + code).map(|picture| Cow::Owned(picture.to_string())),
        0x7F => Some(Cow::Borrowed("␡")),
        0x80..0xA0 => Some(Cow::Owned(format!("<{code:02X}>"))),
        // Soft hyphen, combining joiner, fillers without ink, bidi and zero-width controls, separators that forge lines,
        // interlinear and tag characters.
        0xAD
        | 0x34F
        | 0x61C
        | 0x115F
        | 0x1160
        | 0x17B4
        | 0x17B5
        | 0x180B..=0x180F
        | 0x200B..=0x200F
        | 0x2028..=0x202E
        | 0x2060..=0x206F
        | 0x3164
        | 0xFEFF
        | 0xFFA0
        | 0xFFF0..=0xFFFB
        | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF => Some(Cow::Owned(format!("<U+{code:04X}>"))),
        _ => None,
    }
}

/// Variation selectors choose between two drawings of the same sign; terminals disagree about their width.
fn is_dropped(character: char) -> bool {
    matches!(u32::from(character), 0xFE00..=0xFE0F)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::bytes;

    #[test]
    fn hostile_characters_are_marks() {
        let cases = [
            ("plain", "plain", 0),
            ("naïve 日本", "naïve 日本", 0),
            ("a\u{1b}[31mb", "a␛[31mb", 1),
            ("bell\u{7}del\u{7f}", "bell␇del␡", 2),
            ("two\nlines\ttab", "two⏎lines␉tab", 2),
            ("c1 \u{9b}31m", "c1 <9B>31m", 1),
            ("bidi \u{202e}x\u{202c}", "bidi <U+202E>x<U+202C>", 2),
            ("a\u{200b}\u{feff}b", "a<U+200B><U+FEFF>b", 1),
            ("sep\u{2028}x", "sep<U+2028>x", 1),
        ];
        for (text, shown, marks) in cases {
            let visible = visible(text);
            assert_eq!(
                (visible.text.as_ref(), visible.marks.len()),
                (shown, marks),
                "{text:?}"
            );
        }
        assert_eq!(
            visible(&bytes::decode(b"bad \xff\xfe end")).text,
            "bad <FF><FE> end"
        );
    }

    proptest! {
        #[test]
        fn nothing_visible_can_act_on_a_terminal(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let text = bytes::decode(&bytes);
            let visible = visible(&text);
            prop_assert!(!visible.text.chars().any(char::is_control));
            for range in &visible.marks {
                prop_assert!(visible.text.get(range.clone()).is_some());
            }
        }
    }
}
