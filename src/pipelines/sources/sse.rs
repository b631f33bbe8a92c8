//! Entries of another Tailwater or of a Direktiv, as they arrive.

use std::collections::VecDeque;
use std::time::Duration;

use super::outlet::Outlet;
use crate::base::{Backoff, Time};
use crate::client::DIREKTIV_SILENCE;
use crate::client::{Client, Direktiv, DirektivEvent, Error, FeedEvent, Options, Row, Track};
use crate::entry::{Entry, Position};
use crate::pipelines::options::{SseOptions, Start};
use crate::pipelines::record::Record;
use crate::query::{FollowRequest, Query};

/// First and longest wait before a service is asked again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Rows of a Direktiv that are known again: those of a page and of what comes meanwhile.
const REMEMBERED: usize = 10_000;
/// Pages of a Direktiv that are read to find where the last life stopped.
const MAX_PAGES: usize = 1_000;

/// Whether the options can be followed.
///
/// # Errors
/// The address is none, or the question is not understood.
pub(super) fn check(options: &SseOptions) -> Result<(), crate::pipelines::Error> {
    client(options, Options::default().silence)?;
    question(options)?;
    Ok(())
}

fn client(options: &SseOptions, silence: Duration) -> Result<Client, Error> {
    let token = options.token.clone();
    let client = Client::new(&options.url, &Options { token, silence })?;
    Ok(match &options.only {
        Some(namespace) => client.within(namespace),
        None => client,
    })
}

fn question(options: &SseOptions) -> Result<Query, crate::pipelines::Error> {
    let query: Result<Query, _> = options.query.parse();
    query.map_err(|error| {
        crate::pipelines::Error::Said(format!("the query is not understood: {error}"))
    })
}

/// Reads until told to stop.
pub(super) async fn run(options: SseOptions, outlet: Outlet) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        let ended = tokio::select! {
            ended = follow(&options, &outlet) => ended,
            () = outlet.stopping.cancelled() => return,
        };
        outlet.figures.trouble(ended.to_string());
        tokio::select! {
            () = tokio::time::sleep(backoff.delay()) => {}
            () = outlet.stopping.cancelled() => return,
        }
    }
}

/// Follows until it cannot; why.
async fn follow(options: &SseOptions, outlet: &Outlet) -> Error {
    let following = async {
        let ours = client(options, Options::default().silence)?;
        let status = ours.status().await?;
        if status.product.is_empty() {
            let namespace = options.only.as_deref().unwrap_or("default");
            let theirs = client(options, DIREKTIV_SILENCE)?;
            let direktiv = Direktiv::probe(theirs, namespace).await?;
            return follow_direktiv(&direktiv, options, outlet).await;
        }
        let saved = outlet.places().and_then(|places| places.get("")?.as_u64());
        let after = match (saved, options.start) {
            (Some(at), _) => at,
            (None, Start::End) => status.head,
            (None, Start::Beginning) => 0,
        };
        let query = question(options).unwrap_or_default();
        follow_ours(&ours, query, Position(after), outlet).await
    };
    match following.await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn follow_ours(
    client: &Client,
    query: Query,
    after: Position,
    outlet: &Outlet,
) -> Result<std::convert::Infallible, Error> {
    outlet.begin(&[outlet.mark("", Some(after.0.into()))]);
    let mut feed = client.follow(&FollowRequest {
        query,
        now: Time::now(),
        after,
    });
    loop {
        match feed.next().await {
            FeedEvent::Entries(entries, at) => {
                let records = entries.into_iter().map(|entry| record(entry, outlet));
                let mark = outlet.mark("", Some(at.0.into()));
                outlet.give(records.collect(), vec![mark]).await;
            }
            FeedEvent::Connected => outlet.figures.well(),
            // It connects again by itself.
            FeedEvent::Lost(error, _) => outlet.figures.trouble(error.to_string()),
        }
    }
}

fn record(mut entry: Entry, outlet: &Outlet) -> Record {
    entry.position = Position::default();
    let text = entry.text.clone();
    outlet.record(entry, &text)
}

/// A Direktiv has no positions: what came is known again by itself, and gaps are closed from its pages.
async fn follow_direktiv(
    direktiv: &Direktiv,
    options: &SseOptions,
    outlet: &Outlet,
) -> Result<std::convert::Infallible, Error> {
    let saved = outlet.places().and_then(|places| places.get("")?.as_i64());
    let since = match (saved, options.start) {
        (Some(at), _) => Time(at),
        (None, Start::End) => Time::now(),
        (None, Start::Beginning) => Time::MIN,
    };
    let mut known = Known::default();
    let mut stream = direktiv.stream(&Track::Namespace, Some(since))?;
    let mut missed = Vec::new();
    let mut before = None;
    for _ in 0..MAX_PAGES {
        let page = direktiv.page(&Track::Namespace, before.as_ref()).await?;
        let is_far_enough = page.rows.first().is_none_or(|row| row.entry.time <= since);
        let newer = page.rows.into_iter().filter(|row| row.entry.time > since);
        missed.extend(newer);
        before = page.older;
        if is_far_enough || before.is_none() {
            break;
        }
    }
    missed.sort_by_key(|row| row.entry.time);
    give_rows(missed, &mut known, outlet).await;
    loop {
        match stream.next().await {
            DirektivEvent::Connected => outlet.figures.well(),
            DirektivEvent::Row(row) => give_rows(vec![*row], &mut known, outlet).await,
            DirektivEvent::Lost(error) => return Err(error),
        }
    }
}

async fn give_rows(rows: Vec<Row>, known: &mut Known, outlet: &Outlet) {
    let fresh: Vec<Entry> = rows
        .into_iter()
        .filter(|row| known.is_new(row.identity))
        .map(|row| row.entry)
        .collect();
    let Some(newest) = fresh.iter().map(|entry| entry.time).max() else {
        return;
    };
    let records = fresh
        .into_iter()
        .map(|entry| record(entry, outlet))
        .collect();
    let mark = outlet.mark("", Some(newest.0.into()));
    outlet.give(records, vec![mark]).await;
}

/// Rows that came.
#[derive(Debug, Default)]
struct Known(VecDeque<u64>);

impl Known {
    fn is_new(&mut self, identity: u64) -> bool {
        if self.0.contains(&identity) {
            return false;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(identity);
        true
    }
}
