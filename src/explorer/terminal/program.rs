//! Text in the user's own pager or editor.

use std::io::Write;
use std::process::Command;

use crate::explorer::effect::Program;

impl Program {
    /// What the user named for it, or what is on every system.
    fn command(self) -> String {
        let (names, usual): (&[&str], &str) = match self {
            Self::Pager => (&["PAGER"], "less"),
            Self::Editor => (&["VISUAL", "EDITOR"], "vi"),
        };
        let named = names.iter().filter_map(|name| std::env::var(name).ok());
        let mut named = named.filter(|command| !command.trim().is_empty());
        named.next().unwrap_or_else(|| usual.to_owned())
    }
}

/// Shows text in a program and waits until it ends. The file is the user's alone, and goes with the program.
pub(in crate::explorer) fn view_in(program: Program, text: &str) -> Result<(), String> {
    let command = program.command();
    let failed = |error: std::io::Error| format!("{command} cannot be shown: {error}");
    let mut file = tempfile::Builder::new()
        .prefix("tailwater-")
        .suffix(".log")
        .tempfile()
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.flush().map_err(failed)?;
    // The variable may hold arguments: a shell takes them apart, as other programs do.
    let status = Command::new("sh")
        .args(["-c", &format!("{command} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .map_err(failed)?;
    match status.code() {
        // What the shell says of a program that it does not find, or cannot run.
        Some(126 | 127) => Err(format!("{command} is not there: set $PAGER or $EDITOR")),
        _ => Ok(()),
    }
}
