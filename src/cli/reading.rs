//! Reading a log for the command line: the newest entries, and what arrives.

use std::time::Duration;

use super::Error;
use super::output::Printer;
use crate::backend::{Backend, FeedEvent};
use crate::base::shutdown::Wishes;
use crate::base::{Backoff, Time};
use crate::entry::{Entry, Position};
use crate::query::{Direction, FollowRequest, Page, PageRequest, Query, Start, Ties};

/// How often a page is asked for once more, and the first and longest wait before it.
const TRIES: usize = 3;
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// Entries asked for at once.
const PAGE: usize = 1_000;

/// The newest matching entries, oldest first, and the position after which to follow.
pub(super) async fn newest(
    backend: &Backend,
    query: &Query,
    limit: usize,
) -> Result<(Vec<Entry>, Position), Error> {
    let now = Time::now();
    let mut start = Start::End;
    let mut pages: Vec<Vec<Entry>> = Vec::new();
    let (mut count, mut head) = (0, None);
    while count < limit {
        let request = PageRequest {
            query: query.clone(),
            now,
            start,
            direction: Direction::Older,
            limit: PAGE.min(limit - count),
            ties: Ties::Split,
        };
        let Page {
            entries,
            older,
            head: at,
            ..
        } = page(backend, request).await?;
        count += entries.len();
        head.get_or_insert(at);
        pages.push(entries);
        match older {
            Some(cursor) => start = Start::Beyond(cursor.key),
            None => break,
        }
    }
    pages.reverse();
    Ok((pages.concat(), head.unwrap_or_default()))
}

/// Asks for a page, a few times if what fails may pass: a bad network is no answer.
async fn page(backend: &Backend, request: PageRequest) -> Result<Page, Error> {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    for _ in 0..TRIES {
        match backend.page(request.clone()).await {
            Err(error) if error.is_passing() => tokio::time::sleep(backoff.delay()).await,
            answer => return Ok(answer?),
        }
    }
    Ok(backend.page(request).await?)
}

/// Prints what arrives until a signal, a closed pipe or the end of the log.
pub(super) async fn follow(
    backend: &Backend,
    query: Query,
    after: Position,
    printer: &mut Printer,
) -> Result<(), Error> {
    let mut feed = backend.follow(&FollowRequest {
        query,
        now: Time::now(),
        after,
    });
    let mut wishes = Wishes::listen().map_err(Error::io("wait for signals"))?;
    loop {
        let event = tokio::select! {
            _ = wishes.ended() => return Ok(()),
            event = feed.next() => event,
        };
        match event {
            FeedEvent::Entries(entries, _) => {
                for entry in &entries {
                    printer.print(entry).map_err(Error::io("write"))?;
                }
                printer.flush().map_err(Error::io("write"))?;
            }
            FeedEvent::Connected => {}
            FeedEvent::Lost(error, wait) => {
                tracing::warn!(
                    "{}; trying again in {:.1} s",
                    error.explained(),
                    wait.as_secs_f32()
                );
            }
            FeedEvent::Ended => return Ok(()),
        }
    }
}
