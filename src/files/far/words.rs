//! Text as words of a shell.

use std::io::{self, ErrorKind};

/// The words as arguments of `grep`.
pub(super) fn expressions(words: &[String]) -> io::Result<String> {
    let mut all = String::new();
    for word in words {
        if word.contains('\n') {
            let text = format!("expected words of one line; found {word:?}");
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        all.push_str(" -e ");
        all.push_str(&quote(word)?);
    }
    Ok(all)
}

/// Text as one word of a shell.
pub(super) fn quote(text: &str) -> io::Result<String> {
    if text.contains('\0') {
        let text = format!("expected text without NUL; found {text:?}");
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// A pattern as one word of a shell: `*`, `?` and `[…]` keep their meaning, and so do `-` and `!` within brackets.
pub(super) fn quote_pattern(pattern: &str) -> io::Result<String> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "*?[]-!/._".contains(c);
    let (mut quoted, mut rest) = (String::new(), pattern);
    while !rest.is_empty() {
        let (bare, more) = rest.split_at(rest.find(|c: char| !is_bare(c)).unwrap_or(rest.len()));
        let (other, more) = more.split_at(more.find(is_bare).unwrap_or(more.len()));
        quoted.push_str(bare);
        if !other.is_empty() {
            quoted.push_str(&quote(other)?);
        }
        rest = more;
    }
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_word_of_a_shell() {
        let table = [
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(id) `id` \\ \"", "'$(id) `id` \\ \"'"),
            ("a\nb", "'a\nb'"),
        ];
        for (text, expected) in table {
            assert_eq!(quote(text).expect("quoted"), expected);
        }
        assert!(quote("a\0b").is_err());
    }

    #[test]
    fn patterns_keep_their_meaning_and_nothing_else() {
        let table = [
            ("/a/*.log", "/a/*.log"),
            ("/a b/x?[!0-9]", "/a' 'b/x?[!0-9]"),
            ("/it's;$(id)*", r"/it''\'''s';$('id')'*"),
            ("/~é", "/'~é'"),
        ];
        for (pattern, expected) in table {
            assert_eq!(quote_pattern(pattern).expect("quoted"), expected);
        }
    }
}
