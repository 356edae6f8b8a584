//! `gateway`, with failpoints.

fn main() -> std::process::ExitCode {
    assay_gateway::main()
}
