//! Text from bytes that need not be UTF-8, without losing one of them.
//!
//! A byte that is not part of valid UTF-8 becomes one character of a private-use range of its own: byte `b` (0x80 to
//! 0xFF) is U+10F700 + `b`. [`restore`] turns the characters back into the bytes. The range lies in plane 16, which no
//! font or standard uses; a sender that really writes those characters sees them treated as the bytes.

use std::borrow::Cow;

/// Added to an undecodable byte to make the character that stands for it.
const BASE: u32 = 0x0010_F700;

/// The byte that a character stands for, if it stands for one.
#[must_use]
pub fn undecodable(character: char) -> Option<u8> {
    let value = u32::from(character);
    if (BASE + 0x80..=BASE + 0xFF).contains(&value) {
        u8::try_from(value - BASE).ok()
    } else {
        None
    }
}

/// The bytes as text; see the head of this file.
#[must_use]
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(
            chunk
                .invalid()
                .iter()
                .filter_map(|byte| char::from_u32(BASE + u32::from(*byte))),
        );
    }
    Cow::Owned(text)
}

/// The original bytes of a text made by [`decode`].
#[must_use]
pub fn restore(text: &str) -> Cow<'_, [u8]> {
    // Every character of the range starts with this byte; ordinary text never has it.
    if !text.as_bytes().contains(&0xF4) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        match undecodable(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// How many of the bytes are whole characters, or none at all: what comes next may complete the rest.
#[must_use]
pub fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3);
    for (after, byte) in (1..).zip(tail) {
        let length = match byte {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            _ => 1,
        };
        return bytes.len() - if length > after { after } else { 0 };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_are_not_cut() {
        let text = "aé€😀z";
        for end in 0..=text.len() {
            let whole = whole_characters(&text.as_bytes()[..end]);
            assert_eq!(whole, text.floor_char_boundary(end), "{end}");
        }
        assert_eq!(whole_characters(b"\xff\x80\x80\x80\x80"), 5, "no character");
        assert_eq!(whole_characters(b"caf\xe9 "), 5);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(restore(&decode(&bytes)).into_owned(), bytes);
        }
    }

    #[test]
    fn a_bad_byte_is_one_character() {
        let text = decode(b"bad \xff end");
        assert_eq!(text.chars().nth(4).and_then(undecodable), Some(0xFF));
        assert_eq!(text.chars().count(), 9);
    }
}
