//! Arguments of the explorer, and of cases.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::config::Colors;

/// What the explorer takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Explore {
    /// Log files, a data directory, a directory of binary logs, a service's URL, or - for standard input
    #[arg(value_name = "PATH|URL|-")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub kind: Kind,
    /// Begin with this query
    #[arg(long, short, value_name = "QUERY")]
    pub query: Option<String>,
    /// Begin around this time: 2026-03-14T09:00:00Z, or any common form
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Which colours to use
    #[arg(long, value_enum, value_name = "COLORS")]
    pub colors: Option<Colors>,
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
    /// Which colours to use
    #[arg(long, value_enum, value_name = "COLORS")]
    pub colors: Option<Colors>,
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

/// What a path is taken for, where it shall not be told by looking.
#[derive(Clone, Copy, Debug, Default, ClapArgs)]
pub struct Kind {
    /// Take a directory for this, whatever it looks like
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub named: Option<SourceKind>,
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
