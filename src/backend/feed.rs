//! Entries as they arrive, from near or far.

use std::time::Duration;

use tokio::sync::watch;

use super::Error;
use super::merged;
use super::mirror::Link;
use crate::entry::{Entry, Position};
use crate::{client, files, logdir, store};

/// A feed of any backend.
#[derive(Debug)]
pub struct Feed(Body);

#[derive(Debug)]
enum Body {
    Store(store::Feed),
    Directory(logdir::Feed),
    /// And whether something could not be read.
    Files(files::Feed, bool),
    /// Boxed: it holds a connection and is several times as large.
    Remote(Box<client::Feed>),
    Mirror(store::Feed, watch::Receiver<Link>),
    /// Boxed: it holds the feeds of all.
    Merged(Box<merged::Feed>),
}

/// What a feed tells.
#[derive(Debug)]
pub enum FeedEvent {
    /// Entries arrived, by position; everything up to the position was seen.
    Entries(Vec<Entry>, Position),
    /// The connection stands.
    Connected,
    /// The connection is lost; another is tried after the wait.
    Lost(Error, Duration),
    /// The log is gone; nothing follows.
    Ended,
}

impl Feed {
    pub(super) fn of_store(feed: store::Feed) -> Self {
        Self(Body::Store(feed))
    }

    pub(super) fn of_directory(feed: logdir::Feed) -> Self {
        Self(Body::Directory(feed))
    }

    pub(super) fn of_files(feed: files::Feed) -> Self {
        Self(Body::Files(feed, false))
    }

    pub(super) fn of_mirror(feed: store::Feed, mut link: watch::Receiver<Link>) -> Self {
        // How it is now is told first.
        link.mark_changed();
        Self(Body::Mirror(feed, link))
    }

    pub(super) fn of_merged(feed: merged::Feed) -> Self {
        Self(Body::Merged(Box::new(feed)))
    }

    pub(super) fn of_remote(feed: client::Feed) -> Self {
        Self(Body::Remote(Box::new(feed)))
    }

    /// Waits for what comes next. Safe to drop and call again.
    pub async fn next(&mut self) -> FeedEvent {
        match &mut self.0 {
            Body::Store(feed) => of_store(feed.next().await).await,
            Body::Directory(feed) => match feed.next().await {
                Ok(batch) => FeedEvent::Entries(batch.entries, batch.at),
                Err(error) => lost(error).await,
            },
            Body::Files(feed, is_lost) => match feed.next().await {
                Ok(_) if std::mem::take(is_lost) => FeedEvent::Connected,
                Ok(batch) => FeedEvent::Entries(batch.entries, batch.at),
                Err(error) => {
                    *is_lost = true;
                    lost(error).await
                }
            },
            Body::Mirror(feed, link) => loop {
                tokio::select! {
                    arrived = feed.next() => return of_store(arrived).await,
                    Ok(()) = link.changed() => match link.borrow_and_update().clone() {
                        Link::Connecting => {}
                        Link::Connected => return FeedEvent::Connected,
                        Link::Lost(error, wait) => return FeedEvent::Lost(Error::Shared(error), wait),
                        Link::Ended => return FeedEvent::Ended,
                    },
                }
            },
            Body::Merged(feed) => feed.next_event().await,
            Body::Remote(feed) => match feed.next().await {
                client::FeedEvent::Entries(entries, at) => FeedEvent::Entries(entries, at),
                client::FeedEvent::Connected => FeedEvent::Connected,
                client::FeedEvent::Lost(error, wait) => FeedEvent::Lost(error.into(), wait),
            },
        }
    }
}

async fn of_store(arrived: Option<Result<store::FeedBatch, store::Error>>) -> FeedEvent {
    match arrived {
        Some(Ok(batch)) => FeedEvent::Entries(batch.entries, batch.at),
        Some(Err(error)) => lost(error).await,
        None => FeedEvent::Ended,
    }
}

/// What cannot be read is tried again after a while.
async fn lost(error: impl Into<Error>) -> FeedEvent {
    let wait = Duration::from_secs(1);
    tokio::time::sleep(wait).await;
    FeedEvent::Lost(error.into(), wait)
}
