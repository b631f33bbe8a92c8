//! One log as a question sees it: the blocks of all its files in one row, as far as they were whole when it was asked.

use std::sync::Arc;

use super::block::BLOCK;
use super::index::Summary;
use super::part::SharedPart;
use super::tail::Tail;
use crate::base::Time;
use crate::query::{Matcher, Progress, Verdict};

/// A log as a question sees it.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Files, the oldest first.
    parts: Vec<Piece>,
    blocks: usize,
    /// Only these of its blocks, if not all.
    chosen: Option<Vec<usize>>,
}

/// A file of a lane.
#[derive(Clone, Debug)]
struct Piece {
    part: SharedPart,
    /// How many bytes of it are shown.
    settled: u64,
    /// The number of its first block in the row.
    first: usize,
    /// It is compressed, and nobody has looked at it: it counts as one block.
    is_closed: bool,
    /// What its last blocks hold, which may still change.
    tail: Option<Arc<Tail>>,
}

impl Piece {
    fn blocks(&self) -> u64 {
        if self.is_closed {
            1
        } else {
            self.part.blocks(self.settled)
        }
    }
}

/// A block of a lane.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub part: SharedPart,
    pub settled: u64,
    pub block: u64,
    /// The file must be unpacked before it has blocks.
    pub is_closed: bool,
}

impl Lane {
    pub fn new<'p>(parts: impl Iterator<Item = &'p SharedPart>) -> Self {
        let mut lane = Self {
            parts: Vec::new(),
            blocks: 0,
            chosen: None,
        };
        for part in parts {
            lane.push(part.clone());
        }
        lane
    }

    fn push(&mut self, part: SharedPart) {
        let (settled, is_closed) = (part.settled(), part.is_closed());
        let piece = Piece {
            tail: part.tail(settled, false),
            part,
            settled,
            first: self.blocks,
            is_closed,
        };
        let blocks = usize::try_from(piece.blocks()).unwrap_or(usize::MAX);
        self.blocks = self.blocks.saturating_add(blocks);
        self.parts.push(piece);
    }

    /// The same files, as they are now.
    pub fn refreshed(&self) -> Self {
        Self::new(self.parts.iter().map(|piece| &piece.part))
    }

    /// Its files, and how much of each is shown.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = (&SharedPart, u64)> {
        self.parts.iter().map(|piece| (&piece.part, piece.settled))
    }

    pub fn blocks(&self) -> usize {
        self.chosen.as_ref().map_or(self.blocks, Vec::len)
    }

    /// Only these blocks of it, in the order of the row.
    pub fn only(&self, blocks: Vec<usize>) -> Self {
        Self {
            chosen: Some(blocks),
            ..self.clone()
        }
    }

    /// The times of its first entry and of its last one, as far as files are open.
    pub fn end_times(&self) -> impl Iterator<Item = Time> {
        let open: Vec<_> = self.parts().filter(|(_, settled)| *settled > 0).collect();
        let first = open
            .iter()
            .find_map(|(part, settled)| part.first_time(0, *settled));
        let last = open
            .iter()
            .rev()
            .find_map(|(part, settled)| part.last_time(*settled));
        [first, last].into_iter().flatten()
    }

    /// Bytes of it that are shown.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|piece| piece.settled).sum()
    }

    /// Whether its files lie on another host.
    pub fn is_far(&self) -> bool {
        self.parts.iter().any(|piece| piece.part.is_far())
    }

    /// A block of the row.
    pub fn address(&self, at: usize) -> Option<Address> {
        let (piece, block) = self.piece(at)?;
        (piece.is_closed || block * BLOCK < piece.settled).then(|| Address {
            part: piece.part.clone(),
            settled: piece.settled,
            block,
            is_closed: piece.is_closed,
        })
    }

    /// The file that a block of the row is of, and its number there.
    fn piece(&self, at: usize) -> Option<(&Piece, u64)> {
        let at = match &self.chosen {
            Some(chosen) => *chosen.get(at)?,
            None => at,
        };
        let after = self.parts.partition_point(|piece| piece.first <= at);
        let piece = self.parts.get(after.checked_sub(1)?)?;
        Some((piece, (at - piece.first) as u64))
    }

    /// What the last blocks of its files hold of namespaces, which may still change.
    pub fn tails(&self) -> impl Iterator<Item = &Arc<Tail>> {
        self.parts.iter().filter_map(|piece| piece.tail.as_ref())
    }

    /// The summaries of all blocks, as far as they are known.
    pub fn summaries(&self) -> Vec<Option<Summary>> {
        let mut all = Vec::with_capacity(self.blocks);
        for piece in &self.parts {
            let index = piece.part.index();
            let tail = |block| piece.tail.as_ref()?.get(block);
            all.extend((0..piece.blocks()).map(|block| index.get(block).or_else(|| tail(block))));
        }
        match &self.chosen {
            Some(chosen) => chosen
                .iter()
                .filter_map(|at| all.get(*at).copied())
                .collect(),
            None => all,
        }
    }

    /// What can be said of a block without looking at it.
    pub fn verdict(&self, at: usize, matcher: &Matcher) -> Option<(Summary, Verdict)> {
        let (piece, block) = self.piece(at)?;
        let index = piece.part.index();
        let Some(summary) = index.get(block) else {
            let summary = piece.tail.as_ref()?.get(block)?;
            let is_empty = summary.is_empty();
            let verdict = if is_empty {
                Verdict::None
            } else {
                Verdict::Some
            };
            return Some((summary, verdict));
        };
        if summary.is_empty() {
            return Some((summary, Verdict::None));
        }
        Some((summary, matcher.verdict(&index.asked(&summary))))
    }

    /// The first block of which a time may be at or after the one given, as far as times are in order.
    pub fn seek(&self, time: Time) -> usize {
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = low + (high - low) / 2;
            // Blocks in which no entry begins tell nothing: the next that does is asked.
            let told = (middle..high).find_map(|at| {
                let first = self.address(at)?;
                let first = first.part.first_time(first.block, first.settled)?;
                Some((at, first))
            });
            match told {
                Some((at, first)) if first < time => low = at + 1,
                _ => high = middle,
            }
        }
        low
    }
}

/// How much there is in all lanes, in bytes and in entries.
pub(super) struct Extent {
    bytes: u64,
    /// Bytes that are known, and the entries in them. Where nothing is known, a line is taken to have 200 bytes.
    known: (u64, u64),
}

impl Extent {
    pub fn of(lanes: &[Lane]) -> Self {
        let summaries = lanes.iter().map(Lane::summaries);
        let counts = summaries.flat_map(|all| all.into_iter().flatten().map(|of| of.count()));
        let known = counts.fold((0, 0), |(bytes, entries), count| {
            (bytes + BLOCK, entries + count)
        });
        Self {
            bytes: lanes.iter().map(Lane::bytes).sum(),
            known: if known.0 == 0 { (200, 1) } else { known },
        }
    }

    /// How far one came who looked at so many bytes.
    pub fn progress(&self, searched: u64) -> Progress {
        let (known, entries) = self.known;
        let entries_of = |bytes: u64| {
            let count = u128::from(bytes) * u128::from(entries) / u128::from(known);
            u64::try_from(count).unwrap_or(u64::MAX)
        };
        Progress {
            scanned: entries_of(searched.min(self.bytes)),
            total: entries_of(self.bytes),
        }
    }
}
