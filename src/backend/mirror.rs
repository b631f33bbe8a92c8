//! A Direktiv, explored through a log of our own.
//!
//! Direktiv can page and stream, each track for itself, and nothing more. So what is asked for is fetched into a temporary
//! log, newest page first and then on into the past, and kept up by the stream; that log answers every question. A track
//! (an instance, say) is fetched when a question first names it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Error;
use crate::base::{Backoff, Time};
use crate::client::{
    self, Direktiv, DirektivEvent, DirektivPage, DirektivStream, Generation, Older, Row, Track,
};
use crate::query::{Expression, Field, Pattern, Query, Term};
use crate::store::Store;

/// Rows of a track that are fetched from the past.
const MOST_ROWS: usize = 200_000;
/// A pause between pages of the past: Direktiv has other work.
const PAUSE: Duration = Duration::from_millis(20);
/// First and longest wait before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// What fails in passing is tried so often before who waits for it is told.
const TRIES: usize = 5;
/// How often what came by the stream is compared with the list: streams of the first generation pass over rows that come
/// late, and over all but 200 of one time; those of the later ones over rows that they are given out of order.
const COMPARE: Duration = Duration::from_secs(5);
/// Rows may come so much later than their time.
const LATE: Duration = Duration::from_secs(5);
/// Without headers for so long a stream counts as connected: the first generation sends none before its first row.
const GRACE: Duration = Duration::from_secs(3);
/// The stream of the later generations begins so much before the newest row.
const OVERLAP: Duration = Duration::from_secs(1);

/// The logs of a Direktiv's namespace, mirrored. Clones share the mirror; it ends with the last of them.
#[derive(Clone, Debug)]
pub struct Mirror {
    shared: Arc<Shared>,
    tracks: Arc<Mutex<HashMap<Track, watch::Receiver<Begun>>>>,
    _ending: Arc<DropGuard>,
}

#[derive(Debug)]
struct Shared {
    direktiv: Direktiv,
    store: Store,
    /// Held while rows are appended, so that none is appended twice.
    seen: tokio::sync::Mutex<HashSet<u64>>,
    link: watch::Sender<Link>,
    ended: CancellationToken,
}

/// How the connection is.
#[derive(Clone, Debug)]
pub(super) enum Link {
    Connecting,
    Connected,
    Lost(Arc<Error>, Duration),
    /// Nothing follows.
    Ended,
}

/// Whether the newest page of a track is there.
type Begun = Option<Result<(), Arc<Error>>>;

impl Mirror {
    /// Mirrors into a log that nobody else writes to.
    #[must_use]
    pub fn new(direktiv: Direktiv, store: Store) -> Self {
        let ended = CancellationToken::new();
        let shared = Shared {
            direktiv,
            store,
            seen: tokio::sync::Mutex::default(),
            link: watch::Sender::new(Link::Connecting),
            ended: ended.clone(),
        };
        Self {
            shared: Arc::new(shared),
            tracks: Arc::default(),
            _ending: Arc::new(ended.drop_guard()),
        }
    }

    /// The log it mirrors into.
    pub(super) fn store(&self) -> &Store {
        &self.shared.store
    }

    pub(super) fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    /// Begins to mirror what a question names, without waiting for it.
    pub(super) fn begin(&self, query: &Query) -> Vec<watch::Receiver<Begun>> {
        let mut tracks = self.tracks.lock().unwrap_or_else(PoisonError::into_inner);
        let named = tracks_of(query).into_iter();
        named
            .map(|track| {
                let begun = tracks.entry(track.clone()).or_insert_with(|| {
                    let (sender, receiver) = watch::channel(None);
                    tokio::spawn(Arc::clone(&self.shared).follow(track, sender));
                    receiver
                });
                begun.clone()
            })
            .collect()
    }

    /// Waits until the newest page of everything that a question names is there.
    ///
    /// # Errors
    /// Direktiv refused it, or cannot be reached.
    pub(super) async fn ready(&self, query: &Query) -> Result<(), Error> {
        for mut begun in self.begin(query) {
            // A task that is gone was ended, and the program with it.
            let begun = begun
                .wait_for(Option::is_some)
                .await
                .map_err(|_| Error::Interrupted)?;
            if let Some(Err(error)) = &*begun {
                return Err(Error::Shared(Arc::clone(error)));
            }
        }
        Ok(())
    }
}

/// What a question names, beside the namespace.
fn tracks_of(query: &Query) -> Vec<Track> {
    let mut tracks = vec![Track::Namespace];
    let mut rest = vec![&query.0];
    while let Some(expression) = rest.pop() {
        match expression {
            Expression::All(parts) | Expression::Any(parts) => rest.extend(parts),
            Expression::Term(Term::Field(field, values)) => {
                let literals = values.iter().filter_map(|value| match value {
                    Pattern::Literal(text) => Some(text.clone()),
                    _ => None,
                });
                let track: fn(String) -> Track = match field {
                    Field::Instance => Track::Instance,
                    Field::Route => Track::Route,
                    Field::Activity => Track::Activity,
                    _ => continue,
                };
                tracks.extend(literals.map(track));
            }
            _ => {}
        }
    }
    tracks
}

impl Shared {
    /// Keeps a track up until the mirror ends.
    async fn follow(self: Arc<Self>, track: Track, begun: watch::Sender<Begun>) {
        let ended = self.ended.clone();
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.keep_up(&track, &begun) => {}
        }
    }

    async fn keep_up(self: &Arc<Self>, track: &Track, begun: &watch::Sender<Begun>) {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        let mut tries = 0;
        let mut complete = loop {
            match self.begin_track(track).await {
                Ok(newest) => break newest,
                Err(error) => {
                    tries += 1;
                    let wait = backoff.delay();
                    let is_passing = error.is_passing();
                    let error = self.lost(track, error, wait);
                    if !is_passing || tries >= TRIES {
                        begun.send_replace(Some(Err(error)));
                    }
                    tokio::time::sleep(wait).await;
                }
            }
        };
        begun.send_replace(Some(Ok(())));
        backoff.reset();
        loop {
            let listening = Instant::now();
            let error = self.listen(track, &mut complete).await;
            // A stream that ends at once is asked for more and more seldom.
            if listening.elapsed() > COMPARE {
                backoff.reset();
            }
            let mut wait = backoff.delay();
            self.lost(track, error, wait);
            tokio::time::sleep(wait).await;
            while let Err(error) = self.fill(track, &mut complete).await {
                wait = backoff.delay();
                self.lost(track, error, wait);
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Tells that a track's connection is lost; the namespace's stands for all.
    fn lost(&self, track: &Track, error: client::Error, wait: Duration) -> Arc<Error> {
        let error = Arc::new(Error::from(error));
        if *track == Track::Namespace {
            self.link.send_replace(Link::Lost(Arc::clone(&error), wait));
        }
        error
    }

    fn connected(&self, track: &Track) {
        if *track == Track::Namespace {
            self.link.send_replace(Link::Connected);
        }
    }

    /// Fetches the newest page, and the rest of the past beside what follows. Gives the time up to which nothing is
    /// missing that is newer than the page.
    async fn begin_track(self: &Arc<Self>, track: &Track) -> Result<Time, client::Error> {
        let page = self.direktiv.page(track, None).await?;
        let newest = page.rows.last().map(|row| row.entry.time);
        self.take(page.rows).await?;
        if let Some(older) = page.older {
            tokio::spawn(Arc::clone(self).fetch_past(track.clone(), older));
        }
        Ok(newest.unwrap_or(Time::MIN))
    }

    /// A page of the past. What fails in passing is tried again at once: a long gap shall not be begun anew for it.
    async fn page(&self, track: &Track, from: &Older) -> Result<DirektivPage, client::Error> {
        let mut tries = 0;
        loop {
            match self.direktiv.page(track, Some(from)).await {
                Err(error) if error.is_passing() && tries < TRIES => tries += 1,
                answer => return answer,
            }
        }
    }

    /// Fetches everything since the time up to which nothing is missing, and moves that on. Streams of all generations
    /// pass over rows: what came by them proves nothing.
    async fn fill(&self, track: &Track, complete: &mut Time) -> Result<(), client::Error> {
        let since = complete.earlier(LATE);
        let mut page = self.direktiv.page(track, None).await?;
        let newest = page.rows.last().map(|row| row.entry.time);
        loop {
            let oldest = page.rows.first().map(|row| row.entry.time);
            self.take(page.rows).await?;
            let older = page
                .older
                .filter(|_| oldest.is_some_and(|oldest| oldest >= since));
            let Some(older) = older else { break };
            page = self.page(track, &older).await?;
        }
        *complete = newest.unwrap_or(*complete).max(*complete);
        Ok(())
    }

    async fn fetch_past(self: Arc<Self>, track: Track, from: Older) {
        let ended = self.ended.clone();
        let fetching = async {
            let mut backoff = Backoff::new(RETRY.0, RETRY.1);
            let (mut older, mut rows) = (Some(from), 0);
            while let Some(place) = older.take().filter(|_| rows < MOST_ROWS) {
                let fetched = async {
                    let page = self.direktiv.page(&track, Some(&place)).await?;
                    let count = page.rows.len();
                    self.take(page.rows).await.map(|()| (page.older, count))
                };
                match fetched.await {
                    Ok((next, count)) => {
                        backoff.reset();
                        rows += count;
                        // A place that does not move is the end.
                        older = next.filter(|next| *next != place);
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) if error.is_passing() => {
                        older = Some(place);
                        tokio::time::sleep(backoff.delay()).await;
                    }
                    Err(error) => tracing::warn!(%error, "the past is not fetched further"),
                }
            }
        };
        tokio::select! {
            () = ended.cancelled() => {}
            () = fetching => {}
        }
    }

    /// Takes rows from the stream until it is lost, and says why.
    async fn listen(&self, track: &Track, complete: &mut Time) -> client::Error {
        let after = Some(complete.earlier(OVERLAP)).filter(|_| *complete > Time::MIN);
        let mut stream = match self.direktiv.stream(track, after) {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        let mut compare = tokio::time::interval(COMPARE);
        compare.reset();
        let grace = tokio::time::sleep(GRACE);
        tokio::pin!(grace);
        let mut is_connected = false;
        loop {
            tokio::select! {
                event = stream.next() => match event {
                    DirektivEvent::Connected => {
                        is_connected = true;
                        self.connected(track);
                    }
                    DirektivEvent::Row(row) => {
                        let mut rows = vec![*row];
                        let ended = gather(&mut stream, &mut rows);
                        if let Some(error) = self.take(rows).await.err().or(ended) {
                            return error;
                        }
                    }
                    DirektivEvent::Lost(error) => return error,
                },
                () = &mut grace, if !is_connected && self.direktiv.generation() == Generation::First => {
                    is_connected = true;
                    self.connected(track);
                }
                _ = compare.tick() => if let Err(error) = self.fill(track, complete).await {
                    return error;
                },
            }
        }
    }

    /// Appends the rows that are not known yet.
    async fn take(&self, rows: Vec<Row>) -> Result<(), client::Error> {
        let mut seen = self.seen.lock().await;
        let mut here = HashSet::new();
        let is_fresh = |row: &Row| !seen.contains(&row.identity) && here.insert(row.identity);
        let fresh = rows.into_iter().filter(is_fresh);
        let entries: Vec<_> = fresh.map(|row| row.entry).collect();
        if !entries.is_empty() {
            match self.store.appender().append(entries).await {
                Ok(_) => seen.extend(here),
                // They are asked for again, as after a lost connection.
                Err(error) => {
                    return Err(client::Error::Unreachable {
                        url: self.direktiv.name().to_owned(),
                        reason: format!("rows could not be kept: {error}"),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Takes what has come already along; what ended the stream, if it did.
fn gather(stream: &mut DirektivStream, rows: &mut Vec<Row>) -> Option<client::Error> {
    use futures_util::FutureExt;
    while rows.len() < 1_000 {
        match stream.next().now_or_never() {
            Some(DirektivEvent::Row(row)) => rows.push(*row),
            Some(DirektivEvent::Connected) => {}
            Some(DirektivEvent::Lost(error)) => return Some(error),
            None => break,
        }
    }
    None
}
