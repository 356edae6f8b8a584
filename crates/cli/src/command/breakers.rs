//! `assay breakers`: which downstreams the workers leave alone, and until when.

use crate::client::Client;
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::breaker;

/// Options of `assay breakers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and prints its answer.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let client = Client::connect(&args.server.server).await?;
    let workers = client.workers().await?;
    let listing = Listing::new(args.output.format, terminal, "breakers", breaker::json);
    let none = "no worker has a circuit breaker: no detectors are configured";
    listing.print(breaker::of(&workers), breaker::rows, none)?;
    Ok(exit::OK)
}
