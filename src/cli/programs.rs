//! What programs print as a log: any command, and the journal of systemd. They are started again when they end.

use std::io::{self, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::Error;
use super::args::LineArgs;
use super::loading::Feeder;
use super::lying::line_options;
use super::open::Opened;
use crate::base::{Backoff, Gauge, Time};
use crate::config::Settings;
use crate::entry::decode::{Decoder, Defaults};
use crate::entry::{Entry, Level};
use crate::files;

/// First and longest wait before a program is started again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A program that ran so long was well: the next wait is the first again.
const WELL: Duration = Duration::from_secs(10);
/// After so long without a line, what came is an answer for who asks once.
const QUIET: Duration = Duration::from_secs(1);
/// Entries of the journal that are read at first, the newest.
const JOURNAL: u32 = 50_000;

/// A program whose lines are a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// A command of the shell.
    Command(String),
    /// The journal, of these units or of all.
    Journal(Vec<String>),
}

impl Program {
    /// What a source means: `command:…`, `journal:` and `journal:unit,unit`.
    pub fn of(source: &str) -> Option<Self> {
        if let Some(command) = source.strip_prefix("command:") {
            return Some(Self::Command(command.to_owned()));
        }
        let units = source.strip_prefix("journal:")?;
        let units = units.split(',').filter(|unit| !unit.is_empty());
        Some(Self::Journal(units.map(str::to_owned).collect()))
    }

    /// The source that means it.
    pub fn source(&self) -> String {
        match self {
            Self::Command(command) => format!("command:{command}"),
            Self::Journal(units) => format!("journal:{}", units.join(",")),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Command(command) => command.clone(),
            Self::Journal(units) if units.is_empty() => "journal".to_owned(),
            Self::Journal(units) => format!("journal of {}", units.join(", ")),
        }
    }

    /// How it is started; after which entry of the journal, if it was before.
    fn command(&self, after: Option<&str>) -> Command {
        match self {
            Self::Command(text) => {
                let mut command = Command::new("sh");
                // What it complains of belongs to what it says.
                command.args(["-c", "exec 2>&1; eval \"$1\"", "sh", text]);
                command
            }
            Self::Journal(units) => {
                let mut command = Command::new("journalctl");
                command.args(["-o", "json", "-f", "--no-pager"]);
                match after {
                    Some(cursor) => command.arg(format!("--after-cursor={cursor}")).arg("-nall"),
                    None => command.arg(format!("-n{JOURNAL}")),
                };
                command.args(units.iter().flat_map(|unit| ["-u", unit]));
                command
            }
        }
    }
}

impl Opened {
    /// A log of what a program prints, in a temporary directory; usable while it comes.
    ///
    /// # Errors
    /// The program cannot be started, or there is no room for the log.
    pub(super) fn program(
        settings: &Settings,
        lines: &LineArgs,
        program: Program,
    ) -> Result<Self, Error> {
        let options = line_options(settings, lines)?;
        let name = program.name();
        let child = started(&program, None).map_err(|error| {
            let program = match &program {
                Program::Command(_) => "sh",
                Program::Journal(_) => "journalctl",
            };
            Error::Said(format!("{name}: {program} cannot be started: {error}"))
        })?;
        let (mut opened, store) = Self::temporary(name.clone())?;
        let feeder = Feeder::new(&store, opened.stopping());
        let ended = Arc::new(Gauge::default());
        opened.stdin = Some(Arc::clone(&ended));
        let reader = std::thread::Builder::new()
            .name("program-reader".to_owned())
            .spawn(move || read(&program, child, &options, feeder, &ended))
            .map_err(Error::io("start a thread"))?;
        opened.reader = Some(reader);
        Ok(opened)
    }
}

/// Ends a program with whatever it started.
fn stop(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, Signal::TERM);
    }
}

fn started(program: &Program, after: Option<&str>) -> io::Result<Child> {
    program
        .command(after)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// Reads a program's lines into a log until nobody wants them; starts it again when it ends.
fn read(
    program: &Program,
    child: Child,
    options: &files::Options,
    mut feeder: Feeder,
    ended: &Gauge,
) {
    let name = program.name();
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let (mut running, mut cursor) = (Some(child), None::<String>);
    loop {
        let begun = Time::now();
        let told = match running
            .take()
            .map_or_else(|| started(program, cursor.as_deref()), Ok)
        {
            Ok(mut child) => {
                if let Some(out) = child.stdout.take() {
                    let out = BufReader::with_capacity(256 << 10, out);
                    let mut last = Instant::now();
                    files::read_stream(out, &name, options, |batch| {
                        if !batch.is_empty() {
                            last = Instant::now();
                        } else if last.elapsed() >= QUIET {
                            feeder.settle();
                            ended.finish();
                        }
                        let told = batch.iter().rev().find_map(cursor_of);
                        cursor = told.or(cursor.take());
                        feeder.take(batch)
                    });
                }
                stop(&child);
                let status = child.wait();
                status.map_or_else(|error| error.to_string(), |status| status.to_string())
            }
            Err(error) => format!("cannot be started: {error}"),
        };
        if feeder.is_stopping() {
            return;
        }
        if Time::now().since(begun) >= WELL {
            backoff.reset();
        }
        let wait = backoff.delay();
        let _ = feeder.take(vec![note(
            &options.defaults(name.clone(), begun),
            &told,
            wait,
        )]);
        feeder.settle();
        ended.finish();
        if feeder.wait(wait) {
            return;
        }
    }
}

/// Where in the journal an entry stands.
fn cursor_of(entry: &Entry) -> Option<String> {
    let cursor = entry.fields.get("__CURSOR")?.as_str()?;
    Some(cursor.to_owned())
}

/// That a program ended is said among what it said.
fn note(defaults: &Defaults, told: &str, wait: Duration) -> Entry {
    let text = format!(
        "ended: {told}; started again in {:.1} s",
        wait.as_secs_f32()
    );
    let (said, _) = Decoder::Raw.line(text.as_bytes(), defaults);
    Entry {
        time: Time::now(),
        level: Level::Warn,
        ..said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_mean_programs() {
        for program in [
            Program::Command("kubectl logs -f deploy/x".to_owned()),
            Program::Journal(Vec::new()),
            Program::Journal(vec!["nginx".to_owned(), "shop".to_owned()]),
        ] {
            assert_eq!(Program::of(&program.source()), Some(program));
        }
        assert_eq!(Program::of("app.log"), None);
    }

    #[test]
    fn the_journal_goes_on_after_its_cursor() {
        let line =
            br#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1773478800000000","MESSAGE":"hi"}"#;
        let (entry, _) = Decoder::Json.line(line, &Defaults::at(Time(0)));
        let cursor = cursor_of(&entry);
        let journal = Program::Journal(vec!["shop".to_owned()]);
        let asked = |after: Option<&str>| {
            let command = journal.command(after);
            let arguments = command.get_args().map(|word| word.display().to_string());
            arguments.collect::<Vec<_>>().join(" ")
        };
        let told = "-o json -f --no-pager";
        assert_eq!(asked(None), format!("{told} -n{JOURNAL} -u shop"));
        assert_eq!(
            asked(cursor.as_deref()),
            format!("{told} --after-cursor=s=1;i=2 -nall -u shop")
        );
    }
}
