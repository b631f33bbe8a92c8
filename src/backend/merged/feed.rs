//! Entries as they arrive at several logs; and what stands for the heads of several logs where one number is asked for.

use std::fmt;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, SelectAll};
use tokio::time::timeout;

use super::member::Held;
use super::{Merged, PATIENCE};
use crate::backend::{self, Backend, Error, FeedEvent};
use crate::base::{Time, Tokens};
use crate::entry::Position;
use crate::query::{Direction, FollowRequest, PageRequest, Query, Start, Ties};

/// A member whose head cannot be learned is asked again after so long.
const RETRY: Duration = Duration::from_secs(1);

/// Where each member is followed from; from where it is then, of one that did not say.
type Places = Vec<Option<Position>>;

/// Tokens that stand for where each member is followed from.
///
/// A page tells one number to follow after, a merged one needs a number for each member. So the number it tells is a token,
/// and what it stands for is remembered here. Position 0 stands for the beginning of every log, as with any log. A token that
/// is not known (any more) stands for where the members are when they are followed: then what arrived in between is missing.
#[derive(Debug, Default)]
pub(super) struct Heads(Tokens<Places>);

impl Heads {
    /// A token for where a page found the members.
    pub fn keep(&self, places: Places) -> Position {
        Position(self.0.keep(places))
    }

    /// What a token stands for.
    fn places(&self, token: Position, members: usize) -> Places {
        if token == Position(0) {
            return vec![Some(token); members];
        }
        self.0.place(token.0).unwrap_or_else(|| vec![None; members])
    }
}

/// Follows several logs. Each holds its position, none a queue: while nobody waits for what comes next, none is read on.
pub struct Feed {
    merged: Merged,
    events: SelectAll<BoxStream<'static, (usize, FeedEvent)>>,
    token: Position,
    places: Places,
    /// Whose connections are lost.
    is_lost: Vec<bool>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("token", &self.token)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

impl Merged {
    /// Follows what arrives after the head that a page told, or after where an earlier feed came to.
    #[must_use]
    pub fn follow(&self, request: &FollowRequest) -> Feed {
        let members = &self.0.members;
        let places = self.0.heads.places(request.after, members.len());
        let events = members.iter().zip(&places);
        let events = events.map(|(member, after)| followed(member, request, *after));
        Feed {
            events: stream::select_all(events),
            token: Position(self.0.heads.0.begin(places.clone())),
            is_lost: vec![false; places.len()],
            places,
            merged: self.clone(),
        }
    }
}

impl Feed {
    /// Waits for what comes next. Safe to drop and call again: what a member is waiting for goes on where it was.
    pub fn next_event(&mut self) -> BoxFuture<'_, FeedEvent> {
        Box::pin(async move {
            while let Some((index, event)) = self.events.next().await {
                if let Some(event) = self.take(index, event) {
                    return event;
                }
            }
            // All have ended.
            FeedEvent::Ended
        })
    }

    /// What a member's event is to whoever follows all of them.
    fn take(&mut self, index: usize, event: FeedEvent) -> Option<FeedEvent> {
        let member = self.merged.0.members.get(index)?;
        let (place, is_lost) = (self.places.get_mut(index)?, self.is_lost.get_mut(index)?);
        match event {
            FeedEvent::Entries(entries, at) => {
                member.answered();
                *is_lost = false;
                *place = Some(at);
                let entries = entries.into_iter();
                let entries = entries.map(|entry| member.entry(entry)).collect();
                let heads = &self.merged.0.heads.0;
                heads.go_on(self.token.0, self.places.clone());
                Some(FeedEvent::Entries(entries, self.token))
            }
            FeedEvent::Connected => {
                member.answered();
                *is_lost = false;
                // The connection of all stands when that of each does.
                let is_whole = !self.is_lost.contains(&true);
                is_whole.then_some(FeedEvent::Connected)
            }
            FeedEvent::Lost(error, wait) => {
                let reason = error.explained();
                *is_lost = true;
                let told = Error::Said(format!("{}: {reason}", member.name));
                member.failed(reason);
                Some(FeedEvent::Lost(told, wait))
            }
            FeedEvent::Ended => None,
        }
    }
}

/// What a member tells, until it ends. What it waits for is kept while another is read: a wait before the next connection
/// would else begin anew with every entry of the others.
fn followed(
    member: &Held,
    request: &FollowRequest,
    after: Option<Position>,
) -> BoxStream<'static, (usize, FeedEvent)> {
    let (index, backend) = (member.index, member.backend.clone());
    let asked = FollowRequest {
        query: member.query(&request.query, request.now),
        now: request.now,
        after: after.unwrap_or_default(),
    };
    let following = Following {
        feed: after.map(|_| backend.follow(&asked)),
        backend,
        asked,
        is_waiting: false,
    };
    let events = stream::unfold(Some(following), move |following| async move {
        let mut following = following?;
        let event = following.next().await;
        let is_over = matches!(event, FeedEvent::Ended);
        Some(((index, event), (!is_over).then_some(following)))
    });
    Box::pin(events)
}

/// A member being followed.
struct Following {
    backend: Backend,
    asked: FollowRequest,
    /// None until it is known where it is.
    feed: Option<backend::Feed>,
    is_waiting: bool,
}

impl Following {
    async fn next(&mut self) -> FeedEvent {
        if let Some(feed) = &mut self.feed {
            return feed.next().await;
        }
        if self.is_waiting {
            tokio::time::sleep(RETRY).await;
            self.is_waiting = false;
        }
        match head(&self.backend, self.asked.now).await {
            Ok(head) => {
                self.asked.after = head;
                self.feed = Some(self.backend.follow(&self.asked));
                FeedEvent::Entries(Vec::new(), head)
            }
            Err(error) => {
                self.is_waiting = true;
                FeedEvent::Lost(error, RETRY)
            }
        }
    }
}

/// Where a log is now: its newest page tells it.
async fn head(log: &Backend, now: Time) -> Result<Position, Error> {
    let newest = PageRequest {
        query: Query::default(),
        now,
        start: Start::End,
        direction: Direction::Older,
        limit: 1,
        ties: Ties::Split,
    };
    if let Ok(page) = timeout(PATIENCE, log.page(newest)).await {
        return page.map(|page| page.head);
    }
    let waited = PATIENCE.as_secs();
    Err(Error::Said(format!("no answer within {waited} s")))
}
