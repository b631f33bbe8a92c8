//! The program with a clean environment.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A command that runs the program, with its home below `home` and nothing of the caller's environment that matters.
pub fn tailwater(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailwater"));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("TAILWATER_")
            || name_text.starts_with("XDG_")
            || ["NO_COLOR", "COLORTERM", "TMUX"].contains(&&*name_text)
        {
            command.env_remove(&name);
        }
    }
    command
        .env("HOME", home)
        .env("TZ", "UTC")
        .env("TERM", "xterm-256color")
        .env("RUST_BACKTRACE", "0");
    command
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs the program to its end.
pub fn run(home: &Path, arguments: &[&str]) -> Run {
    run_with_input(home, arguments, b"")
}

/// Runs the program with something on its standard input.
pub fn run_with_input(home: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = tailwater(home)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("an input");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that does not read its input is not at fault.
        let _ = stdin.write_all(&input);
    });
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run {
        code: status.code(),
        out: text(stdout),
        err: text(stderr),
    }
}

/// Runs Python with the programs of others that `tests/run` installs; what it printed.
pub fn python(arguments: &[&str]) -> String {
    python_with(&[], arguments)
}

/// The same with more in its environment.
pub fn python_with(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python");
    let python = folder.join("bin/python");
    let output = Command::new(&python)
        .args(arguments)
        .envs(environment.iter().copied())
        // What they leave behind stays out of the sources.
        .current_dir(&folder)
        .output();
    let output = output
        .unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", python.display()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out
}
