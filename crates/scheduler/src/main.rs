//! `scheduler`: see the crate's documentation.

fn main() -> std::process::ExitCode {
    assay_scheduler::main()
}
