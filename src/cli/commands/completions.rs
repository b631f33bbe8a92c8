//! `tailwater completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Args;
use crate::cli::{Error, Verdict};

pub(in crate::cli) fn run(shell: Shell) -> Result<Verdict, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "tailwater", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)
        .map_err(Error::io("write the script"))?;
    Ok(Verdict::Done)
}
