//! Entries on standard output: safe and coloured on a terminal, exact otherwise.

use std::io::{self, IsTerminal, Write};

use super::args::Output;
use crate::entry::{Entry, Level, bytes, json, visible};
use crate::query::logfmt;

/// Writes entries in one of the forms.
pub(super) struct Printer {
    out: io::BufWriter<io::Stdout>,
    output: Output,
    terminal: bool,
    colors: bool,
}

impl Printer {
    pub fn new(output: Output) -> Self {
        let terminal = io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            out: io::BufWriter::new(io::stdout()),
            output,
            terminal,
            colors: terminal && !plain && !dumb,
        }
    }

    pub fn print(&mut self, entry: &Entry) -> io::Result<()> {
        let line = match self.output {
            Output::Text => self.text(entry),
            Output::Json => json::to_line(entry),
            Output::Logfmt => logfmt(entry),
        };
        if self.terminal {
            // The text form is made safe piece by piece, so that its own colours survive.
            let safe = if self.output == Output::Text {
                line
            } else {
                visible(&line).text.into_owned()
            };
            self.out.write_all(safe.as_bytes())?;
        } else {
            self.out.write_all(&bytes::restore(&line))?;
        }
        self.out.write_all(b"\n")
    }

    /// A line as it stands; on a terminal, made safe.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        if self.terminal {
            self.out.write_all(visible(line).text.as_bytes())?;
        } else {
            self.out.write_all(line.as_bytes())?;
        }
        self.out.write_all(b"\n")
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn text(&self, entry: &Entry) -> String {
        let (color, reset) = if self.colors {
            (level_color(entry.level), "\x1b[0m")
        } else {
            ("", "")
        };
        let mut line = format!(
            "{} {color}{:<5}{reset} {:<12} {}",
            entry.time.row_form(),
            entry.level,
            self.shown(&entry.scope.namespace),
            self.shown(&entry.text)
        );
        if let Some(error) = &entry.error {
            line.push_str(&format!(" {color}error={}{reset}", self.shown(error)));
        }
        if let Some(trace) = &entry.scope.trace {
            line.push_str(&format!(" trace={}", self.shown(trace)));
        }
        line
    }

    /// On a terminal every line of a text is made safe for itself: stack traces stay readable.
    fn shown(&self, text: &str) -> String {
        if !self.terminal {
            return text.to_owned();
        }
        let lines: Vec<_> = text
            .split('\n')
            .map(|line| visible(line).text.replace('␉', "    "))
            .collect();
        lines.join("\n    ")
    }
}

fn level_color(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "\x1b[2m",
        Level::Info => "\x1b[32m",
        Level::Warn => "\x1b[33m",
        Level::Error => "\x1b[31m",
        Level::Fatal => "\x1b[1;31m",
    }
}
