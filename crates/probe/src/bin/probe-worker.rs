//! A worker process that does as each job's script says.

use std::process::ExitCode;

fn main() -> ExitCode {
    assay_probe::worker::main()
}
