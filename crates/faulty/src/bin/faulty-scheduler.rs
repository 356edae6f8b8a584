//! `scheduler`, with failpoints.

fn main() -> std::process::ExitCode {
    assay_scheduler::main()
}
