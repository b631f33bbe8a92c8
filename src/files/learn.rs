//! The index grows: in the background, the newest blocks first, and only while nobody asks for anything.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::cache;
use super::lane::Address;
use super::{LogFiles, Shared};
use crate::base::Workers;

/// Blocks learned at once.
const AT_ONCE: usize = 16;
/// How long is waited while questions are answered.
const BEHIND: Duration = Duration::from_millis(2);
/// How long the first page has the disk to itself.
const FIRST: Duration = Duration::from_millis(100);
/// How often it is looked for more when everything is known.
const IDLE: Duration = Duration::from_millis(500);

/// Begins to learn what the files hold; ends when nobody holds them any more.
///
/// # Errors
/// There can be no thread.
pub(super) fn begin(files: &LogFiles) -> std::io::Result<()> {
    let shared = Arc::downgrade(&files.0);
    let thread = std::thread::Builder::new().name("file-index".to_owned());
    thread.spawn(move || learn(&shared)).map(|_| ())
}

fn learn(shared: &Weak<Shared>) {
    let mut is_told = false;
    // The first screen goes before.
    std::thread::sleep(FIRST);
    loop {
        let Some(files) = shared.upgrade().map(LogFiles) else {
            return;
        };
        if files.0.asking.load(Ordering::Relaxed) > 0 {
            drop(files);
            std::thread::sleep(BEHIND);
            continue;
        }
        let unknown = files.unknown(AT_ONCE);
        if unknown.is_empty() {
            files.learn_tails();
            files.keep_indexes();
            if !is_told && files.is_unpacked() {
                is_told = true;
                files.0.gauge.finish();
            }
            drop(files);
            std::thread::sleep(IDLE);
            continue;
        }
        let workers = Workers::eager(files.options().threads);
        let learned = workers.map(&unknown, |address| {
            let mut block = files.spare_block();
            let learned = address
                .part
                .learn(address.block, address.settled, &mut block);
            learned.unwrap_or_else(|error| {
                tracing::debug!(%error, "a block cannot be read");
                false
            })
        });
        files
            .0
            .gauge
            .advance(unknown.len() as u64 * super::block::BLOCK);
        if learned.contains(&false) {
            std::thread::sleep(IDLE);
        }
    }
}

impl LogFiles {
    /// Blocks that are whole and not known, the newest of each log first.
    fn unknown(&self, most: usize) -> Vec<Address> {
        let mut found = Vec::new();
        for lane in self.picture().lanes {
            for (part, settled) in lane.parts().rev() {
                if part.is_closed() {
                    continue;
                }
                let whole = part.whole_blocks(settled);
                let index = part.index();
                let mut block = whole;
                while let Some(unknown) = index.newest_unknown(block) {
                    found.push(Address {
                        part: part.clone(),
                        settled,
                        block: unknown,
                        is_closed: false,
                    });
                    if found.len() >= most {
                        return found;
                    }
                    block = unknown;
                }
            }
        }
        found
    }

    /// Looks at the blocks that may still change.
    fn learn_tails(&self) {
        for lane in self.picture().lanes {
            for (part, settled) in lane.parts() {
                part.tail(settled, true);
            }
        }
    }

    /// Writes down what was learned.
    fn keep_indexes(&self) {
        let Some(dir) = &self.options().cache else {
            return;
        };
        for lane in self.picture().lanes {
            for (part, settled) in lane.parts() {
                if let Err(error) = cache::keep(dir, part, settled) {
                    tracing::debug!(%error, "an index cannot be kept");
                }
            }
        }
    }
}
