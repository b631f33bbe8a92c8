//! The record of a run: its keys as a script that can be played, and between them, as comments, all that happened.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use crate::entry::visible;
use crate::explorer::message::Message;

/// Characters of what happened that are kept: a page would fill the file.
const MAX_CHARS: usize = 300;

/// A record that is being written.
#[derive(Debug)]
pub(in crate::explorer) struct Record {
    out: BufWriter<File>,
    began: Instant,
}

impl Record {
    /// Begins a record.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(path: &Path) -> std::io::Result<Self> {
        let mut out = BufWriter::new(File::create_new(path)?);
        writeln!(
            out,
            "# recorded by tailwater {}: tailwater explore --script plays it",
            env!("CARGO_PKG_VERSION")
        )?;
        Ok(Self {
            out,
            began: Instant::now(),
        })
    }

    /// Writes what happened. A full disk ends the record, not the run.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&mut self, message: &Message) -> std::io::Result<()> {
        match message {
            Message::Clock(_) => Ok(()),
            Message::Resized(width, height) => writeln!(self.out, "size {width}x{height}"),
            Message::Key(key) => {
                writeln!(self.out, "keys {key}")?;
                self.out.flush()
            }
            Message::Pasted(text) => writeln!(self.out, "type {}", visible(text).text),
            other => {
                let text: String = format!("{other:?}").chars().take(MAX_CHARS).collect();
                let millis = self.began.elapsed().as_millis();
                writeln!(self.out, "# +{millis} ms {}", visible(&text).text)
            }
        }
    }
}
