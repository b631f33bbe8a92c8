//! One reading of the log for all who subscribe to the same.
//!
//! ```text
//! log --feed--> one reader per distinct question --chunks--> ring --position--> subscriber
//!                                                                  '--behind the ring: a feed of its own, then back
//! ```
//!
//! Invariants: what is asked is evaluated once per entry and question, and written once; a subscriber holds a position in
//! the ring, never a queue; who falls behind it reads the log from its position and joins again: nobody loses anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::frames::Form;
use crate::backend::{Backend, Feed, FeedEvent};
use crate::entry::Position;
use crate::query::FollowRequest;

/// Chunks that a ring remembers: who is further behind reads the log itself.
const RING: usize = 64;

/// A larger chunk is not put into the ring: together they take 16 MiB at the most.
const MAX_CHUNK_BYTES: usize = 256 << 10;

/// Entries as they are sent.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// The events; empty when nothing matched.
    pub frames: Bytes,
    /// Entries in them.
    pub count: u64,
    /// Everything after this position and up to the other was looked at.
    after: Position,
    at: Position,
    /// It was too large for the ring: who gets it reads it alone.
    is_left_out: bool,
}

impl Chunk {
    /// No entries: a sign of life.
    pub fn heartbeat(frames: Bytes) -> Self {
        let nowhere = Position::default();
        Self {
            frames,
            count: 0,
            after: nowhere,
            at: nowhere,
            is_left_out: false,
        }
    }
}

/// The questions that are followed now. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Hub(Arc<Mutex<HashMap<Question, Arc<Reader>>>>);

/// What makes two subscriptions the same.
type Question = (String, Form);

#[derive(Debug)]
struct Reader {
    /// How far it has read: what comes through the ring comes after it.
    at: Mutex<Position>,
    ring: broadcast::Sender<Chunk>,
    /// Nobody asks this any more.
    abandoned: CancellationToken,
}

/// Entries for one subscriber.
#[derive(Debug)]
pub(super) struct Subscription {
    hub: Hub,
    backend: Backend,
    request: FollowRequest,
    form: Form,
    /// Not if the question depends on when it was asked.
    is_shared: bool,
    source: Source,
}

/// Where a ring takes over, and the ring.
type Joining = (Position, broadcast::Receiver<Chunk>);

#[derive(Debug)]
enum Source {
    /// Reads the log itself, up to where the ring goes on.
    Own(Box<Feed>, Option<Joining>),
    Ring(broadcast::Receiver<Chunk>),
}

impl Hub {
    fn readers(&self) -> MutexGuard<'_, HashMap<Question, Arc<Reader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to what arrives after the request's position; the log's head is at `head`.
    pub fn subscribe(
        &self,
        backend: &Backend,
        mut request: FollowRequest,
        form: Form,
        head: Position,
    ) -> Subscription {
        // A position from another life of the log would wait for ever.
        request.after = request.after.min(head);
        let source = Source::Own(Box::new(backend.follow(&request)), None);
        let mut subscription = Subscription {
            hub: self.clone(),
            backend: backend.clone(),
            is_shared: !request.query.asks_for_time(),
            request,
            form,
            source,
        };
        subscription.join(head);
        subscription
    }

    /// Where the ring of a question goes on from, and the ring; its reader is begun if need be.
    fn ring(&self, question: Question, backend: &Backend, request: &FollowRequest) -> Joining {
        let mut readers = self.readers();
        readers.retain(|_, reader| {
            let is_used = reader.ring.receiver_count() > 0;
            if !is_used {
                reader.abandoned.cancel();
            }
            is_used
        });
        let reader = readers.entry(question.clone()).or_insert_with(|| {
            let reader = Arc::new(Reader {
                at: Mutex::new(request.after),
                ring: broadcast::Sender::new(RING),
                abandoned: CancellationToken::new(),
            });
            let (hub, feed) = (self.clone(), backend.follow(request));
            tokio::spawn(read(hub, question, Arc::clone(&reader), feed));
            reader
        });
        let at = reader.at.lock().unwrap_or_else(PoisonError::into_inner);
        (*at, reader.ring.subscribe())
    }
}

/// Reads for all who ask this, until none is left.
async fn read(hub: Hub, question: Question, reader: Arc<Reader>, mut feed: Feed) {
    loop {
        let event = tokio::select! {
            event = feed.next() => event,
            () = reader.abandoned.cancelled() => return,
        };
        let (entries, at) = match event {
            FeedEvent::Entries(entries, at) => (entries, at),
            FeedEvent::Connected => continue,
            // The ring closes with its sender: subscribers read for themselves and see the failure, too.
            FeedEvent::Lost(..) | FeedEvent::Ended => break,
        };
        let (mut frames, mut count) = (question.1.frames(&entries), entries.len() as u64);
        let is_left_out = frames.len() > MAX_CHUNK_BYTES;
        if is_left_out {
            (frames, count) = (Bytes::new(), 0);
        }
        // Whoever joins now either gets this chunk or begins behind it.
        let _joining = hub.readers();
        let mut after = reader.at.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = Chunk {
            frames,
            count,
            after: std::mem::replace(&mut *after, at),
            at,
            is_left_out,
        };
        if reader.ring.send(chunk).is_err() {
            break;
        }
    }
    let mut readers = hub.readers();
    if readers
        .get(&question)
        .is_some_and(|own| Arc::ptr_eq(own, &reader))
    {
        readers.remove(&question);
    }
}

impl Subscription {
    /// Waits for what comes next; `None` when the log is gone or cannot be read. Safe to drop and call again.
    pub async fn next(&mut self) -> Option<Chunk> {
        loop {
            let chunk = match &mut self.source {
                Source::Ring(ring) => match ring.recv().await {
                    Ok(chunk) if chunk.at <= self.request.after => continue,
                    Ok(chunk) if chunk.after == self.request.after && !chunk.is_left_out => chunk,
                    // We are in the midst of it, or it is not there: what is missing is read alone.
                    Ok(chunk) => {
                        let feed = Box::new(self.backend.follow(&self.request));
                        let alone = Source::Own(feed, None);
                        let ring = std::mem::replace(&mut self.source, alone);
                        if let (Source::Own(_, joined), Source::Ring(ring)) =
                            (&mut self.source, ring)
                        {
                            *joined = Some((chunk.at, ring));
                        }
                        continue;
                    }
                    Err(RecvError::Lagged(_)) => {
                        self.read_alone();
                        self.join(self.request.after);
                        continue;
                    }
                    // Its reader ended: what ended it is seen by reading alone.
                    Err(RecvError::Closed) => {
                        self.read_alone();
                        continue;
                    }
                },
                Source::Own(feed, ring) => {
                    let until = ring.as_ref().map(|(until, _)| *until);
                    if until.is_some_and(|until| until <= self.request.after) {
                        if let Some((_, ring)) = ring.take() {
                            self.source = Source::Ring(ring);
                        }
                        continue;
                    }
                    let (mut entries, mut at) = match feed.next().await {
                        FeedEvent::Entries(entries, at) => (entries, at),
                        FeedEvent::Connected => continue,
                        FeedEvent::Lost(error, _) => {
                            tracing::error!(error = %error.explained(), "a subscription ended");
                            return None;
                        }
                        FeedEvent::Ended => return None,
                    };
                    if let Some(until) = until {
                        entries.retain(|entry| entry.position <= until);
                        at = at.min(until);
                    }
                    Chunk {
                        frames: self.form.frames(&entries),
                        count: entries.len() as u64,
                        after: self.request.after,
                        at,
                        is_left_out: false,
                    }
                }
            };
            self.request.after = chunk.at;
            return Some(chunk);
        }
    }

    fn read_alone(&mut self) {
        let feed = self.backend.follow(&self.request);
        self.source = Source::Own(Box::new(feed), None);
    }

    /// Agrees on where the ring takes over. A ring that is begun begins at `head`.
    fn join(&mut self, head: Position) {
        if !self.is_shared {
            return;
        }
        let question = (self.request.query.to_string(), self.form);
        let begin = FollowRequest {
            after: head,
            ..self.request.clone()
        };
        let ring = self.hub.ring(question, &self.backend, &begin);
        if let Source::Own(_, joined) = &mut self.source {
            *joined = Some(ring);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::entry::Entry;
    use crate::entry::json::Dialect;
    use crate::query::Query;
    use crate::store::{Durability, Options, Store};

    const FORM: Form = Form {
        dialect: Dialect::Full,
        cut: true,
    };

    fn store(dir: &std::path::Path) -> Store {
        let options = Options {
            durability: Durability::None,
            ..Options::default()
        };
        Store::open(dir, options).expect("a store").0
    }

    async fn append(store: &Store, count: usize) {
        let entry = |at| Entry {
            text: if at % 2 == 0 { "even" } else { "odd" }.to_owned(),
            ..Entry::default()
        };
        let entries = (0..count).map(entry).collect();
        store.appender().append(entries).await.expect("appended");
    }

    fn request(query: &str, after: u64) -> FollowRequest {
        FollowRequest {
            query: query.parse::<Query>().expect("a query"),
            now: Time::now(),
            after: Position(after),
        }
    }

    /// The ids that come until everything up to a position was looked at.
    async fn ids(subscription: &mut Subscription, until: u64) -> Vec<u64> {
        let mut text = String::new();
        while subscription.request.after.0 < until {
            let chunk = subscription.next().await.expect("a chunk");
            text.push_str(&String::from_utf8_lossy(&chunk.frames));
        }
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|id| id.parse().expect("an id")).collect()
    }

    #[tokio::test]
    async fn all_get_all_wherever_they_join_and_however_slow_they_are() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, hub) = (store(dir.path()), Hub::default());
        let backend = Backend::Store(store.clone());
        let subscribe = |query: &str, after: u64| {
            let head = *store.head().borrow();
            hub.subscribe(&backend, request(query, after), FORM, head)
        };
        append(&store, 3_000).await;
        let mut early = subscribe("odd", 0);
        let mut middle = subscribe("odd", 1_501);
        let mut beyond = subscribe("odd", 1_000_000);
        // More chunks than the ring remembers, while nobody reads.
        for _ in 0..RING * 3 {
            append(&store, 10).await;
            tokio::task::yield_now().await;
        }
        let mut late = subscribe("odd", 4_001);
        append(&store, 10).await;
        // The reader has no turn meanwhile: who joins now begins in the midst of its next chunk.
        let more = vec![
            Entry {
                text: "odd".to_owned(),
                ..Entry::default()
            };
            10
        ];
        let appender = store.appender();
        let appending = std::thread::spawn(move || appender.submit(more).wait());
        appending.join().expect("joined").expect("appended");
        let at = store.head().borrow().0;
        let mut amidst = subscribe("odd", at - 5);
        append(&store, 10).await;
        let amid: Vec<u64> = ids(&mut amidst, at + 10).await;
        let even_after = (at + 1..=at + 10).filter(|id| id.is_multiple_of(2));
        assert_eq!(amid, (at - 4..=at).chain(even_after).collect::<Vec<_>>());
        let last = store.head().borrow().0;
        let odd = |after: u64| -> Vec<u64> {
            let matches = |id: &u64| id.is_multiple_of(2) || (at - 9..=at).contains(id);
            (after + 1..=last).filter(matches).collect()
        };
        assert_eq!(ids(&mut early, last).await, odd(0));
        assert_eq!(ids(&mut middle, last).await, odd(1_501));
        assert_eq!(ids(&mut beyond, last).await, odd(3_000));
        assert_eq!(ids(&mut late, last).await, odd(4_001));
        assert_eq!(hub.readers().len(), 1, "all share one reader");
        append(&store, 1_000).await;
        let last = last + 1_000;
        for subscription in [&mut early, &mut middle, &mut beyond, &mut late] {
            assert_eq!(ids(subscription, last).await.len(), 500);
        }
    }

    #[tokio::test]
    async fn readers_end_with_their_last_subscriber() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, hub) = (store(dir.path()), Hub::default());
        let backend = Backend::Store(store.clone());
        let subscribe =
            |query: &str| hub.subscribe(&backend, request(query, 0), FORM, Position::default());
        drop(subscribe("one"));
        let two = subscribe("two");
        assert_eq!(hub.readers().len(), 1, "the reader of nobody is gone");
        drop((subscribe("last:5m"), two));
        append(&store, 1).await;
        let three = subscribe("three");
        assert_eq!(hub.readers().len(), 1);
        drop(three);
    }
}
