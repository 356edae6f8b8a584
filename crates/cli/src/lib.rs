//! `assay`: the command for people, and all services in one process.
//!
//! Contract: results go to standard output, everything else to standard error; exit codes are those of
//! `exit`; an error is one sentence that names the next step. Commands speak gRPC to a server, and so
//! does `assay verify` when it has to start one of its own in its process. `assay calibrate` makes no jobs and asks no
//! server: it looks at files in child processes of its own.
//!
//! Not here: services (they are put together in `assay-embedded`), rules of jobs, analyses.

mod args;
mod client;
mod command;
mod confirm;
mod draft;
mod exit;
mod moment;
mod output;
mod report;
mod server;
mod terminal;
mod view;

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;

use assay_verification_worker::analyst::{ANALYST_WORD, child_main};
use clap::Parser;

use crate::args::{Cli, Command};
use crate::client::Credential;
use crate::terminal::Terminal;

/// The whole program. Answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    // A child process that looks at a file of strangers: no runtime, no configuration, no log.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == ANALYST_WORD)
    {
        return child_main();
    }
    let variables = assay_service::config::environment();
    let terminal = Terminal::of_process(&variables);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to its end is not a failure.
            drop(error.print());
            return exit::code(if error.use_stderr() {
                exit::TROUBLE
            } else {
                exit::OK
            });
        }
    };
    let shown = Credential::choose(cli.token_file.as_deref(), &variables);
    match shown.and_then(|()| run(cli.command, variables, terminal)) {
        Ok(code) => exit::code(code),
        Err(error) if is_closed_pipe(&error) => exit::code(exit::OK),
        Err(error) => {
            terminal.note(&format!("assay: {error:#}"));
            exit::code(exit::TROUBLE)
        }
    }
}

fn run(
    command: Command,
    variables: BTreeMap<String, String>,
    terminal: Terminal,
) -> anyhow::Result<u8> {
    match command {
        Command::Dev(args) => Ok(command::dev::run(&args, variables, terminal)),
        Command::Verify(args) => command::verify::run(args, variables, terminal),
        Command::Calibrate(args) => command::calibrate::run(args, variables, terminal),
        Command::Submit(args) => block_on(command::submit::run(args, terminal)),
        Command::Watch(args) => block_on(command::watch::run(args, terminal)),
        Command::Jobs(args) => block_on(command::jobs::run(args, terminal)),
        Command::Content(args) => block_on(command::content::run(args, terminal)),
        Command::DeadLetters(args) => {
            block_on(command::dead_letters::run(args, variables, terminal))
        }
        Command::Queues(args) => block_on(command::queues::run(args, terminal)),
        Command::Breakers(args) => block_on(command::breakers::run(args, terminal)),
        Command::Workers(args) => block_on(command::workers::run(args, terminal)),
        Command::Token(args) => command::token::run(args, terminal),
        Command::Doctor(args) => block_on(command::doctor::run(args, variables, terminal)),
        Command::Completions(args) => command::completions::run(args, terminal),
    }
}

/// Runs a command that only waits for a server: one thread is enough.
fn block_on(command: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build()?.block_on(command)
}

/// `assay jobs list | head` ends well.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
