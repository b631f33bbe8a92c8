//! Pages.

use super::build::{Keep, Row, build};
use super::scan::{Scan, Step};
use super::{Error, Store};
use crate::entry::Key;
use crate::query::{Direction, Matcher, Page, PageRequest, Progress, Start, Ties};

/// Entries of one time that [`Ties::Whole`] takes beyond the limit.
const MAX_TIES: usize = 5_000;

impl Store {
    /// Reads one page. Blocks the thread for one scan budget at most.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn page(&self, request: &PageRequest) -> Result<Page, Error> {
        let head = *self.shared.head.borrow();
        let matcher = Matcher::compile(&request.query, request.now);
        let tables = self.shared.tables();
        let direction = request.direction;
        let start = match (request.start, direction) {
            (Start::Beyond(key), _) => key,
            (Start::End, Direction::Older) => Key::MAX,
            (Start::End, Direction::Newer) => Key::MIN,
        };
        let options = &self.shared.options;
        let scan = Scan::new(&tables, &matcher, start, direction, options.threads);
        let mut scan = scan.within(options.scan_budget);
        let mut rows: Vec<Row> = Vec::with_capacity(request.limit.min(1_024));
        let (mut ended, mut partial) = (false, false);
        while !full(&rows, &scan, request) {
            // A page that stops early must have come further than its start, or its reader would never arrive.
            if scan.is_spent() && resume(&scan, direction).is_some_and(|key| key != start) {
                partial = true;
                break;
            }
            match scan.step()? {
                Step::Row(row) => rows.push(row),
                Step::Looked => {}
                Step::End => {
                    ended = true;
                    break;
                }
            }
        }
        let beyond = if ended {
            None
        } else {
            resume(&scan, direction)
        };
        let progress = Progress {
            scanned: scan.scanned,
            total: self.count(),
        };
        let mut damage = scan.damage;
        let entries = build(rows, options.threads, Keep::ForNextTime, &mut damage)?;
        for damage in &damage {
            tracing::warn!("{damage}");
        }
        let page = Page {
            entries,
            head,
            partial,
            progress,
            ..Page::default()
        };
        Ok(page.placed(request, beyond))
    }
}

/// Whether the page has what was asked for; ties at its edge are taken along if wished.
fn full(rows: &[Row], scan: &Scan<'_>, request: &PageRequest) -> bool {
    if rows.len() < request.limit {
        return false;
    }
    let tied = rows
        .last()
        .zip(scan.next_key())
        .is_some_and(|(last, next)| last.key().time == next.time);
    request.ties == Ties::Split || !tied || rows.len() >= request.limit + MAX_TIES
}

/// The key beyond which everything that may still match lies.
fn resume(scan: &Scan<'_>, direction: Direction) -> Option<Key> {
    scan.next_key().map(|key| match direction {
        Direction::Older => key.after(),
        Direction::Newer => key.before(),
    })
}
