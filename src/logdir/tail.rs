//! The tail of a log: what is there, and what is written later.

use std::time::Duration;

use super::entry::LogEntry;
use super::session::Session;
use super::vfs::Vfs;
use super::{Damage, Error, check_poll_interval};
use crate::query::Direction;

/// Entries from a time on, as they are written.
pub struct Tail<'r, V: Vfs> {
    pub(super) session: Session<'r, V>,
    pub(super) edge: u64,
    pub(super) min: u64,
}

impl<V: Vfs> Tail<'_, V> {
    /// The entries of the next block that is there whole; `None` when there is none for now.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn poll(&mut self) -> Result<Option<Vec<LogEntry>>, Error> {
        loop {
            let Some(mut block) = self.session.next(&mut self.edge, Direction::Newer)? else {
                let before = self.session.size();
                self.session.grow()?;
                if self.session.size() == before {
                    return Ok(None);
                }
                continue;
            };
            block.entries.retain(|entry| entry.timestamp >= self.min);
            if !block.entries.is_empty() {
                return Ok(Some(block.entries));
            }
        }
    }

    /// What was found damaged and passed over so far.
    pub fn damage(&self) -> impl Iterator<Item = &Damage> {
        self.session.damage().iter()
    }

    /// The entries one after the other, for ever; where there is none, the thread sleeps for the interval.
    ///
    /// # Errors
    /// [`Error::Option`] of an interval of nothing or of more than 2,147,483,647 ms.
    pub fn wait(
        mut self,
        interval: Duration,
    ) -> Result<impl Iterator<Item = Result<LogEntry, Error>>, Error> {
        check_poll_interval(interval)?;
        let mut ready = Vec::new().into_iter();
        let mut failed = false;
        Ok(std::iter::from_fn(move || {
            loop {
                if let Some(entry) = ready.next() {
                    return Some(Ok(entry));
                }
                if failed {
                    return None;
                }
                match self.poll() {
                    Ok(Some(entries)) => ready = entries.into_iter(),
                    Ok(None) => std::thread::sleep(interval),
                    Err(error) => {
                        failed = true;
                        return Some(Err(error));
                    }
                }
            }
        }))
    }
}
