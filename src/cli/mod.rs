//! The command line: the only room that wires rooms together.
//!
//! Exit codes: 0 done, 1 nothing found, 2 failed. A closed pipe is done.

mod args;
mod commands;
mod demo;
mod directory;
mod error;
mod keeping;
mod loading;
mod lying;
mod open;
mod output;
mod own_log;
mod own_ports;
mod programs;
mod reading;
mod remote;
mod several;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command, Explore};
pub(crate) use error::Error;

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done.
    Done,
    /// Done, and there was nothing to be found.
    NothingFound,
}

/// Runs the program: reads the arguments, does the work, prints failures to standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match dispatch(args) {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::NothingFound) => ExitCode::from(1),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            error.print();
            ExitCode::from(2)
        }
    }
}

/// Every file that is followed, explored or served is open: as many as the system allows, not as many as it suggests.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::debug!(%error, "no more files can be opened at the same time");
    }
}

fn dispatch(args: Args) -> Result<Verdict, Error> {
    let Args {
        global,
        explore,
        command,
    } = args;
    let settings = crate::config::load(global.overrides())?;
    raise_file_limit();
    let run = async move {
        match command {
            None => commands::explore::run(&settings, explore).await,
            Some(Command::Explore(args)) => {
                let sources = [explore.sources, args.sources].concat();
                let args = Explore { sources, ..args };
                commands::explore::run(&settings, args).await
            }
            Some(Command::Demo(args)) => commands::demo::run(&settings, &args).await,
            Some(Command::Serve(args)) => commands::serve::run(&settings, &args).await,
            Some(Command::Query(args)) => commands::query::run(&settings, args).await,
            Some(Command::Tail(args)) => commands::tail::run(&settings, args).await,
            Some(Command::Ingest(args)) => commands::ingest::run(&settings, &args).await,
            Some(Command::Pipelines(args)) => commands::pipelines::run(&settings, &args).await,
            Some(Command::Log { action }) => commands::log::run(&settings, action).await,
            Some(Command::Logdir { action }) => commands::logdir::run(&settings, action).await,
            Some(Command::Events { action }) => commands::events::run(&settings, &action).await,
            Some(Command::Stream { action }) => commands::stream::run(&settings, &action).await,
            Some(Command::Cistream { action }) => commands::stream::run(&settings, &action).await,
            Some(Command::Store { action }) => commands::store::run(&settings, &action).await,
            Some(Command::Cistore { action }) => commands::store::work(&settings, &action).await,
            Some(Command::Token { action }) => commands::token::run(&settings, action),
            Some(Command::Doctor(args)) => commands::doctor::run(&settings, &args).await,
            Some(Command::Completions { shell }) => commands::completions::run(shell),
            Some(Command::Config { action }) => commands::config::run(&settings, &action),
            Some(Command::Case(args)) => commands::case::run(&settings, args).await,
            Some(Command::Keys) => commands::keys::run(&settings),
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let verdict = runtime.block_on(run);
    // Threads that read a pipe or a terminal cannot be interrupted: they end with the process.
    runtime.shutdown_background();
    verdict
}
