//! One entry by its position, joined with what belongs to its request; and what surrounds it.

use std::ops::ControlFlow;

use uuid::Uuid;

use super::convert::{put, to_entry};
use super::place::place;
use super::{LogDirectory, Reading};
use crate::entry::{Entry, Fields, Position};
use crate::logdir::Error;
use crate::logdir::entry::{Body, LogEntry};
use crate::query::{ContextRequest, Direction, Page};

/// A partner is looked for among so many entries on each side: a request that takes longer is shown without.
const JOINED_WITHIN: usize = 100_000;

impl LogDirectory {
    /// The entry of this position, if there is one; of a request, with its method, url, status and duration.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let mut reading = self.reading()?;
        let Some((block, number)) = place(position) else {
            return Ok(None);
        };
        let Some(found) = reading.entry_at(block, number)? else {
            return Ok(None);
        };
        let mut entry = to_entry(&found, position);
        if let Some(id) = found.request_id() {
            let exchange = Exchange::of(&mut reading, block, id)?;
            exchange.add_to(&mut entry.fields);
        }
        Ok(Some(entry))
    }

    /// The neighbours of an entry among those the query asks for, and itself; `None` when there is none.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn context(&self, request: &ContextRequest) -> Result<Option<Page>, Error> {
        let Some(entry) = self.entry(request.position)? else {
            return Ok(None);
        };
        let [older, newer] = request.sides(entry.key());
        let page = self.page(&older)?;
        let after = self.page(&newer)?;
        Ok(Some(page.around(entry, after)))
    }
}

impl Reading {
    fn entry_at(&mut self, block: u64, number: usize) -> Result<Option<LogEntry>, Error> {
        if block >= self.size {
            return Ok(None);
        }
        let mut session = self.session()?;
        // Only an edge is the place of a block.
        if session.edge_before(block)? != block {
            return Ok(None);
        }
        let mut edge = block;
        let found = session.next(&mut edge, Direction::Newer)?;
        let found = found.filter(|found| found.place.start == block);
        Ok(found.and_then(|found| found.entries.into_iter().nth(number)))
    }

    /// Shows the entries from a block on, or those before it, as far as they are looked for.
    fn scan(
        &mut self,
        from: u64,
        direction: Direction,
        mut see: impl FnMut(&LogEntry) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut session = self.session()?;
        let (mut edge, mut seen) = (from, 0);
        while seen < JOINED_WITHIN
            && let Some(mut block) = session.next(&mut edge, direction)?
        {
            if direction == Direction::Older {
                block.entries.reverse();
            }
            seen += block.entries.len();
            if block.entries.iter().try_for_each(&mut see).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// What was logged of a request and its response.
#[derive(Default)]
struct Exchange {
    request: Option<LogEntry>,
    status: Option<(u64, u32)>,
    finished: Option<u64>,
}

impl Exchange {
    /// Looks around the block of one of its entries.
    fn of(reading: &mut Reading, block: u64, id: Uuid) -> Result<Self, Error> {
        let mut exchange = Self::default();
        reading.scan(block, Direction::Newer, |entry| exchange.see(entry, id))?;
        if exchange.request.is_none() {
            reading.scan(block, Direction::Older, |entry| {
                let _ = exchange.see(entry, id);
                match exchange.request {
                    Some(_) => ControlFlow::Break(()),
                    None => ControlFlow::Continue(()),
                }
            })?;
        }
        Ok(exchange)
    }

    /// Takes what belongs to it; ends where nothing can follow.
    fn see(&mut self, entry: &LogEntry, id: Uuid) -> ControlFlow<()> {
        if entry.request_id() != Some(id) {
            return ControlFlow::Continue(());
        }
        match &entry.body {
            Body::Request(_) => self.request = Some(entry.clone()),
            Body::Response { status_code, .. } => {
                self.status = Some((entry.timestamp, *status_code));
            }
            Body::ResponseFinished { .. } => {
                self.finished = Some(entry.timestamp);
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn add_to(&self, fields: &mut Fields) {
        if let Some(request) = &self.request {
            let request = to_entry(request, Position(0));
            for name in ["method", "url", "ip"] {
                if let Some(value) = request.fields.get(name) {
                    put(fields, name, value.clone());
                }
            }
        }
        if let Some((_, status)) = self.status {
            put(fields, "status", status);
        }
        let ended = self.finished.or(self.status.map(|(time, _)| time));
        if let Some((begun, ended)) = self.request.as_ref().zip(ended) {
            let millis = ended.saturating_sub(begun.timestamp);
            put(fields, "duration", format!("{millis} ms"));
        }
    }
}
