//! One entry by its position, and what surrounds it.

use super::{Error, Store};
use crate::entry::{Entry, Position};
use crate::query::{ContextRequest, Direction, Page, PageRequest, Start, Ties};

impl Store {
    /// The entry of this position, if it is kept.
    ///
    /// # Errors
    /// The disk refuses, or the entry's block is damaged.
    pub fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let tables = self.shared.tables();
        for table in tables.frozen.iter().chain([&tables.active]) {
            if let Some(entry) = table.get(position) {
                return Ok(Some((*entry).clone()));
            }
        }
        let holds = |range: (Position, Position)| range.0 <= position && position <= range.1;
        for run in tables
            .runs
            .iter()
            .filter(|run| holds((run.first, run.last)))
        {
            for block in run.blocks.iter().filter(|block| holds(block.positions)) {
                if let Some(entry) = run
                    .read(block)?
                    .into_iter()
                    .find(|entry| entry.position == position)
                {
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }

    /// The neighbours of an entry among those the query asks for, and itself; `None` when it is not kept.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn context(&self, request: &ContextRequest) -> Result<Option<Page>, Error> {
        let Some(entry) = self.entry(request.position)? else {
            return Ok(None);
        };
        let side = |direction, limit| PageRequest {
            query: request.query.clone(),
            now: request.now,
            start: Start::Beyond(entry.key()),
            direction,
            limit,
            ties: Ties::Split,
        };
        let mut page = self.page(&side(Direction::Older, request.before))?;
        let after = self.page(&side(Direction::Newer, request.after))?;
        page.entries.push(entry);
        page.entries.extend(after.entries);
        page.newer = after.newer;
        page.partial |= after.partial;
        page.progress.scanned += after.progress.scanned;
        Ok(Some(page))
    }
}
