//! Entries as they are appended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::block::{BLOCK, Block};
use super::entries::Found;
use super::lane::Lane;
use super::part::Part;
use super::selection::Selection;
use super::{Error, LogFiles, Places};
use crate::entry::{Entry, Position};
use crate::query::FollowRequest;

/// How often files are looked at. Looking also works on network file systems.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Of thousands of files a look takes long: so many times as long passes until the next, but not more than so long.
const PAUSE: (u32, Duration) = (20, Duration::from_secs(2));
/// Entries after which a batch is given, so that a follower of rare ones still moves.
const BATCH: usize = 1_024;

/// Follows files. It holds places, not a queue.
#[derive(Debug)]
pub struct Feed {
    files: LogFiles,
    selection: Arc<Selection>,
    token: Position,
    places: Places,
    /// Whether it told that something cannot be read, and not yet that it can again.
    is_silent: bool,
}

/// What was appended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedBatch {
    /// The entries that are asked for, in the order of their times.
    pub entries: Vec<Entry>,
    /// Everything up to here was looked at.
    pub at: Position,
}

impl LogFiles {
    /// Follows what is appended after the head that a page told, or after where an earlier feed came to; after position 0,
    /// everything. After a head that is not known (any more): what comes from now on.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        let places = self.places_of(request.after);
        let selection = Selection::new(&request.query, request.now, self.options());
        Feed {
            selection: Arc::new(selection),
            token: self.begin(places.clone()),
            places,
            files: self.clone(),
            is_silent: false,
        }
    }

    /// Reads on from places, up to a batch; where it came to.
    pub(super) fn read_after(
        &self,
        places: &Places,
        selection: &Selection,
    ) -> Result<(Vec<Entry>, Places), Error> {
        let lanes = self.picture_now().lanes;
        let (mut entries, mut now) = (Vec::new(), Places::new());
        for (part, settled) in lanes.iter().flat_map(Lane::parts) {
            let from = places.get(&part.slot).copied().unwrap_or(0);
            let from = from.max(part.old().min(settled));
            let mut at = from;
            while at < settled && entries.len() < BATCH {
                at = read_block(part, (at, settled), selection, &mut entries)?;
            }
            now.insert(part.slot, at);
        }
        entries.sort_by_key(Entry::key);
        Ok((entries, now))
    }
}

/// Reads the block that a place is in from there on; where the next begins.
fn read_block(
    part: &Part,
    (from, settled): (u64, u64),
    selection: &Selection,
    into: &mut Vec<Entry>,
) -> Result<u64, Error> {
    let number = from / BLOCK;
    let mut block = Block::default();
    part.block(number, settled, &mut block)?;
    part.each(number, &block, |found| {
        let Some(found) = after(part, &found, from) else {
            return;
        };
        if selection.selects(part, &found) {
            into.push(part.decode(found.key, found.raw));
        }
    });
    Ok(((number + 1) * BLOCK)
        .min(settled)
        .max(block.end().min(settled)))
}

/// What of an entry lies behind a place: lines that came when it no longer waited for them are an entry of their own.
fn after<'b>(part: &Part, found: &Found<'b>, from: u64) -> Option<Found<'b>> {
    let begins = super::place::place(found.key.position)?.offset;
    if begins >= from {
        return Some(found.again(found.key, found.raw));
    }
    let gone = usize::try_from(from - begins).ok()?;
    let raw = found.raw.get(gone..).filter(|raw| !raw.is_empty())?;
    Some(found.again(part.key(found.key.time, from), raw))
}

impl Feed {
    /// Waits until something was appended; the batch may be empty when nothing of it is asked for, or when what could not be
    /// read can be read again. Safe to drop and call again.
    ///
    /// # Errors
    /// A file cannot be read, or where it lies nothing answers.
    pub async fn next(&mut self) -> Result<FeedBatch, Error> {
        let next = self.appended().await;
        self.is_silent = next.is_err();
        next
    }

    async fn appended(&mut self) -> Result<FeedBatch, Error> {
        loop {
            if let Some(reason) = self.files.silence() {
                return Err(Error::Silent(reason));
            }
            if self.is_silent {
                return Ok(FeedBatch {
                    entries: Vec::new(),
                    at: self.token,
                });
            }
            let (files, selection) = (self.files.clone(), Arc::clone(&self.selection));
            let places = self.places.clone();
            let read = move || files.read_after(&places, &selection);
            let from = Instant::now();
            let read = tokio::task::spawn_blocking(read).await;
            if let Ok(read) = read {
                let (entries, places) = read?;
                if places != self.places {
                    self.files.go_on(self.token, &places);
                    self.places = places;
                    return Ok(FeedBatch {
                        entries,
                        at: self.token,
                    });
                }
            }
            let pause = from.elapsed() * PAUSE.0;
            tokio::time::sleep(pause.clamp(POLL_INTERVAL, PAUSE.1)).await;
        }
    }
}
