//! `tailwater tail`

use crate::cli::args::Tail;
use crate::cli::commands::parse_query;
use crate::cli::open::Opened;
use crate::cli::output::Printer;
use crate::cli::reading::{follow, newest};
use crate::cli::{Error, Verdict, own_log};
use crate::config::{LogFormat, Settings};

pub(in crate::cli) async fn run(settings: &Settings, args: Tail) -> Result<Verdict, Error> {
    own_log::to_stderr(settings, LogFormat::Text);
    let query = parse_query(&args.query, settings.namespace.as_deref())?;
    let opened = Opened::from(settings, &args.sources, &args.kind).await?;
    opened.tell();
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
