//! Arguments of `tailwater logdir`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::Listing;
use crate::base::Time;
use crate::query::When;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LogdirAction {
    /// Print the entries of a range of time, in the order they are stored
    Range {
        #[command(flatten)]
        range: LogdirRange,
        /// How entries are printed; text on a terminal, JSON otherwise
        #[arg(long, short, value_enum)]
        output: Option<LogdirOutput>,
    },
    /// Print entries as they are written
    Tail {
        #[command(flatten)]
        source: LogdirSource,
        /// Begin at this time instead of now
        #[arg(long, value_name = "TIME", value_parser = millis, allow_hyphen_values = true)]
        from: Option<i64>,
        /// How entries are printed; text on a terminal, JSON otherwise
        #[arg(long, short, value_enum)]
        output: Option<LogdirOutput>,
    },
    /// Copy the stored blocks of a range of time to standard output
    Bulk {
        #[command(flatten)]
        range: LogdirRange,
    },
    /// Print the entries of what `bulk` wrote, from standard input
    Parse {
        /// The input was written with --reverse
        #[arg(long)]
        reverse: bool,
        /// How entries are printed; text on a terminal, JSON otherwise
        #[arg(long, short, value_enum)]
        output: Option<LogdirOutput>,
    },
    /// Count files, entries per level and type, and damage
    Stat {
        #[command(flatten)]
        source: LogdirSource,
        /// How it is printed
        #[arg(long, short, value_enum, default_value_t)]
        output: Listing,
    },
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct LogdirSource {
    /// The directory
    #[arg(value_name = "DIR")]
    pub dir: String,
    /// Nobody writes to it: show files too to which not every worker has begun to write
    #[arg(long)]
    pub immutable: bool,
    /// Open files only while they are read
    #[arg(long)]
    pub lazy: bool,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct LogdirRange {
    #[command(flatten)]
    pub source: LogdirSource,
    /// From this time on: RFC 3339, milliseconds since 1970, or so long ago, such as 15m
    #[arg(long, value_name = "TIME", value_parser = millis, allow_hyphen_values = true)]
    pub from: Option<i64>,
    /// Up to this time, included
    #[arg(long, value_name = "TIME", value_parser = millis, allow_hyphen_values = true)]
    pub to: Option<i64>,
    /// Read every block: finds entries even where a clock stepped back
    #[arg(long)]
    pub exhaustive: bool,
    /// The newest first
    #[arg(long)]
    pub reverse: bool,
}

/// How entries of a log directory are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogdirOutput {
    /// One line for people
    Text,
    /// One JSON object a line, as the original's `toJSON` makes it
    Json,
}

/// A time in milliseconds since 1970; a number is one already.
fn millis(text: &str) -> Result<i64, String> {
    if let Ok(millis) = text.parse() {
        return Ok(millis);
    }
    let when: When = text.parse()?;
    Ok(when.resolve(Time::now()).0.div_euclid(1_000_000))
}
