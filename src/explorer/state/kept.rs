//! Live streams and blobs of what is explored, as they were last listed.

use super::Answered;
use crate::api::{BlobAnswer, BlobsAnswer, StreamAnswer, StreamsAnswer};
use crate::explorer::overlays::Listing;

/// Whose lines the log pane shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::explorer) enum Shown {
    /// Those of the log that is explored.
    #[default]
    Log,
    /// Those of a stream or a blob.
    Kept(String),
}

/// Streams and blobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::explorer) struct Kept {
    pub streams: Answered<StreamsAnswer>,
    /// What lies directly below the prefix.
    pub blobs: Answered<BlobsAnswer>,
    /// Where one is among the blobs; empty at the top.
    pub prefix: String,
    /// What was left by going up: the cursor returns to it.
    pub left: Option<String>,
}

/// Something at a level of the blobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::explorer) enum Item<'k> {
    Folder(&'k str),
    Blob(&'k BlobAnswer),
}

impl<'k> Item<'k> {
    pub fn key(self) -> &'k str {
        match self {
            Self::Folder(key) => key,
            Self::Blob(blob) => &blob.key,
        }
    }
}

impl Kept {
    /// Streams that the listing is narrowed to.
    pub fn streams(&self, listing: &Listing) -> Vec<&StreamAnswer> {
        let told = self.streams.now.iter().flat_map(|told| &told.streams);
        told.filter(|stream| listing.holds(&stream.key)).collect()
    }

    /// Folders and blobs that the listing is narrowed to, in the order of their names.
    pub fn items(&self, listing: &Listing) -> Vec<Item<'_>> {
        let Some(told) = &self.blobs.now else {
            return Vec::new();
        };
        let folders = told.folders.iter().map(|key| Item::Folder(key));
        let blobs = told.blobs.iter().map(Item::Blob);
        let mut items: Vec<Item<'_>> = folders
            .chain(blobs)
            .filter(|item| listing.holds(self.within(item.key())))
            .collect();
        // Both lists are sorted, and a folder stands before a blob of its name.
        items.sort_by_key(|item| item.key());
        items
    }

    /// What a name adds to where one is.
    pub fn within<'n>(&self, key: &'n str) -> &'n str {
        let rest = key.strip_prefix(&self.prefix).unwrap_or(key);
        rest.trim_start_matches('/')
    }

    /// Where the next page of blobs begins, if there is one.
    pub fn more(&self) -> Option<&str> {
        self.blobs.now.as_ref()?.next.as_deref()
    }

    /// Takes in a page of blobs: the first of a level, or what follows.
    pub fn took(
        &mut self,
        prefix: &str,
        after: Option<&str>,
        answer: Result<Option<BlobsAnswer>, String>,
    ) {
        // An answer to what is no longer asked.
        if prefix != self.prefix {
            return;
        }
        let before = self.blobs.told(answer);
        if let (Some(before), Some(now), true) = (before, &mut self.blobs.now, after.is_some()) {
            now.blobs.splice(..0, before.blobs);
            now.folders.splice(..0, before.folders);
        }
    }

    /// Goes to another level.
    pub fn go(&mut self, prefix: String) {
        self.prefix = prefix;
        self.blobs = Answered::default();
    }
}
