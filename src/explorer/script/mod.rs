//! A run without a terminal: keys from a file, screens printed; and the record of a run, which is such a file.
//!
//! ```text
//! # a comment
//! size 120x40          columns and rows; 80x24 at first
//! keys { D enter       as in the configuration of keys
//! type payments        characters
//! wait nothing matches until the screen shows it, ten seconds at most
//! screen after         print the screen, under a heading
//! picture after.svg    the same as a picture
//! ```
//!
//! After each step the script waits until what was asked for has been answered.

mod picture;
mod play;
mod record;

pub use play::{ScriptError, play};
pub(super) use record::Record;

use std::path::PathBuf;

use super::keymap::{Code, Key, parse_sequence};

/// A step of a script.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Size(u16, u16),
    Keys(Vec<Key>),
    Wait(String),
    Screen(String),
    Picture(PathBuf),
}

/// The steps of a script, each with its line.
fn steps(text: &str) -> Result<Vec<(usize, Step)>, ScriptError> {
    let mut steps = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_end();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let step = step(text).map_err(|reason| ScriptError::Line { line, reason })?;
        steps.push((line, step));
    }
    Ok(steps)
}

fn step(text: &str) -> Result<Step, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "size" => {
            let sides = rest.trim().split_once('x');
            let sides =
                sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
            let (width, height) =
                sides.ok_or_else(|| format!("expected a size such as 120x40, found {rest:?}"))?;
            if !(1..=500).contains(&width) || !(1..=500).contains(&height) {
                return Err(format!(
                    "expected 1 to 500 columns and rows, found {rest:?}"
                ));
            }
            Ok(Step::Size(width, height))
        }
        "keys" => {
            let keys = parse_sequence(rest);
            let wrong = || format!("expected keys such as j, ctrl-d or enter, found {rest:?}");
            keys.map(Step::Keys).ok_or_else(wrong)
        }
        "type" => Ok(Step::Keys(
            rest.chars().map(|of| Key::plain(Code::Char(of))).collect(),
        )),
        "wait" if !rest.is_empty() => Ok(Step::Wait(rest.to_owned())),
        "screen" => Ok(Step::Screen(rest.to_owned())),
        "picture" if !rest.is_empty() => Ok(Step::Picture(rest.into())),
        _ => Err(format!(
            "expected size, keys, type, wait, screen or picture, found {text:?}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_line_by_line() {
        let read = steps(
            "# a story\n\nsize 100x30\nkeys j enter\ntype a b\nwait 5 rows\nscreen\npicture a.svg\n",
        );
        let read = read.expect("a script");
        assert_eq!(read.len(), 6);
        assert_eq!(read[0], (3, Step::Size(100, 30)));
        assert!(matches!(&read[2].1, Step::Keys(keys) if keys.len() == 3));
        for (wrong, part) in [
            ("jump", "line 1: expected size, keys"),
            ("\nsize large", "line 2: expected a size such as"),
            ("size 0x10", "1 to 500"),
            ("keys hyper-x", "line 1"),
        ] {
            let told = steps(wrong).expect_err(wrong).to_string();
            assert!(told.contains(part), "{told}");
        }
    }
}
