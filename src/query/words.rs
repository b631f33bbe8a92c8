//! The words of a text, as filters over many entries know them.
//!
//! A word is a longest run of ASCII letters, digits and `_`, in lower case; everything else separates. Two characters
//! beyond ASCII count as the letters they are equal to when case is ignored: the Kelvin sign (k) and the long s (s).
//! What is searched for is cut the same way, so that a filter never denies what a search would find.

use regex_syntax::hir::{Hir, HirKind};

/// Letters, digits and `_`: the characters of words.
const ALPHABET: usize = 37;
/// Different triples of such characters.
pub const TRIPLES: usize = ALPHABET * ALPHABET * ALPHABET;

/// Something a text must hold for a search to find anything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gram {
    /// This whole word.
    Word(String),
    /// This triple of characters within a word, by [`triple`].
    Triple(usize),
}

/// Lower-case bytes of word characters; 0 for what separates.
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
};

/// Places of lower-case word characters in the alphabet.
const PLACE: [u8; 256] = {
    let mut table = [0; 256];
    let mut place = 0_u8;
    while (place as usize) < ALPHABET {
        table[b"abcdefghijklmnopqrstuvwxyz0123456789_"[place as usize] as usize] = place;
        place += 1;
    }
    table
};

/// The number of a triple of lower-case word characters, below [`TRIPLES`].
#[must_use]
pub fn triple(characters: [u8; 3]) -> usize {
    characters.iter().fold(0, |number, character| {
        number * ALPHABET + usize::from(PLACE[usize::from(*character)])
    })
}

/// Visits the words of a text, in lower case, with whether something separates them from the text's start and end.
pub fn each_word(text: &str, mut visit: impl FnMut(&[u8], bool, bool)) {
    let bytes = text.as_bytes();
    let mut word: Vec<u8> = Vec::with_capacity(32);
    let mut opened = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (folded, width) = match FOLDED[usize::from(*byte)] {
            0 if *byte >= 0x80 => beyond_ascii(&bytes[at..]),
            folded => (folded, 1),
        };
        if folded == 0 {
            if !word.is_empty() {
                visit(&word, opened, true);
                word.clear();
            }
            opened = true;
        } else {
            word.push(folded);
        }
        at += width;
    }
    if !word.is_empty() {
        visit(&word, opened, false);
    }
}

/// The letter that the characters at the front are equal to, if any, and their length in bytes.
fn beyond_ascii(bytes: &[u8]) -> (u8, usize) {
    if bytes.starts_with("\u{212A}".as_bytes()) {
        (b'k', 3)
    } else if bytes.starts_with("\u{17F}".as_bytes()) {
        (b's', 2)
    } else {
        (0, 1)
    }
}

/// What a text must hold to contain this literal anywhere, or, if `whole`, to be it.
pub(super) fn of_literal(literal: &str, whole: bool) -> Vec<Gram> {
    let mut grams = Vec::new();
    each_word(literal, |word, opened, closed| {
        if (whole || (opened && closed))
            && let Ok(word) = std::str::from_utf8(word)
        {
            grams.push(Gram::Word(word.to_owned()));
        }
        grams.extend(
            word.windows(3)
                .map(|window| Gram::Triple(triple([window[0], window[1], window[2]]))),
        );
    });
    grams.dedup();
    grams
}

/// Literals that every match of an expression contains, as they stand.
pub(super) fn required_literals(pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(hir) = regex_syntax::parse(pattern) {
        collect(&hir, &mut found);
    }
    found
}

fn collect(hir: &Hir, found: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Literal(literal) => {
            found.extend(std::str::from_utf8(&literal.0).ok().map(str::to_owned));
        }
        HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, found)),
        HirKind::Capture(capture) => collect(&capture.sub, found),
        HirKind::Repetition(repetition) if repetition.min > 0 => collect(&repetition.sub, found),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, bool, bool)> {
        let mut found = Vec::new();
        each_word(text, |word, opened, closed| {
            found.push((String::from_utf8_lossy(word).into_owned(), opened, closed));
        });
        found
    }

    #[test]
    fn words_are_cut_at_everything_else() {
        let wanted = [
            ("queue", false, true),
            ("depth_2", true, true),
            ("4", true, false),
        ];
        assert_eq!(
            words("Queue depth_2=4"),
            wanted.map(|(word, a, b)| (word.to_owned(), a, b))
        );
        assert_eq!(
            words("«\u{212A}elvin\u{17F}»"),
            [("kelvins".to_owned(), true, true)]
        );
        assert_eq!(
            words("größe"),
            [
                ("gr".to_owned(), false, true),
                ("e".to_owned(), true, false)
            ]
        );
    }

    #[test]
    fn only_inner_words_are_known_to_be_whole() {
        let word = |text: &str| Gram::Word(text.into());
        let grams = of_literal("out of disk", false);
        assert!(grams.contains(&word("of")));
        assert!(!grams.contains(&word("out")) && !grams.contains(&word("disk")));
        assert!(grams.contains(&Gram::Triple(triple(*b"dis"))));
        assert!(of_literal("out", true).contains(&word("out")));
    }

    #[test]
    fn expressions_require_their_plain_parts() {
        assert_eq!(
            required_literals("took (longer|more) than \\d+ms"),
            ["took ", " than ", "ms"]
        );
        assert_eq!(required_literals("(abc)+x*"), ["abc"]);
        assert!(required_literals("(?i)abc|d").is_empty());
    }
}
