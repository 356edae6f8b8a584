//! `verification-worker`: see the crate's documentation.

fn main() -> std::process::ExitCode {
    assay_verification_worker::main()
}
