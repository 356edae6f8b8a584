//! Runs a command with a private Redis beside it.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    assay_test_support::with_servers::main().await
}
