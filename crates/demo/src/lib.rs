//! Makes real media with known stories, and shows what Assay says about them.
//!
//! [`material::make`] writes files into a folder: a photograph from a simulated camera (`assay_corpus`), the same signed, the signed one
//! altered, a picture that says a generator made it, and a file under a false name. Each comes with its story and
//! with the verdict that it should get. Pixels and texts follow from a seed; signatures do not, as their keys are
//! made anew and thrown away.
//!
//! [`main`] is the program `demo`: it starts `assay dev` on free loopback ports and a temporary data folder, verifies
//! the material as jobs over gRPC, and exits with 0 only if every verdict is the expected one.
//!
//! Not here: any analysis, and any part of a service.

mod args;
mod client;
mod copied;
pub mod material;
mod outcome;
mod progress;
mod server;
mod show;
mod signed;
mod table;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;

/// The whole program. Answers the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let shown = match runtime {
        Ok(runtime) => runtime.block_on(show::run(&args)),
        Err(error) => Err(error.into()),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            drop(writeln!(io::stderr().lock(), "demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
