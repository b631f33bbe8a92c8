//! Telling a user who looks elsewhere: a bell, and the notices that terminals show (OSC 9 of iTerm2, OSC 777 of urxvt).

use std::io::Write;

use crate::entry::visible;

/// Characters of a notice.
const MAX_CHARS: usize = 160;

/// Tells something. Terminals that know no notices ring only. The text is the user's own, and made safe all the same.
pub(in crate::explorer) fn notify(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(sequence(text).as_bytes());
    let _ = out.flush();
}

fn sequence(text: &str) -> String {
    let safe: String = visible(text)
        .text
        .chars()
        .filter(|of| *of != ';')
        .take(MAX_CHARS)
        .collect();
    format!("\x07\x1b]9;{safe}\x1b\\\x1b]777;notify;tailwater;{safe}\x1b\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_text_reaches_the_terminal() {
        let told = sequence("a\x1b]52;c;x\x07b");
        assert_eq!(told.matches('\x1b').count(), 4, "{told:?}");
        assert_eq!(told.matches('\x07').count(), 1, "{told:?}");
        assert!(!told.contains("]52;"), "{told:?}");
    }
}
