//! The newest entries that match, for who wants to know what there is rather than read it.

use super::build::{Keep, Row, build};
use super::scan::{Scan, Step};
use super::{Error, Store};
use crate::base::Time;
use crate::entry::{Entry, Key};
use crate::query::{Direction, Matcher, Query};

/// Entries built at once.
const BATCH: usize = 4_096;

impl Store {
    /// Shows the newest entries that match, up to so many; whether there were more. Blocks the thread until done or `stop`
    /// says so.
    ///
    /// # Errors
    /// The disk refuses. Damaged row groups are passed over and logged.
    pub fn sample(
        &self,
        query: &Query,
        now: Time,
        most: u64,
        stop: &dyn Fn() -> bool,
        see: &mut dyn FnMut(&Entry),
    ) -> Result<bool, Error> {
        let matcher = Matcher::compile(query, now);
        let tables = self.shared.tables();
        let threads = self.shared.options.threads;
        let mut scan = Scan::new(&tables, &matcher, Key::MAX, Direction::Older, threads);
        let mut rows: Vec<Row> = Vec::with_capacity(BATCH);
        let (mut taken, mut damage) = (0, Vec::new());
        let is_partial = loop {
            let ended = match scan.step()? {
                Step::Row(_) if taken >= most => Some(true),
                Step::Row(row) => {
                    rows.push(row);
                    taken += 1;
                    None
                }
                Step::End => Some(false),
                Step::Looked => stop().then_some(true),
            };
            if ended.is_some() || rows.len() >= BATCH {
                for entry in build(std::mem::take(&mut rows), threads, Keep::No, &mut damage)? {
                    see(&entry);
                }
                if stop() {
                    break true;
                }
            }
            if let Some(is_partial) = ended {
                break is_partial;
            }
        };
        damage.append(&mut scan.damage);
        for damage in &damage {
            tracing::warn!("{damage}");
        }
        Ok(is_partial)
    }
}
