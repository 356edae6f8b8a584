//! Starts and stops the services of redis mode on this machine.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    assay_test_support::local::main().await
}
