//! Does what `update` asked for: the only part that waits.

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use super::effect::{At, Effect};
use super::message::{Live, Message, Number};
use crate::backend::{Backend, FeedEvent};
use crate::base::Time;
use crate::entry::{Key, Position};
use crate::query::{
    Cursor, Direction, FacetsRequest, FollowRequest, Page, PageRequest, Query, Start, Ties,
};

/// Values asked for of a field.
const FACET_LIMIT: usize = 100;
/// Live entries that wait to be shown: beyond them the feed is not read, and it loses nothing.
const LIVE_QUEUE: usize = 4;

/// Carries effects out and sends their messages.
#[derive(Debug)]
pub(super) struct Performer {
    backend: Backend,
    messages: UnboundedSender<Message>,
    /// Under way, by kind: a newer one ends the older.
    load: Running,
    extend: Running,
    find: Running,
    follow: Running,
    facets: Running,
    complete: Running,
    /// Live messages that were not yet taken in.
    live: std::sync::Arc<tokio::sync::Semaphore>,
}

/// Something under way; dropping it ends it.
#[derive(Debug, Default)]
struct Running(Option<(Number, JoinHandle<()>)>);

impl Running {
    fn replace(&mut self, number: Number, task: JoinHandle<()>) {
        self.stop();
        self.0 = Some((number, task));
    }

    fn stop(&mut self) {
        if let Some((_, task)) = self.0.take() {
            task.abort();
        }
    }

    fn stop_if(&mut self, number: Number) {
        if self.0.as_ref().is_some_and(|(running, _)| *running == number) {
            self.stop();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Performer {
    pub fn new(backend: Backend, messages: UnboundedSender<Message>) -> Self {
        Self {
            backend,
            messages,
            load: Running::default(),
            extend: Running::default(),
            find: Running::default(),
            follow: Running::default(),
            facets: Running::default(),
            complete: Running::default(),
            live: std::sync::Arc::new(tokio::sync::Semaphore::new(LIVE_QUEUE)),
        }
    }

    /// A live message was taken in: the feed may be read on.
    pub fn taken_in(&self) {
        self.live.add_permits(1);
    }

    /// Starts an effect; those of the terminal are the runtime's.
    pub fn perform(&mut self, effect: Effect) {
        let (backend, messages) = (self.backend.clone(), self.messages.clone());
        match effect {
            Effect::Load { number, query, now, at, limit } => {
                self.extend.stop();
                self.load.replace(number, tokio::spawn(async move { load(&backend, &messages, number, &Asked { query, now, limit }, at).await }));
            }
            Effect::Extend { number, query, now, cursor, limit } => {
                let asked = Asked { query, now, limit };
                self.extend.replace(number, tokio::spawn(async move { extend(&backend, &messages, number, &asked, cursor).await }));
            }
            Effect::Find { number, query, now, cursor } => {
                let asked = Asked { query, now, limit: 1 };
                self.find.replace(number, tokio::spawn(async move { find(&backend, &messages, number, &asked, cursor).await }));
            }
            Effect::Stop(number) => [&mut self.load, &mut self.extend, &mut self.find].into_iter().for_each(|running| running.stop_if(number)),
            Effect::Follow { number, query, now, after } => {
                self.live = std::sync::Arc::new(tokio::sync::Semaphore::new(LIVE_QUEUE));
                let permits = std::sync::Arc::clone(&self.live);
                let request = FollowRequest { query, now, after };
                self.follow.replace(number, tokio::spawn(async move { follow(&backend, &messages, number, &request, &permits).await }));
            }
            Effect::Namespaces => drop(tokio::spawn(async move {
                // Counts are a courtesy: where they fail, the page has failed too and says so.
                if let Ok(counts) = backend.namespaces().await {
                    let _ = messages.send(Message::Namespaces(counts));
                }
            })),
            Effect::Facets { number, query, now, field } => {
                let request = FacetsRequest { query, now, field: field.clone(), limit: FACET_LIMIT };
                let task = tokio::spawn(async move {
                    let message = match backend.facets(request).await {
                        Ok(facets) => Message::Facets { number, field, facets },
                        Err(error) => Message::Failed { number, reason: error.explained() },
                    };
                    let _ = messages.send(message);
                });
                self.facets.replace(number, task);
            }
            Effect::Complete { number, request } => {
                let task = tokio::spawn(async move {
                    if let Ok(values) = backend.values(request).await {
                        let _ = messages.send(Message::Completions { number, values });
                    }
                });
                self.complete.replace(number, task);
            }
            Effect::Whole(position) => drop(tokio::spawn(async move {
                if let Ok(entry) = backend.entry(position).await {
                    let _ = messages.send(Message::Whole { position, entry: entry.map(Box::new) });
                }
            })),
            Effect::Wake(after) => drop(tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = messages.send(Message::Woke);
            })),
            Effect::Copy(_) | Effect::Redraw | Effect::Suspend | Effect::Quit => {}
        }
    }
}

/// A question and how much of its answer is wanted.
struct Asked {
    query: Query,
    now: Time,
    limit: usize,
}

impl Asked {
    fn page(&self, start: Start, direction: Direction, limit: usize) -> PageRequest {
        PageRequest { query: self.query.clone(), now: self.now, start, direction, limit, ties: Ties::Split }
    }
}

async fn load(backend: &Backend, messages: &UnboundedSender<Message>, number: Number, asked: &Asked, at: At) {
    let tell = |page: Page, done| drop(messages.send(Message::Loaded { number, page, done }));
    let outcome = match at {
        At::Newest => read(backend, asked, Start::End, Direction::Older, |page| tell(page, false)).await,
        At::Oldest => read(backend, asked, Start::End, Direction::Newer, |page| tell(page, false)).await,
        At::Around(key) => around(backend, asked, key, |page| tell(page, false)).await,
    };
    match outcome {
        Ok(page) => tell(page, true),
        Err(error) => drop(messages.send(Message::Failed { number, reason: error.explained() })),
    }
}

/// What lies on both sides of a row, and the row.
async fn around(backend: &Backend, asked: &Asked, key: Key, partial: impl Fn(Page)) -> Result<Page, crate::backend::Error> {
    let half = Asked { query: asked.query.clone(), now: asked.now, limit: asked.limit / 2 + 1 };
    // The row itself belongs to the older side.
    let including = Key { time: key.time, position: Position(key.position.0.saturating_add(1)) };
    let mut older = read(backend, &half, Start::Beyond(including), Direction::Older, partial).await?;
    let newer = read(backend, &half, Start::Beyond(key), Direction::Newer, |_| {}).await?;
    older.entries.extend(newer.entries);
    older.newer = newer.newer;
    Ok(older)
}

/// Reads on over partial pages until the limit or the end; what there is so far is told after each.
async fn read(backend: &Backend, asked: &Asked, start: Start, direction: Direction, partial: impl Fn(Page)) -> Result<Page, crate::backend::Error> {
    let mut whole: Option<Page> = None;
    let mut start = start;
    loop {
        let have = whole.as_ref().map_or(0, |page| page.entries.len());
        let page = backend.page(asked.page(start, direction, asked.limit - have)).await?;
        let page = match whole.take() {
            None => page,
            Some(near) => near.joined(page, direction),
        };
        let beyond = if direction == Direction::Older { page.older } else { page.newer };
        match beyond {
            Some(cursor) if page.partial && page.entries.len() < asked.limit => start = Start::Beyond(cursor.key),
            _ => return Ok(page),
        }
        partial(page.clone());
        whole = Some(page);
    }
}

async fn extend(backend: &Backend, messages: &UnboundedSender<Message>, number: Number, asked: &Asked, cursor: Cursor) {
    let scanning = |page: Page| drop(messages.send(Message::Scanning { number, progress: page.progress }));
    let message = match read(backend, asked, Start::Beyond(cursor.key), cursor.direction, scanning).await {
        Ok(page) => Message::Extended { number, page },
        Err(error) => Message::Failed { number, reason: error.explained() },
    };
    let _ = messages.send(message);
}

async fn find(backend: &Backend, messages: &UnboundedSender<Message>, number: Number, asked: &Asked, cursor: Cursor) {
    let scanning = |page: Page| drop(messages.send(Message::Scanning { number, progress: page.progress }));
    let message = match read(backend, asked, Start::Beyond(cursor.key), cursor.direction, scanning).await {
        Ok(page) => Message::Found { number, place: page.entries.first().map(crate::entry::Entry::key) },
        Err(error) => Message::Failed { number, reason: error.explained() },
    };
    let _ = messages.send(message);
}

async fn follow(backend: &Backend, messages: &UnboundedSender<Message>, number: Number, request: &FollowRequest, permits: &tokio::sync::Semaphore) {
    let mut feed = backend.follow(request);
    loop {
        let live = match feed.next().await {
            FeedEvent::Entries(entries, at) => Live::Entries(entries, at),
            FeedEvent::Connected => Live::Connected,
            FeedEvent::Lost(error, wait) => {
                Live::Lost { reason: error.explained(), wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) }
            }
            FeedEvent::Ended => Live::Ended,
        };
        let ended = live == Live::Ended;
        // Entries that match nothing only move the position.
        if matches!(&live, Live::Entries(entries, _) if entries.is_empty()) {
            continue;
        }
        // While the screen is behind, the feed waits where it is: it holds a position and loses nothing.
        let Ok(permit) = permits.acquire().await else { return };
        permit.forget();
        if messages.send(Message::Live(number, live)).is_err() || ended {
            return;
        }
    }
}
