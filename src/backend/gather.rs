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
            whole = whole.joined(self.page(rest).await?, request.direction);
        }
        Ok(whole)
    }
}
