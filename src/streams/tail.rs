//! Reading a stream: from where one likes, as fast as one can.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::archive::{Archived, Blobbed};
use super::follow::Follow;
use super::{End, Error, Part, Place, Streams};
use crate::blobs::Key;

/// Bytes of lines given together.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// From where a stream is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// From its oldest line on.
    #[default]
    Oldest,
    /// From the line after this one on.
    After(u64),
    /// So many of its newest lines first.
    Newest(u64),
}

/// How a stream is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TailRequest {
    /// From where.
    pub from: From,
    /// Whether lines that are to come are waited for.
    pub follow: bool,
}

/// What comes out of a stream.
#[derive(Clone, Debug)]
pub enum Piece {
    /// The next lines.
    Lines(Vec<Part>),
    /// Lines that are gone: the first and the last.
    Gap(u64, u64),
    /// There are no more, and there never will be.
    End(End),
}

/// A reader of a stream. It is not waited for.
#[derive(Debug)]
pub struct Tail {
    #[cfg(feature = "redis")]
    streams: Streams,
    #[cfg(feature = "redis")]
    key: Key,
    source: Source,
    /// Up to here everything was given.
    at: u64,
    /// Lines after this one are not waited for.
    until: Option<u64>,
    /// What is given before the source is asked again.
    next: VecDeque<Piece>,
    is_over: bool,
    _reader: Reader,
}

/// Counts as one who reads, as long as it is there.
#[derive(Debug)]
struct Reader(Arc<AtomicU64>);

impl Reader {
    fn of(streams: &Streams) -> Self {
        let readers = Arc::clone(&streams.0.readers);
        readers.fetch_add(1, Ordering::Relaxed);
        Self(readers)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
enum Source {
    Live(Follow),
    Blob(Box<Blobbed>),
}

impl Tail {
    pub(super) async fn begin(
        streams: &Streams,
        key: &Key,
        request: TailRequest,
    ) -> Result<Self, Error> {
        let follow = match &streams.0.place {
            Place::Disk(disk) => disk.find(key).map(Follow::of_disk),
            #[cfg(feature = "redis")]
            Place::Redis(redis) => super::redis::again(|| redis.follow(key)).await?,
        };
        let (first, last, source) = if let Some(follow) = follow {
            let (first, last) = follow.range();
            (first, last, Source::Live(follow))
        } else {
            let archived = Archived::find(&streams.0.blobs, key).await?;
            let archived = archived.ok_or_else(|| Error::NotOpen(key.clone()))?;
            let (first, last) = (archived.first, archived.end.last);
            (first, last, Source::Blob(Box::new(Blobbed::new(archived))))
        };
        let at = match request.from {
            From::Oldest => first.saturating_sub(1),
            // A number of the future would wait for ever.
            From::After(number) => number.min(last),
            From::Newest(count) => last.saturating_sub(count).max(first.saturating_sub(1)),
        };
        Ok(Self {
            #[cfg(feature = "redis")]
            streams: streams.clone(),
            #[cfg(feature = "redis")]
            key: key.clone(),
            source,
            at,
            until: (!request.follow).then_some(last),
            next: VecDeque::new(),
            is_over: false,
            _reader: Reader::of(streams),
        })
    }

    /// The number up to which everything was given.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Who reads along, this one too.
    #[must_use]
    pub fn readers(&self) -> u64 {
        match &self.source {
            Source::Live(follow) => follow.readers(),
            Source::Blob(_) => 1,
        }
    }

    /// What comes next; nothing after the end, or when what is to come is not waited for.
    ///
    /// # Errors
    /// The place does not answer for now: it may be asked again.
    pub async fn next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            if let Some(piece) = self.next.pop_front() {
                self.advance(&piece);
                return Ok(Some(piece));
            }
            if self.is_over
                || self
                    .until
                    .is_some_and(|until| self.at >= until && !self.has_ended())
            {
                return Ok(None);
            }
            let read = match &mut self.source {
                Source::Live(follow) => follow.read(self.at).await?,
                Source::Blob(blob) => blob.read(self.at).await?,
            };
            match read {
                Read::Pieces(pieces) => self.next.extend(pieces),
                Read::Waiting => match &mut self.source {
                    Source::Live(follow) => follow.changed(self.at).await?,
                    Source::Blob(_) => return Ok(None),
                },
                #[cfg(feature = "redis")]
                Read::Gone => {
                    let archived = Archived::find(&self.streams.0.blobs, &self.key).await?;
                    let archived = archived.ok_or_else(|| Error::NotOpen(self.key.clone()))?;
                    self.source = Source::Blob(Box::new(Blobbed::new(archived)));
                }
            }
        }
    }

    /// Whether the end would be told rather than waited for.
    fn has_ended(&self) -> bool {
        match &self.source {
            Source::Live(follow) => follow.end().is_some(),
            Source::Blob(_) => true,
        }
    }

    fn advance(&mut self, piece: &Piece) {
        match piece {
            Piece::Lines(parts) => {
                self.at = parts.last().map_or(self.at, |part| part.batch.last());
            }
            Piece::Gap(_, last) => self.at = *last,
            Piece::End(_) => self.is_over = true,
        }
    }
}

/// What a place says when it is asked for lines.
#[derive(Debug)]
pub(super) enum Read {
    Pieces(Vec<Piece>),
    /// There is nothing now, and the stream goes on.
    Waiting,
    /// The place knows it no longer: it is a blob now, or lost.
    #[cfg(feature = "redis")]
    Gone,
}
