//! `assay`: see the crate's documentation.

fn main() -> std::process::ExitCode {
    assay_cli::main()
}
