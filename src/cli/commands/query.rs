//! `tailwater query`

use crate::backend::Backend;
use crate::base::Time;
use crate::cli::args::Query as Args;
use crate::cli::commands::parse_query;
use crate::cli::commands::tail::follow;
use crate::cli::open::Opened;
use crate::cli::output::Printer;
use crate::cli::{Error, Verdict, own_log};
use crate::config::Settings;
use crate::entry::Entry;
use crate::query::{Direction, Page, PageRequest, Query, Start, Ties};

/// Entries asked for at once.
const PAGE: usize = 1_000;

pub(in crate::cli) async fn run(settings: &Settings, args: Args) -> Result<Verdict, Error> {
    own_log::to_stderr(settings);
    let query = parse_query(&args.query, settings.namespace.as_deref())?;
    let opened = Opened::from(settings, &args.sources).await?;
    opened.ended().await;
    let (entries, head) = newest(&opened.backend, &query, args.limit).await?;
    let mut printer = Printer::new(args.output);
    for entry in &entries {
        printer.print(entry).map_err(Error::io("write"))?;
    }
    printer.flush().map_err(Error::io("write"))?;
    let found = !entries.is_empty();
    if args.follow {
        follow(&opened.backend, query, head, &mut printer).await?;
    }
    opened.close().await;
    Ok(if found {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

/// The newest matching entries, oldest first, and the position after which to follow.
pub(super) async fn newest(
    backend: &Backend,
    query: &Query,
    limit: usize,
) -> Result<(Vec<Entry>, crate::entry::Position), Error> {
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
        } = backend.page(request).await?;
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
