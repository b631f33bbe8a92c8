//! A stream as a blob: one JSON line for each of its lines.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::tail::{PIECE_BYTES, Read};
use super::{
    Batch, End, Error, From, Part, Piece, Place, Reason, StreamState, Streams, TailRequest,
};
use crate::base::Time;
use crate::blobs::{Blobs, Chunks, Download, Key, NewBlob, Notes};

/// Under which the blob of a stream says what it is.
const NOTE: &str = "stream";
/// Gaps that are remembered; of more than that nobody makes sense.
const MAX_GAPS: usize = 32;
/// Bytes of the blob sent together.
const SEND_BYTES: usize = 1 << 20;
/// How often the lines are read, if they show gaps that were not known.
const ATTEMPTS: usize = 3;
/// The type of the blob.
const CONTENT_TYPE: &str = "application/x-ndjson";

/// Whether the blob of a stream takes the place of one of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// It does.
    #[default]
    Always,
    /// Not of one that was stored while the stream was open: whoever did that kept the lines too.
    Older,
}

/// What the note of a blob says; times in nanoseconds since 1970.
#[derive(Serialize, Deserialize)]
struct Note {
    first: u64,
    last: u64,
    reason: Reason,
    opened: i64,
    closed: i64,
    /// Numbers that no line of the blob has: the first and the last of each gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<(u64, u64)>,
}

/// A stream that is a blob.
#[derive(Debug)]
pub(super) struct Archived {
    /// The number of its first line.
    pub first: u64,
    pub end: End,
    opened: Time,
    gaps: Vec<(u64, u64)>,
    found: Download,
}

impl Archived {
    /// The blob of a name, if it is that of a stream.
    pub async fn find(blobs: &Blobs, key: &Key) -> Result<Option<Self>, Error> {
        Ok(blobs.find(key).await?.and_then(Self::of))
    }

    /// A blob, if it is that of a stream.
    pub fn of(found: Download) -> Option<Self> {
        let note = found.blob.notes.0.get(NOTE);
        let note = note.and_then(|note| serde_json::from_str::<Note>(note).ok());
        note.map(|note| Self {
            first: note.first,
            end: End {
                reason: note.reason,
                last: note.last,
                at: Time(note.closed),
            },
            opened: Time(note.opened),
            gaps: note.gaps,
            found,
        })
    }

    pub fn state(&self, key: &Key) -> StreamState {
        StreamState {
            key: key.clone(),
            opened: self.opened,
            first: self.first,
            last: self.end.last,
            bytes: self.found.blob.size,
            rate: 0.0,
            subscribers: 0,
            written: self.end.at,
            ttl: std::time::Duration::ZERO,
            end: Some(self.end),
            replaces: None,
        }
    }
}

impl Streams {
    /// Makes a closed stream a blob, and forgets it; one that is a blob already stays one.
    pub(super) async fn archive(&self, key: &Key, overwrite: Overwrite) -> Result<(), Error> {
        match &self.0.place {
            Place::Disk(disk) => {
                let Some(live) = disk.find(key) else {
                    return Ok(());
                };
                let _one = live.archiving.lock().await;
                // Whoever held the place before may have done it.
                if disk.find(key).is_none_or(|now| !Arc::ptr_eq(&now, &live)) {
                    return Ok(());
                }
                self.log(&live).await?;
                self.store(key, overwrite).await?;
                tokio::task::block_in_place(|| disk.forget(&live));
                Ok(())
            }
            #[cfg(feature = "redis")]
            Place::Redis(redis) => redis.archive(self, key, overwrite).await,
        }
    }

    /// Stores the lines of a closed stream as its blob.
    pub(super) async fn store(&self, key: &Key, overwrite: Overwrite) -> Result<(), Error> {
        let state = self
            .live(key)
            .await?
            .ok_or_else(|| Error::NotOpen(key.clone()))?;
        let end = state.end.ok_or_else(|| Error::NotOpen(key.clone()))?;
        if overwrite == Overwrite::Older
            && let Some(found) = self.0.blobs.head(key).await?
            && Some(found.stamp()) != state.replaces
        {
            return Ok(());
        }
        let mut gaps = Vec::new();
        // What a blob says of itself is sent before its lines: gaps, which are rare, are known when they were read.
        for _ in 0..ATTEMPTS {
            let found = self.send(key, &state, end, &gaps).await?;
            if found == gaps {
                return Ok(());
            }
            gaps = found;
        }
        Err(Error::Place(
            "the lines of the stream change while they are read".to_owned(),
        ))
    }

    /// Sends the lines of a closed stream as its blob; it is stored if they have the gaps that it tells, which they are.
    async fn send(
        &self,
        key: &Key,
        state: &StreamState,
        end: End,
        gaps: &[(u64, u64)],
    ) -> Result<Vec<(u64, u64)>, Error> {
        let note = Note {
            first: state.first,
            last: end.last,
            reason: end.reason,
            opened: state.opened.0,
            closed: end.at.0,
            gaps: gaps.to_vec(),
        };
        let note = serde_json::to_string(&note).unwrap_or_default();
        let new = NewBlob {
            content_type: Some(CONTENT_TYPE.to_owned()),
            notes: Notes(BTreeMap::from([(NOTE.to_owned(), note)])),
            ..NewBlob::default()
        };
        let mut upload = self.0.blobs.upload(key, new).await?;
        let (mut text, mut found) = (Vec::new(), Vec::new());
        let mut tail = self.tail(key, ALL).await?;
        while let Some(piece) = tail.next().await? {
            match piece {
                Piece::Lines(parts) => {
                    for (_, line) in parts.iter().flat_map(Part::lines) {
                        text.extend_from_slice(line);
                        text.push(b'\n');
                    }
                }
                Piece::Gap(first, last) if found.len() < MAX_GAPS => found.push((first, last)),
                Piece::Gap(..) | Piece::End(_) => {}
            }
            if text.len() >= SEND_BYTES {
                upload.write(std::mem::take(&mut text).into()).await?;
            }
        }
        if found == gaps {
            upload.write(text.into()).await?;
            upload.finish().await?;
        }
        Ok(found)
    }
}

/// All lines of a closed stream.
const ALL: TailRequest = TailRequest {
    from: From::Oldest,
    follow: false,
};

/// A reader of a stream that is a blob.
pub(super) struct Blobbed {
    archived: Archived,
    chunks: Option<Chunks>,
    /// What was read and not given: whole lines, and the beginning of one.
    pending: Vec<u8>,
    /// The number of the next line.
    number: u64,
    /// Gaps that are still to come.
    gaps: std::vec::IntoIter<(u64, u64)>,
    gap: Option<(u64, u64)>,
    is_read: bool,
}

impl std::fmt::Debug for Blobbed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobbed")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Blobbed {
    pub fn new(archived: Archived) -> Self {
        let mut gaps = archived.gaps.clone().into_iter();
        Self {
            number: archived.first,
            chunks: None,
            pending: Vec::new(),
            gap: gaps.next(),
            gaps,
            is_read: false,
            archived,
        }
    }

    fn begin_again(&mut self) {
        self.gaps = self.archived.gaps.clone().into_iter();
        self.gap = self.gaps.next();
        self.number = self.archived.first;
        self.chunks = None;
        self.pending = Vec::new();
        self.is_read = false;
    }

    /// What there is after a number.
    pub async fn read(&mut self, at: u64) -> Result<Read, Error> {
        let end = self.archived.end;
        if at >= end.last {
            return Ok(Read::Pieces(vec![Piece::End(end)]));
        }
        loop {
            if let Some((first, last)) = self.gap
                && self.number == first
            {
                self.number = last + 1;
                self.gap = self.gaps.next();
                if last > at {
                    return Ok(Read::Pieces(vec![Piece::Gap(first.max(at + 1), last)]));
                }
            }
            // Numbers of an earlier stream of the name.
            if at + 1 < self.archived.first {
                return Ok(Read::Pieces(vec![Piece::Gap(
                    at + 1,
                    self.archived.first - 1,
                )]));
            }
            if let Some(batch) = self.lines() {
                if batch.last() > at {
                    let batch = Arc::new(batch);
                    let part = Part { batch, after: at };
                    return Ok(Read::Pieces(vec![Piece::Lines(vec![part])]));
                }
                continue;
            }
            if self.is_read {
                // It is shorter than its note says.
                let missing = Piece::Gap(self.number.max(at + 1), end.last);
                return Ok(Read::Pieces(vec![missing]));
            }
            let found = &self.archived.found;
            let chunks = self.chunks.get_or_insert_with(|| found.read_all());
            match chunks.try_next().await {
                Ok(Some(bytes)) => self.pending.extend_from_slice(&bytes),
                Ok(None) => self.is_read = true,
                Err(error) => {
                    self.begin_again();
                    return Err(error.into());
                }
            }
        }
    }

    /// Whole lines of what was read, up to the next gap.
    fn lines(&mut self) -> Option<Batch> {
        let most = self.gap.map_or(u64::MAX, |(first, _)| first - self.number);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', &self.pending) {
            ranges.push(from..end);
            from = end + 1;
            if from >= PIECE_BYTES || ranges.len() as u64 >= most {
                break;
            }
        }
        if ranges.is_empty() {
            return None;
        }
        let lines = ranges.iter().map(|range| &self.pending[range.clone()]);
        let batch = Batch::of(self.number, lines);
        self.pending.drain(..from);
        self.number = batch.last() + 1;
        Some(batch)
    }
}
