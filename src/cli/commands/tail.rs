//! `tailwater tail`

use crate::backend::{Backend, FeedEvent};
use crate::base::{Time, shutdown};
use crate::cli::args::Tail;
use crate::cli::commands::parse_query;
use crate::cli::commands::query::newest;
use crate::cli::open::Opened;
use crate::cli::output::Printer;
use crate::cli::{Error, Verdict, own_log};
use crate::config::Settings;
use crate::entry::Position;
use crate::query::{FollowRequest, Query};

pub(in crate::cli) async fn run(settings: &Settings, args: Tail) -> Result<Verdict, Error> {
    own_log::to_stderr(settings);
    let query = parse_query(&args.query, settings.namespace.as_deref())?;
    let opened = Opened::from(settings, &args.sources).await?;
    opened.loaded().await;
    let (entries, head) = newest(&opened.backend, &query, args.limit).await?;
    let mut printer = Printer::new(args.output);
    for entry in &entries {
        printer.print(entry).map_err(Error::io("write"))?;
    }
    printer.flush().map_err(Error::io("write"))?;
    follow(&opened.backend, query, head, &mut printer).await?;
    opened.close().await;
    Ok(Verdict::Done)
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
    let stop = shutdown::requested();
    tokio::pin!(stop);
    loop {
        let event = tokio::select! {
            _ = &mut stop => return Ok(()),
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
