//! Arguments of the explorer, and of cases.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::Look;
use crate::cli::programs::Program;
use crate::config::Colors;

/// What the explorer takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Explore {
    /// Log files, directories or quoted patterns of them ('/var/log/**/*.log'), a data directory, a directory of binary logs, a service's URL, or - for standard input
    #[arg(value_name = "PATH|URL|-")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub kind: Kind,
    /// Begin around this time: 2026-03-14T09:00:00Z, or any common form
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub look: Look,
}

/// How every explorer looks, and what becomes of what is done in it.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Screen {
    /// Which colours to use
    #[arg(long, value_enum, value_name = "COLORS")]
    pub colors: Option<Colors>,
    /// Which theme: dark, light, high-contrast, colour-blind, or a file of one
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// Begin at the newest entry, not where you were
    #[arg(long)]
    pub fresh: bool,
    /// Write no file and start no program: for a screen that anybody can reach
    #[arg(long)]
    pub read_only: bool,
    /// Tell in lines, one after the other, what is on the screen: for screen readers
    #[arg(long)]
    pub plain: bool,
    /// Play the keys of this file and print screens, without a terminal
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Write what happens into this file, to be played again
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// A case that is opened again, or handed on.
#[derive(Debug, ClapArgs)]
pub struct CaseArgs {
    /// The case, as the explorer saved it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What is explored; what it was then, unless something is named
    #[arg(value_name = "PATH|URL")]
    pub sources: Vec<String>,
    /// Print it in this form instead
    #[arg(long, short, value_enum, value_name = "FORM")]
    pub output: Option<CaseOutput>,
    #[command(flatten)]
    pub screen: Screen,
}

/// In which form a case is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CaseOutput {
    /// A timeline for a report
    Markdown,
    /// The entries, a line each
    Ndjson,
    /// A table
    Csv,
}

/// Which plain files are read, and what their lines are taken for where it shall not be told by looking.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct LineArgs {
    /// Read the directories below a directory, too
    #[arg(long, short)]
    pub recursive: bool,
    /// Take plain lines for this format, such as json, logfmt, log4j or one of the configuration
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
    /// Take times that name no zone for times of this one, such as UTC, Europe/Berlin or +02:00
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub from_zone: Option<String>,
}

/// What a path is taken for, where it shall not be told by looking.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Kind {
    /// Take a directory for this, whatever it looks like
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub named: Option<SourceKind>,
    /// What lines are taken for.
    #[command(flatten)]
    pub lines: LineArgs,
    /// Read what this command of the shell prints, and start it again when it ends; may be given several times
    #[arg(long = "command", value_name = "COMMAND")]
    pub commands: Vec<String>,
    /// Read the journal of systemd, of these units or of all
    #[arg(long, value_name = "UNIT", num_args = 0..)]
    pub journal: Option<Vec<String>>,
}

impl Kind {
    /// What is named, and the programs that are.
    pub(in crate::cli) fn with(&self, sources: &[String]) -> Vec<String> {
        let commands = self.commands.iter().cloned().map(Program::Command);
        let journal = self.journal.iter().cloned().map(Program::Journal);
        let programs = commands.chain(journal).map(|program| program.source());
        sources.iter().cloned().chain(programs).collect()
    }

    /// What is said of each source by itself.
    pub(in crate::cli) fn alone(&self) -> Self {
        Self {
            named: self.named,
            lines: self.lines.clone(),
            ..Self::default()
        }
    }
}

/// Kinds of directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceKind {
    /// An embedded log: a data directory, or segments copied from one
    Store,
    /// Binary logs, as super-server-logs writes them
    Logdir,
    /// Plain log files
    Files,
}
