//! `assay workers`: which worker processes live, and what they run.

use crate::client::Client;
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::worker;

/// Options of `assay workers`.
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
    let listing = Listing::new(args.output.format, terminal, "workers", worker::json);
    let none = "no worker is known: jobs wait until one is started";
    listing.print(client.workers().await?, worker::rows, none)?;
    Ok(exit::OK)
}
