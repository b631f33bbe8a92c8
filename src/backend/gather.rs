//! Partial pages put together.

use std::time::{Duration, Instant};

use super::{Backend, Error};
use crate::query::{Direction, Page, PageRequest, Start};

impl Backend {
    /// Reads on over partial pages until the page is full, the log ends, or `budget` is spent.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn gather(&self, request: &PageRequest, budget: Duration) -> Result<Page, Error> {
        let started = Instant::now();
        let mut whole = self.page(request.clone()).await?;
        while whole.partial && whole.entries.len() < request.limit && started.elapsed() < budget {
            let beyond = match request.direction {
                Direction::Older => whole.older,
                Direction::Newer => whole.newer,
            };
            let Some(cursor) = beyond else { break };
            let rest = PageRequest {
                start: Start::Beyond(cursor.key),
                limit: request.limit - whole.entries.len(),
                ..request.clone()
            };
            whole = joined(whole, self.page(rest).await?, request.direction);
        }
        Ok(whole)
    }
}

/// A page and the one read beyond it.
fn joined(near: Page, far: Page, direction: Direction) -> Page {
    let (older, newer) = match direction {
        Direction::Older => (far.older, near.newer),
        Direction::Newer => (near.older, far.newer),
    };
    let (mut first, second) = match direction {
        Direction::Older => (far.entries, near.entries),
        Direction::Newer => (near.entries, far.entries),
    };
    first.extend(second);
    let mut progress = far.progress;
    progress.scanned += near.progress.scanned;
    Page { entries: first, older, newer, head: near.head, partial: far.partial, progress }
}
