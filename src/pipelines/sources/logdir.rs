//! Directories of binary logs, as super-server-logs writes them.

use std::time::Duration;

use super::outlet::Outlet;
use crate::base::Time;
use crate::entry::Position;
use crate::logdir::{LogDirectory, LogDirectorySource, is_quiet};
use crate::pipelines::options::{LogdirOptions, Start};
use crate::pipelines::record::Record;
use crate::query::{Direction, FollowRequest, PageRequest, Query, Start as PageStart, Ties};

/// Wait before a directory that cannot be read is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Reads until told to stop.
pub(super) async fn run(options: LogdirOptions, outlet: Outlet) {
    let saved = outlet.places().and_then(|places| places.get("")?.as_u64());
    let mut at = saved.map(Position);
    while !outlet.stopping.is_cancelled() {
        let failed = tokio::select! {
            failed = once(&options, &outlet, &mut at) => failed,
            () = outlet.stopping.cancelled() => return,
        };
        outlet.trouble("the directory cannot be read", &failed);
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = outlet.stopping.cancelled() => return,
        }
    }
}

async fn once(
    options: &LogdirOptions,
    outlet: &Outlet,
    at: &mut Option<Position>,
) -> crate::logdir::Error {
    let source = LogDirectorySource::new(&options.path);
    let interval = options.check_interval.0;
    let opening = tokio::task::block_in_place(|| {
        let is_quiet = is_quiet(&options.path);
        let directory = LogDirectory::open(source.poll_interval(interval)?, is_quiet)?;
        let head = directory.page(&newest())?.head;
        Ok((directory, head))
    });
    let (directory, head) = match opening {
        Ok(opened) => opened,
        Err(error) => return error,
    };
    let after = *at.get_or_insert(match options.start {
        Start::End => head,
        Start::Beginning => Position(0),
    });
    // Where it begins is remembered before anything comes.
    outlet.begin(&[outlet.mark("", Some(after.0.into()))]);
    let mut feed = directory.follow(&FollowRequest {
        query: Query::default(),
        now: Time::now(),
        after,
    });
    let path = options.path.display().to_string();
    loop {
        match feed.next().await {
            Ok(batch) => {
                outlet.figures.well();
                *at = Some(batch.at);
                let records = batch.entries.into_iter().map(|mut entry| {
                    // Its place in the directory is not its place in any log it comes into.
                    let place = std::mem::take(&mut entry.position);
                    entry.fields.insert("offset".to_owned(), place.0.into());
                    entry.source.get_or_insert_with(|| path.clone());
                    let text = entry.text.clone();
                    outlet.record(entry, &text)
                });
                let records: Vec<Record> = records.collect();
                let mark = outlet.mark("", Some(batch.at.0.into()));
                outlet.give(records, vec![mark]).await;
            }
            Err(error) => return error,
        }
    }
}

fn newest() -> PageRequest {
    PageRequest {
        query: Query::default(),
        now: Time::now(),
        start: PageStart::End,
        direction: Direction::Older,
        limit: 1,
        ties: Ties::Split,
    }
}
