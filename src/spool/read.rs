//! Reading a spool from a position on.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::Spool;
use super::frame::{HEAD, payloads};
use super::segment::{MAGIC, read_head};

/// Bytes of payloads read together, as long as there is more than one.
const STRETCH_BYTES: usize = 256 << 10;

/// Payloads one after the other.
#[derive(Debug, Default)]
pub struct Stretch {
    /// The position of each, and what it is.
    pub payloads: Vec<(u64, Vec<u8>)>,
    /// Positions that are gone: first and last.
    pub missing: Option<(u64, u64)>,
    /// Everything up to here was given.
    pub at: u64,
}

/// Reads one after the other; holds a position.
#[derive(Debug)]
pub struct Reader {
    spool: Spool,
    at: u64,
    place: Option<Place>,
}

/// Where in which file the next frame is looked for.
#[derive(Debug)]
struct Place {
    file: Arc<File>,
    first: u64,
    offset: u64,
}

impl Reader {
    pub(super) fn new(spool: Spool, at: u64) -> Self {
        // A position of another life of the spool would wait for ever.
        let at = at.min(*spool.head().borrow());
        Self {
            spool,
            at,
            place: None,
        }
    }

    /// The position up to which everything was given.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Waits until there is more, then gives some of it.
    pub async fn next(&mut self) -> Stretch {
        loop {
            let at = self.at;
            let mut head = self.spool.head();
            if head.wait_for(|head| *head > at).await.is_err() {
                // The spool lives as long as we hold it.
                std::future::pending::<()>().await;
            }
            let stretch = self.read();
            if !stretch.payloads.is_empty() || stretch.missing.is_some() {
                return stretch;
            }
        }
    }

    /// What is there now; empty when everything was given.
    pub fn read(&mut self) -> Stretch {
        let mut stretch = Stretch {
            at: self.at,
            ..Stretch::default()
        };
        let head = *self.spool.head().borrow();
        let mut bytes = 0;
        while self.at < head && bytes < STRETCH_BYTES {
            let Some(place) = self.place() else { break };
            let frame = read_head(&place.file, place.offset).filter(|frame| {
                // What another append is about to write is not there yet.
                frame.first <= head && frame.count > 0
            });
            let whole = frame.and_then(|frame| {
                let mut payload = vec![0; frame.length];
                let at = place.offset + HEAD as u64;
                place.file.read_exact_at(&mut payload, at).ok()?;
                frame.fits(&payload).then_some((frame, payload))
            });
            let Some((frame, payload)) = whole else {
                // The file ends, or is damaged here: what comes next is in the next.
                if !self.skip(head) {
                    if stretch.payloads.is_empty() {
                        let first = stretch.missing.map_or(self.at + 1, |(first, _)| first);
                        stretch.missing = Some((first, head));
                        self.at = head;
                    }
                    break;
                }
                continue;
            };
            if let Some(place) = &mut self.place {
                place.offset += (HEAD + frame.length) as u64;
            }
            if frame.first > self.at + 1 {
                if !stretch.payloads.is_empty() {
                    // What is missing is told before what comes after it.
                    self.place = None;
                    break;
                }
                let first = stretch.missing.map_or(self.at + 1, |(first, _)| first);
                stretch.missing = Some((first, frame.first - 1));
                self.at = frame.first - 1;
            }
            for (position, payload) in (frame.first..).zip(payloads(&payload)) {
                if position > self.at {
                    bytes += payload.len();
                    stretch.payloads.push((position, payload.to_vec()));
                }
            }
            self.at = self.at.max(frame.next() - 1);
        }
        stretch.at = self.at;
        stretch
    }

    /// The file that holds the next position, or the oldest after it.
    fn place(&mut self) -> Option<&Place> {
        if self.place.is_none() {
            let state = self.spool.state();
            let after = state
                .segments
                .partition_point(|segment| segment.first <= self.at + 1);
            let segment = state.segments.get(after.saturating_sub(1))?;
            self.place = Some(Place {
                file: Arc::clone(&segment.file),
                first: segment.first,
                offset: MAGIC.len() as u64,
            });
        }
        self.place.as_ref()
    }

    /// Goes to the file after the one we are in; whether there is one.
    fn skip(&mut self, head: u64) -> bool {
        let first = self.place.as_ref().map_or(0, |place| place.first);
        let state = self.spool.state();
        let next = state.segments.iter().find(|segment| segment.first > first);
        match next {
            Some(segment) if segment.first <= head => {
                self.place = Some(Place {
                    file: Arc::clone(&segment.file),
                    first: segment.first,
                    offset: MAGIC.len() as u64,
                });
                true
            }
            _ => {
                // Damage in the last file: what comes after it cannot be found.
                drop(state);
                self.place = None;
                false
            }
        }
    }
}
