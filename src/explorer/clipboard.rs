//! Copies that work over SSH: through tmux where it runs, else OSC 52; always also into a file, because the terminal
//! never says whether it took it.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a piece that GNU screen hands on: it drops longer ones (768).
const SCREEN_PIECE: usize = 700;
/// Terminals drop longer sequences.
const MAX_ENCODED: usize = 74_994;

/// What to do so that a text is on the clipboard.
#[derive(Debug)]
pub(super) struct Copied {
    /// To be written to the terminal.
    pub sequence: Option<Vec<u8>>,
    /// What to tell the user.
    pub how: String,
}

/// Copies the original bytes of a text. Blocks for as long as tmux takes.
pub(super) fn copy(text: &str, state_dir: Option<&PathBuf>) -> Copied {
    let bytes = crate::entry::bytes::restore(text);
    let file = state_dir.and_then(|dir| write_file(dir, &bytes));
    let beside = file
        .map(|path| format!(" · also in {}", path.display()))
        .unwrap_or_default();
    if std::env::var_os("TMUX").is_some() && through_tmux(&bytes) {
        return Copied {
            sequence: None,
            how: format!("copied {} bytes through tmux{beside}", bytes.len()),
        };
    }
    let encoded = STANDARD.encode(&bytes);
    if encoded.len() > MAX_ENCODED {
        return Copied {
            sequence: None,
            how: format!(
                "{} bytes are too many for the terminal{beside}",
                bytes.len()
            ),
        };
    }
    let within_screen = std::env::var_os("STY").is_some();
    let sequence = sequence(&encoded, within_screen).into_bytes();
    Copied {
        sequence: Some(sequence),
        how: format!("copied {} bytes through the terminal{beside}", bytes.len()),
    }
}

/// OSC 52. GNU screen hands on what is wrapped for it, in pieces that are short enough for it.
fn sequence(encoded: &str, within_screen: bool) -> String {
    let plain = format!("\x1b]52;c;{encoded}\x07");
    if !within_screen {
        return plain;
    }
    let mut wrapped = String::with_capacity(plain.len() * 2);
    // Base64 and the sequence are ASCII: any byte is a boundary.
    for piece in plain.as_bytes().chunks(SCREEN_PIECE) {
        wrapped.push_str("\x1bP");
        wrapped.push_str(&String::from_utf8_lossy(piece));
        wrapped.push_str("\x1b\\");
    }
    wrapped
}

fn through_tmux(bytes: &[u8]) -> bool {
    let child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let written = child
        .stdin
        .take()
        .is_some_and(|mut stdin| stdin.write_all(bytes).is_ok());
    child.wait().is_ok_and(|status| status.success()) && written
}

fn write_file(dir: &PathBuf, bytes: &[u8]) -> Option<PathBuf> {
    std::fs::create_dir_all(dir).ok()?;
    let path = dir.join("copied");
    // What is copied may be secret: nobody else reads it.
    let options = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .clone();
    options
        .open(&path)
        .and_then(|mut file| file.write_all(bytes))
        .ok()?;
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screen_gets_pieces_that_make_the_whole() {
        let encoded = "A".repeat(2_000);
        let wrapped = sequence(&encoded, true);
        let pieces: Vec<&str> = wrapped
            .split("\x1b\\")
            .filter(|piece| !piece.is_empty())
            .collect();
        assert!(
            pieces
                .iter()
                .all(|piece| piece.starts_with("\x1bP") && piece.len() <= 702)
        );
        let whole: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(whole, sequence(&encoded, false));
    }
}
