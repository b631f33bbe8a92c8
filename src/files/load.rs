//! Several files, newest parts first, then followed.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::reader::Reader;
use crate::base::{Gauge, Time};
use crate::entry::Entry;
use crate::entry::decode::Defaults;

/// How often files are looked at for appended lines. Polling also works on network file systems.
const POLL: Duration = Duration::from_millis(100);
/// Looks without anything new after which an entry no longer waits for continuation lines.
const QUIET_LOOKS: u32 = 3;

/// Entries read together.
pub type Batch = Vec<Entry>;

/// Reads files and gives their entries away.
#[derive(Debug)]
pub struct Loader {
    files: Vec<(Reader, Defaults, u32)>,
    gauge: Arc<Gauge>,
}

impl Loader {
    /// Opens the files; the gauge counts their bytes, and is finished by whoever has taken all.
    ///
    /// # Errors
    /// A file cannot be opened; the path says which.
    pub fn open(
        paths: &[PathBuf],
        namespace: &str,
        gauge: Arc<Gauge>,
    ) -> Result<Self, (PathBuf, std::io::Error)> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let reader = Reader::open(path).map_err(|error| (path.clone(), error))?;
            gauge.expect(reader.remaining());
            let source = Some(path.display().to_string());
            files.push((
                reader,
                Defaults {
                    namespace: namespace.to_owned(),
                    source,
                    ..Defaults::at(Time::now())
                },
                0,
            ));
        }
        Ok(Self { files, gauge })
    }

    /// Gives every entry to `take`: the end of each file first, then chunk by chunk towards the heads, file by file in
    /// turn. Returns when all are read or `take` breaks off.
    pub fn load(&mut self, mut take: impl FnMut(Batch) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut reading = true;
        while reading {
            reading = false;
            for (reader, defaults, _) in &mut self.files {
                let before = reader.remaining();
                match reader.backward(defaults) {
                    Ok(Some(entries)) => {
                        reading = true;
                        self.gauge.advance(before - reader.remaining());
                        take(entries)?;
                    }
                    Ok(None) => self.gauge.advance(before),
                    Err(error) => tracing::warn!(%error, "a file cannot be read further"),
                }
            }
        }
        for at in 0..self.files.len() {
            while self.forward(at, &mut take)? {}
            if let Some((reader, defaults, _)) = self.files.get_mut(at) {
                take(reader.finish(defaults))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Gives what is appended to `take` until it breaks off.
    pub fn follow(mut self, mut take: impl FnMut(Batch) -> ControlFlow<()>) {
        loop {
            for at in 0..self.files.len() {
                loop {
                    match self.forward(at, &mut take) {
                        ControlFlow::Continue(true) => {}
                        ControlFlow::Continue(false) => break,
                        ControlFlow::Break(()) => return,
                    }
                }
            }
            // An empty batch asks whether anyone still listens.
            if take(Vec::new()).is_break() {
                return;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Reads on in one file; whether there was anything.
    fn forward(
        &mut self,
        at: usize,
        take: &mut impl FnMut(Batch) -> ControlFlow<()>,
    ) -> ControlFlow<(), bool> {
        let Some((reader, defaults, quiet)) = self.files.get_mut(at) else {
            return ControlFlow::Continue(false);
        };
        defaults.arrival = Time::now();
        let mut entries = match reader.forward(defaults) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "a file cannot be read");
                return ControlFlow::Continue(false);
            }
        };
        let more = !entries.is_empty();
        *quiet = if more { 0 } else { quiet.saturating_add(1) };
        if *quiet >= QUIET_LOOKS {
            entries.extend(reader.settle());
        }
        if !entries.is_empty() {
            take(entries)?;
        }
        ControlFlow::Continue(more)
    }
}
