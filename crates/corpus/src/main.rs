//! `forensics-report`: see the crate's documentation.

fn main() -> std::process::ExitCode {
    assay_corpus::report::main()
}
