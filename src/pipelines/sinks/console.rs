//! Standard output and error.

use std::io::{IsTerminal, Write};

use super::{Failure, Outcome};
use crate::entry::{Level, bytes, visible};
use crate::pipelines::format::Format;
use crate::pipelines::options::Target;
use crate::pipelines::record::Record;

/// Writes lines to the console. On a terminal, what could steer it is made visible.
#[derive(Debug)]
pub(in crate::pipelines) struct ConsoleSink {
    format: Format,
    target: Target,
    terminals: [bool; 2],
}

impl ConsoleSink {
    pub fn new(format: Format, target: Target) -> Self {
        let terminals = [
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        ];
        Self {
            format,
            target,
            terminals,
        }
    }

    pub async fn deliver(&mut self, records: &[Record]) -> Outcome {
        let mut texts = [Vec::new(), Vec::new()];
        for record in records {
            let to = usize::from(match self.target {
                Target::Stdout => false,
                Target::Stderr => true,
                Target::Split => record.entry.level >= Level::Warn,
            });
            if self.terminals[to] {
                let mut line = Vec::new();
                self.format.write(record, &mut line);
                for part in bytes::decode(&line).split('\n') {
                    texts[to].extend_from_slice(visible(part).text.as_bytes());
                    texts[to].push(b'\n');
                }
            } else {
                self.format.write_line(record, &mut texts[to]);
            }
        }
        let size = texts.iter().map(Vec::len).sum();
        let [out, error] = texts;
        // A pipe that nobody reads blocks whoever writes.
        let written = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(&out)?;
            stdout.flush()?;
            std::io::stderr().lock().write_all(&error)
        });
        match written.await {
            Ok(Ok(())) => Outcome::all(records.len(), size),
            Ok(Err(error)) => Outcome::nothing(Failure::passing(format!(
                "the console cannot be written to: {error}"
            ))),
            Err(error) => Outcome::nothing(Failure::passing(error.to_string())),
        }
    }
}
