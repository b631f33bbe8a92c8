//! The work behind effects: each asks a backend and sends what it learns.

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, Error, FeedEvent};
use crate::base::Time;
use crate::entry::{Entry, Key, Position};
use crate::explorer::message::{Live, Message};
use crate::explorer::request::{At, Number};
use crate::query::{Cursor, Direction, FollowRequest, Page, PageRequest, Query, Start, Ties};

/// A question and how much of its answer is wanted.
pub(super) struct Asked {
    pub query: Query,
    pub now: Time,
    pub limit: usize,
}

impl Asked {
    fn page(&self, start: Start, direction: Direction, limit: usize) -> PageRequest {
        PageRequest {
            query: self.query.clone(),
            now: self.now,
            start,
            direction,
            limit,
            ties: Ties::Split,
        }
    }
}

/// Loads a page; at its first answer others may begin.
pub(super) async fn load(
    backend: &Backend,
    messages: &UnboundedSender<Message>,
    number: Number,
    asked: &Asked,
    at: At,
    answered: &CancellationToken,
) {
    let tell = |page: Page, done| {
        let _ = messages.send(Message::Loaded { number, page, done });
        answered.cancel();
    };
    let outcome = match at {
        At::Newest => {
            read(backend, asked, Start::End, Direction::Older, |page| {
                tell(page, false);
            })
            .await
        }
        At::Oldest => {
            read(backend, asked, Start::End, Direction::Newer, |page| {
                tell(page, false);
            })
            .await
        }
        At::Around(key) => around(backend, asked, key, |page| tell(page, false)).await,
    };
    match outcome {
        Ok(page) => tell(page, true),
        Err(error) => drop(messages.send(Message::Failed {
            number,
            reason: error.explained(),
        })),
    }
}

/// What lies on both sides of a row, and the row.
async fn around(
    backend: &Backend,
    asked: &Asked,
    key: Key,
    partial: impl Fn(Page),
) -> Result<Page, Error> {
    let half = Asked {
        query: asked.query.clone(),
        now: asked.now,
        limit: asked.limit / 2 + 1,
    };
    // The row itself belongs to the older side.
    let including = Key {
        time: key.time,
        position: Position(key.position.0.saturating_add(1)),
    };
    let mut older = read(
        backend,
        &half,
        Start::Beyond(including),
        Direction::Older,
        partial,
    )
    .await?;
    let newer = read(backend, &half, Start::Beyond(key), Direction::Newer, |_| {}).await?;
    older.entries.extend(newer.entries);
    older.newer = newer.newer;
    Ok(older)
}

/// Reads on over partial pages until the limit or the end; what there is so far is told after each.
async fn read(
    backend: &Backend,
    asked: &Asked,
    start: Start,
    direction: Direction,
    partial: impl Fn(Page),
) -> Result<Page, Error> {
    let mut whole: Option<Page> = None;
    let mut start = start;
    loop {
        let have = whole.as_ref().map_or(0, |page| page.entries.len());
        let page = backend
            .page(asked.page(start, direction, asked.limit - have))
            .await?;
        let page = match whole.take() {
            None => page,
            Some(near) => near.joined(page, direction),
        };
        let beyond = if direction == Direction::Older {
            page.older
        } else {
            page.newer
        };
        match beyond {
            Some(cursor) if page.partial && page.entries.len() < asked.limit => {
                start = Start::Beyond(cursor.key);
            }
            _ => return Ok(page),
        }
        partial(page.clone());
        whole = Some(page);
    }
}

/// A page beyond an edge.
pub(super) async fn extend(
    backend: &Backend,
    messages: &UnboundedSender<Message>,
    number: Number,
    asked: &Asked,
    cursor: Cursor,
) {
    let message = beyond(backend, messages, number, asked, cursor).await;
    let _ = messages
        .send(message.map_or_else(|failed| failed, |page| Message::Extended { number, page }));
}

/// Where the next match is.
pub(super) async fn find(
    backend: &Backend,
    messages: &UnboundedSender<Message>,
    number: Number,
    asked: &Asked,
    cursor: Cursor,
) {
    let found = |page: Page| Message::Found {
        number,
        direction: cursor.direction,
        place: page.entries.first().map(Entry::key),
    };
    let message = beyond(backend, messages, number, asked, cursor).await;
    let _ = messages.send(message.map_or_else(|failed| failed, found));
}

/// Reads on from a cursor and tells of the progress; a failure is the message that says so.
async fn beyond(
    backend: &Backend,
    messages: &UnboundedSender<Message>,
    number: Number,
    asked: &Asked,
    cursor: Cursor,
) -> Result<Page, Message> {
    let scanning = |page: Page| {
        let _ = messages.send(Message::Scanning {
            number,
            progress: page.progress,
        });
    };
    let page = read(
        backend,
        asked,
        Start::Beyond(cursor.key),
        cursor.direction,
        scanning,
    )
    .await;
    page.map_err(|error| Message::Failed {
        number,
        reason: error.explained(),
    })
}

pub(super) async fn follow(
    backend: &Backend,
    messages: &UnboundedSender<Message>,
    number: Number,
    request: &FollowRequest,
    permits: &Semaphore,
) {
    let mut feed = backend.follow(request);
    loop {
        let live = match feed.next().await {
            FeedEvent::Entries(entries, at) => Live::Entries(entries, at),
            FeedEvent::Connected => Live::Connected,
            FeedEvent::Lost(error, wait) => Live::Lost {
                reason: error.explained(),
                wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            },
            FeedEvent::Ended => Live::Ended,
        };
        let ended = live == Live::Ended;
        // Entries that match nothing only move the position.
        if matches!(&live, Live::Entries(entries, _) if entries.is_empty()) {
            continue;
        }
        // While the screen is behind, the feed waits where it is: it holds a position and loses nothing.
        let Ok(permit) = permits.acquire().await else {
            return;
        };
        permit.forget();
        if messages.send(Message::Live(number, live)).is_err() || ended {
            return;
        }
    }
}
