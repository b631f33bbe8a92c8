//! The program: hands the arguments to the command line and its verdict to the shell.

use std::process::ExitCode;

/// Entries are made on one thread and dropped on another by the hundred thousand.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tailwater::cli::run(std::env::args_os())
}
