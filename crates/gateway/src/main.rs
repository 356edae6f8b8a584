//! `gateway`: see the crate's documentation.

fn main() -> std::process::ExitCode {
    assay_gateway::main()
}
