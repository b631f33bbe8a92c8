//! A reader of a stream in Redis: from memory what is there, else from Redis, else from its blob.

use std::sync::Arc;

use tokio::sync::watch;

use super::Shared;
use super::hub::{Head, Hub, Item, Raw};
use crate::blobs::Key;
use crate::streams::tail::{PIECE_BYTES, Read};
use crate::streams::{End, Error, Part, Piece, StreamState};

/// Pushes read together.
const PUSHES: usize = 64;

/// A reader of a stream in Redis.
#[derive(Debug)]
pub(in crate::streams) struct Follower {
    shared: Arc<Shared>,
    hub: Arc<Hub>,
    head: watch::Receiver<Head>,
    key: Key,
    range: (u64, u64),
}

impl Follower {
    pub fn new(shared: Arc<Shared>, hub: Arc<Hub>, key: Key, state: &StreamState) -> Self {
        Self {
            head: hub.head(),
            range: (state.first, state.last),
            shared,
            hub,
            key,
        }
    }

    pub fn range(&self) -> (u64, u64) {
        self.range
    }

    pub fn readers(&self) -> u64 {
        Arc::strong_count(&self.hub) as u64
    }

    pub fn end(&self) -> Option<End> {
        self.head.borrow().end
    }

    pub async fn changed(&mut self, at: u64) -> Result<(), Error> {
        let is_news = |head: &Head| head.last > at || head.end.is_some() || head.is_gone;
        // It lives as long as we hold it.
        let _ = self.head.wait_for(is_news).await;
        Ok(())
    }

    pub async fn read(&mut self, at: u64) -> Result<Read, Error> {
        let head = *self.head.borrow();
        // A hub that began before us may not have seen what we were told of.
        let last = head.last.max(self.range.1);
        if at >= last {
            return Ok(match head.end {
                Some(end) => Read::Pieces(vec![Piece::End(end)]),
                None if head.is_gone => Read::Gone,
                None => Read::Waiting,
            });
        }
        let recent = self.hub.recent(at, PIECE_BYTES);
        if !recent.is_empty() {
            return Ok(Read::Pieces(vec![Piece::Lines(recent)]));
        }
        let lines = self.shared.name("lines", &self.key);
        let found: Vec<Raw> = redis::cmd("XRANGE")
            .arg(lines)
            .arg(format!("({at}-0"))
            .arg("+")
            .arg("COUNT")
            .arg(PUSHES)
            .query_async(&mut self.shared.connection.clone())
            .await?;
        let mut pieces = Vec::new();
        let mut at = at;
        for item in found.iter().filter_map(Item::parse) {
            let Item::Lines(batch) = item else { break };
            if batch.first > at + 1 {
                pieces.push(Piece::Gap(at + 1, batch.first - 1));
            }
            let after = at;
            at = batch.last();
            let batch = Arc::new(batch);
            pieces.push(Piece::Lines(vec![Part { batch, after }]));
        }
        // Lines that there were and are no more: its blob has them, if there is one.
        Ok(if pieces.is_empty() {
            Read::Gone
        } else {
            Read::Pieces(pieces)
        })
    }
}

impl Shared {
    /// The number of the oldest line that there is.
    pub async fn oldest(&self, key: &Key) -> Result<Option<u64>, Error> {
        let found: Vec<Raw> = redis::cmd("XRANGE")
            .arg(self.name("lines", key))
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(1)
            .query_async(&mut self.connection.clone())
            .await?;
        Ok(found.first().and_then(Item::parse).map(|item| match item {
            Item::Lines(batch) => batch.first,
            Item::End(end) => end.last + 1,
        }))
    }
}
