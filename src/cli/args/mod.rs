//! Arguments of the command line.

mod events;
mod explore;
mod kept;
mod logdir;
mod serve;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::config::Overrides;

pub(super) use events::{EventArgs, EventsAction, ListenArgs, On};
pub(super) use explore::{CaseArgs, CaseOutput, Explore, Kind, LineArgs, Screen, SourceKind};
pub(super) use kept::{BlobWork, Name, StoreAction, StreamAction, StreamPush, StreamTailArgs};
use kept::{Named, Step};
pub(super) use logdir::{LogdirAction, LogdirOutput, LogdirRange, LogdirSource};
pub(super) use serve::Serve;

/// A terminal log explorer with its log service built in.
///
/// Without a command it explores: the embedded log, a service (<http://host:7420>), log files, or standard input (-).
#[derive(Debug, Parser)]
#[command(name = "tailwater", version)]
pub(super) struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(flatten)]
    pub explore: Explore,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, ClapArgs)]
pub(super) struct Global {
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", env = "TAILWATER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the embedded log
    #[arg(long, global = true, value_name = "DIR", env = "TAILWATER_DATA")]
    pub data: Option<PathBuf>,
    /// What of the program's own log is kept: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Service to talk to instead of the embedded log
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "TAILWATER_URL",
        visible_alias = "server"
    )]
    pub url: Option<String>,
    /// Token for the service
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "TAILWATER_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// Only this namespace; entries that are ingested without one get it
    #[arg(long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Set any key of the configuration, such as serve.drain=10s or pipelines.0.name=app; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl Global {
    /// For [`crate::config::load`].
    pub fn overrides(self) -> Overrides {
        let Self {
            config,
            data,
            log_level,
            url,
            token,
            namespace,
            set,
        } = self;
        Overrides {
            config,
            data,
            log_level,
            url,
            token,
            namespace,
            set,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Explore, as without a command
    Explore(Explore),
    /// Explore a believable incident, without any set-up
    Demo(Demo),
    /// Run the log service
    Serve(Serve),
    /// Print the newest entries that match a query
    Query(Query),
    /// Print entries as they arrive
    Tail(Tail),
    /// Read log lines into the embedded log or a service
    Ingest(Ingest),
    /// List the pipelines of a running service: what moves, what waits, what fails
    Pipelines(PipelinesArgs),
    /// Look after the embedded log's files
    Log {
        #[command(subcommand)]
        action: LogAction,
    },
    /// Read directories of binary logs, as super-server-logs writes them
    Logdir {
        #[command(subcommand)]
        action: LogdirAction,
    },
    /// Events: send them, see what waits for them, wait for them
    Events {
        #[command(subcommand)]
        action: EventsAction,
    },
    /// Live streams of lines at a service: open, push, tail, close
    Stream {
        #[command(subcommand)]
        action: StreamAction<Named>,
    },
    /// The same, by project, build, stage and step
    Cistream {
        #[command(subcommand)]
        action: StreamAction<Step>,
    },
    /// Blobs at a service: upload, download, list, delete
    Store {
        #[command(subcommand)]
        action: StoreAction,
    },
    /// The same, by project, build, stage and step
    Cistore {
        #[command(subcommand)]
        action: BlobWork<Step>,
    },
    /// Make, list and revoke the tokens of the service
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Look for what would keep the service from working: data, ports, certificates, tokens, time
    Doctor(Doctor),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        action: ConfigAction,
    },
    /// Open a case that the explorer saved, or print it for a report
    Case(CaseArgs),
    /// List the explorer's actions and their keys
    Keys,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Demo {
    /// Live entries per second
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub rate: u32,
    /// Seed of the incident: the same seed tells the same story
    #[arg(long, default_value_t = 7, value_name = "N")]
    pub seed: u64,
    /// Entries before now
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    pub backlog: usize,
    #[command(flatten)]
    pub look: Look,
}

/// What an explorer with a query takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct Look {
    /// Begin with this query
    #[arg(long, short, value_name = "QUERY")]
    pub query: Option<String>,
    #[command(flatten)]
    pub screen: Screen,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Doctor {
    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Listing,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenAction {
    /// Make a token and print it, this once; with --namespace for that namespace only
    Create(CreateToken),
    /// List tokens: what they allow, and until when
    List {
        /// How it is printed
        #[arg(long, short, value_enum, default_value_t)]
        output: Listing,
    },
    /// Take a token away; a running service refuses it at once
    Revoke {
        /// Its id, as listed
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("rights").required(true).multiple(true))]
pub(super) struct CreateToken {
    /// It allows to ask
    #[arg(long, group = "rights")]
    pub read: bool,
    /// It allows to push
    #[arg(long, group = "rights")]
    pub write: bool,
    /// It allows everything
    #[arg(long, group = "rights")]
    pub admin: bool,
    /// It is for the streams and blobs below this key only, such as acme/builds
    #[arg(long, value_name = "KEY")]
    pub prefix: Option<crate::blobs::Key>,
    /// It is worth something for so long, such as 30d; without it until it is revoked
    #[arg(long, value_name = "TIME", value_parser = crate::base::units::parse_duration)]
    pub expires: Option<std::time::Duration>,
}

/// How entries are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// One line for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
    /// One logfmt line
    Logfmt,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Query {
    /// The question; see the README for the language
    #[arg(value_name = "QUERY")]
    #[expect(clippy::struct_field_names, reason = "the argument is the query")]
    pub query: String,
    /// Log files, a data directory, or - for standard input, instead of the embedded log
    #[arg(value_name = "PATH|URL|-")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub kind: Kind,
    /// At most so many entries, the newest
    #[arg(long, short = 'n', default_value_t = 1_000, value_name = "N")]
    pub limit: usize,
    /// How entries are printed
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Output,
    /// Go on with entries as they arrive
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Tail {
    /// Only entries that match this question
    #[arg(value_name = "QUERY", default_value = "")]
    pub query: String,
    /// Log files, a data directory, or - for standard input, instead of the embedded log
    #[arg(value_name = "PATH|URL|-")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub kind: Kind,
    /// So many of the newest entries first
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N")]
    pub limit: usize,
    /// How entries are printed
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Output,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Ingest {
    /// Log files, directories or quoted patterns of them; - or none for standard input
    #[arg(value_name = "FILE|-")]
    pub files: Vec<PathBuf>,
    /// What lines are taken for.
    #[command(flatten)]
    pub lines: LineArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PipelinesArgs {
    /// Only this one
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Listing,
}

/// How listings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Listing {
    /// A table for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum LogAction {
    /// List the segments and what is not sealed yet
    Stat {
        /// A data directory or a folder of segments, instead of the embedded log
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
        /// How it is printed
        #[arg(long, short, value_enum, default_value_t)]
        output: Listing,
    },
    /// Read every byte and say what is damaged; fails if anything is
    Verify {
        /// A data directory or a folder of segments, instead of the embedded log
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Seal what is in the write-ahead log and merge small segments, now
    Compact,
    /// Write matching entries, oldest first: JSON lines, or one Parquet file
    Export(Export),
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("form").required(true))]
pub(super) struct Export {
    /// One JSON object a line, to FILE or to standard output (-)
    #[arg(long, value_name = "FILE", group = "form", num_args = 0..=1, default_missing_value = "-")]
    pub ndjson: Option<PathBuf>,
    /// One Parquet file with the columns of a segment
    #[arg(long, value_name = "FILE", group = "form")]
    pub parquet: Option<PathBuf>,
    /// Only entries that match this question
    #[arg(long, short, default_value = "", value_name = "QUERY")]
    pub query: String,
    /// A data directory or a folder of segments, instead of the embedded log
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigAction {
    /// Print the settings in force and where each comes from
    Show,
    /// Look whether the configuration is understood: file, variables and flags; fails with the place of the first mistake
    Check,
    /// Print every key of the configuration file, as Markdown
    Reference,
}
