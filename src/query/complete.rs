//! What a user is in the middle of typing.

use super::Field;

/// The unfinished word at the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completing {
    /// Perhaps a field's name; the word starts at this byte.
    Name(usize, String),
    /// A value of this field; what is typed of it starts at this byte.
    Value(usize, Field, String),
}

/// The word that ends at byte `caret` of the text, if it can be completed.
#[must_use]
pub fn completing(text: &str, caret: usize) -> Option<Completing> {
    let before = text.get(..caret)?;
    if before.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return None;
    }
    let start = before
        .rfind(|character: char| character.is_whitespace() || "()".contains(character))
        .map_or(0, |at| at + 1);
    let start = start + before[start..].len() - before[start..].trim_start_matches('-').len();
    let word = &before[start..];
    match word.split_once(':') {
        Some((name, values)) if !name.is_empty() => {
            let typed = values.rsplit(',').next().unwrap_or_default();
            Some(Completing::Value(
                caret - typed.len(),
                Field::named(name),
                typed.to_owned(),
            ))
        }
        None if !word.is_empty() && !word.starts_with('/') => {
            Some(Completing::Name(start, word.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_caret_is_found() {
        let name = |at: usize, word: &str| Some(Completing::Name(at, word.to_owned()));
        let value = |at: usize, field: Field, word: &str| {
            Some(Completing::Value(at, field, word.to_owned()))
        };
        let cases = [
            ("na", name(0, "na")),
            ("a (-na", name(4, "na")),
            ("ns:pa", value(3, Field::Namespace, "pa")),
            ("x -ns:a,b", value(8, Field::Namespace, "b")),
            ("level:", value(6, Field::Level, "")),
            ("\"open na", None),
            ("", None),
            ("/re", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(completing(text, text.len()), wanted, "{text}");
        }
    }
}
