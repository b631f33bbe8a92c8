//! The slice of the log that is in memory: sorted, without doubles, bounded.

use std::collections::VecDeque;

use crate::entry::{Entry, Key};
use crate::explorer::row::{Colours, Row};
use crate::query::{Cursor, Direction, Page};

/// Rows at the most.
pub(in crate::explorer) const MAX_ROWS: usize = 20_000;
/// Rows from which on older arrivals (a file that is being read backwards) are left to paging.
const ENOUGH_ROWS: usize = 1_000;
/// Estimated bytes at the most: with the program itself it keeps below 64 MiB.
pub(in crate::explorer) const MAX_BYTES: usize = 24 << 20;

/// What lies beyond an end of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::explorer) enum Edge {
    /// Nothing: it is the end of what the question matches.
    #[default]
    End,
    /// More, from here on.
    More(Cursor),
}

impl From<Option<Cursor>> for Edge {
    fn from(cursor: Option<Cursor>) -> Self {
        cursor.map_or(Self::End, Self::More)
    }
}

/// Rows by key, oldest first.
#[derive(Debug, Default)]
pub(in crate::explorer) struct Window {
    rows: VecDeque<Row>,
    weight: usize,
    pub older: Edge,
    pub newer: Edge,
    /// Paging was stopped or failed: it goes on only when asked again.
    pub stalled: bool,
    /// What becomes of colours in its rows.
    pub colours: Colours,
}

impl Window {
    pub fn rows(&self) -> &VecDeque<Row> {
        &self.rows
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether what arrives belongs at its end.
    pub fn is_attached(&self) -> bool {
        self.newer == Edge::End
    }

    /// The row of a key, or where it would stand.
    pub fn search(&self, key: Key) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&key, Row::key)
    }

    /// Starts anew with a page.
    pub fn replace(&mut self, page: Page) {
        self.rows.clear();
        self.weight = 0;
        self.older = page.older.into();
        self.newer = page.newer.into();
        for entry in page.entries {
            self.push_sorted(entry);
        }
        self.trim_newer();
    }

    /// Adds a page of older entries; how many rows came in front. The newest rows make room.
    pub fn extend_older(&mut self, page: Page) -> usize {
        let before = self.rows.len();
        let first = self.rows.front().map(Row::key);
        for entry in page
            .entries
            .into_iter()
            .rev()
            .filter(|entry| first.is_none_or(|first| entry.key() < first))
        {
            let row = Row::new(entry, self.colours);
            self.weight += row.weight;
            self.rows.push_front(row);
        }
        self.older = page.older.into();
        let added = self.rows.len() - before;
        self.trim_newer();
        added
    }

    /// Adds a page of newer entries; how many rows fell off in front.
    pub fn extend_newer(&mut self, page: Page) -> usize {
        for entry in page.entries {
            self.push_sorted(entry);
        }
        self.newer = page.newer.into();
        self.trim_older()
    }

    /// Adds what arrived. Says where each new row was put and how many fell off in front afterwards. Entries older than all
    /// rows are left to paging, unless the window is nearly empty.
    pub fn arrive(&mut self, entries: Vec<Entry>) -> (Vec<usize>, usize) {
        let mut places = Vec::with_capacity(entries.len());
        for entry in entries {
            let first = self
                .rows
                .front()
                .map(Row::key)
                .filter(|first| entry.key() < *first);
            if let Some(key) = first
                && (self.older != Edge::End || self.rows.len() >= ENOUGH_ROWS)
            {
                if self.older == Edge::End {
                    self.older = Edge::More(Cursor {
                        key,
                        direction: Direction::Older,
                    });
                }
                continue;
            }
            places.extend(self.push_sorted(entry));
        }
        (places, self.trim_older())
    }

    /// Puts an entry where it belongs, unless it is there; says where.
    fn push_sorted(&mut self, entry: Entry) -> Option<usize> {
        let key = entry.key();
        let place = match self.rows.back() {
            Some(last) if last.key() >= key => self.search(key).err()?,
            _ => self.rows.len(),
        };
        let row = Row::new(entry, self.colours);
        self.weight += row.weight;
        self.rows.insert(place, row);
        Some(place)
    }

    fn is_over(&self) -> bool {
        self.rows.len() > MAX_ROWS || (self.weight > MAX_BYTES && self.rows.len() > 1)
    }

    fn trim_newer(&mut self) {
        let mut trimmed = false;
        while self.is_over() {
            self.weight -= self.rows.pop_back().map_or(0, |row| row.weight);
            trimmed = true;
        }
        if trimmed && let Some(last) = self.rows.back() {
            self.newer = Edge::More(Cursor {
                key: last.key(),
                direction: Direction::Newer,
            });
        }
    }

    fn trim_older(&mut self) -> usize {
        let mut trimmed = 0;
        while self.is_over() {
            self.weight -= self.rows.pop_front().map_or(0, |row| row.weight);
            trimmed += 1;
        }
        if trimmed > 0
            && let Some(first) = self.rows.front()
        {
            self.older = Edge::More(Cursor {
                key: first.key(),
                direction: Direction::Older,
            });
        }
        trimmed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Time;
    use crate::entry::Position;

    fn entry(time: i64, position: u64) -> Entry {
        Entry {
            time: Time(time),
            position: Position(position),
            text: format!("{position}"),
            ..Entry::default()
        }
    }

    fn page(range: std::ops::Range<u64>, older: bool, newer: bool) -> Page {
        let cursor = |position: u64, direction| Cursor {
            key: entry(i64::try_from(position).unwrap_or(0), position).key(),
            direction,
        };
        Page {
            older: older.then(|| cursor(range.start, Direction::Older)),
            newer: newer.then(|| cursor(range.end, Direction::Newer)),
            entries: range
                .map(|n| entry(i64::try_from(n).unwrap_or(0), n))
                .collect(),
            ..Page::default()
        }
    }

    fn check(window: &Window) {
        let keys: Vec<_> = window.rows.iter().map(Row::key).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "sorted, without doubles");
        assert_eq!(
            window.weight,
            window.rows.iter().map(|row| row.weight).sum::<usize>()
        );
        assert!(window.len() <= MAX_ROWS);
    }

    #[test]
    fn both_ends_are_bounded_and_remember_what_fell_off() {
        let mut window = Window::default();
        window.replace(page(50_000..51_000, true, false));
        assert!(window.is_attached());
        for step in (10_000..50_000).rev().step_by(1_000) {
            window.extend_older(page(step - 999..step + 1, true, true));
        }
        check(&window);
        assert_eq!(window.len(), MAX_ROWS);
        assert!(!window.is_attached(), "the newest rows made room");
        let first = window.rows[0].key().position.0;
        let last = window.rows[window.len() - 1].key().position.0;
        assert_eq!(
            window.extend_newer(page(last + 1..last + 101, true, true)),
            100
        );
        assert_eq!(window.rows[0].key().position.0, first + 100);
        assert!(matches!(window.older, Edge::More(_)));
        check(&window);
    }

    proptest! {
        #[test]
        fn any_arrivals_keep_it_sorted(batches in prop::collection::vec(prop::collection::vec((0..50_i64, 1..60_u64), 0..20), 0..8)) {
            let mut window = Window::default();
            window.replace(page(20..30, true, false));
            for batch in batches {
                let before = window.len();
                let (places, fallen) = window.arrive(batch.into_iter().map(|(time, position)| entry(time, position)).collect());
                prop_assert_eq!(window.len() + fallen, before + places.len());
                check(&window);
            }
        }
    }
}
