//! `assay queues`: what waits for a worker, which kinds of jobs are held back, and the end of what waits.

mod purge;

use clap::Subcommand;

use crate::client::Client;
use crate::exit;
use crate::output::{Listing, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::queue;

/// Options of `assay queues`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the queues, one per kind and lane
    List(Asked),
    /// Let no worker take jobs of a kind; what runs goes on, what is submitted waits
    Pause(One),
    /// Let jobs of a kind run again
    Resume(One),
    /// Cancel the jobs of a kind that wait; what runs goes on
    Purge(purge::Args),
}

/// Where to ask, and how to answer.
#[derive(Debug, clap::Args)]
struct Asked {
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of a command about one kind.
#[derive(Debug, clap::Args)]
struct One {
    /// Which kind of jobs, such as content-verification
    kind: String,
    #[command(flatten)]
    asked: Asked,
}

/// Asks the server, and prints the queues that were meant as they are then.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    match args.command {
        Command::List(asked) => {
            let client = asked.client().await?;
            asked.print(&client, |_| true, terminal).await?;
        }
        Command::Pause(one) => {
            let client = one.asked.client().await?;
            client.pause(&one.kind).await?;
            one.print(&client, terminal).await?;
        }
        Command::Resume(one) => {
            let client = one.asked.client().await?;
            client.resume(&one.kind).await?;
            one.print(&client, terminal).await?;
        }
        Command::Purge(args) => return purge::run(args, terminal).await,
    }
    Ok(exit::OK)
}

impl One {
    async fn print(&self, client: &Client, terminal: Terminal) -> anyhow::Result<()> {
        let is_meant = |kind: &str| kind == self.kind;
        self.asked.print(client, is_meant, terminal).await
    }
}

impl Asked {
    async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(&self.server.server).await?)
    }

    async fn print(
        &self,
        client: &Client,
        is_meant: impl Fn(&str) -> bool,
        terminal: Terminal,
    ) -> anyhow::Result<()> {
        let mut queues = client.queues().await?;
        queues.retain(|known| is_meant(&known.kind));
        let listing = Listing::new(self.output.format, terminal, "queues", queue::json);
        Ok(listing.print(queues, queue::rows, "the server has no queue of that kind")?)
    }
}
