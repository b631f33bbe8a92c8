//! `tailwater [PATH|URL|-]…`

use std::io::IsTerminal;

use crate::base::Time;
use crate::cli::args::{Explore, Look};
use crate::cli::commands::parse_query;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{Colors, Settings};
use crate::entry::decode::time::parse;
use crate::explorer::{self, Case, Depth, Ending, Options};

pub(in crate::cli) async fn run(settings: &Settings, args: Explore) -> Result<Verdict, Error> {
    let look = Look {
        query: args.query,
        colors: args.colors,
    };
    if !std::io::stdout().is_terminal() {
        return Err(explorer::Error::NoTerminal.into());
    }
    let at = args.at.as_deref().map(|text| {
        let expected = "expected a time such as 2026-03-14T09:00:00Z";
        let wrong = || Error::Said(format!("--at: {expected}, found {text:?}"));
        parse(text, Time::now()).ok_or_else(wrong)
    });
    let at = at.transpose()?;
    let opened = Opened::from(settings, &args.sources, args.kind.named).await?;
    let named = match (&args.sources[..], &settings.url) {
        ([], Some(url)) => vec![url.clone()],
        (sources, _) => sources.to_vec(),
    };
    let case = Case {
        sources: named,
        ..Case::default()
    };
    explore(settings, opened, look, Begin { at, case }).await
}

/// Where and with what the explorer begins.
#[derive(Default)]
pub(super) struct Begin {
    /// Around this time, not at the end.
    pub at: Option<Time>,
    /// What was marked before.
    pub case: Case,
}

/// Explores what is open, puts it away, and dies by the signal that ended it.
pub(super) async fn explore(
    settings: &Settings,
    opened: Opened,
    look: Look,
    begin: Begin,
) -> Result<Verdict, Error> {
    own_log::to_file(settings);
    let query = look.query.unwrap_or_default();
    parse_query(&query, None)?;
    let options = Options {
        name: opened.name.clone(),
        query,
        namespace: settings.namespace.clone(),
        colors: depth(look.colors.unwrap_or(settings.explorer.colors)),
        mouse: settings.explorer.mouse,
        keys: settings.keys.clone(),
        state_dir: settings.state.clone(),
        notes: opened.notes.clone(),
        at: begin.at,
        case: begin.case,
    };
    let ending = explorer::run(
        options,
        opened.backend.clone(),
        opened.services(),
        opened.loading.clone(),
    )
    .await;
    opened.close().await;
    if let Ending::Signal(signal) = ending? {
        // Whoever started us sees by which signal we ended.
        signal_hook::low_level::emulate_default_handler(signal)
            .map_err(Error::io("end by the signal"))?;
    }
    Ok(Verdict::Done)
}

fn depth(colors: Colors) -> Option<Depth> {
    match colors {
        Colors::Auto => None,
        Colors::None => Some(Depth::None),
        Colors::Sixteen => Some(Depth::Sixteen),
        Colors::Truecolor => Some(Depth::Truecolor),
    }
}
