//! How rows stand among their neighbours: runs of equal rows as one, gaps in time, a span of rows that is selected.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Column, State};
use crate::base::Time;
use crate::entry::Key;
use crate::explorer::row::Row;

/// A silence is drawn when it is so many times as long as what usually lies between two rows.
const UNUSUAL: u32 = 20;
/// The silences that can be drawn begin with one of these, in seconds: steps, so that a page more does not move rows.
const SILENCES: [u64; 8] = [5, 30, 120, 600, 3_600, 21_600, 86_400, 604_800];

/// What the column of times shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::explorer) enum Times {
    /// The time of day.
    #[default]
    Clock,
    /// The time since the row before.
    Deltas,
    /// The time since, or until, a row that was chosen.
    Since(Time),
}

impl State {
    /// Whether a row is not shown because the next one says the same. The selected row and marked rows always are.
    pub fn is_folded(&self, at: usize) -> bool {
        if !self.folds_runs || at == self.scroll.selected {
            return false;
        }
        let rows = self.window.rows();
        let (Some(row), Some(next)) = (rows.get(at), rows.get(at + 1)) else {
            return false;
        };
        self.is_same(row, next) && self.case.of(row.key()).is_none()
    }

    fn is_same(&self, row: &Row, next: &Row) -> bool {
        let shows_same =
            |column: &Column| column.field.value(&row.entry) == column.field.value(&next.entry);
        // Of a text of which only the head is here nothing can be said.
        !row.cut && row.likeness == next.likeness && self.columns.0.iter().all(shows_same)
    }

    /// How many rows a row that is shown stands for, itself among them.
    pub fn run(&self, at: usize) -> usize {
        1 + (0..at)
            .rev()
            .take_while(|before| self.is_folded(*before))
            .count()
    }

    /// The silence before a row and its run, if it is unusual.
    pub fn silence(&self, at: usize) -> Option<Duration> {
        let rows = self.window.rows();
        let first = (at + 1).checked_sub(self.run(at))?;
        let before = first.checked_sub(1).and_then(|before| rows.get(before))?;
        let silence = rows.get(first)?.entry.time.since(before.entry.time);
        (silence >= self.least_silence()?).then_some(silence)
    }

    /// From which length on a silence is unusual here.
    fn least_silence(&self) -> Option<Duration> {
        let rows = self.window.rows();
        let (first, last) = (rows.front()?.entry.time, rows.back()?.entry.time);
        let usual = last.since(first) / u32::try_from(rows.len()).ok()?.max(1);
        let steps = SILENCES.into_iter().map(Duration::from_secs);
        steps.into_iter().find(|step| *step >= usual * UNUSUAL)
    }

    /// The row from `at` on that is shown, some rows further; rows that are folded do not count.
    pub fn shown_from(&self, at: usize, rows: i32) -> usize {
        let last = self.window.len().saturating_sub(1);
        let mut at = at.min(last);
        for _ in 0..rows.unsigned_abs() {
            let mut next = at;
            loop {
                let beyond = next
                    .saturating_add_signed(if rows < 0 { -1 } else { 1 })
                    .min(last);
                if beyond == next {
                    break;
                }
                next = beyond;
                if !self.is_folded(next) {
                    break;
                }
            }
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    /// The rows from where a selection began to the row under the cursor.
    pub fn picked(&self) -> Option<RangeInclusive<usize>> {
        let from = self.nearest(self.picking?);
        let to = self.scroll.selected;
        Some(from.min(to)..=from.max(to))
    }

    /// The row of a key, or the one after its place.
    pub fn nearest(&self, key: Key) -> usize {
        let last = self.window.len().saturating_sub(1);
        self.window
            .search(key)
            .unwrap_or_else(|place| place.min(last))
    }

    /// The rows that are selected, oldest first.
    pub fn picked_rows(&self) -> Option<Vec<&Row>> {
        let picked = self.picked()?;
        let rows = self.window.rows();
        Some(picked.filter_map(|at| rows.get(at)).collect())
    }
}
