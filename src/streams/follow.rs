//! Reading along with a stream that is not a blob yet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::batch::json;
use super::disk::{Head, Live};
use super::tail::{PIECE_BYTES, Read};
use super::{Batch, End, Error, Part, Piece};
use crate::spool::Reader;

/// A reader of a stream at its place.
#[derive(Debug)]
pub(super) enum Follow {
    Disk(Box<OfDisk>),
    #[cfg(feature = "redis")]
    Redis(Box<super::redis::Follower>),
}

/// A reader of a stream on disk: from memory what is there, else from its log.
#[derive(Debug)]
pub(super) struct OfDisk {
    live: Arc<Live>,
    head: watch::Receiver<Head>,
    /// Where it is in the log, while it reads there.
    reader: Option<Reader>,
}

impl Follow {
    pub fn of_disk(live: Arc<Live>) -> Self {
        live.subscribers.fetch_add(1, Ordering::Relaxed);
        let head = live.head();
        Self::Disk(Box::new(OfDisk {
            live,
            head,
            reader: None,
        }))
    }

    /// The numbers of the oldest and of the newest line.
    pub fn range(&self) -> (u64, u64) {
        match self {
            Self::Disk(disk) => {
                let state = disk.live.state();
                (state.first, state.last)
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.range(),
        }
    }

    pub fn readers(&self) -> u64 {
        match self {
            Self::Disk(disk) => disk.live.subscribers.load(Ordering::Relaxed),
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.readers(),
        }
    }

    pub fn end(&self) -> Option<End> {
        match self {
            Self::Disk(disk) => disk.head.borrow().end,
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.end(),
        }
    }

    /// What there is after a number.
    pub async fn read(&mut self, at: u64) -> Result<Read, Error> {
        match self {
            Self::Disk(disk) => disk.read(at).await,
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.read(at).await,
        }
    }

    /// Waits until there may be more after a number.
    pub async fn changed(&mut self, at: u64) -> Result<(), Error> {
        match self {
            Self::Disk(disk) => {
                let is_news = |head: &Head| head.last > at || head.end.is_some();
                // It lives as long as we hold it.
                let _ = disk.head.wait_for(is_news).await;
                Ok(())
            }
            #[cfg(feature = "redis")]
            Self::Redis(redis) => redis.changed(at).await,
        }
    }
}

impl OfDisk {
    async fn read(&mut self, at: u64) -> Result<Read, Error> {
        let head = *self.head.borrow();
        if at >= head.last {
            return Ok(match head.end {
                Some(end) => Read::Pieces(vec![Piece::End(end)]),
                None => Read::Waiting,
            });
        }
        let recent = self.live.recent(at, PIECE_BYTES);
        if !recent.is_empty() {
            self.reader = None;
            return Ok(Read::Pieces(vec![Piece::Lines(recent)]));
        }
        let reader = match self.reader.take().filter(|reader| reader.at() == at) {
            Some(reader) => reader,
            None => self.live.reader(at)?,
        };
        let (stretch, reader) = read_some(reader).await?;
        self.reader = Some(reader);
        let mut pieces = Vec::new();
        if let Some((first, last)) = stretch.missing {
            pieces.push(Piece::Gap(first, last));
        }
        if let Some((first, _)) = stretch.payloads.first() {
            let first = *first;
            let lines = stretch.payloads.iter().map(|(_, payload)| json(payload));
            let batch = Arc::new(Batch::of(first, lines));
            pieces.push(Piece::Lines(vec![Part { batch, after: at }]));
        }
        Ok(Read::Pieces(pieces))
    }
}

impl Drop for OfDisk {
    fn drop(&mut self) {
        self.live.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn read_some(mut reader: Reader) -> Result<(crate::spool::Stretch, Reader), Error> {
    let read = tokio::task::spawn_blocking(move || (reader.read(), reader));
    read.await
        .map_err(|_| Error::Place("the reading was ended".to_owned()))
}
