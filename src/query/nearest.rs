//! A page from entries that come nearly in the order of times: those nearest to its start are kept, until nothing that was
//! not read can be nearer than the farthest of them.

use std::collections::BTreeMap;

use super::{Direction, Page, PageRequest, Start, Ties};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};

/// Entries of one time that [`Ties::Whole`] takes beyond the limit.
const MAX_TIES: usize = 5_000;

/// The entries nearest to the start of a page.
#[derive(Debug)]
pub struct Nearest<'r> {
    request: &'r PageRequest,
    /// At or after the first, before the second.
    times: (Time, Time),
    start: Key,
    kept: BTreeMap<Key, Entry>,
    /// Bytes that those kept take, estimated, and may take: a page of longer ones is shorter.
    weight: usize,
    most_weight: usize,
    /// Entries that were too far from the start.
    dropped: bool,
}

impl<'r> Nearest<'r> {
    /// The page that is asked for, of entries between two times (at or after the first, before the second), which may take so
    /// many bytes, estimated.
    #[must_use]
    pub fn new(request: &'r PageRequest, times: (Time, Time), most_weight: usize) -> Self {
        let (from, to) = times;
        let asked = match (request.start, request.direction) {
            (Start::Beyond(key), _) => key,
            (Start::End, Direction::Older) => Key::MAX,
            (Start::End, Direction::Newer) => Key::MIN,
        };
        let start = match request.direction {
            Direction::Older if to == Time::MAX => asked,
            Direction::Older => asked.min(beginning(to)),
            Direction::Newer => asked.max(beginning(from).before()),
        };
        Self {
            request,
            times,
            start,
            kept: BTreeMap::new(),
            weight: 0,
            most_weight,
            dropped: false,
        }
    }

    /// Where the page begins: entries beyond it belong to it.
    #[must_use]
    pub fn start(&self) -> Key {
        self.start
    }

    /// Whether a key lies nearer to the start than another.
    #[must_use]
    pub fn is_nearer(&self, near: Key, far: Key) -> bool {
        match self.request.direction {
            Direction::Older => near > far,
            Direction::Newer => near < far,
        }
    }

    /// Whether an entry of this key lies beyond the start.
    #[must_use]
    pub fn is_beyond_start(&self, key: Key) -> bool {
        self.is_nearer(self.start, key)
    }

    /// Entries kept at the most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match self.request.ties {
            Ties::Split => self.request.limit,
            Ties::Whole => self.request.limit + MAX_TIES,
        }
    }

    /// Entries kept by now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept.len()
    }

    /// The key that an entry must be nearer than to be kept, once there are as many as there may be.
    #[must_use]
    pub fn cutoff(&self) -> Option<Key> {
        let is_full = self.kept.len() >= self.capacity();
        is_full.then(|| self.farthest()).flatten()
    }

    fn farthest(&self) -> Option<Key> {
        let far = match self.request.direction {
            Direction::Older => self.kept.first_key_value(),
            Direction::Newer => self.kept.last_key_value(),
        };
        far.map(|(key, _)| *key)
    }

    /// Takes an entry, if it is near enough. One that comes again, because what it lies in is read again, is taken once.
    pub fn keep(&mut self, entry: Entry) {
        let key = entry.key();
        if self.kept.contains_key(&key) {
            return;
        }
        while self.kept.len() >= self.capacity()
            || (self.weight > self.most_weight && !self.kept.is_empty())
        {
            self.dropped = true;
            match self.farthest() {
                Some(farthest) if self.is_nearer(key, farthest) => {
                    let gone = self.kept.remove(&farthest);
                    self.weight -= gone.map_or(0, |gone| gone.weight());
                }
                _ => return,
            }
        }
        self.weight += entry.weight();
        self.kept.insert(key, entry);
    }

    /// Notes that an entry beyond the start was not kept because others are nearer.
    pub fn drop_one(&mut self) {
        self.dropped = true;
    }

    /// The last entry of a full page: what lies beyond its time does not belong to the page.
    fn last_wanted(&self) -> Option<Key> {
        if self.weight > self.most_weight {
            return self.farthest();
        }
        let last = self.request.limit.checked_sub(1)?;
        let key = match self.request.direction {
            Direction::Older => self.kept.keys().nth_back(last),
            Direction::Newer => self.kept.keys().nth(last),
        };
        key.copied()
    }

    /// Whether nothing that was not read can belong to the page, given the time that none of it is nearer than.
    #[must_use]
    pub fn is_done(&self, frontier: Time) -> bool {
        let (from, to) = self.times;
        let last = self.last_wanted().map(|key| key.time);
        match self.request.direction {
            Direction::Older => frontier < from || last.is_some_and(|time| frontier < time),
            Direction::Newer => {
                (frontier >= to && to != Time::MAX) || last.is_some_and(|time| frontier > time)
            }
        }
    }

    /// Where a scan that ends here is taken up, if that is beyond where it began: everything that was not read lies beyond.
    #[must_use]
    pub fn resume(&self, frontier: Time) -> Option<Key> {
        let key = match self.request.direction {
            Direction::Older => beginning(Time(frontier.0.saturating_add(1))),
            Direction::Newer => beginning(frontier).before(),
        };
        self.is_beyond_start(key).then_some(key)
    }

    /// The page in the order it was read, and the key beyond which more may lie, of a scan that stopped early to be taken up
    /// at `partial`, or that read everything there is (`is_ended`), or whatever the page needed.
    #[must_use]
    pub fn done(mut self, partial: Option<Key>, is_ended: bool) -> (Page, Option<Key>) {
        if let Some(resume) = partial {
            // What lies beyond is read again.
            let mut beyond = self.kept.split_off(&resume);
            if self.request.direction == Direction::Older {
                std::mem::swap(&mut self.kept, &mut beyond);
            }
        }
        let mut entries: Vec<Entry> = match self.request.direction {
            Direction::Older => self.kept.into_values().rev().collect(),
            Direction::Newer => self.kept.into_values().collect(),
        };
        let limit = self.request.limit;
        let mut is_cut = false;
        if entries.len() > limit {
            let edge = limit.checked_sub(1).map(|last| entries[last].time);
            let tied = entries[limit..].iter();
            let tied = tied.take_while(|entry| Some(entry.time) == edge).count();
            is_cut = limit + tied < entries.len();
            entries.truncate(limit + tied);
        }
        let is_full = entries.len() >= limit;
        let has_more = self.dropped || (is_full && !is_ended);
        let last = entries.last().map(Entry::key);
        // What was cut off is nearer than where the scan stopped.
        let beyond = if is_cut {
            last
        } else {
            partial.or(last.filter(|_| has_more))
        };
        let page = Page {
            entries,
            partial: partial.is_some() && !is_cut,
            ..Page::default()
        };
        (page, beyond)
    }
}

/// Before every entry of a time.
fn beginning(time: Time) -> Key {
    Key {
        time,
        position: Position(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    #[test]
    fn what_comes_again_takes_the_place_of_nothing() {
        for (direction, wanted) in [(Direction::Older, [5, 4, 3]), (Direction::Newer, [1, 2, 3])] {
            let request = PageRequest {
                query: Query::default(),
                now: Time(0),
                start: Start::End,
                direction,
                limit: 3,
                ties: Ties::Split,
            };
            let mut nearest = Nearest::new(&request, (Time::MIN, Time::MAX), usize::MAX);
            for n in [1, 2, 3, 4, 5, 5, 4, 1, 2, 3] {
                nearest.keep(Entry {
                    position: Position(n),
                    time: Time(i64::try_from(n).expect("a time")),
                    ..Entry::default()
                });
            }
            let (page, beyond) = nearest.done(None, true);
            let found: Vec<u64> = page.entries.iter().map(|of| of.position.0).collect();
            assert_eq!(found, wanted);
            assert_eq!(beyond.map(|key| key.position.0), Some(3), "there is more");
        }
    }
}
