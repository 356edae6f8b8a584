//! `assay workers`: which worker processes live, and what they run.

use crate::args::Output;
use crate::client::Client;
use crate::exit;
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::worker;

/// Options of `assay workers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How they are printed: json is one worker per line
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
    match args.output {
        Output::Json => {
            for known in &workers {
                terminal.say(&worker::json(known).to_string())?;
            }
        }
        Output::Table if workers.is_empty() => {
            terminal.note("no worker is known: jobs wait until one is started");
        }
        Output::Table => terminal.say(&worker::rows(&workers).join("\n"))?,
    }
    Ok(exit::OK)
}
