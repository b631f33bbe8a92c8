//! One entry by its position, as it was written; and what surrounds it.

use super::block::{BLOCK, Block};
use super::lane::Lane;
use super::place::place;
use super::{Error, LogFiles};
use crate::entry::{Entry, Position, bytes};
use crate::query::{ContextRequest, Page};

/// Bytes of an entry as it was written that are shown beside its parts.
const MOST_SHOWN: usize = 64 << 10;

impl LogFiles {
    /// The entry of this position, if there is one; with its file, its place in it, and the line as it was written.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn entry(&self, position: Position) -> Result<Option<Entry>, Error> {
        let Some((mut entry, raw, path)) = self.find(position)? else {
            return Ok(None);
        };
        let shown = bytes::decode(&raw[..raw.len().min(MOST_SHOWN)]).into_owned();
        let mut put = |name: &str, value: serde_json::Value| {
            entry.fields.entry(name.to_owned()).or_insert(value);
        };
        put("file", path.into());
        if let Some(place) = place(position) {
            put("offset", place.offset.into());
        }
        if shown != entry.text {
            put("line", shown.into());
        }
        Ok(Some(entry))
    }

    fn find(&self, position: Position) -> Result<Option<(Entry, Vec<u8>, String)>, Error> {
        let Some(at) = place(position) else {
            return Ok(None);
        };
        let lanes = self.picture().lanes;
        let mut parts = lanes.iter().flat_map(Lane::parts);
        let Some((part, settled)) = parts.find(|(part, _)| part.slot == at.slot) else {
            return Ok(None);
        };
        // It may have been compressed since it was shown.
        part.unpack(self.options(), &|| false)?;
        let settled = settled.max(part.settled());
        if at.offset >= settled {
            return Ok(None);
        }
        let mut block = Block::default();
        let number = at.offset / BLOCK;
        part.block(number, settled, &mut block)?;
        let mut found = None;
        part.each(number, &block, |it| {
            if it.key.position == position {
                found = Some((part.decode(it.key, it.raw), it.raw.to_vec()));
            }
        });
        let path = part.path().display().to_string();
        Ok(found.map(|(entry, raw)| (entry, raw, path)))
    }

    /// The neighbours of an entry among those the query asks for, and itself; `None` when there is none.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn context(
        &self,
        request: &ContextRequest,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Page>, Error> {
        let Some((entry, ..)) = self.find(request.position)? else {
            return Ok(None);
        };
        let [older, newer] = request.sides(entry.key());
        let page = self.page(&older, stop)?;
        let after = self.page(&newer, stop)?;
        Ok(Some(page.around(entry, after)))
    }
}
