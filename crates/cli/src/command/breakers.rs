//! `assay breakers`: which downstreams the workers leave alone, and until when.

use crate::args::Output;
use crate::client::Client;
use crate::exit;
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::breaker;

/// Options of `assay breakers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How they are printed: json is one breaker per line
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and prints its answer.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    let workers = Client::connect(&args.server.server)
        .await?
        .workers()
        .await?;
    let breakers = breaker::of(&workers);
    match args.output {
        Output::Json => {
            for one in &breakers {
                terminal.say(&breaker::json(one).to_string())?;
            }
        }
        Output::Table if breakers.is_empty() => {
            terminal.note("no worker has a circuit breaker: no detectors are configured");
        }
        Output::Table => terminal.say(&breaker::rows(&breakers).join("\n"))?,
    }
    Ok(exit::OK)
}
