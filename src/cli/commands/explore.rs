//! `tailwater [PATH|URL|-]…`

use std::io::IsTerminal;

use crate::cli::args::{Explore, Look};
use crate::cli::commands::parse_query;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{Colors, Settings};
use crate::explorer::{self, Depth, Ending, Options};

pub(in crate::cli) async fn run(settings: &Settings, args: Explore) -> Result<Verdict, Error> {
    let look = Look {
        query: args.query,
        colors: args.colors,
    };
    if !std::io::stdout().is_terminal() {
        return Err(explorer::Error::NoTerminal.into());
    }
    let opened = Opened::from(settings, &args.sources, args.kind.named).await?;
    explore(settings, opened, look).await
}

/// Explores what is open, puts it away, and dies by the signal that ended it.
pub(super) async fn explore(
    settings: &Settings,
    opened: Opened,
    look: Look,
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
