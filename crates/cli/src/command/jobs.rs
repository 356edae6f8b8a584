//! `assay jobs`: find jobs, look at them, stop them, put them back.

mod list;

use assay_gateway::json;
use clap::Subcommand;

use crate::client::Client;
use crate::exit;
use crate::output::{Format, OutputArgs};
use crate::server::ServerArgs;
use crate::terminal::Terminal;
use crate::view::job;
use crate::view::report::Report;

/// Options of `assay jobs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List jobs, newest first
    List(list::Args),
    /// Show one job
    Get(One),
    /// Print the result of a job that succeeded
    Result(One),
    /// Stop a job
    Cancel(One),
    /// Put a failed or dead-lettered job back into its queue
    Retry(One),
}

/// Options of a command about one job.
#[derive(Debug, clap::Args)]
struct One {
    /// Which job
    job_id: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks the server, and prints its answer.
pub(crate) async fn run(args: Args, terminal: Terminal) -> anyhow::Result<u8> {
    match args.command {
        Command::List(args) => return list::run(args, terminal).await,
        Command::Get(one) => {
            let job = one.client().await?.job(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
        Command::Result(one) => {
            let result = one.client().await?.result(&one.job_id).await?;
            one.print_result(&result, terminal)?;
        }
        Command::Cancel(one) => {
            let job = one.client().await?.cancel(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
        Command::Retry(one) => {
            let job = one.client().await?.retry(&one.job_id).await?;
            one.print(&job, terminal)?;
        }
    }
    Ok(exit::OK)
}

impl One {
    async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::connect(&self.server.server).await?)
    }

    fn print(&self, job: &assay_api::v1::Job, terminal: Terminal) -> anyhow::Result<()> {
        let (document, lines) = (|| json::job(job), || job::lines(job, terminal));
        Ok(self.output.format.print(terminal, document, lines)?)
    }

    fn print_result(&self, result: &[u8], terminal: Terminal) -> anyhow::Result<()> {
        match self.output.format {
            // As it was recorded, so that its hash can be compared.
            Format::Json | Format::Jsonl => terminal.say(&String::from_utf8_lossy(result))?,
            Format::Table => {
                let lines = Report::read(result)?.lines(&self.job_id, terminal);
                terminal.say(&lines.join("\n"))?;
            }
        }
        Ok(())
    }
}
