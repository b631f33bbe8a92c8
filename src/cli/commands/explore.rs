//! `tailwater [PATH|URL|-]…`

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use wildmatch::WildMatch;

use crate::base::{Time, Zone};
use crate::cli::args::{Explore, Look};
use crate::cli::commands::parse_query;
use crate::cli::directory::is_log;
use crate::cli::open::Opened;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{Colors, ExplorerFile, Settings, remembered};
use crate::entry::decode::time::parse;
use crate::explorer::{self, Case, Depth, Ending, Keeper, Memory, Options, Palette};

pub(in crate::cli) async fn run(settings: &Settings, args: Explore) -> Result<Verdict, Error> {
    if args.look.screen.script.is_none() && !std::io::stdout().is_terminal() {
        return Err(explorer::Error::NoTerminal.into());
    }
    let at = args.at.as_deref().map(|text| {
        let expected = "expected a time such as 2026-03-14T09:00:00Z";
        let wrong = || Error::Said(format!("--at: {expected}, found {text:?}"));
        parse(text, Time::now()).ok_or_else(wrong)
    });
    let at = at.transpose()?;
    let sources = args.kind.with(&args.sources);
    let mut opened = Opened::from(settings, &args.sources, &args.kind).await?;
    let dir = match (&sources[..], &settings.url) {
        ([], None) => Some(settings.data.as_path()),
        ([dir], _) if is_log(Path::new(dir)) => Some(Path::new(dir)),
        _ => None,
    };
    if let Some(dir) = dir {
        opened = opened.with_what_waits(dir)?;
    }
    let named = match (&sources[..], &settings.url) {
        ([], Some(url)) => vec![url.clone()],
        (sources, _) => sources.to_vec(),
    };
    let case = Case {
        sources: named,
        ..Case::default()
    };
    explore(settings, opened, args.look, Begin { at, case }).await
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
    let (screen, file) = (look.screen, &settings.explorer);
    let memory = Remembering::of(settings);
    let palette = Palette::named(screen.theme.as_deref().unwrap_or(&file.theme));
    let is_read_only = screen.read_only || file.read_only;
    let mut notes = opened.told();
    notes.extend(memory.note);
    let options = Options {
        name: opened.name.clone(),
        query,
        namespace: settings.namespace.clone(),
        colors: depth(screen.colors.unwrap_or(file.colors)),
        palette: palette.map_err(|error| Error::Said(error.to_string()))?,
        zone: zone(&file.zone)?,
        mouse: file.mouse,
        is_read_only,
        is_plain: screen.plain || file.plain,
        keys: settings.keys.clone(),
        columns: columns(file, &opened.name),
        queries: file.queries.clone(),
        memory: memory.memory,
        restores: file.restore && !screen.fresh && screen.script.is_none(),
        keeper: memory
            .keeper
            .filter(|_| screen.script.is_none() && !is_read_only),
        state_dir: settings.state.clone(),
        record: screen.record.clone(),
        notes,
        at: begin.at,
        case: begin.case,
    };
    if let Some(script) = &screen.script {
        let (backend, services) = (opened.backend.clone(), opened.services());
        opened.ended().await;
        opened.indexed().await;
        let mut out = std::io::stdout();
        let played = explorer::play(script, options, backend, services, &mut out).await;
        opened.close().await;
        let said =
            |error: explorer::ScriptError| Error::Said(format!("{}: {error}", script.display()));
        return played.map(|()| Verdict::Done).map_err(said);
    }
    let ending = explorer::run(
        options,
        opened.backend.clone(),
        opened.services(),
        opened.indexing.clone(),
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

/// What was remembered, and who keeps what is to be.
struct Remembering {
    memory: Memory,
    keeper: Option<Keeper>,
    /// Why nothing is remembered.
    note: Option<String>,
}

impl Remembering {
    fn of(settings: &Settings) -> Self {
        let Some(state) = &settings.state else {
            return Self {
                memory: Memory::default(),
                keeper: None,
                note: None,
            };
        };
        let file = remembered::place(state);
        let (memory, note) = match remembered::read(&file) {
            Ok(memory) => (memory, None),
            Err(reason) => (Memory::default(), Some(reason)),
        };
        let keep = move |memory: &Memory| remembered::keep(&file, memory);
        Self {
            memory,
            keeper: Some(Keeper(Arc::new(keep))),
            note,
        }
    }
}

/// The columns for what is explored: of several patterns that fit, the longest.
fn columns(file: &ExplorerFile, name: &str) -> Vec<String> {
    let fits = |pattern: &&String| WildMatch::new(pattern).matches(name);
    let pattern = file
        .columns
        .keys()
        .filter(fits)
        .max_by_key(|pattern| pattern.len());
    let columns = pattern.and_then(|pattern| file.columns.get(pattern));
    columns.cloned().unwrap_or_default()
}

fn zone(name: &str) -> Result<Zone, Error> {
    let wrong = |reason| Error::Said(format!("explorer.zone: {reason}"));
    Zone::named(name).map_err(wrong)
}

fn depth(colors: Colors) -> Option<Depth> {
    match colors {
        Colors::Auto => None,
        Colors::None => Some(Depth::None),
        Colors::Sixteen => Some(Depth::Sixteen),
        Colors::Indexed => Some(Depth::Indexed),
        Colors::Truecolor => Some(Depth::Truecolor),
    }
}
