//! One entry by its position, and what surrounds it.

use super::{Error, Store};
use crate::entry::{Entry, Position};
use crate::query::{ContextRequest, Page};

impl Store {
    /// The entry of this position, if it is kept.
    ///
    /// # Errors
    /// The disk refuses, or the entry's row group is damaged.
    pub fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let tables = self.shared.tables();
        for table in tables.memtables() {
            if let Some(entry) = table.get(position) {
                return Ok(Some((*entry).clone()));
            }
        }
        let holds = |range: (Position, Position)| range.0 <= position && position <= range.1;
        for segment in tables
            .segments
            .iter()
            .filter(|segment| holds(segment.positions))
        {
            for (at, _) in segment
                .groups
                .iter()
                .enumerate()
                .filter(|(_, group)| holds(group.positions))
            {
                let positions = segment.row_positions(at)?;
                let row = positions.iter().position(|other| *other == position.0);
                if let Some(row) = row.and_then(|row| u32::try_from(row).ok()) {
                    return Ok(segment.entries(at, &[row])?.pop());
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
        let [older, newer] = request.sides(entry.key());
        let page = self.page(&older)?;
        let after = self.page(&newer)?;
        Ok(Some(page.around(entry, after)))
    }
}
