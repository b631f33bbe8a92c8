//! `tailwater log`: the embedded log's files.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::base::Time;
use crate::base::units::grouped;
use crate::cli::args::{Export, Listing, LogAction};
use crate::cli::commands::parse_query;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{LogFormat, Settings};
use crate::entry::{bytes, json as wire};
use crate::store::{Lock, Recovery, Stat, Store};

pub(in crate::cli) async fn run(settings: &Settings, action: LogAction) -> Result<Verdict, Error> {
    own_log::to_stderr(settings, LogFormat::Text);
    let settings = settings.clone();
    let work = tokio::task::spawn_blocking(move || match action {
        LogAction::Stat { dir, output } => stat(&settings, dir, output),
        LogAction::Verify { dir } => verify(&settings, dir),
        LogAction::Compact => compact(&settings),
        LogAction::Export(args) => export(&settings, &args),
    });
    work.await
        .unwrap_or_else(|_| Err(Error::Said("the work was given up".into())))
}

/// Opens the log only to read it: it may be in use.
fn open(settings: &Settings, dir: Option<PathBuf>) -> Result<(Store, Recovery), Error> {
    let dir = dir.unwrap_or_else(|| settings.data.clone());
    if !dir.is_dir() {
        return Err(Error::Said(format!(
            "{} is no directory: expected a data directory or a folder of segments",
            dir.display()
        )));
    }
    Ok(Store::open_read_only(&dir, settings.log.options())?)
}

fn say(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(Error::io("write"))
}

fn stat(settings: &Settings, dir: Option<PathBuf>, output: Listing) -> Result<Verdict, Error> {
    let (store, recovery) = open(settings, dir)?;
    let stat = store.stat()?;
    match output {
        Listing::Text => table(&stat)?,
        Listing::Json => say(&as_json(&stat).to_string())?,
    }
    recovery
        .damage
        .iter()
        .for_each(|damage| tracing::warn!("{damage}"));
    Ok(Verdict::Done)
}

fn table(stat: &Stat) -> Result<(), Error> {
    say(&format!(
        "{:>13} {:>11} {:>6}  {:<29} {:<29} own columns",
        "bytes", "entries", "groups", "oldest", "newest"
    ))?;
    let time = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    for segment in &stat.segments {
        say(&format!(
            "{:>13} {:>11} {:>6}  {:<29} {:<29} {}",
            grouped(segment.bytes),
            grouped(segment.entries),
            segment.row_groups,
            time(segment.oldest),
            time(segment.newest),
            segment.columns.join(" ")
        ))?;
    }
    say(&format!(
        "{:>13} {:>11}         not sealed yet",
        grouped(stat.wal_bytes),
        grouped(stat.unsealed)
    ))?;
    let bytes = stat
        .segments
        .iter()
        .map(|segment| segment.bytes)
        .sum::<u64>()
        + stat.wal_bytes;
    let entries = stat
        .segments
        .iter()
        .map(|segment| segment.entries)
        .sum::<u64>()
        + stat.unsealed;
    say(&format!(
        "{:>13} {:>11}         in all, up to position {}",
        grouped(bytes),
        grouped(entries),
        stat.head
    ))
}

fn as_json(stat: &Stat) -> serde_json::Value {
    let time = |time: Option<Time>| time.map(|time| time.to_string());
    let segments = stat.segments.iter().map(|segment| {
        json!({
            "file": segment.name,
            "bytes": segment.bytes,
            "entries": segment.entries,
            "rowGroups": segment.row_groups,
            "oldest": time(segment.oldest),
            "newest": time(segment.newest),
            "ownColumns": segment.columns,
        })
    });
    json!({
        "segments": segments.collect::<Vec<_>>(),
        "walBytes": stat.wal_bytes,
        "unsealed": stat.unsealed,
        "head": stat.head.0,
    })
}

fn verify(settings: &Settings, dir: Option<PathBuf>) -> Result<Verdict, Error> {
    let (store, recovery) = open(settings, dir)?;
    let mut wrong = recovery.damage;
    wrong.extend(store.verify());
    wrong.sort();
    wrong.dedup();
    for sentence in &wrong {
        say(sentence)?;
    }
    if recovery.torn > 0 {
        say(
            "a write-ahead log ends in a torn frame: an append that was never answered, or one that is being written now",
        )?;
    }
    let stat = store.stat()?;
    let (segments, entries) = (stat.segments.len(), grouped(store.count()));
    if wrong.is_empty() {
        say(&format!(
            "{segments} segments and {entries} entries are whole"
        ))?;
        return Ok(Verdict::Done);
    }
    Err(Error::Said(format!(
        "{} places are damaged; what is whole stays readable ({segments} segments, {entries} entries counted)",
        wrong.len()
    )))
}

fn compact(settings: &Settings) -> Result<Verdict, Error> {
    let dir = &settings.data;
    let Some(_lock) = Lock::acquire(dir)? else {
        return Err(Error::Said(format!(
            "{} is in use by another process, which merges segments in the background",
            dir.display()
        )));
    };
    let mut options = settings.log.options();
    // Somebody waits for it.
    options.compaction_bytes = u64::MAX;
    let (store, recovery) = Store::open(dir, options)?;
    recovery
        .damage
        .iter()
        .for_each(|damage| tracing::warn!("{damage}"));
    let before = store.stat()?.segments.len();
    store.compact()?;
    let after = store.stat()?.segments.len();
    store.close();
    say(&format!("{before} segments before, {after} now"))?;
    Ok(Verdict::Done)
}

fn export(settings: &Settings, args: &Export) -> Result<Verdict, Error> {
    let query = parse_query(&args.query, settings.namespace.as_deref())?;
    let (store, recovery) = open(settings, args.from.clone())?;
    recovery
        .damage
        .iter()
        .for_each(|damage| tracing::warn!("{damage}"));
    let now = Time::now();
    let count = match (&args.parquet, &args.ndjson) {
        (Some(path), _) => store.export_parquet(&query, now, path)?,
        (None, Some(path)) if path != Path::new("-") => {
            let file = std::fs::File::create(path).map_err(Error::io("create the file"))?;
            lines(&store, &query, now, file)?
        }
        _ => lines(&store, &query, now, std::io::stdout())?,
    };
    Ok(if count == 0 {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn lines(
    store: &Store,
    query: &crate::query::Query,
    now: Time,
    out: impl Write,
) -> Result<u64, Error> {
    let mut out = std::io::BufWriter::new(out);
    let count = store.each(query, now, |entry| {
        let mut line = bytes::restore(&wire::to_line(entry)).into_owned();
        line.push(b'\n');
        out.write_all(&line).map_err(Error::io("write"))
    })?;
    out.flush().map_err(Error::io("write"))?;
    Ok(count)
}
