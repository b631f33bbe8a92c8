//! `tailwater logdir`: directories of binary logs, as super-server-logs writes them.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio_stream::StreamExt;

use crate::base::Time;
use crate::base::shutdown::Wishes;
use crate::base::units::grouped;
use crate::cli::args::{Listing, LogdirAction, LogdirOutput, LogdirRange, LogdirSource, Output};
use crate::cli::directory::{log_directory, poll_interval};
use crate::cli::output::Printer;
use crate::cli::{Error, Verdict, own_log};
use crate::config::{LogFormat, Settings};
use crate::entry::Position;
use crate::logdir::{
    BulkParser, Damage, LogDirectorySource, LogEntry, LogReader, MAX_TIMESTAMP, Stat, tail_stream,
};

/// Damaged places that are told one by one.
const DAMAGE_TOLD: usize = 10;
/// How often what was read of a directory is asked for.
const ASK_INTERVAL: Duration = Duration::from_millis(200);
/// Bytes read from standard input at a time.
const CHUNK_BYTES: usize = 64 << 10;

pub(in crate::cli) async fn run(
    settings: &Settings,
    action: LogdirAction,
) -> Result<Verdict, Error> {
    own_log::to_stderr(settings, LogFormat::Text);
    if let LogdirAction::Tail {
        source,
        from,
        output,
    } = action
    {
        return tail(settings, &source, from, output).await;
    }
    let settings = settings.clone();
    let work = tokio::task::spawn_blocking(move || match action {
        LogdirAction::Range { range, output } => print_range(&settings, &range, output),
        LogdirAction::Bulk { range } => bulk(&settings, &range),
        LogdirAction::Parse { reverse, output } => parse(reverse, output),
        LogdirAction::Stat { source, output } => stat(&settings, &source, output),
        LogdirAction::Tail { .. } => Ok(Verdict::Done),
    });
    work.await
        .unwrap_or_else(|_| Err(Error::Said("the work was given up".into())))
}

fn opened(settings: &Settings, source: &LogdirSource) -> Result<LogDirectorySource, Error> {
    Ok(log_directory(settings, &source.dir)?
        .lazy(source.lazy)
        .immutable(source.immutable))
}

fn reader(
    settings: &Settings,
    range: &LogdirRange,
) -> Result<LogReader<LogDirectorySource>, Error> {
    let source = opened(settings, &range.source)?;
    Ok(LogReader::new(source).exhaustive(range.exhaustive))
}

/// Both bounds; everything where none is given.
fn bounds(range: &LogdirRange) -> (i64, i64) {
    let forever = i64::try_from(MAX_TIMESTAMP).unwrap_or(i64::MAX);
    let from = range.from.unwrap_or(0);
    (from, range.to.unwrap_or(forever.max(from)))
}

fn print_range(
    settings: &Settings,
    range: &LogdirRange,
    output: Option<LogdirOutput>,
) -> Result<Verdict, Error> {
    let mut reader = reader(settings, range)?;
    let (min, max) = bounds(range);
    let entries = if range.reverse {
        reader.range_reversed(min, max)?
    } else {
        reader.range(min, max)?
    };
    let mut lines = Lines::new(output);
    for entry in entries {
        lines.print(&entry?)?;
    }
    lines.flush()?;
    tell(reader.damage(), reader.damage_count());
    Ok(lines.verdict())
}

async fn tail(
    settings: &Settings,
    source: &LogdirSource,
    from: Option<i64>,
    output: Option<LogdirOutput>,
) -> Result<Verdict, Error> {
    let mut wishes = Wishes::listen().map_err(Error::io("wait for signals"))?;
    let reader =
        LogReader::new(opened(settings, source)?.poll_interval(poll_interval(&source.dir))?);
    let now = Time::now().0 / 1_000_000;
    let mut entries = tail_stream(reader, from.unwrap_or(now), ASK_INTERVAL)?;
    let mut lines = Lines::new(output);
    loop {
        let entry = tokio::select! {
            biased;
            _ = wishes.ended() => break,
            entry = entries.next() => entry,
            // Nothing is there for now: what there was is shown.
            () = std::future::ready(()), if lines.waiting => {
                lines.flush()?;
                continue;
            }
        };
        match entry {
            Some(entry) => lines.print(&entry?)?,
            None => break,
        }
    }
    lines.flush()?;
    Ok(Verdict::Done)
}

fn bulk(settings: &Settings, range: &LogdirRange) -> Result<Verdict, Error> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        return Err(Error::Said(
            "bulk output is binary: expected a file or a pipe, such as: tailwater logdir bulk DIR > out.bin".to_owned(),
        ));
    }
    let mut reader = reader(settings, range)?;
    let (min, max) = bounds(range);
    let pieces = if range.reverse {
        reader.bulk_range_reversed(min, max)?
    } else {
        reader.bulk_range(min, max)?
    };
    let mut any = false;
    for piece in pieces {
        out.write_all(&piece?).map_err(Error::io("write"))?;
        any = true;
    }
    out.flush().map_err(Error::io("write"))?;
    tell(reader.damage(), reader.damage_count());
    Ok(if any {
        Verdict::Done
    } else {
        Verdict::NothingFound
    })
}

fn parse(reverse: bool, output: Option<LogdirOutput>) -> Result<Verdict, Error> {
    let mut input = std::io::stdin().lock();
    let pieces = std::iter::from_fn(move || {
        let mut piece = vec![0; CHUNK_BYTES];
        match input.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(Error::io("read standard input")(error))),
        }
    });
    let mut lines = Lines::new(output);
    let mut damaged: u64 = 0;
    let mut print = |block: Result<Vec<u8>, Error>| -> Result<(), Error> {
        match BulkParser::parse(&block?) {
            Ok(entries) if reverse => entries.rev().try_for_each(|entry| lines.print(&entry)),
            Ok(mut entries) => entries.try_for_each(|entry| lines.print(&entry)),
            Err(defect) => {
                damaged += 1;
                if damaged <= DAMAGE_TOLD as u64 {
                    tracing::warn!("a block was passed over: {defect}");
                }
                Ok(())
            }
        }
    };
    if reverse {
        BulkParser::read_reversed(pieces).try_for_each(&mut print)?;
    } else {
        BulkParser::read(pieces).try_for_each(&mut print)?;
    }
    lines.flush()?;
    if damaged > 0 {
        tracing::warn!("{damaged} damaged blocks were passed over");
    }
    Ok(lines.verdict())
}

/// Says what was passed over, in all and some of it.
fn tell<'d>(damage: impl Iterator<Item = &'d Damage>, count: u64) {
    for damage in damage.take(DAMAGE_TOLD) {
        tracing::warn!("{damage}");
    }
    if count > DAMAGE_TOLD as u64 {
        tracing::warn!("{count} damaged places in all");
    }
}

/// Entries on standard output.
struct Lines {
    printer: Printer,
    /// Their own JSON.
    json: bool,
    any: bool,
    /// Something was printed that is not shown yet.
    waiting: bool,
}

impl Lines {
    /// People at a terminal get text, programs JSON, unless it is said.
    fn new(output: Option<LogdirOutput>) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let json = match output {
            Some(output) => output == LogdirOutput::Json,
            None => !terminal,
        };
        Self {
            printer: Printer::new(Output::Text),
            json,
            any: false,
            waiting: false,
        }
    }

    fn print(&mut self, entry: &LogEntry) -> Result<(), Error> {
        self.any = true;
        self.waiting = true;
        let printed = if self.json {
            self.printer.line(&entry.to_json())
        } else {
            let entry = crate::logdir::to_entry(entry, Position(0));
            self.printer.print(&entry)
        };
        printed.map_err(Error::io("write"))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.waiting = false;
        self.printer.flush().map_err(Error::io("write"))
    }

    fn verdict(&self) -> Verdict {
        if self.any {
            Verdict::Done
        } else {
            Verdict::NothingFound
        }
    }
}

fn stat(settings: &Settings, source: &LogdirSource, output: Listing) -> Result<Verdict, Error> {
    let stat = Stat::of(opened(settings, source)?)?;
    let text = match output {
        Listing::Text => table(&stat, Path::new(&source.dir)),
        Listing::Json => as_json(&stat).to_string(),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").map_err(Error::io("write"))?;
    Ok(if stat.files.is_empty() && stat.hidden.is_empty() {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn time(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Time(millis.saturating_mul(1_000_000)).to_string()
}

fn table(stat: &Stat, dir: &Path) -> String {
    let mut lines = Vec::new();
    let mut row = |count: u64, what: String| lines.push(format!("{:>15}  {what}", grouped(count)));
    for (name, size) in &stat.files {
        row(*size, format!("bytes in {name}"));
    }
    row(stat.entries, "entries".to_owned());
    for (level, count) in &stat.levels {
        row(*count, format!("level {level}"));
    }
    for (kind, count) in &stat.types {
        row(*count, format!("type {kind}"));
    }
    for (worker, count) in &stat.workers {
        let worker = worker.map_or_else(|| "the master".to_owned(), |id| format!("worker {id}"));
        row(*count, worker);
    }
    row(stat.damage_count, "damaged places".to_owned());
    if let Some((first, last)) = stat.times {
        lines.push(format!("from {} to {}", time(first), time(last)));
    }
    if stat.clock_step > 0 {
        lines.push(format!(
            "a clock stepped back by {} ms: only --exhaustive finds everything in a range",
            grouped(stat.clock_step)
        ));
    }
    for name in &stat.hidden {
        lines.push(format!(
            "{name} is hidden: not every worker has begun to write to it (--immutable shows it)"
        ));
    }
    lines.extend(stat.damage.iter().map(Damage::to_string));
    if lines.len() == 2 && stat.files.is_empty() {
        return format!("{} holds no log files", dir.display());
    }
    lines.join("\n")
}

fn as_json(stat: &Stat) -> serde_json::Value {
    let files = stat.files.iter();
    let files = files.map(|(name, size)| json!({"file": name, "bytes": size}));
    let counts = |counts: Vec<(String, u64)>| -> serde_json::Map<String, serde_json::Value> {
        let counts = counts.into_iter();
        counts.map(|(name, count)| (name, count.into())).collect()
    };
    let levels = stat
        .levels
        .iter()
        .map(|(it, count)| (it.to_string(), *count));
    let types = stat
        .types
        .iter()
        .map(|(it, count)| (it.to_string(), *count));
    let worker = |id: Option<u32>| id.map_or_else(|| "master".to_owned(), |id| id.to_string());
    let workers = stat.workers.iter().map(|(id, count)| (worker(*id), *count));
    let damage = stat.damage.iter().map(|damage| {
        json!({
            "file": damage.file,
            "offset": damage.offset,
            "length": damage.length,
            "reason": damage.defect.to_string(),
        })
    });
    json!({
        "files": files.collect::<Vec<_>>(),
        "hidden": stat.hidden,
        "oldest": stat.times.map(|(first, _)| time(first)),
        "newest": stat.times.map(|(_, last)| time(last)),
        "entries": stat.entries,
        "levels": counts(levels.collect()),
        "types": counts(types.collect()),
        "workers": counts(workers.collect()),
        "clockStepMillis": stat.clock_step,
        "damaged": stat.damage_count,
        "damage": damage.collect::<Vec<_>>(),
    })
}
