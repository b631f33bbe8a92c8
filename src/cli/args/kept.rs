//! Arguments of the commands around live streams and blobs.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::Listing;
use crate::blobs::{Key, KeyError};

/// How a stream or blob is named.
pub trait Name: ClapArgs {
    /// Its key.
    fn key(&self) -> Result<Key, KeyError>;
}

/// By its key.
#[derive(Clone, Debug, ClapArgs)]
pub struct Named {
    /// Its name: segments with slashes between them, such as my/build/1
    #[arg(value_name = "KEY")]
    pub key: Key,
}

impl Name for Named {
    fn key(&self) -> Result<Key, KeyError> {
        Ok(self.key.clone())
    }
}

/// By the step of a build.
#[derive(Clone, Debug, ClapArgs)]
#[expect(clippy::struct_field_names, reason = "it is called so in the commands")]
pub struct Step {
    /// The account
    #[arg(
        long,
        value_name = "ID",
        env = "TAILWATER_ACCOUNT",
        default_value = "default"
    )]
    pub account: String,
    /// The organisation
    #[arg(
        long,
        value_name = "ID",
        env = "TAILWATER_ORG",
        default_value = "default"
    )]
    pub org: String,
    /// The project
    #[arg(value_name = "PROJECT")]
    pub project: String,
    /// The build
    #[arg(value_name = "BUILD")]
    pub build: String,
    /// The stage
    #[arg(value_name = "STAGE")]
    pub stage: String,
    /// The step
    #[arg(value_name = "STEP")]
    pub step: String,
}

impl Name for Step {
    fn key(&self) -> Result<Key, KeyError> {
        let Self {
            account,
            org,
            project,
            build,
            stage,
            step,
        } = self;
        Key::of(&[account, org, project, build, stage, step])
    }
}

/// What can be done with live streams.
#[derive(Clone, Debug, Subcommand)]
pub enum StreamAction<N: Name> {
    /// Open a stream; one that is open stays as it is
    Open {
        #[command(flatten)]
        name: N,
        /// Close it after so long without a line, such as 30m
        #[arg(long, value_name = "TIME")]
        ttl: Option<String>,
        /// Begin anew if it was closed
        #[arg(long)]
        restart: bool,
    },
    /// Push lines: a message, or what standard input gives (-), as it comes
    Push {
        #[command(flatten)]
        name: N,
        #[command(flatten)]
        push: StreamPush,
    },
    /// Print a stream: what there is, then what comes
    Tail {
        #[command(flatten)]
        name: N,
        #[command(flatten)]
        tail: StreamTailArgs,
    },
    /// Close a stream: it is a blob then
    Close {
        #[command(flatten)]
        name: N,
    },
    /// List open streams
    Info {
        /// Only those below this key
        #[arg(long, value_name = "KEY", default_value = "")]
        prefix: String,
        /// How it is printed
        #[arg(long, short, value_enum, default_value_t)]
        output: Listing,
    },
}

/// What is pushed.
#[derive(Clone, Debug, ClapArgs)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct StreamPush {
    /// The line; - or nothing reads lines from standard input, each pushed as it comes
    #[arg(value_name = "MESSAGE")]
    pub message: Option<String>,
    /// The number of the line, of your own
    #[arg(long, value_name = "N")]
    pub line: Option<i64>,
    /// When it was written: RFC 3339, or a number; now, unless it is said
    #[arg(long, value_name = "TIME")]
    pub timestamp: Option<String>,
    /// How severe it is
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Lines are JSON objects: out, pos, time, level, args
    #[arg(long, conflicts_with_all = ["line", "timestamp", "level"])]
    pub json: bool,
    /// Open the stream first
    #[arg(long)]
    pub open: bool,
    /// Close the stream at the end of the input
    #[arg(long)]
    pub close: bool,
    /// Print what is read from standard input, too
    #[arg(long)]
    pub tee: bool,
}

/// What is printed of a stream.
#[derive(Clone, Debug, ClapArgs)]
pub struct StreamTailArgs {
    /// Begin with this line's number
    #[arg(long, value_name = "N", conflicts_with = "lines")]
    pub from: Option<u64>,
    /// Begin with so many of the newest lines
    #[arg(long, short = 'n', value_name = "N")]
    pub lines: Option<u64>,
    /// Only lines of this time and later
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only lines of this level and more severe ones
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only lines that this question finds
    #[arg(long, short, value_name = "QUERY")]
    pub query: Option<String>,
    /// Do not wait for lines that are to come
    #[arg(long)]
    pub no_follow: bool,
}

/// What can be done with a blob.
#[derive(Clone, Debug, Subcommand)]
pub enum BlobWork<N: Name> {
    /// Store a file, or standard input (-), as a blob
    Upload {
        #[command(flatten)]
        name: N,
        /// The file; - or nothing is standard input
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
        /// Its type; found by the name of the file, unless it is said
        #[arg(long = "type", value_name = "TYPE")]
        content_type: Option<String>,
        /// Fail if there is one already
        #[arg(long)]
        only_new: bool,
    },
    /// Write a blob to a file, or to standard output (-)
    Download {
        #[command(flatten)]
        name: N,
        /// The file; - or nothing is standard output
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
    /// Print a link by which the blob can be read
    DownloadLink {
        #[command(flatten)]
        name: N,
        /// How long it is worth something, such as 1h; a week at the most
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Print a link by which the blob can be stored (PUT)
    UploadLink {
        #[command(flatten)]
        name: N,
        /// How long it is worth something, such as 1h; a week at the most
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
}

/// What can be done with blobs.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreAction {
    #[command(flatten)]
    Blob(BlobWork<Named>),
    /// List blobs
    List {
        /// Only those that are this or below it
        #[arg(value_name = "PREFIX", default_value = "")]
        prefix: String,
        /// How it is printed
        #[arg(long, short, value_enum, default_value_t)]
        output: Listing,
    },
    /// Delete a blob
    Delete {
        #[command(flatten)]
        name: Named,
        /// Delete everything below it too
        #[arg(long)]
        prefix: bool,
    },
    /// Write everything below a key as one zip archive
    Zip {
        #[command(flatten)]
        name: Named,
        /// The file; - or nothing is standard output
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
    },
}
